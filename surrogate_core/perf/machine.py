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


DETAILS = ("cpu family", "model", "stepping", "CPU implementer", "CPU variant", "CPU part", "CPU revision")
"""What Linux says of an x86 or an ARM processor beside its name, which may be that of a whole line of products."""


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
    """Its name, and what tells it from others that are sold by the same name, where the system says."""
    try:
        first, _, _ = Path("/proc/cpuinfo").read_text(encoding="utf-8", errors="replace").partition("\n\n")
    except OSError:
        first = ""
    known = {name.strip(): value.strip() for name, _, value in (line.partition(":") for line in first.splitlines())}
    details = ", ".join(f"{name} {known[name]}" for name in DETAILS if known.get(name))
    name = known.get("model name") or platform.processor() or platform.machine()
    return f"{name} ({details})" if details else name


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
