"""What of two interpreters is compared, and what of two sides is told."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from surrogate_core.perf import plan as planning
from surrogate_core.perf import processes
from surrogate_core.perf.plan import plan
from surrogate_core.perf.request import Request
from surrogate_core.perf.store import BenchRun
from surrogate_core.perf.verdicts import exit_code

HERE = Path(__file__).parent / "surrogates.py"
GOOD, SLOW = (f"{HERE}:{name}" for name in ("good", "slow"))
SMALL = "forward/compiled/1024/float32/cpu:0"


def request(target: str, *globs: str, **changes: Any) -> Request:
    return Request(targets=[target], globs=globs, framework="jax", **changes)


@pytest.fixture
def other_devices(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Another interpreter that finds these devices; here, what is found stays or is that."""
    asked = processes.probe

    def install(there: Sequence[str], here: Sequence[str] = ("cpu:0",)) -> None:
        def probe(what: Mapping[str, Any], interpreter: str = "") -> Any:
            devices = {"jax": [[name, name] for name in (there if interpreter else here)]}
            return {**asked(what), "devices": devices}

        monkeypatch.setattr(planning, "probe", probe)

    return install


@pytest.mark.usefixtures("no_processes")
@pytest.mark.parametrize("gone", ["here", "there"])
def test_a_device_that_one_of_two_interpreters_lacks_is_not_comparable(
    other_devices: Callable[..., None], gone: str
) -> None:
    both, less = ("cpu:0", "cuda:0"), ("cpu:0",)
    other_devices(**{"there": less, "here": both} if gone == "there" else {"there": both, "here": less})
    laid = plan(request(GOOD, "*/compiled/1024/float32/*", against_python="other/python"))
    where = "here" if gone == "here" else "under other/python"
    names = [name for name in laid.header["not_comparable"] if name.endswith("/cuda:0")]
    assert names == [*laid.header["not_comparable"]] != []
    assert {laid.header["not_comparable"][name] for name in names} == {f"no device cuda:0 {where}"}
    assert {b.device for b in laid.benchmarks} == {"cpu:0"}


@pytest.mark.usefixtures("no_processes")
def test_of_another_interpreter_is_missing_only_what_was_asked_for(other_devices: Callable[..., None]) -> None:
    other_devices(there=("cpu:0", "cuda:0"))
    laid = plan(request(GOOD, SMALL, against_python="other/python"))
    assert (laid.header["not_comparable"], [b.id for b in laid.benchmarks]) == ({}, [SMALL])


@pytest.mark.usefixtures("no_processes")
def test_where_every_device_that_was_asked_for_is_gone_nothing_is_comparable(
    other_devices: Callable[..., None],
) -> None:
    other_devices(there=("cpu:0",), here=("cpu:0", "cuda:0"))
    gone = SMALL.replace("cpu:0", "cuda:0")
    laid = plan(request(GOOD, gone, against_python="other/python"))
    assert laid.header["not_comparable"] == {gone: "no device cuda:0 under other/python"}
    assert exit_code(BenchRun(laid.header, (), complete=True)) == 3


@pytest.mark.usefixtures("no_processes")
def test_sides_at_other_parameters_are_told_so() -> None:
    laid = plan(request("surrogate_core:SlayerGrad", SMALL, against="braintools.Sigmoid"))
    assert "each at parameters of its own: alpha=1, compared with alpha=4" in laid.header["remarks"]
    assert not any("of its own" in remark for remark in plan(request(GOOD, against=SLOW)).header["remarks"])
