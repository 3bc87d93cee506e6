"""Pictures of the report for the README, taken in Chromium of the stored samples: ``make pictures``."""

from __future__ import annotations

import io
import shutil
import tempfile
from pathlib import Path
from typing import Literal

from browser.conftest import BROWSERS, FLAGS
from PIL import Image
from playwright.sync_api import FloatRect, Page, sync_playwright
from report.crowd import SAMPLES, sample

from surrogate_core.report import render

DECAY = "h3:text-is('The decay of its logarithm')"
PICTURES: tuple[tuple[str, str, str, int, Literal["light", "dark"]], ...] = (
    ("check", "answer", ".top, #answer, #evidence", 1100, "light"),
    ("broken", "decay", f"{DECAY}, {DECAY} + .legend, {DECAY} + .legend + .charts > figure", 820, "dark"),
)
"""Sample, name of the picture, what of the page it shows, how wide that is, colour scheme."""

MARGIN = 24
"""Pixels round what is shown."""

COLOURS = 64
"""A page has few, and the greys between letters and ground: a third of the bytes."""

BOXES = """elements => elements.map(e => e.getBoundingClientRect()).map(b => [b.left, b.top, b.right, b.bottom])"""


def main() -> None:
    """Take every picture; each lies beside the samples."""
    path = next(found for found in map(shutil.which, BROWSERS) if found)
    with sync_playwright() as driver, tempfile.TemporaryDirectory() as folder:
        chromium = driver.chromium.launch(executable_path=path, args=list(FLAGS))
        for stored, name, part, width, scheme in PICTURES:
            file = Path(folder) / f"{stored}.html"
            file.write_text(render([sample(stored)]), encoding="utf-8")
            page = chromium.new_context(color_scheme=scheme, viewport={"width": width, "height": 760}).new_page()
            page.goto(f"file://{file}")
            with Image.open(io.BytesIO(page.screenshot(full_page=True, clip=_around(page, part)))) as picture:
                picture.convert("RGB").quantize(COLOURS).save(SAMPLES / f"{name}.png", optimize=True)
        chromium.close()


def _around(page: Page, part: str) -> FloatRect:
    """The box round all elements of a selector, of a page that was not scrolled."""
    left, top, right, bottom = zip(*page.locator(part).evaluate_all(BOXES), strict=True)
    x, y = max(0, min(left) - MARGIN), max(0, min(top) - MARGIN)
    return {"x": x, "y": y, "width": max(right) + MARGIN - x, "height": max(bottom) + MARGIN - y}


if __name__ == "__main__":
    main()
