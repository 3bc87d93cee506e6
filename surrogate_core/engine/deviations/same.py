"""Whether two failures are the same one, seen on another machine or in another minor version.

Compared are the state, the counterexample, and what was measured there: words exactly, a number of the counterexample
by its bits, however many digits it is written with, and the numbers measured to half the digits of the format. That
is no tolerance of a judgement. It only tells a last digit, which another processor or another exponential rounds
otherwise, from another defect. What a cancellation leaves is a few roundings of one, and no digit of it is the same
elsewhere: so much may lie between two numbers in any case.

A search draws its examples anew, and Hypothesis shrinks them its own way: of its failures only the words count.
Durations, scripts, tracebacks and figures are never compared.
"""

from __future__ import annotations

import math
import re

from surrogate_core.engine.deviations.model import Pin, matches
from surrogate_core.engine.result import Result
from surrogate_core.properties import PROPERTIES, Search
from surrogate_core.properties.outcome import Errored, ExpectedFailure, Failed, Outcome
from surrogate_core.spec.formats import FORMATS

__all__ = ["difference", "failing", "pinned", "raised"]

BITS = re.compile(r" \(0x[0-9a-f]+\)")
NUMBERED = re.compile(r"\S+ \((0x[0-9a-f]+)\)")
"""A number with its bits."""

NUMBER = re.compile(r"(?<![\w.])[-+]?(?:\d+\.?\d*(?:e[-+]?\d+)?|inf|nan)(?!\w)")
ADDRESS = re.compile(r"0x[0-9a-fA-F]{6,}|(?:/[^\s/:'\"]+){2,}|\d{4,}|(?<=^no answer within )\S+(?= s$)")
"""What an exception says that the next run says otherwise: addresses, paths, long numbers, the limit of time."""

LONGEST_MESSAGE = 120
SEARCHES = frozenset(p.id for p in PROPERTIES if isinstance(p, Search))


def failing(outcome: Outcome) -> Failed | Errored | None:
    """The failure or error in an outcome, known or not."""
    found = outcome.failure if isinstance(outcome, ExpectedFailure) else outcome
    return found if isinstance(found, (Failed, Errored)) else None


def raised(error: Errored) -> str:
    """An exception as it is pinned: type and first line, with ``*`` for what changes from run to run."""
    line = error.message.splitlines()[0] if error.message else ""
    kept = re.sub(r"\*[\s*]*\*", "*", ADDRESS.sub("*", line))
    return kept if len(kept) <= LONGEST_MESSAGE else kept[:LONGEST_MESSAGE].rstrip("*") + "*"


def pinned(result: Result, profile: str, *, drawn_anew: bool = True) -> Pin:
    """The pin of a result that fails; raises :class:`ValueError` where it does not.

    ``drawn_anew`` is whether a search draws its examples anew, so that the counterexample will be another one.
    """
    outcome = failing(result.outcome)
    if isinstance(outcome, Errored):
        return Pin(result.id, raised=raised(outcome), profile=profile)
    if outcome is None:
        raise ValueError(f"{result.id} does not fail")
    given = "" if result.property_id in SEARCHES and drawn_anew else outcome.given
    return Pin(result.id, given, outcome.measured, profile=profile)


def difference(pin: Pin, result: Result, profile: str, *, drawn_anew: bool = True) -> str:
    """How a failing result differs from the pinned one, in words; empty where it is the same failure.

    ``drawn_anew`` is whether a search drew its examples anew: of the very same one all is compared.

    Raises:
        ValueError: the result does not fail.
    """
    outcome = failing(result.outcome)
    if outcome is None:
        raise ValueError(f"{result.id} does not fail")
    if isinstance(outcome, Errored):
        if not pin.raised:
            return f"it raised {outcome.message.splitlines()[0] if outcome.message else 'an exception'}"
        said = outcome.message.splitlines()[0] if outcome.message else ""
        kind, colon, _ = pin.raised.partition(":")
        same = matches(pin.raised.strip(), said) if colon else matches(kind.strip(), said.partition(":")[0])
        return "" if same else f"it raised {said}, not {pin.raised}"
    if pin.raised:
        return f"it answered {outcome.measured} at {outcome.given}, and did not raise {pin.raised}"
    if result.property_id in SEARCHES and drawn_anew:
        same = not pin.measured or _words(pin.measured) == _words(outcome.measured)
        return "" if same else f"it measured {outcome.measured}, not {pin.measured}"
    if pin.given and _input(pin.given) != _input(outcome.given):
        # Another profile looks at other inputs, and finds another one first.
        return f"the counterexample is {outcome.given}, not {pin.given}" if pin.profile in ("", profile) else ""
    if pin.measured and not _alike(pin.measured, outcome.measured, FORMATS[result.dtype].unit_roundoff):
        return f"it measured {outcome.measured}, not {pin.measured}"
    return ""


def _bare(text: str) -> str:
    return " ".join(text.split())


def _input(text: str) -> str:
    return NUMBERED.sub(r"\1", _bare(text))


def _words(text: str) -> str:
    return NUMBER.sub("#", BITS.sub("", _bare(text)))


def _alike(one: str, other: str, roundoff: float) -> bool:
    if _words(one) != _words(other):
        return False
    pairs = zip(NUMBER.findall(BITS.sub("", one)), NUMBER.findall(BITS.sub("", other)), strict=True)
    return all(_near(float(a), float(b), roundoff) for a, b in pairs)


def _near(a: float, b: float, roundoff: float) -> bool:
    if a == b or (a != a and b != b):
        return True
    size = max(abs(a), abs(b))
    return math.isfinite(size) and abs(a - b) <= math.sqrt(roundoff) * size + 4 * roundoff
