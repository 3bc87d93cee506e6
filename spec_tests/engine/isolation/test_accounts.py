"""Whatever becomes of an answer on its way: the command leaves with exit code 3, and a sentence says what is amiss."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict
from typing import Any

import pytest

from surrogate_core import cli
from surrogate_core.engine.facts import facts
from surrogate_core.engine.isolation import Ended, available, pool
from surrogate_core.engine.isolation.worker import AskFacts, AskResults
from surrogate_core.engine.result import to_json
from surrogate_core.engine.run import run

OURS = "surrogate_core:SlayerGrad"
PEAK = f"{OURS}::gradient.peak[float32-alpha=0.7-cpu:0]"
Answers = list[dict[str, Any]]

pytestmark = pytest.mark.skipif(not available(), reason="processes are isolated on Linux alone")


def _vanished(answers: Answers) -> Answers:
    raise Ended("the worker vanished, and what kept it, too", lost=True)


def _without_the_last(answers: Answers) -> Answers:
    return answers[:-1]


def _twice(answers: Answers) -> Answers:
    return [*answers, answers[-1]]


def _in_an_unknown_state(answers: Answers) -> Answers:
    return [*answers[:-1], {**answers[-1], "outcome": {"state": "splendid"}}]


def _of_somebody_else(answers: Answers) -> Answers:
    return [*answers, {**answers[-1], "implementation": "somebody:else"}]


def _of_no_kind(answers: Answers) -> Answers:
    return [*answers[:-1], {"kind": "result"}]


FAULTS: dict[str, tuple[Callable[[Answers], Answers], str]] = {
    "a worker that vanished": (_vanished, f"{OURS}: the worker vanished, and what kept it, too; "),
    "a property that never reported": (_without_the_last, f"{PEAK} was never reported"),
    "a duplicate": (_twice, f"{PEAK} was reported twice"),
    "an unknown state": (_in_an_unknown_state, "a worker reported what is no result (KeyError: 'splendid')"),
    "a result nobody asked for": (_of_somebody_else, "somebody:else::gradient.peak[float32-alpha=0.7-cpu:0] was"),
    "something that is no result": (_of_no_kind, "a worker reported what is no result (KeyError: "),
}


def worker(spoil: Callable[[Answers], Answers]) -> type[Any]:
    """A worker in this process, whose answers are spoilt on their way."""

    class Spoilt:
        def __init__(self, send: object, limits: object) -> None:
            pass

        def ask(self, asked: AskFacts | AskResults, total: float) -> Iterator[dict[str, Any]]:
            if isinstance(asked, AskFacts):
                yield {"kind": "facts", **asdict(facts(asked.target, asked.parameters))}
                return
            said = [{"kind": "result", **to_json(result)} for result in run(asked.units)]
            yield from json.loads(json.dumps(spoil(said)))

        def close(self) -> None:
            pass

    return Spoilt


class Nobody:
    """In place of the nursery."""

    def __init__(self, *preload: object) -> None:
        pass

    def close(self) -> None:
        pass


@pytest.mark.parametrize("fault", FAULTS)
def test_a_ledger_that_does_not_add_up_is_told(
    fault: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    spoil, said = FAULTS[fault]
    monkeypatch.setattr(pool, "Worker", worker(spoil))
    monkeypatch.setattr(pool, "Nursery", Nobody)
    asked = ["--profile", "quick", "--dtype", "float32", "--param", "alpha=0.7"]
    wanted = ["--property", "forward.dtype", "--property", "gradient.peak"]
    monkeypatch.setattr(sys, "argv", ["surrogate-core", "check", OURS, *asked, *wanted])
    monkeypatch.setenv("COLUMNS", "200")
    with pytest.raises(SystemExit) as end:
        cli.main()
    out = capsys.readouterr().out
    assert end.value.code == 3
    (answer,) = [line for line in out.splitlines() if line.startswith(f"{OURS}: no verdict, because ")]
    assert said in answer
