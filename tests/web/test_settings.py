"""An account's settings and its connection, on the page and by the API."""

from dataclasses import fields

import pytest

from connections.settings import Settings
from sbx.web.view.settings_form import GROUPS, TABLES
from tests.web import sample
from tests.web.office import Client, Office, entry


@pytest.fixture
def client(office: Office) -> Client:
    office.user("ann")
    sample.connect(office, payment_account="090", sales_tax__8="OUTPUT")
    return office.client("ann")


def values(office: Office) -> dict[str, str]:
    rows = office.rows("SELECT key, value FROM connections.settings WHERE account = 'acme'")
    return {row["key"]: row["value"] for row in rows}


def send(client: Client, path: str, **given: str) -> tuple[int, str]:
    """Post a form of the page; status, and the page that comes of it."""
    fields = {
        "form_token": client.mark(),
        **{name.replace("__", ":"): value for name, value in given.items()},
    }
    answer = client.form(f"/accounts/acme/{path}", fields)
    return answer.status, client.get(answer.headers["location"]).text if answer.status == 303 else answer.text


def test_every_setting_has_a_field() -> None:
    tables = {"payment_accounts": "payment_account"}
    single = {one.key for _, meanings in GROUPS for one in meanings}
    named = {name for name, *_ in TABLES}

    assert {tables.get(one.name, one.name) for one in fields(Settings)} == single | named


def test_choices_are_the_organisations_own(client: Client) -> None:
    page = client.get("/accounts/acme/settings").text
    sales = page.partition('id="s-sales_account"')[2].partition("</select>")[0]
    payments = page.partition('id="s-payment_account"')[2].partition("</select>")[0]
    tax = page.partition('id="s-sales_tax.8"')[2].partition("</select>")[0]

    assert "200 Sales" in sales and "Bank" not in sales
    assert '<option value="090" selected>090 Business Bank Account' in payments and "Sales" not in payments
    assert '<option value="OUTPUT" selected>Tax on Sales, 8 %' in tax and "Purchases" not in tax


def test_only_what_differs_is_changed_and_it_is_told_by_whom(office: Office, client: Client) -> None:
    status, page = send(
        client,
        "settings",
        set__due_days="14",
        was__due_days="",
        set__sales_account="",
        was__sales_account="",
        **{"set:sales_tax.8": "", "was:sales_tax.8": "OUTPUT"},
        **{"new:sales_tax": "15", "new-value:sales_tax": "OUTPUT2"},
    )

    assert (status, "Saved." in page) == (303, True)
    assert values(office) == {"payment_account": "090", "due_days": "14", "sales_tax.15": "OUTPUT2"}
    [act] = office.rows("SELECT actor, act, result FROM web.acts")
    assert (act["actor"], act["act"]) == ("ann", "settings")
    assert sorted(act["result"]["changed"]) == ["due_days", "sales_tax.15", "sales_tax.8"]
    history = page.partition('id="changes"')[2]
    assert "<strong>ann</strong> <code>due_days</code> <span>default → 14</span>" in history


def test_what_does_not_fit_is_said_at_its_field_and_nothing_is_saved(office: Office, client: Client) -> None:
    before = values(office)
    status, page = send(
        client,
        "settings",
        set__due_days="soon",
        was__due_days="",
        set__sales_account="999",
        was__sales_account="",
        set__invoice_number_format="A-{number}",
        was__invoice_number_format="",
    )
    assert (status, values(office)) == (400, before)
    assert "not a number of days" in page.partition('id="s-due_days-error"')[2].partition("</span>")[0]
    assert 'value="soon"' in page
    # What was typed and would have been right is still to be saved.
    kept = page.partition('name="was:invoice_number_format" value="')[2].partition('"')[0]
    assert (kept, 'value="A-{number}"' in page) == ("", True)

    status, page = send(client, "settings", set__sales_account="999", was__sales_account="")
    assert (status, values(office)) == (400, before)
    assert "is not in Xero" in page.partition('id="s-sales_account-error"')[2].partition("</span>")[0]


def test_failures_ask_for_the_tax_rate_and_are_retried_once_it_is_paired(
    office: Office, client: Client
) -> None:
    reason = {"reason_code": "tax_rate_unmapped", "cause": "sales_tax.15", "reason": "Which tax is 15 %?"}
    office.log(entry("a", 1, "failed", **reason), entry("b", 1, "failed", **reason))
    page = client.get("/accounts/acme/settings").text
    assert "2 entries are waiting for a tax rate." in page
    assert "Retry all 2" not in page

    _, page = send(client, "settings", **{"set:sales_tax.15": "OUTPUT2"})
    assert values(office)["sales_tax.15"] == "OUTPUT2"
    assert "waiting for a tax rate" not in page and "15 % on sales is now mapped." in page
    link = page.partition('class="button primary" href="/plan?')[2].partition('"')[0].replace("&amp;", "&")
    assert "Retry 0 entries" not in (plan := client.get(f"/plan?{link}").text)
    assert "Retry 2 entries?" in plan


def test_xero_is_asked_anew_by_a_request_to_the_lane(office: Office, client: Client) -> None:
    _, page = send(client, "facts")

    [request] = office.rows("SELECT account, kind, answered_at FROM ledger.requests")
    assert request == {"account": "acme", "kind": "facts", "answered_at": None}
    assert "pending" in page


def test_settings_are_for_those_who_may(office: Office, client: Client) -> None:
    office.user("vic", "viewer")
    office.user("bea", "operator", ["beta"])
    vic, bea = office.client("vic"), office.client("bea")
    before = values(office)

    page = vic.get("/accounts/acme/settings").text
    assert "090 Business" in page
    assert "/connect?" not in page and ">Save<" not in page
    assert bea.get("/accounts/acme/settings").status == 404
    assert bea.get("/accounts/nowhere/settings").status == 404
    for who, status in ((vic, 403), (bea, 404)):
        for path in ("settings", "facts"):
            assert send(who, path, **{"set:due_days": "1"})[0] == status
    for name, status in (("vic", 403), ("bea", 404)):
        answer = office.api(name)(
            "PUT", "/api/v1/accounts/acme/settings", body=b'{"settings": {"due_days": "1"}}'
        )
        assert answer.status == status
    assert values(office) == before
    assert office.rows("SELECT 1 FROM ledger.requests") == []


def test_the_api_reads_changes_and_checks(office: Office, client: Client) -> None:
    program = office.api("ann")
    put = "/api/v1/accounts/acme/settings"
    answer = program("PUT", put, body=b'{"settings": {"due_days": "14", "payment_account": null}}').json
    assert answer["changed"]["due_days"] == {"old": None, "new": "14"}
    shown = program.get(put).json
    assert (shown["settings"]["due_days"], shown["written"]) == ("14", ["due_days", "sales_tax.8"])
    check = program.get("/api/v1/accounts/acme/check").json
    assert [(one["key"], one["severity"]) for one in check["findings"]] == [
        ("payment_account", "error"), ("purchase_tax.…", "warning"),
    ]  # fmt: skip

    for body, field in (
        (b'{"settings": {"due_day": "1"}}', "due_day"),
        (b'{"settings": {"sales_account": "999"}}', "sales_account"),
        (b'{"due_days": "1"}', "body"),
    ):
        refused = program("PUT", put, body=body)
        assert (refused.status, refused.json["error"]["field"]) == (400, field)


def test_number_formats_of_two_accounts_of_one_organisation_are_told(office: Office, client: Client) -> None:
    def told() -> set[tuple[str, str]]:
        found = office.api("ann").get("/api/v1/accounts/acme/check").json["findings"]
        return {(one["key"], one["severity"]) for one in found if one["code"] == "numbers_may_clash"}

    sample.connect(office, account="branch", payment_account="090")
    assert told() == set()
    office.rows("UPDATE connections.accounts SET tenant_id = 'tenant-acme' RETURNING 1")
    both = {("invoice_number_format", "warning"), ("purchase_order_number_format", "warning")}
    assert told() == both
    page = client.get("/accounts/acme/settings").text
    assert "is also that of branch, connected to the same Xero organisation" in page

    send(client, "settings", set__invoice_number_format="A-{number}", was__invoice_number_format="")
    assert told() == {("purchase_order_number_format", "warning")}
    send(client, "settings", set__purchase_order_number_format="A-{number}",
         was__purchase_order_number_format="")  # fmt: skip
    assert told() == set()
