"""What a Spec is: one formula, its parameters, its claims. Everything else is derived from them."""

from __future__ import annotations

import contextlib
import dataclasses
import functools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, Literal, TypeVar, get_args

import sympy
from sympy import Expr, Interval, Symbol

from surrogate_core.errors import BadInput, near_misses
from surrogate_core.safe_text import brief
from surrogate_core.spec.breakpoints import verify_breakpoints
from surrogate_core.spec.claims import Claim, verify
from surrogate_core.spec.evaluate import Parameters as Parameters
from surrogate_core.spec.patience import OutOfPatience, at_most
from surrogate_core.spec.sound import UNEVALUATED, formula_of, verify_derivatives, verify_values

__all__ = ["Parameter", "Parameters", "Spec", "trusting", "x"]

x = Symbol("x", real=True)
"""Distance to the threshold (membrane potential minus threshold), the variable of every formula."""

LONGEST_NAME, LONGEST_CHANGE = 200, 60
"""Characters of a name, which stands wherever something is judged, and of a change in the name of a variant."""

PATIENCE = 30.0
"""Seconds of computing after which a spec is given up; one of the catalogue takes a tenth of one."""

Declared = Literal["formula", "zero"]
"""What a spec may declare of a further derivative: that of the formula, or zero."""

C = TypeVar("C")

_trusting: ContextVar[bool] = ContextVar("trusting", default=False)


@contextlib.contextmanager
def trusting() -> Iterator[None]:
    """Specs that are made within it are not verified: those of the catalogue, every one of which a test verifies."""
    token = _trusting.set(True)
    try:
        yield
    finally:
        _trusting.reset(token)


@dataclass(frozen=True)
class Parameter:
    """One parameter of a formula.

    Attributes:
        symbol: the sympy symbol in the formula; its name is the keyword a factory receives.
        default: the value where the user gives none.
        domain: the values for which the spec promises anything.
        typical: the range people use, ``(low, high)``; sampled by default.

    Raises:
        BadInput: the default or the typical range lies outside the domain.
    """

    symbol: Symbol
    default: float
    domain: Interval
    typical: tuple[float, float]

    def __post_init__(self) -> None:
        self._verify()
        for value in (self.default, *self.typical):
            self.check(value)

    def _verify(self) -> None:
        """Raise :class:`BadInput` where a field is of another kind."""
        if not isinstance(self.symbol, Symbol):
            raise BadInput(
                f"a parameter with the symbol {self.symbol!r}", "a sympy Symbol", "write Symbol('alpha', positive=True)"
            )
        if not self.name.isidentifier() or len(self.name) > LONGEST_NAME:
            raise BadInput(
                f"a parameter with the symbol {self.name!r}",
                "a name that can be a keyword of Python: letters, digits and _",
                "name the symbol like the factory's keyword",
            )
        if not (isinstance(self.domain, Interval) and self.domain.start.is_number and self.domain.end.is_number):
            raise BadInput(
                f"parameter {self.name} with the domain {self.domain}",
                "a sympy Interval between two numbers, the smaller one first",
                "write Interval.open(0, oo) for every number above 0",
            )
        typical = self.typical if isinstance(self.typical, tuple) else (self.typical,)
        if len(typical) != 2 or not all(isinstance(v, (int, float)) for v in (self.default, *typical)):
            raise BadInput(
                f"parameter {self.name} with the default {self.default!r} and the typical range {self.typical!r}",
                "a number, and a pair of numbers",
                "for example default=1.0, typical=(0.1, 10)",
            )
        if typical[0] > typical[1]:
            raise BadInput(
                f"parameter {self.name} with the typical range {self.typical!r}", "the lower end first", "exchange them"
            )

    @property
    def name(self) -> str:
        return self.symbol.name

    def check(self, value: float) -> float:
        """``value`` as a float, once it lies in the domain; raises :class:`BadInput` otherwise."""
        if not math.isfinite(value) or sympy.Float(value) not in self.domain:
            raise BadInput(
                f"parameter {self.name}={value:g}",
                f"a finite value in {'(' if self.domain.left_open else '['}{self.domain.start}, "
                f"{self.domain.end}{')' if self.domain.right_open else ']'}",
                f"typical values lie between {self.typical[0]:g} and {self.typical[1]:g}",
            )
        return float(value)

    def samples(self, profile: str) -> tuple[float, ...]:
        """The values to judge at: the default, an awkward one, and beyond ``quick`` the typical ends.

        The awkward value divides the typical range by the golden ratio (geometrically, to three
        digits): neither 1 nor a power of two, where rounding errors of a product vanish.
        """
        low, high = self.typical
        ratio = (math.sqrt(5) - 1) / 2
        between = low * (high / low) ** ratio if low > 0 else low + (high - low) * ratio
        values = (self.default, float(f"{between:.3g}"))
        return values if profile == "quick" else tuple(dict.fromkeys((*values, low, high)))

    def search_range(self) -> tuple[float, float]:
        """(low, high) between which a search draws values, log-uniformly where low > 0.

        The typical range, widened by 2^10 on either side as far as the domain goes; an open end of the
        domain is kept away from by 2^-10 of the way to it. A range that reaches 0 has no logarithm and
        stays the typical one.
        """
        low, high = self.typical
        if low <= 0:
            return low, high
        start, end = float(sympy.N(self.domain.start)), float(sympy.N(self.domain.end))
        first = start + (low - start) * (2.0**-10 if self.domain.left_open else 0.0)
        last = end - (end - high) * 2.0**-10 if self.domain.right_open and math.isfinite(end) else end
        return max(low * 2.0**-10, first), min(high * 2.0**10, last)

    def special_values(self) -> tuple[float, ...]:
        """Values that a search tries for their own sake: the default, 1, 2, 1/2, and the ends, typical and extreme."""
        values = dict.fromkeys((float(self.default), 1.0, 2.0, 0.5, *map(float, self.typical), *self.search_range()))
        return tuple(v for v in values if sympy.Float(v) in self.domain)


@dataclass(frozen=True)
class Spec:
    """What a surrogate promises, independent of any library.

    Attributes:
        name: the word on the command line.
        title: the words in a report.
        source: paper or documentation that the formula is taken from.
        gradient: the pseudo-derivative, a sympy expression in ``x`` and the parameters.
        parameters: every other free symbol of ``gradient``.
        at_threshold: forward value at x = 0 (and -0.0).
        claims: promises beside the formula; each is verified against it here.
        forward: the forward formula; by default the step with ``at_threshold`` at 0.
        at_nan: forward value at NaN; ``None`` promises nothing.
        flushing_tolerated: whether a platform may take a subnormal input for zero (with a remark). That a gradient
            which ought to be subnormal is zero is always tolerated (with a remark).
        breakpoints: places in x, expressions in the parameters, where ``gradient`` jumps (every jump has to
            be here) or has a kink (these are found without). Within two roundings of such a place, of x
            and of the parameters, the value on either side of it is accepted.
        second_order: what differentiating the gradient gives: the formula's own derivative by x, or
            ``"zero"``; ``None`` promises nothing.
        parameter_gradient: what differentiating the spikes by a parameter gives: the formula's own
            derivative by it, or ``"zero"``; ``None`` promises nothing.
        smooth: whether the smooth function that an implementation may offer beside its spikes is promised to have
            ``gradient`` as its derivative; not where the documentation prints two that do not belong together.
            ``"piecewise"`` where the documented one itself jumps at the breakpoints, and is promised no more than
            its slope between them.

    Raises:
        BadInput: the formula has an undeclared symbol, jumps where no breakpoint is declared, or does not
            keep one of the claims; the message names the point where that happens.
    """

    name: str
    title: str
    source: str
    gradient: Expr
    parameters: Sequence[Parameter] = ()
    at_threshold: float = 1
    claims: Sequence[Claim] = ()
    forward: Expr | None = field(default=None)
    at_nan: float | None = 0
    flushing_tolerated: bool = True
    breakpoints: Sequence[Any] = ()
    second_order: Declared | None = None
    parameter_gradient: Declared | None = None
    smooth: bool | Literal["piecewise"] = True

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name or brief(self.name, LONGEST_NAME) != self.name:
            raise BadInput(
                f"a spec with the name {self.name!r}",
                f"a word or a few, printable, in one line of at most {LONGEST_NAME} characters",
                "put what is longer into the title",
            )
        for name, kind in (("parameters", Parameter), ("claims", object), ("breakpoints", object)):
            object.__setattr__(self, name, self._several(name, kind))
        symbols = [p.symbol for p in self.parameters]
        if twice := sorted({str(s) for s in symbols if symbols.count(s) > 1}):
            raise BadInput(f"spec {self.name!r} with the parameter {twice[0]} twice", "each once", "drop one of them")
        try:
            at_most(PATIENCE, self._settle)
        except OutOfPatience:
            raise BadInput(
                f"spec {self.name!r}, which took more than {PATIENCE:g} s to verify",
                "a formula, and claims, that sympy and mpmath evaluate in a moment",
                "write the formula in a simpler form, or drop the claim that takes long (Area integrates numerically)",
            ) from None

    def _several(self, name: str, kind: type) -> tuple[Any, ...]:
        given = getattr(self, name)
        found = tuple(given) if isinstance(given, Iterable) else (None,)
        if isinstance(given, Iterable) and all(isinstance(one, kind) for one in found):
            return found
        expected = "a sequence of Parameter(...)" if kind is Parameter else "a sequence"
        raise BadInput(f"{name}={given!r} in spec {self.name!r}", expected, "leave it out where there are none")

    def _settle(self) -> None:
        """Make formulas of what was given for them, and verify them."""
        object.__setattr__(self, "gradient", formula_of(self.gradient, "gradient", self.name))
        object.__setattr__(self, "breakpoints", tuple(formula_of(b, "breakpoint", self.name) for b in self.breakpoints))
        if self.forward is not None:
            object.__setattr__(self, "forward", formula_of(self.forward, "forward formula", self.name))
        elif not formula_of(self.at_threshold, "value at the threshold", self.name).is_finite:
            raise BadInput(
                f"at_threshold={self.at_threshold!r} in spec {self.name!r}",
                "a finite number: the spikes at x = 0",
                "0 or 1 for a step",
            )
        for name in ("second_order", "parameter_gradient"):
            if (given := getattr(self, name)) not in (None, *get_args(Declared)):
                expected = f"one of {', '.join(map(repr, get_args(Declared)))}, or None"
                raise BadInput(f"{name}={given!r} in spec {self.name!r}", expected, "leave it out to promise nothing")
        if self.smooth not in (True, False, "piecewise"):
            expected = "True, False or 'piecewise'"
            raise BadInput(f"smooth={self.smooth!r} in spec {self.name!r}", expected, "False promises nothing of it")
        declared = {x, *(p.symbol for p in self.parameters)}
        for formula in (self.gradient, self.step):
            if unknown := sorted(str(s) for s in formula.free_symbols - declared):
                raise BadInput(
                    f"spec {self.name!r} with the formula {formula}",
                    f"only x and the declared parameters ({', '.join(map(str, declared - {x})) or 'none'})",
                    f"declare {', '.join(unknown)} as Parameter, or use the real symbol x of surrogate_core.spec",
                )
        if not _trusting.get():
            self.verify()

    def verify(self) -> None:
        """Evaluate the formulas, look for jumps, and compare every claim: what making a spec does.

        Raises:
            BadInput: as when it is made.
        """
        grid, places = self.grid("standard"), tuple(self.breakpoints)
        try:
            verify_breakpoints(self.gradient, places, self.symbols, grid, self.name)
        except UNEVALUATED as error:
            unevaluated = error  # told with the point at which it is so
        else:
            unevaluated = None
        verify_values(self.gradient, "gradient", places, self.symbols, grid, self.name)
        verify_values(self.step, "forward formula", places, self.symbols, grid, self.name)
        verify_derivatives(self.gradient, self.symbols, grid[0], self.name)
        if unevaluated:
            raise unevaluated
        for claim in self.claims:
            verify(claim, self.gradient, tuple(self.breakpoints), self.symbols, grid, self.name)

    @property
    def symbols(self) -> tuple[Symbol, ...]:
        """``x`` and the parameters' symbols, in their order."""
        return (x, *(p.symbol for p in self.parameters))

    @functools.cached_property
    def antiderivative(self) -> Expr | None:
        """The smooth function whose derivative is ``gradient``, 0 at the threshold; ``None`` where none is found.

        Found when it is first asked for, in seconds at the most, and compared with the formula then.
        """
        # Imported here: sympy's integrator takes a while to load, and is seldom asked for.
        from surrogate_core.spec.antiderivative import antiderivative

        return antiderivative(self.gradient, tuple(self.breakpoints), self.symbols, self.grid("standard"))

    @property
    def step(self) -> Expr:
        """The forward formula."""
        if self.forward is not None:
            return self.forward
        at_threshold: Any = sympy.sympify(self.at_threshold)
        return sympy.Heaviside(x, at_threshold)

    def replace(self, **changes: Any) -> Spec:
        """A variant: ``spec.replace(at_threshold=0)``. Its claims are verified anew.

        Its name says what varies, ``slayer(at_threshold=0)``, unless the changes hold another.
        """
        return dataclasses.replace(self, **{"name": f"{self.name}({_listed(changes)})", **changes})

    def claim(self, kind: type[C]) -> C | None:
        """The claim of that kind, or ``None``."""
        return next((claim for claim in self.claims if isinstance(claim, kind)), None)

    def grid(self, profile: str, chosen: Mapping[str, tuple[float, ...]] | None = None) -> tuple[Parameters, ...]:
        """Parameter sets to judge at: ``chosen`` values, and each other parameter's samples in turn.

        One parameter varies at a time, the others staying at their (first chosen or default) value.

        Raises:
            BadInput: ``chosen`` names no parameter of this spec, or a value outside its domain.
        """
        chosen = dict(chosen or {})
        names = [p.name for p in self.parameters]
        for name in chosen:
            if name not in names:
                raise BadInput(
                    f"parameter {name!r} for spec {self.name!r}",
                    f"one of {', '.join(names) or 'none: this spec has no parameters'}",
                    near_misses(name, names),
                )
            if not chosen[name]:
                raise BadInput(f"parameter {name!r} with no value", "at least one value", "name one, or leave it out")
        values = {
            p.name: tuple(p.check(v) for v in chosen[p.name]) if p.name in chosen else p.samples(profile)
            for p in self.parameters
        }
        base = {name: options[0] for name, options in values.items()}
        sets = [tuple({**base, name: v}.items()) for name, options in values.items() for v in options]
        return tuple(dict.fromkeys(sets)) or ((),)


def _listed(changes: Mapping[str, Any]) -> str:
    """Changes as a name can hold them: a number or a word with its value, anything larger without."""
    plain = (int, float, str, type(None))
    words = {name: f"{name}={value}" if isinstance(value, plain) else name for name, value in changes.items()}
    return ", ".join(word if len(word) <= LONGEST_CHANGE else name for name, word in words.items())
