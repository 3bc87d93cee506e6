"""A run of many implementations of several specs, made from the stored samples under other names."""

from __future__ import annotations

import functools
from dataclasses import replace
from pathlib import Path

from surrogate_core.engine import Run, read
from surrogate_core.report import render

SAMPLES = Path(__file__).parent.parent.parent / "reports/sample"
FAMILIES = ("SLAYER exponential", "Fast sigmoid", "Arctan", "Gaussian", "Triangle", "Boxcar")
LIBRARIES = ("aleph", "beth", "gimel", "daleth", "he", "waw", "zayin")


@functools.cache
def sample(name: str) -> Run:
    """One of the stored samples."""
    return read(SAMPLES / f"{name}.jsonl")


@functools.cache
def crowd(size: int = 100) -> Run:
    """``size`` implementations, of which every third is the sample that does not conform."""
    runs = [sample("check"), sample("check"), sample("broken")]
    head = sample("check").header
    (declared,) = head["specs"].values()
    specs = {f"family{n}": {**declared, "title": title} for n, title in enumerate(FAMILIES)}
    entries, results = [], []
    for n in range(size):
        run = runs[n % 3]
        entry = run.header["implementations"][n % len(run.header["implementations"])]
        name, own = f"{LIBRARIES[n % 7]}.{FAMILIES[n % 6].replace(' ', '')}{n}", run.of(entry["name"])
        kind = f"family{n % 6}"
        known = {"name": name, "spec": kind, "family": kind, "package": LIBRARIES[n % 7], "planned": len(own)}
        entries.append({**entry, **known})
        results += [replace(result, implementation=name) for result in own]
    changed = {"specs": specs, "implementations": entries, "planned": len(results)}
    return Run({**head, **changed}, tuple(results), complete=True)


@functools.cache
def rendered(size: int = 100) -> str:
    """The report of a crowd: drawing it is what takes long, so that a process does it once."""
    return render([crowd(size)])
