from __future__ import annotations

import hashlib
import itertools
import math
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from report.stored import ALPHAS, BREAKS, FIGURES, decay, draw, drawn, result, run

from surrogate_core.engine import Writer
from surrogate_core.properties.outcome import Failed, Passed
from surrogate_core.report import plots, render, svg


def test_a_plot_says_its_point() -> None:
    said = [e.text for e in draw(*drawn()).all("figcaption")]
    assert "✓ α = 1 the gradient lies on its spec, at most 0.967 ulp off" in said
    slope = (
        "✓ α = 1.72 log g′ falls with slope −1.72 as claimed, to within 0 (95 % interval of the fit ± 1\xa0×\xa010⁻⁹)"
    )
    assert slope in said
    wrong = Failed("128 inputs", "slope -1.25", "-1", figures=decay(1.0, slope=-1.25))
    said = [e.text for e in draw(result(wrong, prop="gradient.decay")).all("figcaption")]
    assert said == ["✗ α = 1 log g′ falls with slope −1.25 ± 1\xa0×\xa010⁻⁹ on the right, −1 is claimed"]


def test_the_error_is_drawn_over_all_exponents() -> None:
    profile = {"exponent": [-126, -20, 0, 7], "right": [0.2, 0.5, 0.9], "bound": [2.0, 4.0, 9.0]}
    page = draw(result(Passed({"profile": profile}), prop="gradient.oracle"))
    (drawing,) = page.all("svg")
    assert all(end in drawing.text for end in ("2⁻¹²⁶", "128", "distance |x|, all exponents"))
    assert "2⁻¹²⁶" in page.all("table", "numbers")[0].text


@pytest.mark.parametrize(
    "figures",
    [
        {},
        {"curve": {"x": [0.0], "measured": ["nan"], "expected": [1.0]}},
        {"curve": {"x": [1.0, 2.0], "measured": [None, "inf"], "expected": [0.5, 0.25]}},
        {"curve": {"x": [0.0, 1.0], "measured": [1e300, -1e300], "expected": [1.0, 0.5]}},
        {"curve": {"x": [], "measured": [], "expected": []}},
        {"curve": "none", "max_ulp": "inf"},
        {"curve": {"x": [1.0], "measured": [], "expected": None}},
        {"claimed_slope": "nan", "right": {"slope": "nan", "points": {"distance": ["nan"], "log": [1.0]}}},
        {"claimed_slope": -1.0, "right": {**decay(1.0)["right"], "slope": "inf"}},
        {"profile": {"exponent": [0], "right": [], "bound": []}, "ulp_edges": [0.0], "ulp_counts": ["inf"]},
        {"profile": {"exponent": [-1, 0, 1], "right": [None, "inf"], "left": ["nan", 1e300], "bound": [None, 0.0]}},
        {"profile": [], "ulp_edges": [0.0, 0.5], "ulp_counts": [0, 0], "levels": {"declared": 1}},
        {"levels": {"declared": [[0.0, 0.0, 1.0]], "measured": [[0.0, -0.0, 1e300], ["nan"], [1.0, "inf", 0.0]]}},
    ],
)
def test_odd_figures_are_drawn_as_far_as_they_go(figures: dict[str, Any]) -> None:
    for prop, outcome in itertools.product(
        ("gradient.oracle", "gradient.decay", "forward.step"),
        (Passed(figures), Failed("x", "y", "z", math.inf, figures)),
    ):
        assert draw(result(outcome, prop=prop)).all("h1")


def test_two_implementations_at_four_settings_fit_in_300_kilobytes() -> None:
    results = [
        result(Passed(figures(alpha)), name, prop, alpha)
        for name in ("lib:good", "lib:better")
        for alpha in (*ALPHAS, 0.1, 10.0)
        for prop, figures in FIGURES.items()
    ]
    assert len(render([run(results)]).encode()) < 250_000


def test_the_same_results_give_the_same_bytes_in_another_process_that_loads_no_framework(tmp_path: Path) -> None:
    stored = run([*drawn(), result(BREAKS, "lib:bad")])
    writer = Writer(tmp_path / "run.jsonl", stored.header)
    for one in stored.results:
        writer.add(one)
    writer.finish()
    writer.close()
    program = (
        "import sys, hashlib; from surrogate_core.engine import read; from surrogate_core.report import render;"
        "print(hashlib.sha256(render([read(sys.argv[1])]).encode()).hexdigest());"
        "print([m for m in ('jax', 'torch', 'matplotlib.pyplot') if m in sys.modules])"
    )
    env = {**os.environ, "PYTHONHASHSEED": "7"}
    command = [sys.executable, "-c", program, str(tmp_path / "run.jsonl")]
    said = subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout.split("\n")
    assert said[:2] == [hashlib.sha256(render([stored]).encode()).hexdigest(), "[]"]


def test_the_users_matplotlib_settings_change_nothing() -> None:
    import matplotlib

    plain = render([run(drawn())])
    with matplotlib.rc_context({"font.size": 30, "lines.linewidth": 9, "svg.fonttype": "path", "axes.grid": False}):
        assert render([run(drawn())]) == plain
        assert matplotlib.rcParams["font.size"] == 30


def test_curves_that_are_alike_are_drawn_once_and_named_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    figures: list[object] = []
    drawn = svg.drawn
    monkeypatch.setattr(svg, "drawn", lambda figure: figures.append(figure) or drawn(figure))
    x, measured = [-1.5, 0.0, 1.5], [0.25, 1.0, 0.125]
    one, other = (plots.gradient(n, f"A curve, {n}", "round the threshold", x, measured, x) for n in ("one", "other"))
    assert len(figures) == 1
    assert one.replace("one", "other") == other
    assert plots.gradient("one", "A curve, one", "round the threshold", x, x, measured) != one
    assert len(figures) == 2
