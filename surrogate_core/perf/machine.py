"""Where something was measured, and whether two measurements were made in the same place."""

from __future__ import annotations

import os
import platform
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from surrogate_core.perf.job import PROTOCOL

__all__ = ["COUNTED", "describe", "differences", "place"]

COUNTED = ("jax", "jaxlib", "torch", "numpy")
"""Packages whose version changes times and counts; the surrogate's own is what is being watched."""


def describe() -> dict[str, Any]:
    """This machine: processor, cores, system; Python and packages; how it measures; its name, which decides nothing."""
    from surrogate_core.engine.versions import packages  # comparing two machines needs no engine

    return {
        "processor": _processor(),
        "cores": os.cpu_count() or 0,
        "system": f"{platform.system()} {platform.machine()}",
        "node": platform.node(),
        "python": platform.python_version(),
        "packages": packages(),
        "protocol": PROTOCOL,
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        lines = []
    named = (line.partition(":")[2].strip() for line in lines if line.startswith("model name"))
    return next(named, platform.processor() or platform.machine())


def place(machine: Mapping[str, Any], devices: Mapping[str, Sequence[Sequence[str]]]) -> dict[str, str]:
    """What two measurements must have in common to be compared, by name."""
    found = {name: str(machine[name]) for name in ("processor", "cores", "system", "python")}
    found |= {name: str(machine["packages"].get(name, "none")) for name in COUNTED}
    for framework, listed in sorted(devices.items()):
        found[f"devices of {framework}"] = ", ".join(f"{name} ({kind})" for name, kind in listed)
    return found


def differences(one: Mapping[str, str], other: Mapping[str, str]) -> tuple[str, ...]:
    """What differs between two places, a phrase each: ``jax 0.10.2, was 0.10.1``."""
    names = [name for name in one if name in other]
    return tuple(f"{name} {one[name]}, was {other[name]}" for name in names if one[name] != other[name])
