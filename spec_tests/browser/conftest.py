"""One headless Chromium for all tests of the report, and pages in it that are opened from disk."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    # An optional package: where it is missing, these tests are skipped with the reason.
    from playwright.sync_api import Browser, Page

AXE = Path(__file__).parent / "node_modules/axe-core/axe.min.js"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)

Open = Callable[..., "Page"]


def _missing() -> str:
    """Why there is no browser to test with; empty where there is one."""
    if not any(map(shutil.which, BROWSERS)):
        return f"none of {', '.join(BROWSERS)} is installed (apt-get install chromium)"
    if not AXE.exists():
        return "axe-core is not installed (make browser)"
    try:
        import playwright  # noqa: F401  (asks whether it is there)
    except ImportError:
        return "playwright is not installed (pip install 'surrogate_core[test]')"
    return ""


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Chromium with a fresh profile; skipped where it is missing, which fails in CI."""
    if reason := _missing():
        (pytest.fail if os.environ.get("CI") else pytest.skip)(f"no browser tests: {reason}")
    from playwright.sync_api import sync_playwright

    path = next(found for found in map(shutil.which, BROWSERS) if found)
    with sync_playwright() as driver:
        chromium = driver.chromium.launch(executable_path=path, args=list(FLAGS))
        yield chromium
        chromium.close()


@pytest.fixture
def visit(browser: Browser, tmp_path: Path) -> Iterator[Open]:
    """Opens a report's text from disk, ``visit(text, color_scheme="dark")``; any complaint of the browser's fails."""
    contexts, complaints = [], []

    def visit(text: str, *, heard: bool = True, init: str = "", **options: Any) -> Page:
        path = tmp_path / f"report-{len(contexts)}.html"
        path.write_text(text, encoding="utf-8")
        context = browser.new_context(**{"viewport": {"width": 1280, "height": 900}, **options})
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text) if heard else None)
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: complaints.append(request.url) if request.url[:5] != "file:" else None)
        page.add_init_script(init)
        page.goto(f"file://{path}")
        return page

    yield visit
    for context in contexts:
        context.close()
    assert complaints == []
