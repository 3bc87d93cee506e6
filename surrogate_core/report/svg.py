"""A matplotlib figure as inline SVG: themeable, accessible, the same bytes every time, and no inline style.

The page's content-security policy allows the one style sheet and nothing else, so what matplotlib writes into
``style`` attributes becomes presentation attributes, and colours become classes that the style sheet knows.
"""

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

__all__ = ["ROLES", "TEXT", "drawn", "inline", "named", "style"]

ROLES = {
    "ink": "#010203",
    "muted": "#010204",
    "line": "#010205",
    "spec": "#010206",
    "measured": "#010207",
    "fitted": "#010208",
    "other": "#010209",
}
"""What a colour is for -> the stand-in drawn with; strokes get the class ``s-…``, fills ``f-…``."""

TEXT = 11
"""Size of the text in pixels; the style sheet knows it too."""

IMPLIED = {
    "fill": "none",
    "stroke-linecap": "butt",
    "stroke-linejoin": "miter",
    "stroke-dashoffset": "0",
    "font-size": f"{TEXT}px",
    "text-anchor": "start",
}
"""Declarations that the style sheet makes for every plot, or that every browser does."""

SHORT = {
    ("text-anchor", "end"): "e",
    ("text-anchor", "middle"): "m",
    ("stroke-linecap", "round"): "o",
}
"""Declarations that occur in every plot, as classes that the style sheet knows."""

ROLE_OF = {colour: role for role, colour in ROLES.items()}


@contextlib.contextmanager
def style() -> Iterator[None]:
    """Draw inside: matplotlib's own defaults, whatever the user's settings, and the house's few changes."""
    with matplotlib.rc_context():
        matplotlib.rcdefaults()
        matplotlib.rcParams.update(
            {
                "svg.fonttype": "none",  # text as text: selectable, searchable, small
                "font.size": TEXT,
                "axes.labelsize": TEXT,
                "xtick.labelsize": TEXT,
                "ytick.labelsize": TEXT,
                "text.color": ROLES["muted"],
                "axes.edgecolor": ROLES["line"],
                "axes.labelcolor": ROLES["muted"],
                "axes.spines.top": False,
                "axes.spines.right": False,
                "axes.spines.left": False,
                "axes.grid": True,
                "axes.grid.axis": "y",
                "axes.axisbelow": True,
                "grid.color": ROLES["line"],
                "grid.linewidth": 1,
                "axes.linewidth": 1,
                "xtick.labelcolor": ROLES["muted"],
                "ytick.labelcolor": ROLES["muted"],
                "xtick.bottom": False,
                "ytick.left": False,
                "lines.solid_capstyle": "butt",
                "lines.dash_capstyle": "butt",
                "path.simplify": False,  # a point left out could be the one that is wrong
            }
        )
        yield


def inline(figure: Figure, name: str, title: str, description: str) -> Markup:
    """``figure`` as an ``<svg>`` element to stand in a page; ``name`` makes its ids the page's own.

    Call it inside :func:`style`.
    """
    return named(drawn(figure), name, title, description)


def drawn(figure: Figure) -> str:
    """``figure`` as matplotlib writes it: the same for the same figure. Call it inside :func:`style`."""
    FigureCanvasSVG(figure)
    stream = io.StringIO()
    with matplotlib.rc_context({"svg.hashsalt": "figure"}):
        figure.savefig(stream, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    return stream.getvalue()


def named(drawing: str, name: str, title: str, description: str) -> Markup:
    """What :func:`drawn` gave as an ``<svg>`` element to stand in a page; ``name`` makes its ids the page's own."""
    root = _without_namespaces(drawing)
    _drop(root)
    _own_ids(root, name)
    for element in root.iter():
        _declare(element)
        for key in element.attrib.keys() & {"d", "x", "y", "transform", "width", "height"}:
            element.attrib[key] = _shorter(element.attrib[key])
    _ungroup(root)
    _join_lines(root)
    box = _shorter(root.attrib["viewBox"])
    root.attrib.clear()
    root.attrib.update({"class": "plot", "viewBox": box, "role": "img", "aria-labelledby": f"{name}t {name}d"})
    for tag, text in (("desc", description), ("title", title)):
        element = ElementTree.Element(tag, {"id": f"{name}{tag[0]}"})
        element.text = text
        root.insert(0, element)
    text = re.sub(r">\s+<", "><", ElementTree.tostring(root, encoding="unicode")).strip()
    return Markup(text.replace(" />", "/>"))  # of an element: in a text, > is written &gt;


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


def _declare(element: ElementTree.Element) -> None:
    """What ``style`` says as attributes, and its stand-in colours as classes; the font is the page's own."""
    text = element.attrib.pop("style", "")
    text = re.sub(r"font:\s*(?:[a-z]+ )*([\d.]+px)[^;]*", r"font-size: \1", text)  # before matplotlib 3.10
    classes = []
    for declaration in text.split(";"):
        name, _, value = (part.strip() for part in declaration.partition(":"))
        if not name or name == "font-family" or IMPLIED.get(name) == value:
            continue
        if value in ROLE_OF:
            classes.append(f"{name[0]}-{ROLE_OF[value]}")
        elif (name, value) in SHORT:
            classes.append(SHORT[name, value])
        else:
            element.attrib[name] = value
    if element.tag == "text" and "f-muted" in classes:
        classes.remove("f-muted")  # as every text is that says nothing else
    if classes:
        element.attrib["class"] = " ".join(classes)


def _ungroup(parent: ElementTree.Element) -> None:
    """Put what stands in a group without attributes in the group's place."""
    children: list[ElementTree.Element] = []
    for child in parent:
        _ungroup(child)
        children += list(child) if child.tag == "g" and not child.attrib else [child]
    parent[:] = [child for child in children if child.tag != "defs" or len(child)]


def _join_lines(root: ElementTree.Element) -> None:
    """Draw the lines of the grid, which lie under everything else, as one path."""
    grid = [e for e in root if e.tag == "path" and e.attrib.keys() == {"d", "class"} and e.get("class") == "s-line"]
    for line in grid[1:]:
        grid[0].attrib["d"] += line.attrib["d"]
        root.remove(line)


def _shorter(value: str) -> str:
    """Coordinates to a tenth of a pixel; those of a path from point to point."""
    value = re.sub(r"-?\d+\.\d+", lambda m: f"{float(m[0]):.1f}".removesuffix(".0"), value.strip())
    return _from_point_to_point(value) if re.fullmatch(r"M[-\d. MLz\n]*", value) else value


def _from_point_to_point(path: str) -> str:
    """A path of straight lines in relative coordinates, which are half as long.

    The steps are differences of rounded coordinates: however many there are, no error adds up.
    """
    parts: list[str] = []
    x = y = 0
    start, line = (0, 0), False
    for command, *numbers in re.findall(r"([MLz])\s*(?:(-?[\d.]+)\s+(-?[\d.]+))?", path):
        if command == "z":
            parts.append("z")
            (x, y), line = start, False
            continue
        to_x, to_y = (round(10 * float(number)) for number in numbers)
        step = _pair(to_x - x, to_y - y)
        if command == "M":
            parts.append(f"m{step}" if parts else f"M{step}")
            start, line = (to_x, to_y), False
        elif to_y == y:
            parts.append(f"h{_tenths(to_x - x)}")
            line = False
        else:
            # After a line, a pair is another one.
            parts.append(f"l{step}" if not line else step if step.startswith("-") else f" {step}")
            line = True
        x, y = to_x, to_y
    return "".join(parts)


def _pair(x: int, y: int) -> str:
    """Two numbers of tenths, ``3.7-.1``."""
    return _tenths(x) + ("" if y < 0 else " ") + _tenths(y)


def _tenths(value: int) -> str:
    whole, tenth = divmod(abs(value), 10)
    digits = f"{whole}.{tenth}" if whole and tenth else f".{tenth}" if tenth else str(whole)
    return f"-{digits}" if value < 0 else digits
