"""Surrogates that are right, and do something to the process that calls them when the input is a scalar.

Only forward.shape asks for a scalar: whatever happens then must cost that one property, or be told with it.
"""

from __future__ import annotations

import ctypes
import itertools
import locale
import os
import platform
import signal
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jax
import numpy as np

from surrogate_core.slayer import SlayerGrad

Factory = Callable[[float], Callable[[Any], Any]]


def _with(act: Callable[[], object]) -> Factory:
    def make(alpha: float) -> Callable[[Any], Any]:
        right = SlayerGrad(alpha)

        def spike(x: Any) -> Any:
            if x.shape == ():
                act()
            return right(x)

        return spike

    return make


def _sleep_for_ever() -> None:
    print("going to sleep", flush=True)
    time.sleep(1e6)


def _recurse() -> None:
    _recurse()


def _overflow_the_stack() -> None:
    sys.setrecursionlimit(1 << 30)

    # Through C, whose frames Python does not count: the stack itself overflows.
    class Deep:
        def __repr__(self) -> str:
            return repr([self])

    repr(Deep())


def _leave() -> None:
    raise SystemExit(0)


def _interrupt() -> None:
    raise KeyboardInterrupt


def _start_children() -> None:
    for _ in range(8):
        if not os.fork():
            os.setsid()  # out of the group and the session
            if not os.fork():  # and out of the family
                os.execvp("sleep", ["sleep", MARK])
            os._exit(0)
    os._exit(3)


def _bomb() -> None:
    for _ in range(5):  # each of which forks what is left of the loop
        if not os.fork():
            os.setsid()
    if os.getpid() != WORKER:
        os.execvp("sleep", ["sleep", MARK])
    os._exit(4)


def _flood() -> None:
    for stream in (1, 2):
        for _ in range(256):
            os.write(stream, b"\x1b[2J all work and no play \n" * 4_000)
    os.write(2, b"that was all\n")
    os.abort()


def _close_everything() -> None:
    os.closerange(0, 256)


def _kill_the_keeper() -> None:
    os.kill(os.getppid(), signal.SIGKILL)
    time.sleep(1e6)


def _kill_the_nursery() -> None:
    keeper = Path(f"/proc/{os.getppid()}/stat").read_text()
    os.kill(int(keeper.rpartition(")")[2].split()[1]), signal.SIGKILL)
    time.sleep(1e6)


def _eat_memory() -> None:
    eaten = []
    while True:
        eaten.append(b"x" * (64 << 20))


def _ignore_every_signal() -> None:
    for number in (signal.SIGTERM, signal.SIGINT, signal.SIGUSR1):
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    print("cannot be told", flush=True)
    time.sleep(1e6)


def _meddle() -> None:
    """Change every part of the process that those who are judged next would be judged by."""
    for act in MEDDLING.values():
        act()


def _patch_jax() -> None:
    jax.vjp = jax.grad


def _patch_torch() -> None:
    torch = sys.modules["torch"]
    torch.autograd.grad = torch.autograd.backward


def _set(setter: str, value: object) -> Callable[[], None]:
    return lambda: getattr(sys.modules["torch"], setter)(value)


UPWARD = 0x400000 if platform.machine() == "aarch64" else 0x800
"""``FE_UPWARD`` of the C library."""

MEDDLING: dict[str, Callable[[], object]] = {
    "the working directory": lambda: os.chdir(os.sep),
    "the environment": lambda: os.environ.update(MEDDLED="\x1b[31m"),
    "the locale": lambda: locale.setlocale(locale.LC_ALL, "C.UTF-8" if locale.setlocale(locale.LC_ALL) == "C" else "C"),
    "the filters of warnings": lambda: warnings.simplefilter("ignore"),
    "what NumPy does about errors": lambda: np.seterr(all="raise"),
    "the recursion limit": lambda: sys.setrecursionlimit(sys.getrecursionlimit() + 17),
    "the processor's floating-point mode": lambda: ctypes.CDLL(None).fesetround(UPWARD),
    "JAX's configuration": lambda: jax.config.update("jax_enable_x64", not jax.config.values["jax_enable_x64"]),
    "what is called jax.vjp": _patch_jax,
}
"""What is changed -> how."""

MEDDLING_WITH_TORCH: dict[str, Callable[[], object]] = {
    "PyTorch's default dtype": lambda: _set("set_default_dtype", sys.modules["torch"].float64)(),
    "PyTorch's default device": _set("set_default_device", "meta"),
    "whether PyTorch records gradients": _set("set_grad_enabled", False),
    "PyTorch's number of threads": lambda: _set("set_num_threads", sys.modules["torch"].get_num_threads() + 1)(),
    "the processor's floating-point mode": _set("set_flush_denormal", True),
    "what is called torch.autograd.grad": _patch_torch,
}

WORKER = os.getpid()
"""The process that has imported this."""

MARK = "31415926"
"""How long the children sleep: by it they are found."""

hangs = _with(_sleep_for_ever)
loops_in_c = _with(lambda: sum(itertools.repeat(0)))
hangs_and_ignores_signals = _with(_ignore_every_signal)
segfaults = _with(lambda: ctypes.string_at(0))
exits = _with(lambda: os._exit(0))
leaves = _with(_leave)
interrupts = _with(_interrupt)
recurses = _with(_recurse)
overflows_the_stack = _with(_overflow_the_stack)
starts_children = _with(_start_children)
floods = _with(_flood)
closes_everything = _with(_close_everything)
bombs = _with(_bomb)
kills_the_keeper = _with(_kill_the_keeper)
kills_the_nursery = _with(_kill_the_nursery)
eats_memory = _with(_eat_memory)
meddles = _with(_meddle)
