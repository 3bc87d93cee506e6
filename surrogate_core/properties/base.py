"""What a property is: a promise, the evaluations that observe it, and the judgement of what was seen."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from surrogate_core.drivers.base import Observation, Request, Transform, Unsupported
from surrogate_core.drivers.tally import Span, Tally
from surrogate_core.properties.outcome import Failed, Kind, Outcome, Witness
from surrogate_core.spec.digits import in_format
from surrogate_core.spec.expectation import Expectation
from surrogate_core.spec.formats import FORMATS, Format
from surrogate_core.spec.model import Parameters, Spec
from surrogate_core.spec.oracle import expect, reach
from surrogate_core.spec.sweep import Sweep, sweep

if TYPE_CHECKING:
    # Where nothing is searched, Hypothesis is not imported.
    from hypothesis.strategies import SearchStrategy

__all__ = [
    "Case",
    "Proof",
    "Property",
    "Requests",
    "Scope",
    "Search",
    "Seen",
    "Statement",
    "agreement",
    "breach",
    "gravest",
    "negligible",
    "observed",
    "shown",
    "spikes_alone",
    "staged",
    "swept",
    "whole_sweep",
    "wide",
]

EAGER = 4
"""Examples that an eager framework evaluates in less than the time of one compiled one."""

Requests = Mapping[str, Request]
Seen = Mapping[str, Observation | Unsupported]
"""What came back, by the names of the requests."""


@dataclass(frozen=True)
class Case:
    """Where a property is judged: the spec, the format, the parameters, the devices, how thoroughly.

    Plain picklable values; the sweep is derived, and cached per process.
    """

    spec: Spec
    dtype: str
    parameters: Parameters
    device: str
    devices: tuple[str, ...] = ()
    framework: str = "jax"
    profile: str = "standard"
    seed: int = 0

    @property
    def format(self) -> Format:
        return FORMATS[self.dtype]

    @property
    def sweep(self) -> Sweep:
        return sweep(self.spec, self.parameters, self.format, self.profile, self.seed)

    def sample(self, shape: tuple[int, ...]) -> np.ndarray:
        """Ordinary inputs of a shape: both signs, both zeros, within a few widths of the threshold."""
        count = int(np.prod(shape))
        steps = (np.arange(count) * 0.6180339887498949 % 1.0 - 0.5) * 2 * _width(self)
        values = steps.astype(self.format.dtype)
        values[2:3], values[3:4] = 0.0, -0.0
        return values.reshape(shape)


@functools.lru_cache(maxsize=1)
def _width(case: Case) -> float:
    """How far from the threshold ordinary inputs lie."""
    width = float(np.abs(case.sweep.exact[case.sweep.ladder(case.format, 1)]).max(initial=1.0)) / 4
    # A g' with a heavy tail is a normal number however far away; there is nothing to tell apart there.
    return min(width, max(1.0, 8 * reach(case.spec, case.parameters)))


Scope = Literal["every case", "each dtype", "one rate", "once"]
"""Where a statement is judged: in every case (dtype x parameters x device); in each dtype (float32 alone in
``quick``); in each dtype at one rate (in ``thorough`` at all of them); or once, in float32 (in ``thorough`` in each
dtype); all but the first at parameters that round. What a
transformation or a shape does to a surrogate does not depend on the rate, and seldom on the format, and every
case of it would be a program to compile."""


@dataclass(frozen=True)
class Statement:
    """What every property has, whatever observes it.

    Attributes:
        id: stable dotted name.
        promise: the sentence a person reads.
        applies: whether the spec promises it at all.
        skip: a reason not to judge it in a case, or ``None``.
        scope: in which cases it is judged.
        any_shape: whether it judges answers of a wrong shape itself; elsewhere one is an error.
        frameworks: those that it says something about.
    """

    id: str
    promise: str
    applies: Callable[[Spec], bool] = field(default=lambda spec: True, kw_only=True)
    skip: Callable[[Case], str | None] = field(default=lambda case: None, kw_only=True)
    scope: Scope = field(default="every case", kw_only=True)
    any_shape: bool = field(default=False, kw_only=True)
    frameworks: tuple[str, ...] = field(default=("jax", "torch"), kw_only=True)


@dataclass(frozen=True)
class Property(Statement):
    """A statement with a fixed set of evaluations.

    Attributes:
        observe: the evaluations it needs in a case.
        judge: their judgement; called with everything that ``observe`` asked for. Pure NumPy.
    """

    observe: Callable[[Case], Requests]
    judge: Callable[[Case, Seen], Outcome]


@dataclass(frozen=True)
class Search(Statement):
    """A statement about a space without end, of which examples are drawn and failing ones shrunk.

    Attributes:
        examples: where they are drawn from; of frozen values whose ``repr`` is short.
        observe: the evaluations that an example needs.
        judge: their judgement; its figures are numbers, added up over the examples. Pure NumPy.
        effort: profile -> the number of examples, where each may be a program to compile; 0 leaves it out.
        restored: an example from its stored form, which is not trusted; raises :class:`ValueError` where it is none
            that could have been drawn in this case.
        shrinks: new evaluations that shrinking may ask for. What has been answered before is free.
        simpler: what a failing example may be cut down to, the simplest first. Hypothesis drops what it has drawn
            by itself, and no part of what it has drawn as one; none of these leads back to the example.
    """

    examples: Callable[[Case], SearchStrategy[Any]]
    observe: Callable[[Case, Any], Requests]
    judge: Callable[[Case, Any, Seen], Outcome]
    effort: Mapping[str, int]
    restored: Callable[[Case, str], Any]
    shrinks: int = 60
    simpler: Callable[[Any], Iterable[Any]] = lambda example: ()

    def wanted(self, case: Case) -> int:
        """How many examples are drawn; more where nothing has to be compiled for one."""
        return self.effort[case.profile] * (1 if case.framework == "jax" else EAGER)


@dataclass(frozen=True)
class Proof(Statement):
    """A pointwise statement over so many bit patterns that they are counted where they are evaluated.

    Attributes:
        spans: the patterns to judge in a case, cut into parts that can be stored and resumed; none where it
            does not apply.
        closer: of a part and its tally, what a person wants to see more closely.
        judge: the judgement of one part's tally, and of what was seen closer. Pure NumPy.
    """

    spans: Callable[[Case], tuple[Span, ...]]
    closer: Callable[[Case, Span, Tally], Requests]
    judge: Callable[[Case, Span, Tally, Seen], Outcome]


def observed(answer: Observation | Unsupported) -> Observation:
    """The observation; raises :class:`Unsupported` where the implementation could not give one."""
    if isinstance(answer, Unsupported):
        raise answer
    return answer


def swept(case: Case) -> dict[str, int | bool]:
    """What a pointwise judgement covered: how many inputs, and whether they are all there are."""
    return {"inputs": int(case.sweep.x.size), "exhaustive": case.sweep.exhaustive}


@functools.lru_cache(maxsize=1)  # by which requests are told apart, every byte of it is hashed
def whole_sweep(case: Case) -> Request:
    """Forward and gradient over the whole sweep, with a cotangent of ones; most properties share it."""
    return Request("vjp", case.sweep.x)


@functools.lru_cache(maxsize=1)
def spikes_alone(case: Case) -> Request:
    """The spikes alone over the whole sweep."""
    return Request("value", case.sweep.x)


def staged(case: Case) -> tuple[Transform, ...]:
    """Transformations of a trace are compared within one program each, the plain call too.

    A rule is traced the same way with jit or without, and compiling one program in place of one for
    every operation is what makes the search affordable in JAX. What jit itself changes, transform.jit says.
    """
    return (Transform("jit"),) if case.framework == "jax" else ()


def wide(array: np.ndarray) -> np.ndarray:
    """The same values in float64, where differences are taken."""
    with np.errstate(invalid="ignore"):
        # The product makes signalling NaNs quiet: they would warn at every later step, and say nothing.
        return array.astype(np.float64) * 1.0


def shown(case: Case, value: object) -> str:
    """A number as decimal and as the hexadecimal digits of its bits."""
    array = np.asarray(value)
    number = float(wide(array))
    decimal = in_format(number, case.format)
    return f"{decimal} ({case.format.hex(value)})" if array.dtype == case.format.dtype else decimal


def breach(
    case: Case,
    request: Request,
    index: int,
    measured: object,
    allowed: str,
    error: np.ndarray | None = None,
    figures: Mapping[str, object] | None = None,
    *,
    spikes: bool = False,
) -> Failed:
    """A failure at one input of a flat request. ``error`` are absolute errors, for the severity.

    An error of ``spikes``, which a request of values alone is about too, is a share of a spike; of a gradient, of
    its peak.
    """
    spikes = spikes or request.operation == "value"
    severity = None
    if error is not None:
        severity = float(np.max(_sizes(error), initial=0.0)) / (1.0 if spikes else _scale(case, request))
    x = request.x.reshape(-1)[index]
    return Failed(
        given=f"x = {shown(case, x)}",
        measured=shown(case, measured),
        allowed=allowed,
        severity=severity,
        figures=dict(figures or {}),
        witness=Witness(request, index),
        kind=_kind(case, x, None if spikes else severity),
    )


def gravest(case: Case, request: Request, wrong: np.ndarray, error: np.ndarray) -> np.ndarray:
    """Which of the wrong gradients are a defect by themselves, where one is; else all that are wrong.

    Of these the simplest is told: a number that is off by nothing to speak of would not show the defect that another
    one is.

    Args:
        case: where they were found.
        request: of which they are the answers.
        wrong: what is not allowed.
        error: absolute errors, of all of them.
    """
    weights = 1.0 if request.direction is None else np.fmax(np.abs(wide(request.direction)), 1.0)
    share = _sizes(error) / weights / (case.sweep.expected.peak or 1.0)
    grave = wrong & (share > negligible(case.sweep.expected))
    return grave if grave.any() else wrong


def _sizes(error: np.ndarray) -> np.ndarray:
    return np.where(np.isnan(error), np.inf, error)


def _scale(case: Case, request: Request) -> float:
    """Of what an error of the gradient is a share: its peak."""
    scale = case.sweep.expected.peak or 1.0
    if request.direction is None:
        return scale
    # A large cotangent makes large errors: the severity is the gradient's.
    return scale * max(1.0, float(np.nanmax(np.abs(wide(request.direction)))))


def _kind(case: Case, x: Any, severity: float | None) -> Kind:
    """How a failure at ``x`` is to be taken, of a gradient that is off by ``severity``; exact ones have none."""
    if np.isnan(wide(np.asarray(x))):
        # What becomes of a NaN no formula says; libraries differ in it, and none of them documents it.
        return "difference"
    if severity is None:
        return "defect"
    return "weakness" if severity <= negligible(case.sweep.expected) else "defect"


def negligible(expected: Expectation) -> float:
    """The share of the peak up to which an error is negligible: as much as the bound grants the peak itself.

    Who has lost all relative accuracy in the tail, and no more than the peak may lose by rounding, has lost it where
    the value is negligible. (The bound elsewhere will not do: of a formula that swings for ever it grows to the peak.)
    """
    size = np.abs(expected.gradient)
    at = int(np.argmax(np.where(np.isfinite(size), size, -1.0)))
    return float(expected.bound[at]) / (expected.peak or 1.0)


def agreement(case: Case, x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """(tolerance, expected gradient) at ``x`` for two evaluations of one gradient.

    Each may be off by the derived bound B, each may flush, and near a breakpoint each may be on either side.
    """
    if x is case.sweep.exact:
        expected = case.sweep.expected  # it is there already, and in float64 it is what costs most
    else:
        expected = expect(case.spec, case.parameters, case.format, np.asarray(x, np.float64).reshape(-1))
    return expected.tolerance().reshape(x.shape), expected.gradient.reshape(x.shape)
