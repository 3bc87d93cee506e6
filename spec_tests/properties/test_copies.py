from __future__ import annotations

import pytest
from handmade import ask, case, failed, judge, passed

from surrogate_core.drivers.copies import Uncopied
from surrogate_core.properties import outcome as outcomes
from surrogate_core.properties.copies import COPIES

CLOSURE = Uncopied("pickle of the function: no", instance=False)
OBJECT = Uncopied("pickle of an instance of Spike: no", instance=True)


@pytest.mark.parametrize("name", ["deepcopy", "pickle"])
def test_a_copy_that_answers_otherwise_is_rejected(name: str) -> None:
    request = COPIES.observe(case())[name]
    outcome = failed(judge(COPIES, case(), instead={name: ask(request, derivative=lambda x: 1 / (1 + abs(x)))}))
    assert outcome.given == f"a {name} of the spike function"
    assert outcome.measured.startswith("gradient[")
    silent = ask(request, forward=lambda x: 0 * x)
    assert failed(judge(COPIES, case(), instead={name: silent})).measured.startswith("spikes[")


def test_both_copies_are_asked_for() -> None:
    assert passed(judge(COPIES, case())).figures == {"deepcopy": True, "pickle": True}


def test_a_closure_that_cannot_be_pickled_passes_in_silence() -> None:
    outcome = passed(judge(COPIES, case(), instead={"pickle": CLOSURE}))
    assert outcome == outcomes.Passed({"deepcopy": True, "pickle": False})


def test_an_object_that_cannot_be_pickled_passes_with_a_remark() -> None:
    outcome = passed(judge(COPIES, case(), instead={"pickle": OBJECT}))
    assert outcome.remarks == ("pickle of an instance of Spike: no",)


def test_what_cannot_be_copied_at_all_is_unsupported() -> None:
    deep = Uncopied("deepcopy of the function: no", instance=False)
    outcome = judge(COPIES, case(), instead={"deepcopy": deep, "pickle": CLOSURE})
    assert outcome == outcomes.Unsupported("deepcopy of the function: no; pickle of the function: no")


def test_a_wrong_copy_weighs_more_than_a_missing_one() -> None:
    wrong = ask(COPIES.observe(case())["deepcopy"], derivative=lambda x: 0 * x)
    failed(judge(COPIES, case(), instead={"deepcopy": wrong, "pickle": CLOSURE}))
