"""What is replayed is the stored counterexample, and what is said of it is what became of the code since."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from impostors import hostile

import surrogate_core
from surrogate_core.engine import Run, header, limits, plan, search
from surrogate_core.engine.isolation import available
from surrogate_core.engine.plan import START
from surrogate_core.engine.replay import Replayed, counterexamples, exit_code, replay
from surrogate_core.engine.result import Result
from surrogate_core.errors import BadInput
from surrogate_core.properties.outcome import Errored, ExpectedFailure, Failed, Passed
from surrogate_core.spec import get_spec

ROOT = Path(__file__).parents[2]
ALPHA = (("alpha", 0.7),)

FORM = """
import jax, jax.numpy as jnp

def make(alpha):
    @jax.custom_jvp
    def spike(x):
        {before}
        return (x >= 0).astype(x.dtype)
    spike.defjvp(lambda p, t: (spike(*p), jnp.exp(-alpha * jnp.abs(p[0])) * jnp.where(p[0] < 0, {left}, 1.0) * t[0]))
    return spike
"""
WRONG = FORM.format(before="", left=0.5)
OTHERWISE = {
    "unchanged": (WRONG, "still failing", "As before, "),
    "wrong in another way": (FORM.format(before="", left=0.25), "fails differently", "not "),
    "mended": (FORM.format(before="", left=1.0), "now passing", "passes. Before, "),
    "raises": (FORM.format(before="raise RuntimeError('no current')", left=1.0), "fails differently", "no current"),
    "broken": ("import nowhere_to_be_found", "cannot be run", "No module named 'nowhere_to_be_found'"),
    "of another signature": (WRONG.replace("make(alpha)", "make(beta)"), "cannot be run", "refuses the spec's param"),
    "gone": ("", "cannot be run", "no file"),
}
"""What becomes of the file -> its text, the state, and what is said."""


@pytest.fixture(scope="module")
def mine(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with a wrong surrogate."""
    path = tmp_path_factory.mktemp("mine") / "mine.py"
    path.write_text(WRONG)
    return path


@pytest.fixture(scope="module")
def stored(mine: Path) -> Run:
    """What a check finds there: of three properties two fail, one of them a search."""
    report = surrogate_core.check(
        f"{mine}:make",
        params={"alpha": 0.7},
        profile="quick",
        dtypes=["float32"],
        properties=["gradient.peak", "gradient.symmetry", "state.instances"],
        in_process=True,
    )
    assert [r.outcome.state for r in report.results] == ["passed", "failed", "failed"]
    return report.run


def replayed(run: Run, chosen: Sequence[Result] | None = None, **options: Any) -> list[Replayed]:
    """What comes of the failures of a run, in this process."""
    wanted = counterexamples(run) if chosen is None else chosen
    return list(replay(run, wanted, limits("quick"), **{"in_process": True, **options}))


@pytest.mark.parametrize("event", OTHERWISE)
def test_the_state_is_what_became_of_the_code(stored: Run, mine: Path, event: str) -> None:
    text, state, said = OTHERWISE[event]
    try:
        mine.unlink()
        if text:
            mine.write_text(text)
        found = replayed(stored)
    finally:
        mine.write_text(WRONG)
    assert [each.before.property_id for each in found] == ["gradient.symmetry", "state.instances"]
    assert [each.state for each in found] == [state] * 2
    assert all(said in each.sentence for each in found)
    assert exit_code(found) == {"now passing": 0, "cannot be run": 2}.get(state, 1)


def test_the_stored_example_is_judged_and_none_is_drawn(stored: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(search, "_explore", lambda *_: pytest.fail("it searched"))
    found = replayed(stored, counterexamples(stored, "state.instances"))
    assert [each.state for each in found] == ["still failing"]


def changed(result: Result, **outcome: Any) -> Result:
    assert isinstance(result.outcome, Failed)
    return replace(result, outcome=replace(result.outcome, **outcome))


def test_a_search_whose_example_is_not_stored_is_done_anew(stored: Run) -> None:
    (found,) = counterexamples(stored, "state.instances")
    assert [each.state for each in replayed(stored, [changed(found, example="")])] == ["still failing"]


def test_of_one_example_the_numbers_count_too(stored: Run) -> None:
    (found,) = counterexamples(stored, "state.instances")
    assert isinstance(found.outcome, Failed)
    measured = f"1{found.outcome.measured}"
    assert [each.state for each in replayed(stored, [changed(found, measured=measured)])] == ["fails differently"]


def test_what_fails_only_after_other_calls_is_not_said_to_pass() -> None:
    target = f"{ROOT}/spec_tests/impostors/jax_state.py:memoised_by_whole_alpha"
    planned = plan([target], get_spec("slayer"), dtypes=["float32"], params={"alpha": 0.7}, properties=["state.inst*"])
    example = '{"instances":[[["alpha",2.0]]],"calls":[{"instance":0,"operation":"vjp","turn":0,"weights":[1.0]}]}'
    failure = Failed("call 1 of 1 call", "0.17", "0.13", example=example)
    result = Result(target, "state.instances", "float32", "cpu:0", ALPHA, failure)
    (found,) = replayed(Run(header(planned), (result,), complete=True))
    assert found.state == "fails differently"


def test_another_promise_is_not_the_one_that_was_broken(stored: Run) -> None:
    head = {**stored.header, "specs": {"slayer": {**stored.header["specs"]["slayer"], "gradient": "exp(-2*Abs(x))"}}}
    found = replayed(replace(stored, header=head))
    assert {each.state for each in found} == {"cannot be run"}
    assert "whose gradient was exp(-2*Abs(x)) and is exp(-alpha*Abs(x))" in found[0].sentence


def test_a_spec_that_the_catalogue_lacks_has_to_be_given(stored: Run) -> None:
    entries = [{**entry, "spec": "ours"} for entry in stored.header["implementations"]]
    head = {**stored.header, "specs": {"ours": stored.header["specs"]["slayer"]}, "implementations": entries}
    run = replace(stored, header=head)
    chosen = counterexamples(run, "gradient.symmetry")
    (found,) = replayed(run, chosen)
    assert "give it with --spec package.module:ATTRIBUTE" in found.sentence
    (found,) = replayed(run, chosen, spec=get_spec("slayer").replace(name="ours"))
    assert found.state == "still failing"


STRANGE: dict[str, tuple[dict[str, Any], str]] = {
    "another parameter": ({"parameters": (("beta", 0.7),)}, "parameters 'beta'"),
    "a parameter outside its domain": ({"parameters": (("alpha", -1.0),)}, "alpha=-1"),
    "an unknown format": ({"dtype": "float31"}, "did you mean float32"),
    "a device that is not here": ({"device": "gpu:7"}, "device gpu:7, which is not here"),
    "an unknown property": ({"property_id": "gradient.symetry"}, "property 'gradient.symetry'"),
    "a property of another framework": ({"property_id": "torch.layout"}, "one that is judged of jax"),
    "an unknown part": ({"part": "0x0..0x1"}, "the part '0x0..0x1'"),
    "a part of no proof": ({"property_id": "pointwise.patterns"}, "the part ''"),
}


@pytest.mark.parametrize("change", STRANGE)
def test_what_no_run_could_have_planned_is_not_run(stored: Run, change: str) -> None:
    changes, said = STRANGE[change]
    good, bad = counterexamples(stored)[0], replace(counterexamples(stored)[0], **changes)
    found = {each.before.id: each for each in replayed(stored, [good, bad])}
    assert found[good.id].state == "still failing"
    assert found[bad.id].state == "cannot be run"
    assert said in found[bad.id].sentence


def test_an_example_that_could_not_have_been_drawn_is_not_run(stored: Run) -> None:
    (found,) = counterexamples(stored, "state.instances")
    (told,) = replayed(stored, [changed(found, example='{"instances":[],"calls":[]}')])
    assert (told.state, "beyond those that are drawn" in told.sentence) == ("cannot be run", True)


@pytest.mark.parametrize("change", [{"profile": "fast"}, {"seed": -1}])
def test_a_run_that_nobody_could_ask_for_is_refused(stored: Run, change: dict[str, Any]) -> None:
    with pytest.raises(BadInput, match="one of quick, standard, thorough, and a seed"):
        replayed(replace(stored, header={**stored.header, **change}))


def test_what_has_changed_since_is_told(stored: Run, mine: Path) -> None:
    said: list[str] = []
    packages = {**stored.header["environment"]["packages"], "numpy": "0.1"}
    head = {**stored.header, "environment": {**stored.header["environment"], "packages": packages}}
    mine.write_text(WRONG + "# a comment\n")
    try:
        replayed(replace(stored, header=head), on_begin=lambda begun: said.extend(begun.moved))
    finally:
        mine.write_text(WRONG)
    assert said[0].startswith("numpy was 0.1 and is ")
    assert said[1].startswith(f"the source of {mine}:make has changed")


# ---- which ---------------------------------------------------------------------------------------


def test_known_failures_are_left_out_unless_they_are_named(stored: Run) -> None:
    symmetry, instances = counterexamples(stored)
    assert isinstance(symmetry.outcome, Failed)
    known = replace(symmetry, outcome=ExpectedFailure(symmetry.outcome, "It is known."))
    run = replace(stored, results=(known, instances))
    assert counterexamples(run) == (instances,)
    assert counterexamples(run, "*") == (known, instances)
    assert counterexamples(run, symmetry.id) == (known,)
    assert [each.state for each in replayed(run, [known])] == ["still failing"]


def test_an_id_may_be_a_result_a_property_an_implementation_or_a_glob(stored: Run) -> None:
    symmetry, instances = counterexamples(stored)
    assert counterexamples(stored, symmetry.id) == (symmetry,)
    assert counterexamples(stored, "gradient.symmetry") == (symmetry,)
    assert counterexamples(stored, symmetry.implementation) == (symmetry, instances)
    assert counterexamples(stored, "*float32*") == (symmetry, instances)
    assert counterexamples(stored, "gradient.peak") == ()  # which passes


def test_an_unknown_id_is_told_with_those_that_are_near(stored: Run) -> None:
    with pytest.raises(BadInput, match=r"did you mean gradient\.symmetry"):
        counterexamples(stored, "gradient.symetry")
    with pytest.raises(BadInput, match=r"there are 2 that fail, such as .*mine"):
        counterexamples(stored, "42")


# ---- other kinds of runs -------------------------------------------------------------------------


def unimportable(path: Path) -> Run:
    planned = plan([f"{path}:make"], survey=True)
    (result,) = planned.settled
    assert result.property_id == START
    return Run(header(planned), planned.settled, complete=True)


def test_what_could_not_be_imported_is_imported_again(tmp_path: Path) -> None:
    path = tmp_path / "lib.py"
    path.write_text("import nowhere_to_be_found")
    run = unimportable(path)
    assert [each.state for each in replayed(run)] == ["still failing"]
    path.write_text("1 / 0")
    assert [each.state for each in replayed(run)] == ["fails differently"]
    path.write_text(WRONG)
    assert [each.state for each in replayed(run)] == ["now passing"]


def test_a_surrogate_of_the_catalogue_is_judged_against_its_own_declaration() -> None:
    pytest.importorskip("braintools", reason="pip install 'surrogate_core[braintools]'")
    report = surrogate_core.check(
        "braintools.Sigmoid", profile="quick", dtypes=["float32"], properties=["gradient.oracle"], in_process=True
    )
    found = replayed(report.run)
    assert found
    assert {each.state for each in found} == {"still failing"}


def test_a_stack_of_transformations_is_replayed_in_pytorch() -> None:
    pytest.importorskip("torch", reason="pip install 'surrogate_core[torch]'")
    report = surrogate_core.check(
        f"{ROOT}/spec_tests/impostors/torch_modes.py:inverted_under_second_vmap",
        params={"alpha": 0.7},
        dtypes=["float32"],
        properties=["transform.stacks"],
        in_process=True,
    )
    (found,) = replayed(report.run)
    assert found.state == "still failing"
    assert found.script


@pytest.mark.skipif(not available(), reason="processes are isolated on Linux alone")
def test_what_brings_its_process_down_does_so_in_a_worker_and_alone() -> None:
    raised = {
        "segfaults": "it ended its process with SIGSEGV (segmentation fault)",
        "hangs": "no answer within 600 s",
        "kills_the_keeper": "no answer within 600 s",
    }
    targets = {f"{hostile.__file__}:{name}": Errored(message) for name, message in raised.items()}
    head = header(plan([*targets], get_spec("slayer"), profile="quick", framework="jax"))
    results = [Result(name, "forward.shape", "float32", "cpu:0", ALPHA, outcome) for name, outcome in targets.items()]
    found = list(replay(Run(head, tuple(results), True), results, limits("quick", timeout=4), jobs=2))
    assert {each.before.id: each.state for each in found} == dict(
        zip([r.id for r in results], ["still failing", "still failing", "cannot be run"], strict=True)
    )
    (lost,) = [each for each in found if each.state == "cannot be run"]
    assert "was never reported" in lost.sentence


def test_the_exit_code_is_that_of_the_worst() -> None:
    result = Result("it", "gradient.peak", "float32", "cpu:0", ALPHA, Passed())
    still, other, lost, well = (
        Replayed(result, state, "") for state in ("still failing", "fails differently", "cannot be run", "now passing")
    )
    assert exit_code([well, well]) == 0
    assert exit_code([well, lost, still]) == 1
    assert exit_code([lost, other]) == 1
    assert exit_code([well, lost]) == 2
    assert exit_code([]) == 3
