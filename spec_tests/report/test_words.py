from __future__ import annotations

import pytest

from surrogate_core.report.formula import forward_rule, mathml
from surrogate_core.report.words import clip, greek, number, share, short_names


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0.0, "0"),
        (-0.25, "−0.25"),
        (1.8189e-9, "1.82\xa0×\xa010⁻⁹"),
        (-1e20, "−1\xa0×\xa010²⁰"),
        ("nan", "NaN"),
        ("-inf", "−∞"),
        (None, "–"),
        (True, "–"),
        ("soon", "–"),
    ],
)
def test_a_number_reads_well(value: object, text: str) -> None:
    assert number(value) == text


@pytest.mark.parametrize(
    ("value", "text"), [(1.0, "100 %"), (0.99998, "99.998 %"), (0.9999999, "> 99.9999 %"), (0.5, "50 %")]
)
def test_a_share_is_never_rounded_up_to_the_whole(value: float, text: str) -> None:
    assert share(value) == text


def test_greek_words_become_letters_and_others_do_not() -> None:
    assert greek("slope -alpha, area 2/alpha, alphabet") == "slope -α, area 2/α, alphabet"


def test_a_cut_text_says_so() -> None:
    assert clip("abcdef", 3) == "abc … [3 characters left out]"
    assert clip("abcdef", 3, keep="end").endswith("def")


def test_names_are_shortened_only_where_they_stay_apart() -> None:
    assert short_names(["/a/x.py:f", "/b/y.py:f"]) == {"/a/x.py:f": "x.py:f", "/b/y.py:f": "y.py:f"}
    assert short_names(["/a/x.py:f", "/b/x.py:f"]) == {"/a/x.py:f": "/a/x.py:f", "/b/x.py:f": "/b/x.py:f"}


def test_a_formula_reads_as_mathematics() -> None:
    assert mathml("exp(-alpha*Abs(x))").startswith("<math><msup><mi>e</mi><mrow><mo>−</mo><mi>α</mi>")
    assert "<mfrac><mrow><mi>α</mi></mrow><mrow><mn>2</mn></mrow></mfrac>" in mathml("alpha/2*x")
    assert "<mtr>" in mathml("Piecewise((1, Abs(x) < 1), (0, True))")


def test_brackets_stand_where_they_are_needed() -> None:
    assert "<mo>(</mo>" in mathml("a - (b + c)")
    assert "<mo>(</mo>" not in mathml("a + b*c - d")
    assert "<mo>(</mo>" in mathml("(x + 1)**2")
    assert "<mo>(</mo>" in mathml("(-x)**2")


@pytest.mark.parametrize("text", ["__import__('os').getcwd()", "lambda: 1", "x <", "(" * 3000, "x\0", "'<b>'", ""])
def test_what_is_no_formula_is_shown_and_never_evaluated(text: str) -> None:
    assert mathml(text).startswith("<code>")
    assert "<b>" not in mathml(text)


def test_the_step_is_told_in_words() -> None:
    assert forward_rule("Heaviside(x, 1)") == "1 where x ≥ 0, else 0"
    assert forward_rule("Heaviside(x, 0)") == "1 where x &gt; 0, else 0"
    assert forward_rule("tanh(x)").startswith("<math>")
