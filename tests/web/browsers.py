"""The machine's own Chromium, and the sizes in which pages are looked at."""

import shutil

from playwright.sync_api import Browser, Playwright

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
    return playwright.chromium.launch(executable_path=found, args=arguments)
