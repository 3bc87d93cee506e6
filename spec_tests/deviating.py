"""Deviations on paper: a run's header, its results, and a file of entries."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from surrogate_core.engine.result import Result
from surrogate_core.properties.outcome import Errored, Failed, Outcome, Passed

NAME = "lib:soft"
BROKEN = Failed("x = -1 (0xbf800000)", "0.40656966 (0x3ed029e6)", "0.36787945 (0x3ebc5ab2)", 0.0387)
RAISED = Errored("TypeError: no rule for float16")
PASSED = Passed()
DTYPES = ("float16", "bfloat16", "float32", "float64")


def result(
    outcome: Outcome, prop: str = "gradient.oracle", dtype: str = "float32", alpha: float = 1.0, name: str = NAME
) -> Result:
    return Result(name, prop, dtype, "cpu:0", (("alpha", alpha),), outcome)


def everywhere(outcome: Outcome, prop: str = "gradient.oracle") -> list[Result]:
    """One result in each format."""
    return [result(outcome, prop, dtype) for dtype in DTYPES]


def head(*names: str, profile: str = "standard", version: str = "0.3.0") -> dict[str, Any]:
    """What of a header bears on deviations."""
    return {
        "profile": profile,
        "implementations": [{"name": n, "package": "lib", "version": version} for n in names or (NAME,)],
        "environment": {"packages": {"jax": "0.10.2"}},
    }


ENTRY = """
[[deviation]]
implementation = "lib:soft"
property = "gradient.*"
reason = "The left side decays too slowly."
"""

PIN = """
[deviation.pin]
id = "lib:soft::gradient.oracle[float32-alpha=1-cpu:0]"
given = "x = -1 (0xbf800000)"
measured = "0.40656966 (0x3ed029e6)"
profile = "standard"
"""


def written(folder: Path, text: str) -> Path:
    """A deviations file with that text, which does not begin with an empty line."""
    path = folder / "deviations.toml"
    path.write_text(text.lstrip("\n"), encoding="utf-8")
    return path
