"""spyx: factories of spike functions in JAX, silent at the threshold ("1 where x > 0, else 0")."""

from __future__ import annotations

from collections.abc import Iterable

from surrogate_core.libraries.base import Documented, Excluded, Library, Surrogate

__all__ = ["LIBRARY"]


def _surrogate(attribute: str, spec: str, formula: str, keywords: tuple[tuple[str, str], ...] = ()) -> Surrogate:
    return Surrogate(
        name=f"spyx.{attribute}",
        spec=spec,
        framework="jax",
        module="spyx.axn",
        attribute=attribute,
        keywords=keywords,
        documented=Documented(
            f"1 where x > 0, else 0; {formula}", f"docstrings of spyx.axn.heaviside and spyx.axn.{attribute}"
        ),
        variant=(("at_threshold", 0),),
    )


def _straight_through():
    """What spyx.axn.custom makes by default.

    Its docstring calls the default "the identity, which together give the straight-through estimator", of slope 1.
    """
    import spyx.axn

    return spyx.axn.custom()


def _arctan(alpha: float):
    """The arc tangent, whose steepness is half of the spec's."""
    import spyx.axn

    return spyx.axn.arctan(k=alpha / 2)


def _public() -> Iterable[str]:
    import inspect

    import spyx.axn
    import spyx.experimental.stochastic

    modules = (spyx.axn, spyx.experimental.stochastic)
    return [
        f"{module.__name__}:{name}"
        for module in modules
        for name, value in vars(module).items()
        if inspect.isfunction(value) and value.__module__ == module.__name__ and not name.startswith("_")
    ]


_STOCHASTIC = "spikes are drawn at random with a key, so that no input has one right answer"

LIBRARY = Library(
    name="spyx",
    package="spyx",
    distribution="spyx",
    extra="spyx",
    surrogates=(
        Surrogate(
            name="spyx.custom",
            spec="straight_through",
            framework="jax",
            module="spyx.axn",
            attribute="custom",
            documented=Documented(
                "default fwd is the Heaviside step and the default bwd is the identity, which together give the "
                "straight-through estimator (STE): dy/dx = 1",
                "docstring of spyx.axn.custom",
            ),
            variant=(("at_threshold", 0),),
            adapter=_straight_through,
        ),
        _surrogate("tanh", "tanh", "g(x) = 4 / (e^(-kx) + e^(kx))^2", (("alpha", "k"),)),
        _surrogate("boxcar", "boxcar", "g(x) = h for |x| <= w/2, 0 otherwise"),
        _surrogate("triangular", "unit_triangle", "max(0, 1 - |kx|)", (("alpha", "k"),)),
        Surrogate(
            name="spyx.arctan",
            spec="arctan_over_pi",
            framework="jax",
            module="spyx.axn",
            attribute="arctan",
            documented=Documented(
                "1 where x > 0, else 0; an arctangent-derived gradient of steepness k, in its source "
                "1 / ((1 + (k pi x)^2) pi)",
                "docstrings of spyx.axn.heaviside and spyx.axn.arctan, and its source",
            ),
            variant=(("at_threshold", 0),),
            defaults=(("alpha", 4.0),),
            adapter=_arctan,
        ),
        _surrogate("superspike", "fast_sigmoid", "1 / (1 + k|U|)^2", (("alpha", "k"),)),
    ),
    excluded=(
        Excluded("spyx.axn:heaviside", "the forward step alone: it defines no gradient"),
        Excluded("spyx.experimental.stochastic:sigmoid_bernoulli", _STOCHASTIC),
        Excluded("spyx.experimental.stochastic:refractory_sigmoid_bernoulli", _STOCHASTIC),
    ),
    accepted=(
        Excluded("spyx.experimental.compress", "a matrix product that keeps its spikes packed, no spike function"),
        Excluded(
            "spyx.experimental.matfree:ste", "takes the quantised value as its second argument, and has no formula"
        ),
        Excluded("spyx.experimental.raven", "keeps the largest of several gates: no function of one element"),
    ),
    uncovered=(
        "custom with a forward or a backward of the user's",
        "boxcar's gradient at |x| = w/2 itself, where it jumps, so that the value of either side is accepted: it is "
        "documented as h there, and is 0",
    ),
    public=_public,
    preload=True,
)
