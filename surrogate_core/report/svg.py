"""A matplotlib figure as inline SVG: themeable, accessible, the same bytes every time."""

from __future__ import annotations

import contextlib
import io
import re
from collections.abc import Iterator
from xml.etree import ElementTree

import matplotlib
from markupsafe import Markup
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.figure import Figure

__all__ = ["ROLES", "inline", "style"]

ROLES = {
    "ink": "#010203",
    "muted": "#010204",
    "line": "#010205",
    "spec": "#010206",
    "measured": "#010207",
    "fitted": "#010208",
}
"""What a colour is for -> the stand-in drawn with, which the style sheet's ``--plot-…`` variable replaces."""


@contextlib.contextmanager
def style() -> Iterator[None]:
    """Draw inside: matplotlib's own defaults, whatever the user's settings, and the house's few changes."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(
            {
                "svg.fonttype": "none",  # text as text: selectable, searchable, small
                "font.size": 12,
                "text.color": ROLES["ink"],
                "axes.edgecolor": ROLES["line"],
                "axes.labelcolor": ROLES["muted"],
                "axes.spines.top": False,
                "axes.spines.right": False,
                "axes.spines.left": False,
                "axes.grid": True,
                "axes.grid.axis": "y",
                "axes.axisbelow": True,
                "grid.color": ROLES["line"],
                "xtick.labelcolor": ROLES["muted"],
                "ytick.labelcolor": ROLES["muted"],
                "xtick.bottom": False,
                "ytick.left": False,
                "path.simplify": False,  # a point left out could be the one that is wrong
            }
        )
        yield


def inline(figure: Figure, name: str, title: str, description: str) -> Markup:
    """``figure`` as an ``<svg>`` element to stand in a page; ``name`` makes its ids the page's own.

    Call it inside :func:`style`.
    """
    FigureCanvasSVG(figure)
    stream = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": name}):
        figure.savefig(stream, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    root = _without_namespaces(stream.getvalue())
    _drop(root)
    _own_ids(root, name)
    for element in root.iter():
        for key, value in element.attrib.items():
            element.attrib[key] = _shorter(value) if key in ("d", "x", "y", "transform") else _themed(value)
    box = root.attrib["viewBox"]
    root.attrib.clear()
    root.attrib.update({"viewBox": box, "role": "img", "aria-labelledby": f"{name}-title {name}-desc"})
    for tag, text in (("desc", description), ("title", title)):
        element = ElementTree.Element(tag, {"id": f"{name}-{tag}"})
        element.text = text
        root.insert(0, element)
    return Markup(re.sub(r">\s+<", "><", ElementTree.tostring(root, encoding="unicode")).strip())


def _without_namespaces(text: str) -> ElementTree.Element:
    """The drawing as HTML takes it: plain names, ``href`` without ``xlink``."""
    root = ElementTree.fromstring(text)
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
        element.attrib = {key.rpartition("}")[2]: value for key, value in element.attrib.items()}
    return root


def _drop(root: ElementTree.Element) -> None:
    """Leave out metadata, a style sheet that would reach the whole page, the unseen, and rotations by nothing."""
    for parent in list(root.iter()):
        for child in list(parent):
            unseen = child.tag == "path" and child.attrib.get("style", "").strip() == "fill: none"
            if child.tag in ("metadata", "style") or unseen:
                parent.remove(child)
        if parent.attrib.get("transform", "").startswith("rotate(-0 "):
            del parent.attrib["transform"]


def _own_ids(root: ElementTree.Element, name: str) -> None:
    """Number the ids that something refers to, and drop the rest: matplotlib gives every figure the same."""
    used = set(re.findall(r"(?:url\(#|href=\"#)([^\")]+)", ElementTree.tostring(root, encoding="unicode")))
    ids = {old: f"{name}-{number}" for number, old in enumerate(sorted(used), start=1)}
    for element in root.iter():
        if "id" in element.attrib and element.attrib["id"] not in ids:
            del element.attrib["id"]
        for key, value in element.attrib.items():
            if key == "id":
                element.attrib[key] = ids[value]
            elif "#" in value:
                element.attrib[key] = re.sub(
                    r"(url\(#|^#)([^)]+)", lambda m: m[1] + ids[m[2]] if m[2] in ids else m[0], value
                )


def _themed(value: str) -> str:
    """Stand-in colours as the page's variables, and the page's font."""
    for role, colour in ROLES.items():
        value = value.replace(colour, f"var(--plot-{role})")
    value = re.sub(r"font:\s*(?:[a-z]+ )*([\d.]+px)[^;]*", r"font-size: \1", value)  # before matplotlib 3.10
    return re.sub(r"font-family:[^;]*;?\s*", "", value)


def _shorter(value: str) -> str:
    """Coordinates to a tenth of a pixel, and no more blanks than needed."""
    value = re.sub(r"-?\d+\.\d+", lambda m: f"{float(m[0]):.1f}".removesuffix(".0"), value)
    value = re.sub(r"\s*([MLQCZz])\s*", r"\1", value.strip())
    return re.sub(r"M(\S+ \S+?)L\1(?=M|$)", r"M\1h0", value)
