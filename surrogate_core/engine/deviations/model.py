"""A deviation: which results it is about, why they fail, and one of them as it was seen to fail."""

from __future__ import annotations

import datetime
import fnmatch
import operator
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import lru_cache

from packaging.specifiers import SpecifierSet

from surrogate_core.engine.result import Result
from surrogate_core.properties.outcome import Errored, Failed
from surrogate_core.spec.model import Parameters

__all__ = ["Deviation", "Pin", "Range", "matches", "split_id"]

COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "==": operator.eq,
    "!=": operator.ne,
    "<": operator.lt,
    ">": operator.gt,
}


@dataclass(frozen=True)
class Pin:
    """One failing result as it was seen. What is left empty is not compared.

    Attributes:
        id: of the result, ``implementation::property[case]``.
        given: the counterexample.
        measured: what the implementation answered there.
        raised: of an error, the exception's type, or its type and message, in which ``*`` is anything.
        profile: the profile it was seen in; another one looks at other inputs.
    """

    id: str
    given: str = ""
    measured: str = ""
    raised: str = ""
    profile: str = ""


@dataclass(frozen=True)
class Range:
    """Values of a parameter: all that every comparison holds for, as in ``>=2, <10``."""

    text: str
    comparisons: tuple[tuple[str, float], ...]

    @classmethod
    def of(cls, text: str) -> Range:
        """Read comparisons; raises :class:`ValueError` for anything else."""
        found = [re.fullmatch(r"\s*(<=|>=|==|!=|<|>)\s*(\S+)\s*", part) for part in text.split(",")]
        return cls(text, tuple((m[1], float(m[2])) if m else _no_comparison(text) for m in found))

    def holds(self, value: float) -> bool:
        return all(COMPARISONS[sign](value, bound) for sign, bound in self.comparisons)


def _no_comparison(text: str) -> tuple[str, float]:
    raise ValueError(f"{text!r} is no comparison")


@dataclass(frozen=True)
class Deviation:
    """One entry of a deviations file.

    Attributes:
        implementations, properties, dtypes, devices: names or globs; one of each has to match.
        parameters: (name, allowed values) pairs, of which every one has to match.
        versions: (package, specifier) pairs; the package is empty for the implementation's own.
        severity: largest worst error, as a share of the peak, that it still explains.
        expires: the last day on which it holds.
        file, line: where it stands.
    """

    implementations: tuple[str, ...]
    properties: tuple[str, ...]
    reason: str
    dtypes: tuple[str, ...] = ("*",)
    devices: tuple[str, ...] = ("*",)
    parameters: tuple[tuple[str, tuple[Range, ...]], ...] = ()
    versions: tuple[tuple[str, str], ...] = ()
    link: str = ""
    expires: datetime.date | None = None
    severity: float | None = None
    pin: Pin | None = None
    file: str = ""
    line: int = 0

    @property
    def place(self) -> str:
        """``deviations.toml:12``."""
        return f"{self.file}:{self.line}"

    @property
    def exception(self) -> str:
        """The type of the pinned exception; empty where none is pinned."""
        return self.pin.raised.partition(":")[0].strip() if self.pin else ""

    def covers(self, result: Result) -> bool:
        """Whether a result is within its scope, whatever came of it and in whatever version."""
        return (
            any_matches(self.implementations, result.implementation)
            and any_matches(self.properties, result.property_id)
            and any_matches(self.dtypes, result.dtype)
            and any_matches(self.devices, result.device)
            and self._holds_at(result.parameters)
        )

    def _holds_at(self, parameters: Parameters) -> bool:
        values = dict(parameters)
        return all(
            name in values and any(allowed.holds(values[name]) for allowed in ranges)
            for name, ranges in self.parameters
        )

    def foreign_version(self, own: str, packages: Mapping[str, str]) -> str:
        """Which package has a version that it is not about, in words; empty where none has."""
        for package, specifier in self.versions:
            version = packages.get(package, "") if package else own
            if version and not SpecifierSet(specifier).contains(version, prereleases=True):
                return f"{package or 'the implementation'} {specifier}, and this is {version}"
        return ""

    def unlike(self, outcome: Failed | Errored) -> str:
        """How a failure differs in kind from what the entry explains, in words; empty where it does not."""
        if isinstance(outcome, Errored):
            kind = outcome.message.partition(":")[0].strip()
            if self.pin and not self.exception:
                return f"an error ({kind}) where a failure is pinned"
            return f"{kind} where {self.exception} is pinned" if self.pin and not matches(self.exception, kind) else ""
        if self.exception:
            return f"a wrong answer where {self.exception} is pinned"
        if self.severity is not None and outcome.severity is not None and not outcome.severity <= self.severity:
            return f"a worst error of {outcome.severity:.3g} of the peak, above the {self.severity:g} that it explains"
        return ""


def any_matches(globs: Iterable[str], name: str) -> bool:
    """Whether a name matches one of the globs."""
    return any(matches(glob, name) for glob in globs)


@lru_cache(maxsize=4096)
def matches(glob: str, name: str) -> bool:
    """Whether a name matches a glob of ``*`` and ``?``; brackets stand for themselves, as ids have them."""
    return fnmatch.fnmatchcase(name, glob.replace("[", "[[]"))


def split_id(name: str) -> tuple[str, str, str] | None:
    """(implementation, property, case) of a result's id; ``None`` where it is none."""
    found = re.fullmatch(r"(.+)::([^\[\]:]+)\[(.*)\]", name, flags=re.DOTALL)
    return (found[1], found[2], found[3]) if found else None
