from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect, sync_playwright

from tests.web.browsers import DESKTOP, Open, launch
from tests.web.office import Office, serving

_PATIENCE = 120_000
"""Milliseconds until something is taken to be missing: a page takes ten times as long beside other tests."""
expect.set_options(timeout=_PATIENCE)


@pytest.fixture
def office(database_url: str, tmp_path: Path) -> Iterator[Office]:
    """The page with a database of this test's own."""
    with serving(database_url, tmp_path) as running:
        yield running


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """The machine's Chromium, for this module only: its loop must not run while other tests have theirs."""
    with sync_playwright() as playwright, launch(playwright) as browser:
        yield browser


@pytest.fixture
def visit(browser: Browser, office: Office, tmp_path: Path) -> Iterator[Open]:
    """Opens a page, signed in as ann unless told otherwise. Errors of the page's own script fail the test."""
    office.user("ann")
    contexts = []
    errors: list[str] = []

    def visit(path: str = "/", user: str | None = "ann", **options: Any) -> Page:
        context = browser.new_context(base_url=office.url, **{"viewport": DESKTOP, **options})
        context.set_default_timeout(_PATIENCE)
        contexts.append(context)
        if user is not None:
            session = office.client(user).cookies
            context.add_cookies([{"name": n, "value": v, "url": office.url} for n, v in session.items()])
        page = context.new_page()
        page.on("pageerror", lambda error: errors.append(str(error)))
        page.on("console", lambda line: errors.append(line.text) if "Content Security" in line.text else None)
        page.goto(path)
        return page

    yield visit
    for context in contexts:
        context.close()
    assert errors == []
