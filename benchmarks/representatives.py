"""Who stands for its library where libraries are timed side by side: like for like, as near as each of them has it."""

from __future__ import annotations

import functools
import json
import subprocess
import sys
from collections.abc import Mapping, Sequence

from surrogate_core import libraries

__all__ = ["REPRESENTATIVES", "unimportable"]

EXPONENTIAL = "the exponential of the distance to the threshold, as SLAYER has it"
SUPERSPIKE = "no exponential in this library: the fast sigmoid of SuperSpike, 1 / (1 + alpha*|x|)^2"

REPRESENTATIVES: Mapping[str, str] = {
    "surrogate_core.SlayerGrad": EXPONENTIAL,
    "braintools.SlayerGrad": EXPONENTIAL,
    "norse.superspike_fn": SUPERSPIKE,
    "rockpool.PeriodicExponential": "the exponential, repeated at every multiple of the threshold",
    "rockpool_jax.step_pwl": "no exponential in this module: the only one that it has",
    "sinabs.SingleExponential": EXPONENTIAL,
    "snnax.superspike_surrogate": SUPERSPIKE,
    "snntorch.spike_rate_escape": EXPONENTIAL,
    "spikingjelly.PiecewiseExp": EXPONENTIAL,
    "spyx.superspike": SUPERSPIKE,
}
"""A surrogate of every library of this project's catalogue that has one, and why this one. Another: --bench-target."""

IMPORT = """
import json, sys
from surrogate_core.errors import BadInput
from surrogate_core.libraries.target import resolve
failed = {}
for name in json.loads(sys.argv[1]):
    try:
        resolve(name)
    except BadInput as error:
        # Whatever else is wrong with it is no reason to leave it out.
        if isinstance(error.__context__, ImportError):
            failed[name] = str(error.__context__)
print(json.dumps(failed))
"""


@functools.cache
def unimportable(names: Sequence[str]) -> Mapping[str, str]:
    """Those whose library is installed and yet cannot be imported, and why; found out in a fresh process."""
    command = [sys.executable, "-c", IMPORT, json.dumps(names)]
    answer = subprocess.run(command, capture_output=True, text=True, check=True)
    failed: dict[str, str] = json.loads(answer.stdout.splitlines()[-1])
    return {name: "; ".join([error, *_remarks(name)]) for name, error in failed.items()}


def _remarks(name: str) -> list[str]:
    return [f"it is known that {hazard.remark}" for hazard in libraries.find(name).library.hazards]
