"""The machine's own Chromium, and the sizes in which pages are looked at."""

import shutil
from collections.abc import Callable

from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, Playwright

Open = Callable[..., Page]

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
DESKTOP = {"width": 1280, "height": 900}
PHONE = {"width": 390, "height": 844}


def launch(playwright: Playwright) -> Browser:
    """A browser without a window; its ``with`` block closes it."""
    found = next((path for name in _NAMES if (path := shutil.which(name))), None)
    assert found is not None, (
        f"none of {', '.join(_NAMES)} is on the PATH: install Chromium "
        "(Debian, Ubuntu: apt install chromium; macOS: brew install --cask chromium)"
    )
    arguments = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
    return playwright.chromium.launch(executable_path=found, args=arguments, timeout=180_000)


def check_page(page: Page, viewport: dict[str, int]) -> None:
    """Nothing that shuts anybody out, and nothing that is wider than the screen."""
    violations = Axe().run(page).response["violations"]
    serious = [
        (violation["id"], node["html"])
        for violation in violations
        if violation["impact"] in ("serious", "critical")
        for node in violation["nodes"]
    ]
    assert serious == [], page.url
    width = page.evaluate("document.documentElement.scrollWidth")
    assert width <= viewport["width"], f"{page.url} is {width} wide"
