"""What a driver is asked and what it answers: frozen values, NumPy on both sides of the door."""

from __future__ import annotations

import contextlib
import functools
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal, Protocol

import numpy as np

if TYPE_CHECKING:
    # Not for nothing: a process that only times starts in half the time without sympy.
    from surrogate_core.drivers.tally import Span, Tally
    from surrogate_core.spec.model import Parameters, Spec

__all__ = [
    "Awaited",
    "BrokenContract",
    "Device",
    "Driver",
    "Observation",
    "Operation",
    "Request",
    "Transform",
    "Unsupported",
]

Operation = Literal[
    "value", "vjp", "jvp", "grad", "jacrev", "jacfwd", "linearize",
    "late vjp", "vjp again", "second", "parameter", "affine", "recurrent", "residuals", "smooth",
]  # fmt: skip
"""How a spike function is evaluated:

value      the spikes alone;
vjp        the spikes, and the cotangent ``direction`` pulled back;
jvp        the spikes, and the tangent ``direction`` pushed forward;
linearize  the same, by linearising first;
grad       the gradient of the sum of the spikes;
jacrev, jacfwd   the whole Jacobian, in reverse or forward mode;
late vjp   vjp, where another input goes forward and backward between the two;
vjp again  vjp, where another cotangent has been pulled back before through the same forward pass;
second     the gradient of the sum of the gradient;
parameter  the gradient of the sum of the spikes in a parameter; the function is then its maker, from the
           parameter's value, which ``weights`` holds;
affine     through a layer: the spikes of W x + b for ``weights`` (W, b), and ``direction`` pulled back to
           W, b and x, flattened one after the other;
recurrent  through time: u = d u + x[t], s[t] = spike(u), u = u - s[t] from u = 0 for ``weights`` (d,), and
           ``direction`` pulled back to x, one row of it a step;
residuals  the spikes, and how many bytes the forward pass keeps for the backward pass;
smooth     the values of the smooth function that the implementation offers, if it does.
"""

TransformName = Literal[
    "jit", "vmap", "custom_vmap", "checkpoint", "scan", "map", "cond", "while",
    "transposed", "sliced", "expanded", "channels_last",
    "transposed cotangent", "sliced cotangent", "expanded cotangent", "repeated cotangent",
    "no_grad", "inference_mode", "autocast", "deepcopy", "pickle",
]  # fmt: skip

ROWS = ("vmap", "scan", "map")
"""Transformations that call the function once for each slice of its arguments."""


@dataclass(frozen=True)
class Transform:
    """A way to call a function that leaves its mathematics alone.

    ``vmap`` batches over one axis, ``scan`` and ``map`` loop over the first one; ``checkpoint`` recomputes in
    the backward pass; ``cond`` and ``while`` put the call into a branch or a loop of one turn, ``custom_vmap``
    behind a batching rule of its own. PyTorch has
    input that is no longer contiguous (``transposed``, ``sliced``, ``expanded``, ``channels_last``) and cotangents
    that are not: ``transposed cotangent``, ``sliced cotangent``, and of stride 0, as ``sum()`` sends them back
    (``expanded cotangent``: the first number everywhere) and ``sum(0)`` (``repeated cotangent``: the first row). They
    go around the operation. PyTorch has also modes (``no_grad``, ``inference_mode``, ``autocast``), and copies of the
    function (``deepcopy``, ``pickle``).
    """

    name: TransformName
    in_axis: int = 0
    out_axis: int = 0

    def __str__(self) -> str:
        return f"vmap(in_axes={self.in_axis}, out_axes={self.out_axis})" if self.name == "vmap" else self.name


@dataclass(frozen=True, eq=False)
class Request:
    """One evaluation of a spike function.

    Attributes:
        operation: see :data:`Operation`.
        x: the inputs, in the format under test.
        direction: cotangent or tangent, of the shape of the spikes; ones where it is ``None``.
        inner: transformations of the spike function, applied before the operation.
        outer: transformations of the whole operation.
        device: where to evaluate; ``None`` is the device under test.
        weights: of the network around the spike function, for ``affine`` and ``recurrent``.
        wrt: the parameter's name, for ``parameter``.
        parameters: of another instance than the one under test.
        instance: a live instance by name, made when it is first named; "" is the one under test.
        turn: tells repeated evaluations apart, which else share an answer; other than 0, it shares no program either.
        threads: how many evaluate at once: thread i the rows of ``x[i]``, one after the other.
        warm: other inputs of the same shape, evaluated before ``x`` by the very same calls; their answers are kept
            until ``x`` has been evaluated.
        tolerant: whether an exception says no more than that this cannot be had.
    """

    operation: Operation
    x: np.ndarray
    direction: np.ndarray | None = None
    inner: tuple[Transform, ...] = ()
    outer: tuple[Transform, ...] = ()
    device: str | None = None
    weights: tuple[np.ndarray, ...] = ()
    wrt: str = ""
    parameters: Parameters | None = None
    instance: str = ""
    turn: int = 0
    threads: int = 1
    warm: np.ndarray | None = None
    tolerant: bool = False

    @functools.cached_property
    def key(self) -> tuple[Any, ...]:
        """Equal for requests with the same answer, so that properties share an evaluation."""
        return (*map(digest, (self.x, self.direction, self.warm)), *self._same)

    @property
    def form(self) -> tuple[Any, ...]:
        """Equal for requests that differ in their numbers alone: one traced operation answers them all."""
        arrays = (self.x, self.direction, self.warm)
        return (*(None if a is None else (a.shape, a.dtype.name) for a in arrays), *self._same)

    @property
    def _same(self) -> tuple[Any, ...]:
        who = (self.device, self.wrt, self.parameters, self.instance, self.turn, self.threads, self.tolerant)
        return (self.operation, *map(digest, self.weights), self.inner, self.outer, *who)

    def forward_mode(self) -> bool:
        """Whether it pushes tangents forward."""
        return self.operation in ("jvp", "linearize", "jacfwd")

    def batched(self) -> bool:
        """Whether a batching rule is needed; a Jacobian is made by batching."""
        return self.operation in ("jacrev", "jacfwd") or any(t.name == "vmap" for t in self.inner + self.outer)

    def twice(self) -> bool:
        """Whether it differentiates the gradient."""
        return self.operation == "second"

    def functional(self) -> bool:
        """Whether it needs more than the plain call and its plain backward pass."""
        return self.operation in ("jvp", "linearize", "grad", "jacrev", "jacfwd") or any(
            t.name == "vmap" for t in self.inner + self.outer
        )

    def at(self, index: Any) -> Request:
        """The same request for a part of the inputs."""
        direction, warm = (None if a is None else a[index] for a in (self.direction, self.warm))
        return replace(self, x=self.x[index], direction=direction, warm=warm)


def digest(array: np.ndarray | None) -> tuple[Any, ...] | None:
    """Equal for arrays of the same dtype, shape and bits; ``None`` for none."""
    if array is None:
        return None
    content = hashlib.blake2b(np.ascontiguousarray(array).view(np.uint8).data if array.size else b"", digest_size=16)
    return (array.dtype.name, array.shape, content.digest())


ANSWERS = ("the output of an earlier call", "the gradient of an earlier call")
"""What ``warm`` is answered, as :attr:`Observation.touched` names it."""


@dataclass(frozen=True, eq=False)
class Observation:
    """What came back, on the host.

    Attributes:
        value: the spikes, in the dtype and shape that the implementation returned.
        derivative: what the operation derived, or ``None`` for ``value``.
        touched: the arguments, and the answers to ``warm``, that the call changed or took away, in words.
        compiled: how many programs were compiled for ``x``, those for what came before it left out; in PyTorch, all.
        breaks: why a compiler left its program for the interpreter, in its words; empty where all is one program.
    """

    value: np.ndarray
    derivative: np.ndarray | None = None
    touched: tuple[str, ...] = ()
    compiled: int = 0
    breaks: tuple[str, ...] = ()

    @property
    def gradient(self) -> np.ndarray:
        """The derivative; raises :class:`ValueError` on the observation of a value alone."""
        if self.derivative is None:
            raise ValueError("a value was observed, no derivative")
        return self.derivative


@dataclass(frozen=True)
class Device:
    """One device: its ``name`` (``cpu:0``), and the make that the framework reports (``kind``)."""

    name: str
    kind: str


class Unsupported(Exception):
    """The implementation does not offer a capability (forward mode, batching, a dtype). Not a failure.

    The message says which, and what the framework answered.
    """


class BrokenContract(Exception):
    """A spike function returned something that is no array of its framework: None, a tuple, a float."""


Awaited = Callable[[], Observation]
"""What a program will have answered when it is called for."""


class Driver(Protocol):
    """How one framework evaluates a spike function. One module a framework."""

    name: str

    def version(self) -> str:
        """The framework's version."""
        ...

    def devices(self) -> tuple[Device, ...]:
        """Every device of every backend that is present, the first of each backend first."""
        ...

    def absent(self) -> tuple[str, ...]:
        """Accelerators that were looked for and are not there."""
        ...

    def scope(self, dtype: str, device: str) -> contextlib.AbstractContextManager[Any]:
        """Within it, ``dtype`` can be represented and ``device`` is the default."""
        ...

    def observe(self, function: Callable[[Any], Any], request: Request, device: str) -> Observation:
        """Evaluate; call it within :meth:`scope`.

        Raises:
            Unsupported: the implementation lacks what the request needs.
            BrokenContract: the spike function returned no array.
            Exception: whatever the implementation raises.
        """
        ...

    def observe_together(
        self, function: Callable[[Any], Any], requests: Sequence[Request], device: str
    ) -> list[tuple[Request, Awaited]]:
        """What of ``requests`` one program can answer, where that is cheaper; the others are asked alone.

        Never raises: what cannot be answered together says why when it is asked alone. Nor does it wait: an answer
        is waited for when it is called for, within :meth:`scope`, and raises where there is none after all.
        """
        ...

    def tally(
        self, function: Callable[[Any], Any], spec: Spec, parameters: Parameters, span: Span, device: str
    ) -> Tally:
        """Spikes and gradients over a span of float32 bit patterns, judged and counted; within :meth:`scope`.

        Raises:
            NoOracle: the formula cannot be evaluated fast and well enough.
            BrokenContract: the spike function returned no array, or one of another shape.
            Exception: whatever the implementation raises.
        """
        ...

    def compilations(self) -> int:
        """How many programs were compiled in this process so far (0 where nothing is)."""
        ...

    def script(self, requests: Sequence[Request], builds: Sequence[str], imports: str) -> str:
        """A program that repeats ``requests`` with only the framework and the implementation.

        ``imports`` brings the factory into scope; each of ``builds`` is the expression that calls it.
        """
        ...


def describe(operation: Operation, inner: tuple[Transform, ...], outer: tuple[Transform, ...]) -> str:
    """The evaluation in words: ``jit(vjp(vmap(in_axes=1, out_axes=0)(spike)))``."""
    text = "spike"
    for transform in inner:
        text = f"{transform}({text})"
    text = text if operation == "value" else f"{operation}({text})"
    for transform in outer:
        text = f"{transform}({text})"
    return text
