"""Agreeing at Xero and coming back, in a real browser."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from sandbox.fake_xero.server import FakeXeroServer
from sandbox.fake_xero.world import DEFAULT_CLIENT, DEFAULT_SECRET
from tests.web.browsers import DESKTOP, PHONE, Open, check_page
from tests.web.office import Office, serving
from tests.web.sample import connect

pytestmark = pytest.mark.browser


@pytest.fixture
def office(database_url: str, tmp_path: Path) -> Iterator[Office]:
    """The page with a Xero to connect to, and acme's connection lost."""
    with (
        FakeXeroServer() as xero,
        serving(database_url, tmp_path, SBX_XERO_API_URL=xero.url, SBX_XERO_IDENTITY_URL=xero.url) as running,
    ):
        connect(running)
        lost = "UPDATE connections.accounts SET status = 'lost', tenant_id = %s RETURNING 1"
        running.rows(lost, xero.tenant_id)
        yield running


@pytest.mark.parametrize("scripted", [True, False], ids=["script", "no script"])
@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_somebody_agrees_at_xero_and_comes_back(
    visit: Open, scripted: bool, viewport: dict[str, int]
) -> None:
    page = visit("/overview", java_script_enabled=scripted, viewport=viewport)
    page.get_by_role("link", name="connect it here").click()
    expect(page.get_by_role("heading", name="Connect acme again")).to_be_visible()
    if scripted:
        check_page(page, viewport)
    form = page.get_by_role("region", name="Allow access in the browser")
    form.get_by_label("Client id").fill(DEFAULT_CLIENT)
    form.get_by_label("Client secret").fill(DEFAULT_SECRET)
    form.get_by_role("button", name="Continue to Xero…").click()
    expect(page.get_by_role("heading", name="Allow access in Xero")).to_be_visible()
    if scripted:
        check_page(page, viewport)
    page.get_by_role("link", name="Go to Xero").click()
    expect(page.get_by_text("Connected. Waiting entries are being sent.")).to_be_visible()
