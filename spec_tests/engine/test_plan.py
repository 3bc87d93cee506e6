from __future__ import annotations

import dataclasses
import itertools
import pickle
import sys
from collections import Counter
from types import SimpleNamespace
from typing import Any

import pytest
from handmade import SLAYER

from surrogate_core import libraries
from surrogate_core.drivers import Device
from surrogate_core.engine import PROFILES, Plan, plan
from surrogate_core.errors import BadInput
from surrogate_core.properties import PROPERTIES, Proof
from surrogate_core.slayer import SlayerGrad
from surrogate_core.spec import FORMATS

OWN = "surrogate_core.SlayerGrad"
DEVICES = ("gpu:0", "gpu:1", "cpu:0")


@pytest.fixture(autouse=True)
def two_backends(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine with two GPUs, whatever the real one has."""
    driver = SimpleNamespace(devices=lambda: tuple(Device(name, "made up") for name in DEVICES), absent=tuple)
    monkeypatch.setattr("surrogate_core.engine.facts.get_driver", lambda framework: driver)


def of(*targets: Any, **options: Any) -> Plan:
    return plan(list(targets or (OWN,)), SLAYER, **options)


def test_units_are_properties_times_formats_times_parameters_times_backends() -> None:
    planned = of(params={"alpha": [0.5, 2.0]})
    number = Counter(p.scope for p in PROPERTIES if "jax" in p.frameworks)
    # What is about all of float32 has no other format.
    assert [p.id for p in PROPERTIES if p.scope == "one rate"] == [p.id for p in PROPERTIES if isinstance(p, Proof)]
    several = number["every case"] * len(FORMATS) * 2 + number["each dtype"] * len(FORMATS)
    assert len(planned.units) == 2 * (several + number["one rate"] + number["once"])
    assert len(set(planned.units)) == len(planned.units)


def test_structure_is_judged_at_parameters_that_round() -> None:
    planned = of(params={"alpha": [0.5, 2.0, 0.7, 3.3]}, properties=["transform.jit", "forward.shape"])
    assert {u.case.parameters for u in planned.units} == {(("alpha", 0.7),)}
    assert {u.case.dtype for u in planned.units if u.property_id == "transform.jit"} == set(FORMATS)
    assert {u.case.dtype for u in planned.units if u.property_id == "forward.shape"} == {"float32"}


def test_all_of_float32_is_sampled_at_one_rate_and_proved_at_each() -> None:
    options = {"params": {"alpha": [2.0, 0.7]}, "properties": ["pointwise.patterns"], "dtypes": ["float16", "float32"]}
    for profile, rates in (("quick", set()), ("standard", {0.7}), ("thorough", {2.0, 0.7})):
        units = of(profile=profile, **options).units
        assert {dict(u.case.parameters)["alpha"] for u in units} == rates
        assert {u.case.dtype for u in units} <= {"float32"}


def test_quick_judges_structure_in_float32_or_the_only_format_that_is_asked_for() -> None:
    for dtypes, judged in (([], "float32"), (["bfloat16", "float16"], "bfloat16")):
        planned = of(profile="quick", properties=["transform.jit"], dtypes=dtypes)
        assert {u.case.dtype for u in planned.units} == {judged}


def test_the_first_device_of_each_backend_is_judged_and_knows_the_others() -> None:
    planned = of(params={"alpha": [0.5]}, dtypes=["float32"])
    assert list(dict.fromkeys(u.case.device for u in planned.units)) == ["gpu:0", "cpu:0"]
    assert {u.case.devices for u in planned.units} == {DEVICES}


def test_units_that_share_evaluations_stand_together() -> None:
    cases = [u.case for u in of(params={"alpha": [0.5, 2.0]}, dtypes=["float16", "float32"]).units]
    runs = [case for case, _ in itertools.groupby(cases)]
    assert len(runs) == len(set(runs)) == 2 * 2 * 2


def test_without_parameters_the_specs_own_samples_are_judged() -> None:
    for profile in PROFILES:
        planned = of(profile=profile, dtypes=["float32"], properties=["forward.step"])
        assert {u.case.parameters for u in planned.units} == set(SLAYER.grid(profile))
        assert {u.case.profile for u in planned.units} == {profile}


def test_globs_formats_seed_and_framework_are_heeded() -> None:
    planned = of(properties=["gradient.pe*", "forward.step"], dtypes=["bfloat16"], seed=9, framework="jax")
    assert {u.property_id for u in planned.units} == {"gradient.peak", "forward.step"}
    assert {u.case.dtype for u in planned.units} == {"bfloat16"}
    assert {(u.case.seed, u.case.framework) for u in planned.units} == {(9, "jax")}
    assert planned.seed == 9


def test_a_property_that_the_spec_does_not_promise_is_not_planned() -> None:
    planned = plan([OWN], SLAYER.replace(claims=()), params={"alpha": [1.0]})
    assert "gradient.decay" not in {u.property_id for u in planned.units}
    assert "gradient.oracle" in {u.property_id for u in planned.units}


def test_a_format_or_a_value_given_twice_is_judged_once() -> None:
    once = of(params={"alpha": [0.5]}, dtypes=["float16"])
    assert of(params={"alpha": [0.5, 0.5]}, dtypes=["float16", "float16"]).units == once.units


def test_targets_keep_their_order() -> None:
    planned = of("surrogate_core:SlayerGrad", OWN, params={"alpha": [1.0]})
    assert [i.name for i in planned.implementations] == ["surrogate_core:SlayerGrad", OWN]
    assert planned.units[0].implementation.name == "surrogate_core:SlayerGrad"


def test_a_plan_travels_to_another_process() -> None:
    planned = of(params={"alpha": [1.0]}, dtypes=["float32"])
    assert pickle.loads(pickle.dumps(planned)) == planned


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"profile": "fast"}, "profile 'fast'\n.*one of quick, standard, thorough"),
        ({"properties": ["gradient.orakle"]}, r"property 'gradient.orakle'\n.*\n.*did you mean gradient.oracle"),
        ({"dtypes": ["int8"]}, "dtype 'int8'\n.*one of float16, bfloat16, float32, float64"),
        ({"params": {"beta": [1.0]}}, "parameter 'beta' for spec 'slayer'"),
        ({"params": {"alpha": [-1.0]}}, "parameter alpha=-1\n"),
        ({"params": {"alpha": []}}, "parameter 'alpha' with no value"),
        ({"framework": "tf"}, "framework 'tf'"),
    ],
)
def test_a_mistake_is_told_before_anything_runs(options: dict[str, Any], message: str) -> None:
    with pytest.raises(BadInput, match=message):
        of(**options)


def test_each_target_is_judged_against_what_the_catalogue_says_it_declares(monkeypatch: pytest.MonkeyPatch) -> None:
    own = libraries.find(OWN)
    strict = dataclasses.replace(own.surrogate, name="surrogate_core.Strict", variant=(("at_threshold", 0),))
    library = dataclasses.replace(own.library, surrogates=(own.surrogate, strict))
    monkeypatch.setattr(libraries, "OURS", (library,))
    planned = plan([OWN, "surrogate_core.Strict", "surrogate_core:SlayerGrad"], profile="quick")
    assert [i.spec for i in planned.implementations] == [SLAYER, strict.declared(), SLAYER]
    assert strict.declared().at_threshold == 0
    judged = {u.case.spec for u in planned.units if u.implementation.name == "surrogate_core.Strict"}
    assert judged == {strict.declared()}
    assert {i.spec for i in plan([OWN, "surrogate_core.Strict"], SLAYER).implementations} == {SLAYER}


def test_two_specs_of_one_name_are_a_mistake(monkeypatch: pytest.MonkeyPatch) -> None:
    # What a report calls slayer must be one thing.
    specs = iter([SLAYER, SLAYER.replace(name="slayer", at_threshold=0)])
    # Not by its dotted name: in the package, `plan` is the function.
    monkeypatch.setattr(sys.modules[Plan.__module__], "get_spec", lambda name: next(specs))
    with pytest.raises(BadInput, match="two different specs named 'slayer'"):
        plan(["surrogate_core.slayer:SlayerGrad", "surrogate_core:SlayerGrad"])


def test_no_target_or_one_given_twice_is_a_mistake() -> None:
    with pytest.raises(BadInput, match=r"no target\n.*at least one implementation"):
        plan([], SLAYER)
    with pytest.raises(BadInput, match="given twice"):
        of(OWN, OWN)


def test_a_factory_that_refuses_the_parameters_is_a_mistake() -> None:
    with pytest.raises(BadInput, match=r"signature \(x\) refuses the spec's parameters"):
        of(lambda x: x)
    assert of(SlayerGrad, params={"alpha": [1.0]}).implementations[0].target.given is SlayerGrad


def test_a_parameter_value_may_stand_alone() -> None:
    assert {u.case.parameters for u in of(params={"alpha": 0.5}).units} == {(("alpha", 0.5),)}


def test_a_parameter_that_is_no_number_is_refused_with_an_example() -> None:
    with pytest.raises(BadInput, match=r"parameter alpha='high'\n  expected: numbers"):
        of(params={"alpha": "high"})


def test_the_parts_of_a_proof_have_names_of_their_own() -> None:
    planned = of(profile="thorough", params={"alpha": [0.7]}, properties=["pointwise.patterns"])
    ids = [unit.id for unit in planned.units if unit.case.device == "cpu:0"]
    assert len(set(ids)) == len(ids) == 64
    assert ids[0] == f"{OWN}::pointwise.patterns[float32-alpha=0.7-cpu:0-0x00000000..0x02000000]"


def test_a_search_without_examples_is_not_planned() -> None:
    assert not of(profile="quick", properties=["transform.stacks", "forward.step"], dtypes=["float32"]).units[-1].part
    assert {u.property_id for u in of(profile="quick", properties=["transform.*"]).units} == {
        *("transform.jit", "transform.vmap", "transform.modes")
    }


def test_thorough_judges_structure_in_every_format() -> None:
    planned = of(profile="thorough", properties=["transform.stacks"])
    assert {u.case.dtype for u in planned.units} == set(FORMATS)
