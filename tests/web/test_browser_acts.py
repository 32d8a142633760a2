"""What operators do beside retry and skip, in a real browser: wide, narrow, with and without JavaScript."""

import pytest
from playwright.sync_api import expect

from tests.web.browsers import DESKTOP, PHONE, Open, check_page
from tests.web.drifted import delivering, drifted
from tests.web.office import Office
from tests.web.sample import connect
from tests.web.undecided import SECOND, undecided

pytestmark = pytest.mark.browser

SIZES = pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
SCRIPTS = pytest.mark.parametrize("scripted", [True, False], ids=["script", "no script"])


@SIZES
@SCRIPTS
def test_a_candidate_is_adopted(
    visit: Open, office: Office, scripted: bool, viewport: dict[str, int]
) -> None:
    entry_id = undecided(office)
    page = visit(f"/entries/{entry_id}", java_script_enabled=scripted, viewport=viewport)
    panel = page.get_by_role("region", name="Which one is it?")
    expect(panel.get_by_role("listitem")).to_have_count(2)
    if scripted:
        check_page(page, viewport)
    panel.get_by_role("listitem").filter(has_text="by hand").get_by_role("button", name="This is it…").click()
    expect(page.get_by_role("heading", name="Is it this one?")).to_be_visible()
    expect(page.get_by_text(SECOND)).to_be_visible()
    if scripted:
        check_page(page, viewport)
    page.get_by_role("button", name="This is it").click()
    expect(page.get_by_text("Decision saved")).to_be_visible()
    office.publish()
    if not scripted:
        page.reload()
    expect(page.get_by_text("Adopted by ann")).to_be_visible()
    expect(panel).to_be_hidden()


@SCRIPTS
def test_none_of_the_candidates_is_it(visit: Open, office: Office, scripted: bool) -> None:
    page = visit(f"/entries/{undecided(office)}", java_script_enabled=scripted)
    page.get_by_role("button", name="None of them: send it…").click()
    expect(page.get_by_text("Xero will have it twice")).to_be_visible()
    page.get_by_role("link", name="Cancel").click()
    page.get_by_role("button", name="None of them: send it…").click()
    page.get_by_role("button", name="Send it").click()
    expect(page.get_by_text("Decision saved")).to_be_visible()
    assert [row["state"] for row in office.rows("SELECT state FROM ledger.commands")] == ["queued"]


@SIZES
@SCRIPTS
def test_differences_are_accepted_and_compared_anew(
    visit: Open, office: Office, scripted: bool, viewport: dict[str, int]
) -> None:
    connect(office)
    drifted(office)
    with delivering(office):
        page = visit("/overview", java_script_enabled=scripted, viewport=viewport)
        page.get_by_role("link", name="2 differences").click()
        row = page.get_by_role("row").filter(has_text="7001")
        expect(row).to_contain_text("VOIDED")
        if scripted:
            check_page(page, viewport)
        row.get_by_role("checkbox").check()
        page.get_by_role("button", name="Accept Xero's").click()
        expect(page.get_by_role("heading", name="Accept 1 difference?")).to_be_visible()
        if scripted:
            check_page(page, viewport)
        page.get_by_role("button", name="Accept 1 difference").click()
        expect(page.get_by_text("Xero's version is accepted")).to_be_visible()
        expect(row).to_be_hidden()
        page.get_by_role("button", name="Compare now").click()
        expect(page.get_by_text("In progress")).to_be_visible()
        office.rows("UPDATE ledger.drift_runs SET finished_at = now() WHERE finished_at IS NULL RETURNING 1")
        if not scripted:
            page.reload()
        expect(page.get_by_text("In progress")).to_be_hidden()
        expect(page.get_by_text("requested by ann")).to_be_visible()


@SIZES
@SCRIPTS
def test_ones_own_tokens_are_revoked(
    visit: Open, office: Office, scripted: bool, viewport: dict[str, int]
) -> None:
    page = visit(java_script_enabled=scripted, viewport=viewport)
    program = office.api("ann")
    page.get_by_role("link", name="ann", exact=True).click()
    expect(page.get_by_role("region", name="Sessions").get_by_role("listitem")).to_have_count(1)
    if scripted:
        check_page(page, viewport)
    page.get_by_role("button", name="Revoke test").click()
    expect(page.get_by_text("You have none.")).to_be_visible()
    assert program.get("/api/v1/summary").status == 401
    page.get_by_role("button", name="Sign out here").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
