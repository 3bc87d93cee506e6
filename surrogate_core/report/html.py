"""One offline HTML file from stored results: no external address, the same bytes every time.

The page forbids itself everything but its own style sheet and its own script, which it names by their hashes:
whatever an implementation writes into its names and messages, the browser neither runs it nor loads anything for it.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import os
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from surrogate_core.engine import Run
from surrogate_core.errors import BadInput
from surrogate_core.safe_text import printable

if TYPE_CHECKING:
    from surrogate_core.report.timing import Timing  # loads matplotlib

__all__ = ["page_of", "render", "write"]


@functools.cache
def _environment() -> Environment:
    loader = PackageLoader("surrogate_core.report")
    environment = Environment(
        loader=loader,
        autoescape=True,  # whatever its name: everything that an implementation can influence is text
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    parts = {name: loader.get_source(environment, name)[0] for name in ("style.css", "script.js")}
    environment.globals["stylesheet"] = Markup(parts["style.css"])
    environment.globals["script"] = Markup(parts["script.js"])
    environment.globals["policy"] = _policy(parts["style.css"], parts["script.js"])
    environment.filters["breakable"] = _breakable
    return environment


def _policy(stylesheet: str, script: str) -> str:
    """The content-security policy: nothing but these two texts, word for word."""
    style, programme = (
        base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in (stylesheet, script)
    )
    return (
        f"default-src 'none'; style-src 'sha256-{style}'; script-src 'sha256-{programme}'; "
        "base-uri 'none'; form-action 'none'"
    )


def _breakable(name: str) -> Markup:
    """A name that may be broken between its words, where a narrow column makes it."""
    return Markup(re.sub(r"([/\\:._]+)", r"\1<wbr>", str(escape(name))))


OPTIONAL = re.compile("</(?:td|th|tr|dd|dt|li|option)>")
"""End tags that HTML does without (13.1.2.4 of its standard), as nothing else follows these in what holds them."""


def page_of(template: str, **values: object) -> str:
    """A template of this project as the text of one HTML file; everything in ``values`` is text."""
    return printable(OPTIONAL.sub("", _environment().get_template(template).render(**values)))


def render(runs: Sequence[Run], timings: Sequence[Timing] = ()) -> str:
    """The report of one or more runs, and of what was timed, as the text of one HTML file."""
    from surrogate_core.report.page import page  # loads matplotlib, which a verdict in the terminal does without

    return page_of("report.html.jinja", page=page(runs, timings))


def write(runs: Sequence[Run], path: str | os.PathLike[str], timings: Sequence[Timing] = ()) -> None:
    """Write the report to ``path``, whose folder is made where it is missing.

    Raises:
        BadInput: the path cannot be written.
    """
    text = render(runs, timings)
    try:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise BadInput(f"report {path}: {error.strerror}", "a path that can be written", "choose another") from None
