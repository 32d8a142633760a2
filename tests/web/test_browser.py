"""The page in a real browser: wide and narrow, with JavaScript and without."""

import re
from datetime import UTC, datetime, timedelta

import pytest
from playwright.sync_api import Dialog, expect

from contracts.results import Attempt
from tests.web.browsers import DESKTOP, PHONE, Open, check_page
from tests.web.office import NOW, PASSWORD, Office, entry, replayed
from tests.web.sample import connect
from tests.web.test_hooks import connect as to_salesbinder
from tests.web.test_reconcile import FAILED, RIGHT, compared

pytestmark = pytest.mark.browser


def fill_log(office: Office) -> None:
    """Entries of every kind."""
    calls = (
        Attempt(attempt_id="t1", number=1, step="invoice", method="PUT", path="/Invoices", started_at=NOW,
                finished_at=NOW, status=400, request='{"Type": "ACCREC"}', answer='{"Message": "taken"}'),
    )  # fmt: skip
    links = {"salesbinder_url": "https://acme.salesbinder.com/1", "xero_url": "https://go.xero.com/1"}
    office.log(
        entry("f", 1, "failed", reason_code="number_taken", reason="The number 1042 is taken.",
              remedy="Change it.", made=calls, started_at=NOW, finished_at=NOW, attempts=1, **links),
        entry("q", account="beta", entity="customer", action="edited", record_number="", amount=None),
        entry("r", 1, "running", action="payment_applied"),
        entry("c", 1, "completed", outcome="posted", entity="purchase_order", action="received", **links),
    )  # fmt: skip


def done(office: Office) -> None:
    """Acts with all that a line of them may hold."""
    client = office.client("ann")
    for note in ("n" * 500, "stock-taking until the end of the month"):
        client.form("/accounts/acme/hold", {"form_token": client.mark(), "do": "pause", "note": note})
    form = {"form_token": client.mark(), "set:sales_account": "260", "set:payment_account": "091"}
    client.form("/accounts/acme/settings", form)


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_are_accessible_and_fit(
    visit: Open, office: Office, viewport: dict[str, int], scheme: str
) -> None:
    fill_log(office)
    connect(office)
    to_salesbinder(office)
    replayed(office)
    compared(office, RIGHT, FAILED)
    page = visit(viewport=viewport, color_scheme=scheme)
    done(office)
    for path in (
        "/",
        "/overview",
        "/accounts/acme/hold?do=pause",
        "/accounts/acme/source",
        "/accounts/acme/reconcile",
        "/accounts/acme/setup",
        "/setup",
        "/connect/salesbinder",
        "/issues",
        "/replays",
        "/replays/1",
        "/acts",
        "/acts?actor=nobody",
        "/entries/f",
        "/plan?do=skip&entry=f",
        "/nowhere",
        "/?since=x",
        "/?text=invoice&sort=-amount&period=this_year",
    ):
        page.goto(path)
        if path == "/entries/f":
            page.locator("summary").first.click()
        if path == "/":
            # What has just come in is highlighted for a moment: colours count when it is over.
            page.wait_for_function("document.getAnimations().length === 0")
        check_page(page, viewport)


def test_the_header_fits_every_width(visit: Open, office: Office) -> None:
    office.user("a.rather.long.name@example.com")
    page = visit("/acts", user="a.rather.long.name@example.com")
    for width in (320, 390, 480, 600, 641, 700, 748, 820, 900, 1000, 1025, 1100, 1280):
        page.set_viewport_size({"width": width, "height": 800})
        wide = page.evaluate("document.documentElement.scrollWidth")
        assert wide <= width, f"{wide} at {width}"
        ends = page.locator("header.bar > *").evaluate_all(
            "found => found.map((one) => one.getBoundingClientRect().right)"
        )
        assert max(ends) <= width, f"{ends} at {width}"
        boxes = page.locator(".bar nav a, .who > *").evaluate_all(
            "found => found.map((one) => one.getBoundingClientRect()).filter((one) => one.width)"
            ".map((one) => [one.left, one.right, one.top, one.bottom])"
        )
        overlaps = [
            (one, other)
            for number, one in enumerate(boxes)
            for other in boxes[number + 1 :]
            if one[0] < other[1] - 1
            and other[0] < one[1] - 1
            and one[2] < other[3] - 1
            and other[2] < one[3] - 1
        ]
        assert overlaps == [], width


def test_who_leaves_something_typed_is_asked_first(visit: Open, office: Office) -> None:
    connect(office)
    page = visit("/accounts/acme/settings")
    asked: list[str] = []

    def stay(dialog: Dialog) -> None:
        asked.append(dialog.type)
        dialog.dismiss()

    page.get_by_role("link", name="Log", exact=True).click()
    page.go_back()
    page.on("dialog", stay)
    field = page.get_by_label("Days until due")
    field.fill("14")
    page.get_by_role("link", name="Log", exact=True).click()
    expect(field).to_have_value("14")
    assert asked == ["beforeunload"]
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_contain_text("Saved")
    page.get_by_role("link", name="Log", exact=True).click()
    expect(page.get_by_role("heading", name="Log")).to_be_visible()
    assert asked == ["beforeunload"]


@pytest.mark.parametrize("scripted", [True, False], ids=["script", "no script"])
def test_a_refused_value_has_the_focus_and_says_why(visit: Open, office: Office, scripted: bool) -> None:
    connect(office)
    page = visit("/accounts/acme/settings", java_script_enabled=scripted)
    page.get_by_label("Days until due").fill("soon")
    page.get_by_role("button", name="Save").click()
    field = page.get_by_label("Days until due")
    expect(field).to_be_focused()
    expect(field).to_have_accessible_description(re.compile("."))


def test_help_says_what_to_do_about_each_reason(visit: Open) -> None:
    page = visit("/overview")
    page.get_by_role("link", name="Help").click()
    expect(page.get_by_role("heading", name="Help")).to_be_visible()
    page.locator("#tax_rate_unmapped summary").click()
    expect(page.locator("#tax_rate_unmapped")).to_contain_text("sbx settings set ACCOUNT SETTING=TAXTYPE")
    check_page(page, DESKTOP)


def test_signing_in_and_out_by_keyboard(visit: Open) -> None:
    page = visit("/issues", user=None)
    expect(page.get_by_label("Name")).to_be_focused()
    page.keyboard.type("ann")
    page.keyboard.press("Tab")
    page.keyboard.type(PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Issues")).to_be_visible()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()


@pytest.mark.parametrize("scripted", [True, False], ids=["script", "no script"])
def test_retry_from_the_list_asks_first(visit: Open, office: Office, scripted: bool) -> None:
    office.failed_invoices(2)
    page = visit(java_script_enabled=scripted)
    row = page.get_by_role("row").filter(has_text="7001")
    expect(row).to_contain_text("Failed")
    row.get_by_role("checkbox").check()
    page.get_by_role("button", name="Retry selected").click()
    expect(page.get_by_role("heading", name="Retry 1 entry?")).to_be_visible()
    page.get_by_role("button", name="Retry 1 entry").click()
    expect(page.get_by_role("heading", name="1 of 1 queued again")).to_be_visible()
    office.publish()
    page.get_by_role("link", name="Back to the log").click()
    expect(page.get_by_role("row").filter(has_text="7001")).to_contain_text("Queued")
    expect(page.get_by_role("row").filter(has_text="7000")).to_contain_text("Failed")


def test_changes_appear_without_a_reload(visit: Open, office: Office) -> None:
    fill_log(office)
    page = visit()
    expect(page.locator("#live-state")).to_have_text("Live")
    page.evaluate("document.body.dataset.same = 'yes'")
    running = page.locator("#e-r")
    running.get_by_role("checkbox").check()
    office.log(entry("r", 2, "completed", action="payment_applied", outcome="posted"))
    expect(running).to_contain_text("Completed")
    expect(running.get_by_role("checkbox")).to_be_checked()
    office.log(entry("new", record_number="2001", queued_at=NOW.replace(hour=10)))
    expect(page.locator("#rows tr").first).to_contain_text("2001")
    expect(page.get_by_role("status")).to_have_text("1 new entry")
    expect(page.locator("[data-count=all]")).to_have_text("5")
    assert page.evaluate("document.body.dataset.same") == "yes"


@pytest.mark.parametrize("scripted", [True, False], ids=["script", "no script"])
def test_filters_stay_in_the_address_and_pages_go_on(visit: Open, office: Office, scripted: bool) -> None:
    office.log(*(entry(f"e{n:03}", record_number=str(n), party_name="Shop") for n in range(60)))
    office.log(entry("x", party_name="Other"))
    page = visit(java_script_enabled=scripted)
    page.get_by_label("Search", exact=True).fill("shop")
    page.get_by_role("button", name="Filter").click()
    expect(page.locator("#rows tr")).to_have_count(50)
    assert "text=shop" in page.url
    page.get_by_role("link", name="Older").click()
    expect(page.locator("#rows tr")).to_have_count(10)
    expect(page.get_by_label("Search", exact=True)).to_have_value("shop")
    page.get_by_role("link", name="Newer").click()
    expect(page.locator("#rows tr")).to_have_count(50)
    expect(page.get_by_role("link", name="Newer")).to_be_hidden()
    if scripted:
        expect(page.locator("#live-state")).to_have_text("Live")
    page.get_by_role("link", name="Older").click()
    page.get_by_role("link", name="Newest", exact=True).click()
    expect(page.locator("#rows tr")).to_have_count(50)
    page.get_by_role("link", name="Clear").click()
    expect(page.locator("#rows tr").first).to_contain_text("Other")


def test_an_entry_tells_its_story(visit: Open, office: Office) -> None:
    fill_log(office)
    page = visit()
    page.locator("#e-f").get_by_role("link", name="Invoice 1042").first.click()
    expect(page.get_by_role("heading", name="Invoice 1042 created")).to_be_visible()
    for text in ("The number 1042 is taken.", "What to do", "What happens automatically", "Change it."):
        expect(page.get_by_text(text).first).to_be_visible()
    page.locator("summary").click()
    expect(page.get_by_label("Xero's answer")).to_contain_text("taken")
    history = page.get_by_role("region", name="All of this invoice").get_by_role("listitem")
    expect(history).to_have_count(2)
    assert page.get_by_role("link", name="in Xero").get_attribute("href") == "https://go.xero.com/1"


def test_all_of_an_issue_are_skipped_with_a_note(visit: Open, office: Office) -> None:
    office.failed_invoices(3)
    page = visit("/issues")
    page.get_by_role("button", name="Skip all of these").click()
    page.get_by_label("Why are they skipped?").fill("settled by hand")
    page.get_by_role("button", name="Skip 3 entries").click()
    expect(page.get_by_role("heading", name="3 of 3 skipped")).to_be_visible()
    expect(page.get_by_text("settled by hand")).to_be_visible()


def test_on_a_phone_an_entry_is_a_card_and_filters_fold(visit: Open, office: Office) -> None:
    fill_log(office)
    page = visit(viewport=PHONE)
    expect(page.get_by_label("Search", exact=True)).to_be_hidden()
    page.get_by_text("Filters", exact=True).click()
    expect(page.get_by_label("Search", exact=True)).to_be_visible()
    # Laid out as a card, it is still a table for who hears the page.
    expect(page.get_by_role("table").get_by_role("row")).to_have_count(5)
    expect(page.locator("#e-f").get_by_role("cell", name="Failed")).to_be_visible()


@pytest.mark.parametrize("scripted", [True, False], ids=["script", "no script"])
@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_an_account_is_paused_with_a_note_and_resumed(
    visit: Open, office: Office, scripted: bool, viewport: dict[str, int]
) -> None:
    connect(office)
    page = visit("/overview", java_script_enabled=scripted, viewport=viewport)
    page.get_by_role("link", name="Pause…").click()
    page.get_by_label("Why is it paused?").fill("stock-taking")
    page.get_by_role("button", name="Pause acme").click()
    acme = page.get_by_role("region", name="acme")
    expect(acme).to_contain_text("Paused by ann")
    expect(acme).to_contain_text("stock-taking")
    acme.get_by_role("link", name="Resume…").click()
    page.get_by_role("button", name="Resume acme").click()
    expect(acme.get_by_role("link", name="Pause…")).to_be_visible()


@pytest.mark.parametrize("scripted", [True, False], ids=["script", "no script"])
@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_a_tax_rate_is_paired_and_what_waited_for_it_retried(
    visit: Open, office: Office, scripted: bool, viewport: dict[str, int]
) -> None:
    connect(office)
    reason = {"reason_code": "tax_rate_unmapped", "cause": "sales_tax.15", "reason": "Which tax is 15 %?"}
    office.log(entry("a", 1, "failed", **reason), entry("b", 1, "failed", **reason))
    page = visit("/overview", java_script_enabled=scripted, viewport=viewport)
    page.get_by_role("link", name="Settings").click()
    expect(page.get_by_label("Xero tax rate for 15 %")).to_have_value("OUTPUT2")
    page.get_by_role("button", name="Map").click()
    expect(page.get_by_role("status")).to_contain_text("Saved.")
    expect(page.get_by_label("15 %", exact=True)).to_have_value("OUTPUT2")
    page.get_by_role("link", name="Retry all 2 of these").click()
    expect(page.get_by_role("heading", name="Retry 2 entries?")).to_be_visible()


@pytest.mark.parametrize("scripted", [True, False], ids=["script", "no script"])
@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_from_a_failed_invoice_to_its_cause_and_back_to_all_of_them_completed(
    visit: Open, office: Office, scripted: bool, viewport: dict[str, int]
) -> None:
    connect(office)
    ids = office.failed_invoices(3, code="tax_rate_unmapped")
    arguments = """'{"rate": "15", "setting": "sales_tax.15"}'"""
    office.change(ids, f"reason_args = {arguments}, version = version + 1")
    page = visit("/", java_script_enabled=scripted, viewport=viewport)
    page.get_by_role("link", name="Failed").click()
    page.get_by_role("link", name="Invoice 7000").first.click()
    page.get_by_role("link", name="Map 15 % to a Xero tax rate").click()
    expect(page.get_by_label("Xero tax rate for 15 %")).to_have_value("OUTPUT2")
    page.get_by_role("button", name="Map").click()
    expect(page.get_by_text("15 % on sales is now mapped.")).to_be_visible()
    page.get_by_role("link", name="Retry all 3 of these").click()
    page.get_by_role("button", name="Retry 3 entries").click()
    expect(page.get_by_role("heading", name="3 of 3 queued again")).to_be_visible()
    # The log has not heard of it yet: it still says that they failed.
    expect(page.get_by_role("status")).to_contain_text("0 failed, 3 to go")
    office.change(
        ids,
        "state = 'completed', outcome = 'posted', reason_code = NULL, version = version + 1, "
        "finished_at = now()",
    )
    if not scripted:
        page.get_by_role("link", name="Refresh").click()
    expect(page.get_by_role("status")).to_contain_text("All are completed.")
    expect(page.get_by_role("cell", name="Completed")).to_have_count(3)


def test_a_wrong_value_is_said_at_its_field_and_can_be_mended(visit: Open, office: Office) -> None:
    connect(office)
    page = visit("/accounts/acme/settings")
    page.get_by_label("Days until due").fill("soon")
    page.get_by_label("Sales", exact=True).select_option("260")
    page.get_by_role("button", name="Save").click()
    field = page.get_by_label("Days until due")
    expect(field).to_have_attribute("aria-invalid", "true")
    expect(page.get_by_text("is not a number of days")).to_be_visible()
    field.fill("14")
    page.get_by_role("button", name="Save").click()
    expect(page.get_by_role("status")).to_contain_text("Saved.")
    expect(page.get_by_label("Days until due")).to_have_value("14")
    expect(page.get_by_label("Sales", exact=True)).to_have_value("260")


@pytest.mark.parametrize("scripted", [True, False], ids=["script", "no script"])
def test_an_issue_is_muted_with_a_reason(visit: Open, office: Office, scripted: bool) -> None:
    fill_log(office)
    page = visit("/issues", java_script_enabled=scripted, viewport=PHONE)
    page.get_by_text("Mute until…").click()
    page.get_by_label("Until (that day included)").fill(
        (datetime.now(UTC) + timedelta(days=1)).date().isoformat()
    )
    page.get_by_label("Why?").fill("accountant asked")
    page.get_by_role("button", name="Mute").click()
    expect(page.get_by_role("heading", name="Muted")).to_be_visible()
    expect(page.get_by_text("accountant asked")).to_be_visible()
    page.get_by_role("button", name="Unmute").click()
    expect(page.get_by_role("heading", name="Muted")).to_be_hidden()


def test_other_pages_follow_unless_somebody_is_at_work_in_them(visit: Open, office: Office) -> None:
    fill_log(office)
    pages = [visit(path) for path in ("/issues", "/overview", "/entries/r", "/records/acme/invoice/r1")]
    issues, overview, one, record = pages
    typing = visit("/issues")
    typing.get_by_text("Mute until…").click()
    typing.get_by_label("Why?").fill("half a")
    office.log(
        entry("r", 2, "failed", action="payment_applied", reason_code="period_locked", reason="Locked.")
    )
    expect(issues.get_by_role("heading", name="Period locked")).to_be_visible()
    expect(overview.get_by_role("link", name="2 failed")).to_be_visible()
    expect(one.get_by_text("Locked.", exact=True)).to_be_visible()
    expect(record.get_by_text("2 actions failed")).to_be_visible()
    expect(typing.get_by_label("Why?")).to_have_value("half a")
    expect(typing.get_by_role("heading", name="Period locked")).to_be_hidden()


def test_a_documents_page_tells_where_it_stands(visit: Open, office: Office) -> None:
    fill_log(office)
    office.rows(
        "INSERT INTO ledger.links (account, kind, record_id, transaction_id, xero_id, xero_number) "
        "VALUES ('acme', 'invoice', 'r1', '', 'x-1', 'INV-7') RETURNING 1"
    )
    page = visit("/entries/r", viewport=PHONE)
    expect(page.get_by_text("In Xero as INV-7. 1 action failed, 1 action still to be done.")).to_be_visible()
    page.get_by_role("link", name="Full history on one page").click()
    expect(page.get_by_role("heading", name="Invoice 1042, Widgets & Co")).to_be_visible()
    expect(page.get_by_role("region", name="In Xero")).to_contain_text("INV-7")
    expect(page.get_by_role("region", name="History").get_by_role("listitem")).to_have_count(2)
