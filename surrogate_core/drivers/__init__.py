"""How each framework evaluates a spike function. Importing this package loads no framework."""

from __future__ import annotations

import functools
import importlib.util

from surrogate_core.drivers.base import BrokenContract as BrokenContract
from surrogate_core.drivers.base import Device as Device
from surrogate_core.drivers.base import Driver as Driver
from surrogate_core.drivers.base import Observation as Observation
from surrogate_core.drivers.base import Request as Request
from surrogate_core.drivers.base import Transform as Transform
from surrogate_core.drivers.base import Unsupported as Unsupported
from surrogate_core.errors import BadInput, near_misses

FRAMEWORKS = ("jax", "torch")


@functools.cache
def get_driver(framework: str) -> Driver:
    """The driver of a framework; raises :class:`BadInput` where it is unknown or not installed."""
    if framework not in FRAMEWORKS:
        raise BadInput(f"framework {framework!r}", "auto, jax or torch", near_misses(framework, FRAMEWORKS))
    if importlib.util.find_spec(framework) is None:
        raise BadInput(
            f"framework {framework!r}, which is not installed",
            f"an environment with {framework}",
            f"pip install 'surrogate_core[{framework}]'",
        )
    if framework == "jax":
        from surrogate_core.drivers.jax import JaxDriver

        return JaxDriver()
    from surrogate_core.drivers.torch import TorchDriver

    return TorchDriver()
