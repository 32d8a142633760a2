"""From two keys to the first document in Xero, in a real browser on a phone."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import expect

from sandbox.fake_xero.world import DEFAULT_CLIENT, DEFAULT_SECRET
from tests.web.browsers import PHONE, Open, check_page
from tests.web.office import Office
from tests.web.setting_up import ACCOUNT, KEY, Town, at_work, town

pytestmark = pytest.mark.browser


@pytest.fixture
def place(database_url: str, tmp_path: Path) -> Iterator[Town]:
    with town(database_url, tmp_path) as place:
        yield place


@pytest.fixture
def office(place: Town) -> Office:
    return place.office


def test_an_account_is_set_up_and_its_first_document_is_seen_arriving(place: Town, visit: Open) -> None:
    with at_work(place):
        page = visit("/overview", viewport=PHONE)
        page.get_by_role("link", name="Set up an account…").click()
        page.get_by_label("SalesBinder account").fill(ACCOUNT)
        page.get_by_label("API key", exact=True).fill(KEY)
        check_page(page, PHONE)
        page.get_by_role("button", name="Begin").click()
        form = page.get_by_role("region", name="With client credentials")
        form.get_by_label("Client id").fill(DEFAULT_CLIENT)
        form.get_by_label("Client secret").fill(DEFAULT_SECRET)
        check_page(page, PHONE)
        form.get_by_role("button", name="Connect").click()
        # The page goes on by itself: Xero is read, then the shop.
        expect(page.get_by_label("Account that payments go to")).to_be_visible()
        expect(page.get_by_label("Tax of 8 % on invoices")).to_have_value("OUTPUT")
        check_page(page, PHONE)
        page.get_by_role("button", name="Use these").click()
        expect(page.get_by_label("First day whose documents go to Xero")).to_be_visible()
        check_page(page, PHONE)
        page.get_by_role("button", name="Start when Xero was connected").click()
        expect(page.get_by_text("as the next one would be").first).to_be_visible()
        check_page(page, PHONE)
        page.get_by_role("button", name="This is right").click()
        page.get_by_role("button", name="Switch it on").click()
        expect(page.get_by_text("Set-up: 1 step left")).to_be_visible()
        check_page(page, PHONE)
        # Stamps have whole seconds: what is made in the second of the connection may be from before it.
        time.sleep(2)
        number = place.new_invoice()
        expect(page.get_by_role("heading", name="What happens from now on")).to_be_visible()
        expect(page.get_by_role("link", name=number).first).to_be_visible()
        check_page(page, PHONE)
    assert place.source.shop.invoice(number)["total"] == "108.00"
