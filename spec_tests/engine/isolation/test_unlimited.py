"""Where nothing can be isolated, or was not to be, nobody is left to think that limits held."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from typer.testing import CliRunner

import surrogate_core
from surrogate_core.cli import app
from surrogate_core.engine import read
from surrogate_core.engine.facts import Facts
from surrogate_core.engine.isolation import Limits, Pool, available, limits
from surrogate_core.errors import BadInput
from surrogate_core.libraries.target import locate

ASKED = [
    "check",
    "surrogate_core:SlayerGrad",
    "--property",
    "gradient.peak",
    "--dtype",
    "float32",
    "--profile",
    "quick",
]


def test_on_another_system_stderr_the_results_and_the_report_say_that_there_are_no_limits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in ("isolation.pool", "where"):
        monkeypatch.setattr(f"surrogate_core.engine.{module}.sys", SimpleNamespace(platform="darwin"))
    results, page = tmp_path / "run.jsonl", tmp_path / "run.html"
    said = CliRunner().invoke(app, [*ASKED, "--timeout", "5", "--results", str(results), "--html", str(page)])
    assert said.exit_code == 0
    warning = "on darwin there are no limits of time and memory"
    assert warning in said.stderr
    assert warning in said.stdout
    assert warning in read(results).header["unlimited"]
    assert warning in page.read_text()


def test_in_process_the_results_say_so_and_stderr_does_not(tmp_path: Path) -> None:
    results = tmp_path / "run.jsonl"
    said = CliRunner().invoke(app, [*ASKED, "--in-process", "--results", str(results)])
    assert "as was asked: without limits" in read(results).header["unlimited"]
    assert "limits" not in said.stderr


def test_factories_given_as_objects_are_said_to_be_judged_without_limits() -> None:
    report = surrogate_core.check(
        surrogate_core.SlayerGrad, "slayer", profile="quick", dtypes=["float32"], properties=["gradient.peak"]
    )
    assert "given as objects" in report.run.header["unlimited"]


@pytest.mark.parametrize("memory", [0, -1, float("nan"), float("inf"), "1"])
def test_a_limit_that_is_no_number_above_0_is_a_mistake(memory: Any) -> None:
    with pytest.raises(BadInput, match="a number above 0, in MiB"):
        limits("quick", memory=memory)


@pytest.mark.skipif(not available(), reason="processes are isolated on Linux alone")
def test_a_limit_beyond_every_machine_is_none() -> None:
    with Pool(Limits(60.0, 600.0, memory=10**30)) as pool:
        (found,) = pool.facts([(locate("surrogate_core:SlayerGrad", "jax"), (("alpha", 1.0),))])
    assert isinstance(found, Facts)
