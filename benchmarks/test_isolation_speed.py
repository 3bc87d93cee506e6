"""What judging in workers costs beside judging in the command's own process: of processor time, imports included.

    make benchmark

A fresh process judges the same implementations both ways, in turns; its children's time counts.
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parent.parent
TARGETS = ["surrogate_core:SlayerGrad", f"{ROOT}/spec_tests/impostors/jax_right.py:custom_jvp_rule"]

MEASURE = """
import json, resource, sys
import surrogate_core
targets, options = json.loads(sys.argv[1])
assert surrogate_core.check(targets, **options).results
used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
print(sum(u.ru_utime + u.ru_stime for u in used))
"""


def seconds(targets: list[str], **options: Any) -> float:
    """Processor seconds of a whole check."""
    command = [sys.executable, "-c", MEASURE, json.dumps([targets, options])]
    return float(subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True).stdout.splitlines()[-1])


@pytest.mark.parametrize("targets", [TARGETS[:1], TARGETS], ids=len)
def test_isolation_costs_less_than_a_second_for_each_implementation(benchmark: Any, targets: list[str]) -> None:
    found: list[float] = []
    asked = {"spec": "slayer", "profile": "quick", "dtypes": ["float32"], "properties": ["gradient.peak"]}

    def both() -> None:
        here = seconds(targets, in_process=True, **asked)
        found.append(seconds(targets, **asked) - here)

    benchmark.pedantic(both, rounds=5, iterations=1)
    cost = statistics.median(found)
    benchmark.extra_info["seconds"] = cost
    print(f"\n  isolating {len(targets)} costs {cost:.2f} s of processor time", end="")
    assert cost < len(targets)
