"""Pictures of the report for the README, taken in Chromium of the stored samples: ``make pictures``."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Literal

from browser.conftest import BROWSERS, FLAGS
from playwright.sync_api import sync_playwright
from report.crowd import SAMPLES, sample

from surrogate_core.report import render

PICTURES: tuple[tuple[str, str, str, Literal["light", "dark"]], ...] = (
    ("check", "answer", "#answer", "light"),
    ("broken", "decay", ".charts >> nth=1", "dark"),
)
"""Sample, name of the picture, what of the page it shows, colour scheme."""


def main() -> None:
    """Take every picture; each lies beside the samples."""
    path = next(found for found in map(shutil.which, BROWSERS) if found)
    with sync_playwright() as driver, tempfile.TemporaryDirectory() as folder:
        chromium = driver.chromium.launch(executable_path=path, args=list(FLAGS))
        for stored, name, part, scheme in PICTURES:
            file = Path(folder) / f"{stored}.html"
            file.write_text(render([sample(stored)]), encoding="utf-8")
            page = chromium.new_context(color_scheme=scheme, viewport={"width": 1100, "height": 760}).new_page()
            page.goto(f"file://{file}")
            if part == "#answer":
                page.screenshot(path=SAMPLES / f"{name}.png")
            else:
                page.locator(part).screenshot(path=SAMPLES / f"{name}.png")
        chromium.close()


if __name__ == "__main__":
    main()
