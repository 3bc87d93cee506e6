"""A stored formula as MathML, which every browser reads aloud and draws without a script.

The text comes from a file, so it is parsed and never evaluated; what is not arithmetic is shown as it stands.
"""

from __future__ import annotations

import ast

from markupsafe import Markup, escape

from surrogate_core.report.words import GREEK

__all__ = ["forward_rule", "mathml"]

LONGEST = 2000
"""A longer text is no formula that a person reads."""

NAMES = {**GREEK, "oo": "∞", "E": "e"}
COMPARISONS: dict[type[ast.cmpop], str] = {
    ast.Lt: "&lt;",
    ast.LtE: "≤",
    ast.Gt: "&gt;",
    ast.GtE: "≥",
    ast.Eq: "=",
    ast.NotEq: "≠",
}
INFIX: dict[type[ast.operator], tuple[str, int]] = {
    ast.Add: ("+", 1),
    ast.Sub: ("−", 1),
    ast.Mult: ("\u2062", 2),  # invisible times
    ast.BitAnd: ("∧", 0),
    ast.BitOr: ("∨", 0),
}


class _NotArithmetic(Exception):
    """Something that this file has no notation for."""


def mathml(text: str) -> Markup:
    """``text``, an expression as sympy prints it, as a MathML element (or as code, where it is no arithmetic)."""
    try:
        if len(text) > LONGEST:
            raise _NotArithmetic
        inner = _notation(ast.parse(text, mode="eval").body)
    except (_NotArithmetic, SyntaxError, ValueError, RecursionError, MemoryError):
        return Markup("<code>{}</code>").format(text)
    return Markup("<math>{}</math>").format(inner)


def forward_rule(text: str) -> Markup:
    """The forward formula in words where it is the step, as mathematics elsewhere."""
    words = {"Heaviside(x, 1)": "1 where x ≥ 0, else 0", "Heaviside(x, 0)": "1 where x > 0, else 0"}
    words |= dict.fromkeys(("Heaviside(x)", "Heaviside(x, 1/2)"), "1 where x > 0, ½ at 0, else 0")
    return escape(words[text]) if text in words else mathml(text)


def _notation(node: ast.expr, inside: int = 0) -> Markup:
    """``node``; in brackets where it binds less tightly than what it stands ``inside`` of."""
    match node:
        case ast.Constant(value=bool(value)):
            return _tag("mtext", "otherwise" if value else "never")
        case ast.Constant(value=int() | float()):
            return _tag("mn", str(node.value))
        case ast.Name(id=name):
            return _tag("mi", NAMES.get(name, name))
        case ast.UnaryOp(op=ast.USub(), operand=operand):
            return _bracket(Markup("<mo>−</mo>") + _notation(operand, 2), inside > 2)
        case ast.BinOp(left=left, op=ast.Div(), right=right):
            return Markup("<mfrac><mrow>{}</mrow><mrow>{}</mrow></mfrac>").format(_notation(left), _notation(right))
        case ast.BinOp(left=left, op=ast.Pow(), right=right):
            return Markup("<msup><mrow>{}</mrow><mrow>{}</mrow></msup>").format(_notation(left, 3), _notation(right))
        case ast.BinOp(left=left, op=op, right=right) if type(op) in INFIX:
            sign, rank = INFIX[type(op)]
            # The right side of a minus needs brackets where the left does not: a - (b + c).
            tighter = 3 if isinstance(right, ast.UnaryOp) else rank + isinstance(op, ast.Sub)
            return _bracket(_notation(left, rank) + _tag("mo", sign) + _notation(right, tighter), rank < inside)
        case ast.Compare(left=left, ops=[op], comparators=[right]) if type(op) in COMPARISONS:
            return _notation(left, 1) + Markup(f"<mo>{COMPARISONS[type(op)]}</mo>") + _notation(right, 1)
        case ast.Call(func=ast.Name(id=name), args=args, keywords=[]):
            return _call(name, args)
    raise _NotArithmetic


def _call(name: str, args: list[ast.expr]) -> Markup:
    if name == "Piecewise":
        return _pieces(args)
    inner = Markup("<mo>,</mo>").join(_notation(a) for a in args)
    if name == "exp" and len(args) == 1:
        return Markup("<msup><mi>e</mi><mrow>{}</mrow></msup>").format(inner)
    if name == "sqrt" and len(args) == 1:
        return Markup("<msqrt>{}</msqrt>").format(inner)
    if name == "Abs" and len(args) == 1:
        return Markup('<mrow><mo stretchy="false">|</mo>{}<mo stretchy="false">|</mo></mrow>').format(inner)
    return _tag("mi", name) + _bracket(inner)


def _pieces(args: list[ast.expr]) -> Markup:
    rows = Markup()
    for piece in args:
        match piece:
            case ast.Tuple(elts=[value, condition]):
                rows += Markup("<mtr><mtd>{}</mtd><mtd>{}</mtd></mtr>").format(_notation(value), _notation(condition))
            case _:
                raise _NotArithmetic
    return Markup("<mrow><mo>{{</mo><mtable columnalign='left left'>{}</mtable></mrow>").format(rows)


def _tag(name: str, text: str) -> Markup:
    return Markup(f"<{name}>") + escape(text) + Markup(f"</{name}>")


def _bracket(inner: Markup, needed: bool = True) -> Markup:
    return Markup("<mrow><mo>(</mo>{}<mo>)</mo></mrow>").format(inner) if needed else inner
