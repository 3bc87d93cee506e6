"""Runs on paper: what a results file may hold, written by hand; and a page read back as its elements."""

from __future__ import annotations

import math
from collections.abc import Mapping
from html.parser import HTMLParser
from typing import Any, ClassVar

from surrogate_core.engine import Result, Run
from surrogate_core.properties.outcome import Failed, Outcome, Passed
from surrogate_core.report import render

ALPHAS = (1.0, 1.72)
BREAKS = Failed(
    given="x = 21 (0x41a80000)",
    measured="0 (0x00000000)",
    allowed="7.5e-10 ± 3.9e-15",
    severity=0.25,
    script="import jax\nprint(spike(x) < 1)",
)


def curve(alpha: float, points: int = 97) -> dict[str, Any]:
    x = [round(-4 / alpha + 8 / alpha * k / (points - 1), 5) for k in range(points)]
    declared = [float(f"{math.exp(-alpha * abs(v)):.6g}") for v in x]
    return {"x": x, "measured": declared, "expected": declared}


def oracle(alpha: float) -> dict[str, Any]:
    return {
        "inputs": 65536,
        "exhaustive": False,
        "normal": 44908,
        "max_ulp": 0.967,
        "max_ulp_at": "28.05 (0x41e06b3e)",
        "max_bound": 0.207,
        "correctly_rounded": 0.939,
        "faithful": 1.0,
        "out_of_bound": 0,
        "curve": curve(alpha),
    }


def decay(alpha: float, slope: float | None = None) -> dict[str, Any]:
    slope = -alpha if slope is None else slope
    far = [round(86 / alpha * (k + 1) / 64, 4) for k in range(64)]
    fit = {
        "slope": slope,
        "interval": [slope - 1e-9, slope + 1e-9],
        "intercept": 0.0,
        "allowed_slope_error": 1e-7,
        "curvature": 1e-12,
        "allowed_curvature": 1e-8,
        "largest_residual": 1e-8,
        "largest_residual_at": 17.0,
        "rungs": 128,
        "points": {"distance": far, "log": [round(slope * d, 6) for d in far]},
    }
    return {"claimed_slope": -alpha, "right": fit, "left": fit}


FIGURES = {"gradient.oracle": oracle, "gradient.decay": decay}


def result(
    outcome: Outcome, name: str = "lib:good", prop: str = "gradient.peak", alpha: float = 1.0, dtype="float32"
) -> Result:
    return Result(name, prop, dtype, "cpu:0", (("alpha", alpha),), outcome, 0.5, 1)


def passing(name: str = "lib:good") -> list[Result]:
    """Results that leave nothing to draw."""
    return [
        result(Passed({"inputs": 65536, "exhaustive": True}), name, "forward.step", dtype="float16"),
        result(Passed({"inputs": 65536, "exhaustive": False}), name, "gradient.oracle"),
        *(result(Passed({"at_plus_zero": 1.0}), name, "gradient.peak", alpha) for alpha in ALPHAS),
    ]


def drawn(name: str = "lib:good") -> list[Result]:
    """Results with something to draw."""
    made = [(prop, figures, alpha) for alpha in ALPHAS for prop, figures in FIGURES.items()]
    return [result(Passed(figures(alpha)), name, prop, alpha) for prop, figures, alpha in made]


def _entry(name: str, planned: int) -> dict[str, Any]:
    known = {"spec": "slayer", "framework": "jax", "package": "lib", "version": "1.0"}
    return {"name": name, "planned": planned, **known}


def run(results: list[Result], *, complete: bool = True, planned: int | None = None, **header: Any) -> Run:
    names = list(dict.fromkeys(r.implementation for r in results)) or ["lib:good"]
    head = {
        "kind": "header",
        "schema": 2,
        "specs": {
            "slayer": {
                "title": "SLAYER exponential",
                "source": "Shrestha & Orchard",
                "gradient": "exp(-alpha*Abs(x))",
                "forward": "Heaviside(x, 1)",
                "claims": ["the area under the pseudo-derivative is 2/alpha"],
            }
        },
        "properties": {
            "forward.step": "The forward value is exactly the declared step.",
            "gradient.oracle": "The gradient is the declared pseudo-derivative.",
            "gradient.peak": "The gradient has its peak at the threshold.",
            "gradient.decay": "The logarithm of the gradient falls on a straight line.",
            "transform.jit": "Compiled, nothing changes.",
        },
        "implementations": [_entry(n, sum(r.implementation == n for r in results)) for n in names],
        "environment": {"python": "3.11.7", "platform": "Linux", "packages": {"jax": "0.10.2"}},
        "devices": {"jax": [["cpu:0", "cpu"]]},
        "absent": {"jax": ["gpu", "tpu"]},
        "profile": "standard",
        "seed": 0,
        "planned": len(results) if planned is None else planned,
        "started": "2026-11-23T19:47:45Z",
    }
    return Run({**head, **header}, tuple(results), complete)


class Element:
    def __init__(self, tag: str, attributes: Mapping[str, str | None]) -> None:
        self.tag, self.attributes = tag, {k: v or "" for k, v in attributes.items()}
        self.parts: list[str] = []

    @property
    def text(self) -> str:
        return "".join(self.parts)


class Document(HTMLParser):
    """The elements of a page in order, each with all the text inside it."""

    OPEN_ENDED = frozenset({"meta", "img", "br", "wbr", "link"})
    ENDED_BY: ClassVar = {
        "li": ("ul", {"li"}),
        "dt": ("dl", {"dt", "dd"}),
        "dd": ("dl", {"dt", "dd"}),
        "td": ("table", {"td", "th"}),
        "th": ("table", {"td", "th"}),
        "tr": ("table", {"td", "th", "tr"}),
        "tbody": ("table", {"td", "th", "tr", "thead"}),
        "option": ("select", {"option"}),
    }
    """What holds an element, and which elements in there end where it begins: their end tags are optional."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.elements: list[Element] = []
        self._stack: list[Element] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, dict(attrs))
        self.elements.append(element)
        holder, ended = self.ENDED_BY.get(tag, ("", set[str]()))
        inside = max((at for at, e in enumerate(self._stack) if e.tag == holder), default=len(self._stack))
        first = next((at for at in range(inside + 1, len(self._stack)) if self._stack[at].tag in ended), None)
        del self._stack[len(self._stack) if first is None else first :]
        if tag not in self.OPEN_ENDED:
            self._stack.append(element)

    def handle_endtag(self, tag: str) -> None:
        if any(e.tag == tag for e in self._stack):
            while self._stack.pop().tag != tag:
                pass

    def handle_data(self, data: str) -> None:
        for element in self._stack:
            element.parts.append(data)

    def all(self, tag: str = "", css: str = "") -> list[Element]:
        return [
            e for e in self.elements if tag in ("", e.tag) and (not css or css in e.attributes.get("class", "").split())
        ]

    @property
    def text(self) -> str:
        return next(e.text for e in self.elements if e.tag == "body")


def draw(*results: Result, **changes: Any) -> Document:
    return Document(render([run(list(results), **changes)]))
