"""Where JAX computes: its devices, the scope of a computation, and how many programs were compiled in it.

Apart from the driver, because a process that only times needs no more of it.
"""

from __future__ import annotations

import contextlib
import functools
import threading
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

import jax
import jax.monitoring

from surrogate_core.drivers.aside import aside

__all__ = ["ACCELERATORS", "compilations", "compiled_aside", "compiled_with", "devices", "scope"]

T = TypeVar("T")

ACCELERATORS = ("gpu", "tpu")

_compilations = 0
_elsewhere = threading.local()


def _count(event: str, duration_secs: float, **_: Any) -> None:
    global _compilations
    if not hasattr(_elsewhere, "counted"):
        _compilations += event == "/jax/core/compile/backend_compile_duration"


jax.monitoring.register_event_duration_secs_listener(_count)


def compilations() -> int:
    """How many programs this process has compiled."""
    return _compilations


def compiled_aside(compile_it: Callable[[], T]) -> Callable[[], T]:
    """Compile one program in a thread of its own; what is returned waits for it.

    It is counted now, and not when the thread comes to it: what is counted around another call is that call's.
    """
    global _compilations

    def uncounted() -> T:
        _elsewhere.counted = True
        return compile_it()

    _compilations += 1
    return aside(uncounted)


UNKNOWN = "No such compile option"
"""What XLA says of an option that this version of it does not have."""


def compiled_with(lowered: Any, options: Mapping[str, Any]) -> Any:
    """A program, compiled with options of XLA; without them where this version of it does not know one.

    Raises:
        Exception: whatever else compiling raises.
    """
    try:
        return lowered.compile(compiler_options=dict(options) or None)
    except jax.errors.JaxRuntimeError as error:
        if UNKNOWN not in str(error):
            raise
    return lowered.compile()


@functools.cache
def devices() -> dict[str, Any]:
    """Name -> device of JAX, of every backend that is present, the first of each backend first."""
    found: dict[str, Any] = {}
    for platform in dict.fromkeys((jax.default_backend(), "cpu", *ACCELERATORS)):
        with contextlib.suppress(RuntimeError):
            found |= {f"{d.platform}:{d.id}": d for d in jax.devices(platform)}
    return found


@contextlib.contextmanager
def scope(dtype: str, device: str) -> Iterator[None]:
    """Within it, ``dtype`` can be represented and ``device`` is the default."""
    # Scoped and entered late: some libraries switch x64 off when they are imported.
    with jax.enable_x64(dtype == "float64"), jax.default_device(devices()[device]):
        yield
