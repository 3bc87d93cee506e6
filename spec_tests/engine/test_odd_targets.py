"""A target that is no factory of spike functions is a clear mistake, or an outcome; never our traceback."""

from __future__ import annotations

import gc

import pytest
from impostors import odd

import surrogate_core
from surrogate_core.errors import BadInput

ZOO = odd.__file__


def judged(name: str) -> surrogate_core.Report:
    return surrogate_core.check(
        f"{ZOO}:{name}",
        "slayer",
        params={"alpha": 1},
        profile="quick",
        dtypes=["float32"],
        properties=["gradient.peak"],
        in_process=True,
    )


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("a_module", "is <module 'types'"),
        ("properties", "is <Properties, whose repr raises>"),
        ("Properties.make", "is <property object"),
        ("NeedsMore", "missing a required argument: 'beta'"),
        ("TakesNothing", "got an unexpected keyword argument 'alpha'"),
        ("Properties.method", "missing a required argument: 'self'"),
        ("properties.make", "ValueError: the property raises"),
        ("WithMeta.make", "RuntimeError: the class raises"),
        ("__doc__", "is 'Things that a user may point at"),
    ],
)
def test_what_is_no_factory_for_the_spec_is_a_mistake(name: str, said: str) -> None:
    with pytest.raises(BadInput) as caught:
        judged(name)
    assert said in caught.value.given


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("coroutine", "the factory returned a coroutine; expected a spike function; define it without async and yield"),
        ("generator", "the factory returned a generator; expected a spike function; define it without async and yield"),
        ("asynchronous_generator", "the factory returned an async_generator; expected a spike function; define it"),
        ("coroutine_spike", "the spike function returned a coroutine for a jax.Array"),
        ("generator_spike", "the spike function returned a generator for a jax.Array"),
        ("Unmade", "the spike function returned a type for a jax.Array"),
        ("nothing", "the factory returned None"),
        ("Raises", "ValueError: not today"),
    ],
)
@pytest.mark.filterwarnings("ignore:coroutine .* was never awaited:RuntimeWarning")
def test_a_factory_of_something_else_is_an_error_of_the_implementation(name: str, said: str) -> None:
    (result,) = judged(name).results
    assert result.outcome.state == "errored"
    assert getattr(result.outcome, "message", "").startswith(said)
    gc.collect()  # a coroutine that was never awaited says so when it is collected: here, and not in another test


@pytest.mark.parametrize("name", ["shy", "around"])
def test_attributes_that_raise_are_no_matter(name: str) -> None:
    assert judged(name).conforms


@pytest.mark.parametrize("target", [None, 3, odd.a_module, odd.properties])
def test_an_object_that_is_no_factory_is_a_mistake(target: object) -> None:
    with pytest.raises(BadInput, match="a string, or a factory"):
        surrogate_core.check(target)  # pyright: ignore[reportArgumentType]  (on purpose)
