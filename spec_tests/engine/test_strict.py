from __future__ import annotations

import pytest
from deviating import BROKEN, PASSED, RAISED, head, result

from surrogate_core.engine.result import Result
from surrogate_core.engine.store import Run
from surrogate_core.engine.strict import DEFAULT, exit_code, offences, strictness
from surrogate_core.errors import BadInput
from surrogate_core.properties.outcome import ExpectedFailure, Passed, Unsupported


def run(*results: Result, complaints: tuple[str, ...] = ()) -> Run:
    return Run({**head(), "planned": len(results)}, results, True, (), complaints)


def of(outcome, prop: str = "forward.step") -> Run:
    return run(result(PASSED), result(outcome, prop))


@pytest.mark.parametrize(
    ("outcome", "word"),
    [
        (BROKEN, "failed"),
        (RAISED, "errored"),
        (Unsupported("forward mode"), "unsupported"),
        (Passed(remarks=("subnormals are flushed",)), "remark"),
    ],
)
def test_each_word_fails_on_its_own_state_alone(outcome, word: str) -> None:
    assert exit_code(of(outcome), (word,)) == 1
    assert offences(of(outcome), (word,)) == {word: 1}
    others = tuple(w for w in ("failed", "errored", "unsupported", "remark") if w != word)
    assert exit_code(of(outcome), others) == 0


def test_by_default_what_failed_or_errored_does_not_pass() -> None:
    assert [exit_code(of(o)) for o in (BROKEN, RAISED, Unsupported("x"), Passed(remarks=("x",)))] == [1, 1, 0, 0]
    assert exit_code(of(ExpectedFailure(BROKEN, "it is known")), DEFAULT) == 0


def test_a_contradicted_deviation_never_passes_and_a_broken_ledger_comes_first() -> None:
    assert exit_code(run(result(PASSED), complaints=("known.toml:1: not needed",)), ("unsupported",)) == 1
    assert exit_code(Run({**head(), "planned": 5}, (result(BROKEN),), True)) == 3


def test_a_check_can_be_made_stricter_and_no_laxer() -> None:
    assert strictness(["remark"]) == ("failed", "errored", "remark")
    assert exit_code(of(BROKEN), strictness(["unsupported"])) == 1


def test_an_unknown_word_is_a_mistake() -> None:
    with pytest.raises(BadInput, match="did you mean failed"):
        strictness(["failde"])
