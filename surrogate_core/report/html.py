"""One offline HTML file from stored results: no script, no external address, the same bytes every time."""

from __future__ import annotations

import functools
import os
import re
from collections.abc import Sequence
from pathlib import Path

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from surrogate_core.engine import Run
from surrogate_core.errors import BadInput

__all__ = ["render", "write"]

UNSEEN = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
"""Characters that no text file can hold, or that turn round what stands beside them: no name may use them."""


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
    environment.globals["stylesheet"] = Markup(loader.get_source(environment, "style.css")[0])
    environment.filters["breakable"] = _breakable
    return environment


def _breakable(name: str) -> Markup:
    """A name that may be broken between its words, where a narrow column makes it."""
    return Markup(re.sub(r"([/\\:._]+)", r"\1<wbr>", str(escape(name))))


def render(runs: Sequence[Run]) -> str:
    """The report of one or more runs, as the text of one HTML file."""
    from surrogate_core.report.page import page  # loads matplotlib, which a verdict in the terminal does without

    text = _environment().get_template("report.html.jinja").render(page=page(runs))
    return UNSEEN.sub("\N{REPLACEMENT CHARACTER}", text)


def write(runs: Sequence[Run], path: str | os.PathLike[str]) -> None:
    """Write the report to ``path``, whose folder is made where it is missing.

    Raises:
        BadInput: the path cannot be written.
    """
    text = render(runs)
    try:
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).write_text(text, encoding="utf-8", newline="\n")
    except OSError as error:
        raise BadInput(f"report {path}: {error.strerror}", "a path that can be written", "choose another") from None
