"""Chromium without a network, for tests of pages."""

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"]
DRAWN = "document.querySelectorAll('.chart svg').length === document.querySelectorAll('.chart').length"


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    if not CHROMIUM:
        pytest.skip("no Chromium: `apt-get install chromium`")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield chromium
        chromium.close()


@pytest.fixture
def open_page(browser: Browser) -> Iterator[Callable[..., Page]]:
    """Opens a file. At the end no page may have logged, thrown or requested anything."""
    messages: list[str] = []
    requests: list[str] = []
    pages: list[Page] = []

    def open_page(file: Path, width: int = 1440, scheme: str = "light", scripts: bool = True) -> Page:
        page = browser.new_page(viewport={"width": width, "height": 900}, color_scheme=scheme,
                                java_script_enabled=scripts, reduced_motion="reduce")  # fmt: skip
        pages.append(page)
        page.on("console", lambda message: messages.append(message.text))
        page.on("pageerror", lambda error: messages.append(str(error)))
        page.on("request", lambda request: requests.append(request.url))
        page.goto(file.as_uri())
        if scripts:
            page.wait_for_function(DRAWN)
        return page

    yield open_page
    for page in pages:
        page.close()
    assert messages == []
    assert [url for url in requests if not url.startswith("data:")] == [page.url.partition("#")[0] for page in pages]
