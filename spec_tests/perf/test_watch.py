"""What a history tells of its latest run."""

from __future__ import annotations

import dataclasses
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from perf.handmade import DEVICES, MACHINE, A, B
from perf.test_history import NEW, at, fill, measured, older
from typer.testing import CliRunner

from surrogate_core.cli import app
from surrogate_core.errors import BadInput
from surrogate_core.perf.history import add, load
from surrogate_core.perf.store import BenchRun
from surrogate_core.perf.watch import accept, check

PACKAGES: dict[str, str] = {**MACHINE["packages"], "jax": "0.11.0"}
JAX = {"machine": {**MACHINE, "packages": PACKAGES}}


def history(*asked: str | Path) -> tuple[int, str]:
    answer = CliRunner().invoke(app, ["history", *map(str, asked)])
    return answer.exit_code, answer.output


def counting(run: BenchRun, **changes: Any) -> BenchRun:
    """A run whose arms count something else."""
    samples = tuple(
        dataclasses.replace(s, arms={name: dataclasses.replace(m, **changes) for name, m in s.arms.items()})
        for s in run.samples
    )
    return dataclasses.replace(run, samples=samples)


def test_steady_ratios_exit_with_zero(tmp_path: Path) -> None:
    fill(tmp_path, *[1.0] * 8)
    assert check(tmp_path).exit_code == 0


def test_a_drift_that_no_neighbours_show_is_a_regression(tmp_path: Path) -> None:
    fill(tmp_path, *[1 + 0.008 * i for i in range(10)])
    found = check(tmp_path)
    assert found.trends[NEW, A.id].state == "drift"
    assert found.trends[NEW, B.id].state == "steady"
    assert found.exit_code == 4
    shown = CliRunner().invoke(app, ["history", "check", str(tmp_path)])
    assert shown.exit_code == 4
    assert "drifted up by 7" in shown.output


def test_a_step_is_told_with_the_run_that_brought_it(tmp_path: Path) -> None:
    fill(tmp_path, *[1.0] * 6, *[1.1] * 4)
    shown = CliRunner().invoke(app, ["history", "check", str(tmp_path)])
    assert shown.exit_code == 4
    assert "stepped up by 10 % at 2026-01-07T00:00:00Z m 1.0 c7" in shown.output
    listed = CliRunner().invoke(app, ["history", "show", str(tmp_path)])
    assert listed.exit_code == 0
    assert re.search(r"1\.10. of the bare operation  m 1\.0 c7$", listed.output, flags=re.MULTILINE)


def test_few_runs_do_not_pass_for_steady(tmp_path: Path) -> None:
    fill(tmp_path, 1.0, 1.0)
    assert check(tmp_path).exit_code == 3


def test_a_benchmark_that_vanished_is_not_comparable(tmp_path: Path) -> None:
    fill(tmp_path, *[1.0] * 8)
    add(tmp_path, measured(20, 1.0))
    found = check(tmp_path)
    assert (found.vanished, found.exit_code) == (((NEW, B.id),), 3)
    assert "it vanished" in CliRunner().invoke(app, ["history", "check", str(tmp_path)]).output


def test_another_machine_begins_a_series_of_its_own_and_says_so(tmp_path: Path) -> None:
    fill(tmp_path, *[1.0] * 8)
    moved = measured(20, 2.0, 2.0, machine={**MACHINE, "processor": "another"})
    _, differences = add(tmp_path, moved)
    assert differences == ("processor another, was a processor",)
    found = check(tmp_path)
    assert len(load(tmp_path)) == 2
    assert found.exit_code == 3
    assert "8 runs elsewhere are not comparable: processor another, was a processor" in found.remarks


def test_what_was_measured_in_another_way_is_not_compared(tmp_path: Path) -> None:
    fill(tmp_path, *[1.0] * 8)
    _, differences = add(tmp_path, measured(20, 2.0, 2.0, machine={**MACHINE, "protocol": 99}))
    assert differences == ("measuring protocol 99, was none",)
    assert check(tmp_path).exit_code == 3


def test_a_count_that_the_latest_run_changed_is_named(tmp_path: Path) -> None:
    fill(tmp_path, *[1.0] * 8)
    add(tmp_path, counting(measured(20, 1.0, 1.0), counts={"traced exp": 2.0}, compilations=3))
    wanted = ("exp evaluated twice, was once", "programs compiled to make it ready: 3, was 1")
    assert check(tmp_path).changed[NEW, A.id] == wanted


def test_what_an_earlier_version_did_not_count_is_not_said_to_have_changed(tmp_path: Path) -> None:
    add(tmp_path, measured(1, 1.0))
    older(tmp_path, "compiled")
    add(tmp_path, counting(measured(2, 1.0), compilations=3))
    assert check(tmp_path).changed == {}


def test_counts_are_compared_at_the_same_parameters(tmp_path: Path) -> None:
    add(tmp_path, measured(1, 1.0))
    add(tmp_path, counting(measured(2, 1.0, **at(2.0)), counts={"traced exp": 2.0}))
    add(tmp_path, counting(measured(3, 1.0), counts={"traced exp": 3.0}))
    assert check(tmp_path).changed == {(NEW, A.id): ("exp evaluated 3 times, was once",)}


def test_runs_at_other_parameters_are_another_series_and_named(tmp_path: Path) -> None:
    fill(tmp_path, *[1.0] * 8)
    for day in range(10, 13):
        add(tmp_path, measured(day, 1.5, 1.5, **at(2.0)))
    found = check(tmp_path)
    assert {trend.state for trend in found.trends.values()} == {"too few"}
    assert found.remarks == (f"8 runs of {NEW} are not comparable: parameters alpha=2.0, theirs alpha=1.0",)
    assert (found.vanished, found.exit_code) == ((), 3)
    _, listed = history("show", tmp_path)
    assert f"{NEW} with alpha=1.0  {A.id}" in listed
    assert f"{NEW} with alpha=2.0  {A.id}" in listed
    assert listed.count("1.000 of the bare operation") + listed.count("1.001 of the bare operation") >= 8
    add(tmp_path, measured(20, 1.0, 1.0))
    assert check(tmp_path).exit_code == 0


def test_runs_whose_parameters_were_not_kept_are_named(tmp_path: Path) -> None:
    fill(tmp_path, *[1.0] * 3)
    older(tmp_path, "parameters")
    add(tmp_path, measured(9, 1.0, 1.0))
    assert check(tmp_path).remarks == (f"3 runs of {NEW} are not comparable: parameters alpha=1.0, theirs not kept",)


def test_a_framework_that_came_is_the_reason_that_is_named(tmp_path: Path) -> None:
    add(tmp_path, measured(1, 1.0))
    add(tmp_path, measured(2, 1.0, devices={**DEVICES, "torch": [["cpu:0", "cpu"]]}))
    assert check(tmp_path).remarks == ("1 run elsewhere is not comparable: devices of torch cpu:0 (cpu), was none",)


def test_a_benchmark_that_vanished_as_jax_was_upgraded_is_named(tmp_path: Path) -> None:
    fill(tmp_path, *[1.0] * 8)
    for day in range(10, 18):
        add(tmp_path, measured(day, 1.0, **JAX))
    found = check(tmp_path)
    assert found.trends[NEW, A.id].state == "steady"
    assert (found.vanished, found.exit_code) == (((NEW, B.id),), 3)


def test_what_is_still_measured_elsewhere_has_not_vanished(tmp_path: Path) -> None:
    for day in range(1, 20, 2):
        add(tmp_path, measured(day, 1.0, 1.0))
        add(tmp_path, measured(day + 1, 1.0, **JAX))
    found = check(tmp_path)
    assert (found.vanished, found.exit_code) == ((), 0)


def test_what_is_neither_steady_nor_risen_is_inconclusive_and_decides_nothing(tmp_path: Path) -> None:
    random = np.random.default_rng(1)
    for day in range(1, 11):
        add(tmp_path, measured(day, float(np.exp(0.03 * random.standard_normal()))))
    found = check(tmp_path)
    assert (found.trends[NEW, A.id].state, found.exit_code) == ("inconclusive", 3)
    code, shown = history("check", tmp_path)
    assert code == 3
    assert re.search(r"^\? m:new  \S+  a rise of up to \S+ % is not excluded$", shown, flags=re.MULTILINE)
    assert "✓" not in shown


@pytest.mark.parametrize("effect", ["nan", "inf", "-0.01"])
def test_an_effect_that_is_no_share_is_refused(effect: str, tmp_path: Path) -> None:
    fill(tmp_path, *[1.0] * 6, *[1.1] * 4)
    for command in ("check", "accept"):
        answer = CliRunner().invoke(app, ["history", command, str(tmp_path), "--effect", effect])
        assert isinstance(answer.exception, BadInput)
        assert "a share of the old time" in str(answer.exception)


def test_a_step_that_was_accepted_is_the_new_normal(tmp_path: Path) -> None:
    fill(tmp_path, *[1.0] * 6, *[1.1] * 4)
    code, said = history("accept", tmp_path)
    assert code == 0
    assert said == f"accepted: {NEW}  {A.id}  stepped up by 10 % at 2026-01-07T00:00:00Z m 1.0 c7\n"
    assert len(load(tmp_path)[0].entries) == 10
    code, said = history("check", tmp_path)
    assert code == 0
    assert f"✓ {NEW}  {A.id}  no rise of 2 % or more since 2026-01-10T00:00:00Z m 1.0 c10, which was accepted" in said
    for day in range(11, 16):
        add(tmp_path, measured(day, 1.2 * (1 + 0.0005 * (-1) ** day), 1.0 + 0.0005 * (-1) ** day))
    found = check(tmp_path)
    assert found.sentence(NEW, A.id).startswith("stepped up by 9.")
    assert found.sentence(NEW, A.id).endswith("at 2026-01-11T00:00:00Z m 1.0")


def test_what_vanished_can_be_accepted_until_it_comes_and_goes_again(tmp_path: Path) -> None:
    fill(tmp_path, *[1.0] * 8)
    add(tmp_path, measured(20, 1.0))
    assert accept(tmp_path) == {(NEW, B.id): "it vanished from the latest run"}
    assert check(tmp_path).exit_code == 0
    add(tmp_path, measured(21, 1.0, 1.0))
    add(tmp_path, measured(22, 1.0))
    assert check(tmp_path).vanished == ((NEW, B.id),)


def test_only_what_is_named_and_wrong_is_accepted(tmp_path: Path) -> None:
    fill(tmp_path, *[1.0] * 6, *[1.1] * 4)
    with pytest.raises(BadInput, match=r"nothing that rose or vanished in lif/\*"):
        accept(tmp_path, ["lif/*"])
    assert accept(tmp_path, ["forward/*"]).keys() == {(NEW, A.id)}
    with pytest.raises(BadInput, match="nothing that rose or vanished"):
        accept(tmp_path)
