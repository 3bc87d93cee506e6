"""Numbers and names as a person reads them."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from typing import Any

__all__ = [
    "MINUS",
    "below",
    "clip",
    "count",
    "decimal",
    "greek",
    "listed",
    "number",
    "plural",
    "setting",
    "share",
    "short_names",
    "superscript",
]

GREEK = {
    "alpha": "α",
    "beta": "β",
    "gamma": "γ",
    "delta": "δ",
    "epsilon": "ε",
    "zeta": "ζ",
    "eta": "η",
    "theta": "θ",
    "kappa": "κ",
    "lambda": "λ",
    "mu": "μ",
    "nu": "ν",
    "xi": "ξ",
    "pi": "π",
    "rho": "ρ",
    "sigma": "σ",
    "tau": "τ",
    "phi": "φ",
    "chi": "χ",
    "psi": "ψ",
    "omega": "ω",
}
MINUS = "\N{MINUS SIGN}"
SUPERSCRIPT = str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹")


def greek(text: str) -> str:
    """``text`` with whole words such as ``alpha`` as the letters they name."""
    return re.sub(r"(?<![A-Za-z_])(?:" + "|".join(GREEK) + r")(?![A-Za-z_(])", lambda m: GREEK[m[0]], text)


def decimal(value: Any) -> float | None:
    """``value`` as a float, ``None`` where it is no number; the file holds NaN and infinities as words."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    try:
        return float(value)
    except ValueError:
        return None


def number(value: Any, digits: int = 3) -> str:
    """A figure in ``digits`` significant digits: ``−0.25``, ``1.8 × 10⁻⁹``, ``NaN``, ``∞``; ``–`` for none."""
    v = decimal(value)
    if v is None:
        return "–"
    if math.isnan(v):
        return "NaN"
    if math.isinf(v):
        return "∞" if v > 0 else f"{MINUS}∞"
    mantissa, _, exponent = f"{v:.{digits}g}".partition("e")
    # Blanks that do not break: a number stays on one line.
    power = f"\N{NO-BREAK SPACE}×\N{NO-BREAK SPACE}10{superscript(int(exponent))}" if exponent else ""
    return mantissa.replace("-", MINUS) + power


def superscript(exponent: int) -> str:
    """An exponent: ``⁻⁹``."""
    return str(exponent).translate(SUPERSCRIPT)


def count(value: Any) -> str:
    """A whole number with its thousands apart: ``65,536``."""
    v = decimal(value)
    return f"{int(v):,}" if v is not None and math.isfinite(v) else "–"


def below(value: Any, digits: int = 3) -> str:
    """Like :func:`number`, with a plain 0 for an exact 0."""
    return "0" if decimal(value) == 0 else number(value, digits)


def share(value: Any) -> str:
    """A share as a percentage that never rounds up to 100 %: ``99.99 %``."""
    v = decimal(value)
    if v is None or not math.isfinite(v):
        return number(v)
    if 0.9995 < v < 1:
        return f"{math.floor(v * 1e6) / 1e4:.6g} %" if v < 0.999999 else "> 99.9999 %"
    return f"{number(100 * v)} %"


def off(severity: Any) -> str:
    """How bad a failure is: the worst error as a share of the peak; empty where it has no size."""
    v = decimal(severity)
    if v is None:
        return ""
    if not v < math.inf:
        return "off without bound (NaN or infinite) at worst"
    return f"off by up to {share(v) if v > 1e-4 else number(v)} of the peak"


def plural(amount: int, one: str, many: str = "") -> str:
    """``1 result``, ``1,024 results``."""
    return f"{amount:,} {one if amount == 1 else many or one + 's'}"


def listed(words: Iterable[str]) -> str:
    """``a``, ``a and b``, ``a, b and c``."""
    items = list(words)
    return f"{', '.join(items[:-1])} and {items[-1]}" if len(items) > 1 else "".join(items)


def setting(parameters: Sequence[tuple[str, float]]) -> str:
    """Parameter values: ``α = 1.72``."""
    return ", ".join(f"{greek(name)} = {number(value, 6)}" for name, value in parameters) or "no parameters"


def clip(text: str, limit: int, keep: str = "start") -> str:
    """``text``, cut to ``limit`` characters at the end (or at the start, to ``keep="end"``), and said so."""
    if len(text) <= limit:
        return text
    left_out = f"[{len(text) - limit:,} characters left out]"
    return f"{text[:limit]} … {left_out}" if keep == "start" else f"{left_out} …\n{text[-limit:]}"


def short_names(names: Sequence[str]) -> dict[str, str]:
    """Each name without the folders of its file, where that still tells it from the others."""
    short = {name: re.split(r"[/\\]", name)[-1] or name for name in names}
    return {name: brief if list(short.values()).count(brief) == 1 else name for name, brief in short.items()}
