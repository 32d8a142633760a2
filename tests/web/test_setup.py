"""An account set up on the page, step by step."""

import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from html import unescape
from pathlib import Path

import pytest

from sandbox.fake_xero.world import DEFAULT_CLIENT, DEFAULT_SECRET
from sbx.actions.actors import Actor
from sbx.actions.setup import setups
from sbx.actions.setup.holding import HELD
from tests.integration.sinks.shops import PATIENCE
from tests.web import sample
from tests.web.office import Client, Office
from tests.web.setting_up import ACCOUNT, KEY, Town, at_work, town
from tests.web.test_hooks import connect as to_salesbinder

SETUP = f"/accounts/{ACCOUNT}/setup"
ANN = Actor("ann")
APP = {"account": ACCOUNT, "client_id": DEFAULT_CLIENT, "client_secret": DEFAULT_SECRET}
CHOSEN = {"set:payment_account": "090", "set:payment_account.cash": "", "set:sales_tax.8": "OUTPUT"}


@pytest.fixture
def place(database_url: str, tmp_path: Path) -> Iterator[Town]:
    with town(database_url, tmp_path) as place:
        place.office.user("ann")
        yield place


def send(client: Client, path: str, **given: str) -> tuple[int, str]:
    """Post a form of the page; status, and the text of the page that comes of it."""
    answer = client.form(path, {"form_token": client.mark(), **given})
    page = client.get(answer.headers["location"]).text if answer.status == 303 else answer.text
    return answer.status, page


def words(page: str) -> str:
    """What stands on a page."""
    main = page.partition("<main")[2]
    return " ".join(unescape(re.sub(r"<[^>]*>", " ", main)).split())


def error_at(page: str, field: str) -> str:
    """The error beside a field, which names it."""
    assert f'aria-describedby="{field}-error"' in page
    found = re.search(rf'id="{re.escape(field)}-error">([^<]*)<', page)
    assert found is not None, page
    return unescape(found[1])


def until(client: Client, said: str, path: str = SETUP) -> str:
    """Look at a page until it says this, as its reload does."""
    give_up = time.monotonic() + PATIENCE
    while said not in (page := client.get(path).text):
        assert time.monotonic() < give_up, words(page)
        time.sleep(0.2)
    return page


def left(office: Office) -> list[int]:
    return [row["steps_left"] for row in office.rows("SELECT steps_left FROM web.setups")]


def test_from_two_keys_to_the_first_document_in_xero(place: Town) -> None:
    client = place.office.client("ann")
    with at_work(place):
        assert 'href="/setup"' in client.get("/").text, "where the sign-in link leads"
        assert 'href="/setup"' in client.get("/overview").text
        assert "Generate New API Key" in client.get("/setup").text
        status, page = send(client, "/setup", account=ACCOUNT, key=KEY)
        assert (status, "Set-up: 6 steps left" in page) == (303, True)
        assert KEY not in page and "Connecting sends nothing" in page
        status, page = send(client, "/connect", **APP)
        assert (status, f'action="{SETUP}/facts"' in page or "Accounts and taxes" in page) == (303, True)
        assert DEFAULT_SECRET not in page
        page = until(client, 'name="set:sales_tax.8"')
        assert "8 % on" in page and "Payments by “cash”" in page
        assert re.search(r'<option value="090" selected>', page) and 'value="OUTPUT" selected' in page
        status, page = send(client, f"{SETUP}/settings", **CHOSEN)
        assert (status, "First day whose documents go to Xero" in page) == (303, True)
        [moment] = re.findall(r'name="moment" value="([^"]+)"', page)
        status, page = send(client, f"{SETUP}/start", moment=unescape(moment))
        shown = words(page)
        assert "Fitting" in shown and "200 Sales" in shown and "8% Tax on Sales" in shown
        assert re.search(r"Invoice \d+, Bolt & Co: 108\.00 USD of \d{4}-\d\d-\d\d", shown), shown
        assert "Paid 108.00 on" in shown and "to 090 Business Bank Account" in shown
        [seen] = re.findall(r'name="seen" value="(\w+)"', page)
        assert place.source.shop.books["invoices"] == []
        status, page = send(client, f"{SETUP}/preview", seen=seen)
        assert (status, "Set-up: 2 steps left" in page) == (303, True)
        status, page = send(client, f"{SETUP}/switch_on")
        assert (status, "Set-up: 1 step left" in page) == (303, True)
        # Stamps have whole seconds: what is made in the second of the connection may be from before it.
        time.sleep(2)
        number = place.new_invoice()
        page = until(client, "What happens from now on")
    assert number in words(page) and "data-running" not in page
    assert place.source.shop.invoice(number)["total"] == "108.00"
    acts = [
        row["act"] for row in place.office.rows("SELECT act FROM web.acts WHERE actor = 'ann' ORDER BY id")
    ]
    # The start date is a setting; the preview's acceptance and switching it on are steps of their own.
    assert acts == ["source_connect", "connect", "settings", "settings", "setup", "setup"]
    for path in ("/overview", f"/accounts/{ACCOUNT}/source", f"/accounts/{ACCOUNT}/settings"):
        assert "steps left" not in client.get(path).text


def ready(office: Office, **settings: str) -> None:
    """An account whose key and organisation are known, with its set-up begun."""
    to_salesbinder(office)
    office.prepare(lambda c: setups.begin(c, ANN, ACCOUNT))
    sample.connect(office, ACCOUNT, **settings)


SAMPLE = '{"sales": {"8": 40, "5": 2}, "purchases": {"8": 3}, "methods": {"Cash": 1}, "documents": []}'


def found_in_shop(office: Office) -> None:
    office.rows("UPDATE web.setups SET sample = %s::jsonb RETURNING 1", SAMPLE)


def test_a_wrong_key_begins_nothing_and_is_said_beside_its_field(place: Town) -> None:
    client = place.office.client("ann")
    for given, field, said in (
        ({"account": ACCOUNT, "key": "wr0ng-key"}, "key", "copy it again from the Profile page"),
        ({"account": "nobody", "key": KEY}, "account", "https://nobody.salesbinder.com"),
        ({"account": "", "key": KEY}, "account", "Give the account."),
        ({"account": ACCOUNT, "key": ""}, "key", "Give the API key."),
    ):
        status, page = send(client, "/setup", **given)
        assert status == 400
        assert said in error_at(page, field)
        assert "wr0ng-key" not in page
    assert left(place.office) == []
    assert place.office.rows("SELECT 1 FROM web.acts") == []


def test_what_xero_refuses_is_said_within_the_set_up(place: Town) -> None:
    client = place.office.client("ann")
    send(client, "/setup", account=ACCOUNT, key=KEY)
    status, page = send(client, "/connect", account=ACCOUNT, client_id="mistyped", client_secret="s3cret")
    assert (status, "Set-up: 6 steps left" in page) == (400, True)
    assert "refuses the credentials of client mistyped" in words(page)
    assert 'value="mistyped"' in page and "s3cret" not in page


def test_a_permission_that_the_key_lacks_is_told(place: Town) -> None:
    owner = place.salesbinder.world.shops[ACCOUNT].owner
    owner.permissions = {each for each in owner.permissions if "Suppliers" not in each}
    client = place.office.client("ann")
    for path in ("/setup", f"{SETUP}/salesbinder"):
        _, page = send(client, path, account=ACCOUNT, key=KEY)
        assert "The key's user may not see suppliers" in words(page)


def test_everything_about_the_account_says_how_many_steps_are_left(office: Office) -> None:
    office.user("ann")
    office.user("vic", "viewer")
    client, viewer = office.client("ann"), office.client("vic")
    ready(office)
    office.rows(
        "INSERT INTO source.leases VALUES ('acme', 1, 1, clock_timestamp() + interval '1 hour') RETURNING 1"
    )
    about = [f"/accounts/{ACCOUNT}/{name}" for name in ("source", "settings", "drift", "reconcile")]
    for path in ("/overview", *about, f"/connect?account={ACCOUNT}"):
        page = client.get(path).text
        assert "5 steps left" in page and f'href="{SETUP}"' in page, path
        assert "Healthy" not in page, path
    for path in ("/overview", *about, SETUP):
        page = viewer.get(path).text
        assert "5 steps left" in page and "Healthy" not in page, path
        assert SETUP not in re.findall(r'action="([^"]*)"', page), path
    assert "<form" not in viewer.get(SETUP).text.partition("<main")[2]
    office.rows("UPDATE web.setups SET finished_at = now() RETURNING 1")
    page = client.get("/overview").text
    assert "steps left" not in page and "Healthy" in page


def test_a_count_of_earlier_is_not_told(office: Office) -> None:
    """The overview counts the steps itself: nobody need look at the set-up for it to be over."""
    office.user("ann")
    ready(office, payment_account="090", sales_tax__8="OUTPUT", sales_tax__5="NONE", purchase_tax__8="INPUT")
    found_in_shop(office)
    connection = office.do(lambda c: setups.load(c, ANN, ACCOUNT)).connection
    assert connection is not None
    office.rows(
        "UPDATE web.setups SET start_chosen = now(), previewed = %s, switched_on_at = now(), steps_left = 2"
        " RETURNING 1",
        setups.digest(connection),
    )
    client = office.client("ann")
    assert "Set-up: 1 step left" in client.get("/overview").text
    assert left(office) == [1]


def test_the_steps_are_for_those_who_may(place: Town) -> None:
    office = place.office
    ready(office)
    office.user("vic", "viewer")
    office.user("bea", "operator", ["beta"])
    steps = ("begin", "salesbinder", "facts", "look", "settings", "start", "preview", "switch_on", "history")
    for name, status in (("vic", 403), ("bea", 404)):
        who = office.client(name)
        assert who.get(SETUP).status == (200 if name == "vic" else 404)
        assert send(who, "/setup", account=ACCOUNT, key=KEY)[0] == status
        for step in steps:
            given = {"key": KEY, "day": "2026-01-01", "seen": "x"}
            assert send(who, f"{SETUP}/{step}", **given)[0] == status, (name, step)
    assert send(office.client("ann"), f"{SETUP}/other")[0] == 404
    assert send(office.client("ann"), "/accounts/nobody/setup/begin")[0] == 404
    assert office.client("ann").get("/accounts/nobody/setup").status == 404
    assert office.rows("SELECT 1 FROM web.acts") == []


def test_connected_another_way_an_account_is_held_until_it_is_switched_on(place: Town) -> None:
    office, client = place.office, place.office.client("ann")
    to_salesbinder(office)
    assert "was not set up step by step" in client.get(SETUP).text
    assert send(client, f"{SETUP}/begin")[0] == 303
    status, page = send(client, "/connect", **APP)
    assert (status, "Set-up of acme" in page) == (303, True)
    [row] = office.rows("SELECT paused_reason FROM connections.accounts")
    assert row["paused_reason"] == HELD
    assert "Resume" not in client.get("/overview").text
    # Connected before the set-up began, it is not paused, and the page says so.
    sample.connect(office, "beta")
    status, page = send(client, "/accounts/beta/setup/begin")
    assert (status, "what changes is sent to Xero already" in page) == (303, True)


def test_settings_are_suggested_and_each_is_chosen_or_left_out(office: Office) -> None:
    office.user("ann")
    client = office.client("ann")
    ready(office)
    found_in_shop(office)
    page = client.get(SETUP).text
    assert "Tax of 8 % on invoices" in page and "8 % on 40 lines of invoices · suggested" in page
    assert "5 % on 2 lines of invoices<" in page, "no rate of Xero is as high"
    given = {
        "set:payment_account": "610",
        "set:payment_account.cash": "091",
        "set:sales_tax.8": "OUTPUT",
        "set:sales_tax.5": "",
        "set:purchase_tax.8": "INPUT",
    }
    status, page = send(client, f"{SETUP}/settings", **given)
    assert status == 400
    assert error_at(page, "sales_tax.5") == "Choose one, or leave it out on purpose."
    assert '<option value="610" selected>' in page, "what was given stays"
    status, page = send(client, f"{SETUP}/settings", **given | {"set:sales_tax.5": "NOPE"})
    assert (status, "has no such" in page or "is not" in error_at(page, "sales_tax.5")) == (400, True)
    assert "NOPE (not in Xero)" in page
    assert office.rows("SELECT 1 FROM web.acts") == [], "all of them or none"
    status, page = send(client, f"{SETUP}/settings", **given | {"set:sales_tax.5": "-"})
    assert (status, "Set-up: 4 steps left" in page) == (303, True)
    kept = {row["key"]: row["value"] for row in office.rows("SELECT key, value FROM connections.settings")}
    assert kept == {
        "payment_account": "610",
        "payment_account.cash": "091",
        "sales_tax.8": "OUTPUT",
        "purchase_tax.8": "INPUT",
    }
    acts = office.rows("SELECT act, target FROM web.acts ORDER BY id")
    assert [act["act"] for act in acts] == ["settings", "setup"]
    assert acts[1]["target"] == {"account": ACCOUNT, "left_out": ["sales_tax.5"]}
    # Back again: what was left out is marked so; a way of paying goes back to the account of all others.
    page = client.get(SETUP, step="settings").text
    assert '<option value="-" selected>' in page
    send(client, f"{SETUP}/settings", **given | {"set:sales_tax.5": "-", "set:payment_account.cash": ""})
    rows = office.rows("SELECT 1 FROM connections.settings WHERE key = 'payment_account.cash'")
    assert rows == []
    status, page = send(client, f"{SETUP}/settings", **given | {"set:sales_tax.5": "-", "set:due_days": "9"})
    assert (status, "do not ask for the setting" in page) == (400, True)


def test_a_look_that_fails_says_why_and_is_asked_for_again(place: Town) -> None:
    office, client = place.office, place.office.client("ann")
    ready(office)
    assert "Look at the shop" in client.get(SETUP).text
    # Its key was given for another program's: SalesBinder refuses it.
    assert send(client, f"{SETUP}/look")[0] == 303
    page = until(client, "Look again")
    assert "could not be looked at: SalesBinder refuses the API key" in words(page)
    assert "give another API key" in words(page)
    status, _ = send(client, f"{SETUP}/salesbinder", key=KEY)
    assert status == 303
    assert "8 % on 4 lines of invoices" in until(client, 'name="set:sales_tax.8"')


def test_a_start_is_a_day_or_when_xero_was_connected(office: Office) -> None:
    office.user("ann")
    client = office.client("ann")
    ready(office, payment_account="090", sales_tax__8="OUTPUT", sales_tax__5="NONE", purchase_tax__8="INPUT")
    found_in_shop(office)
    for day, said in (
        ("", "Give the day."),
        ("31.1.2026", "“31.1.2026” is not a day: give one such as 2026-01-31."),
        ("9999-12-31T23:59:59-12:00", "is outside the calendar; write a year"),
    ):
        status, page = send(client, f"{SETUP}/start", day=day)
        assert (status, said in error_at(page, "day")) == (400, True)
    ahead = (datetime.now(UTC) + timedelta(days=400)).date().isoformat()
    send(client, f"{SETUP}/start", day=ahead)
    assert "which lies ahead" in client.get(SETUP, step="start").text
    status, _ = send(client, f"{SETUP}/start", day="2026-02-03")
    [row] = office.rows("SELECT enabled_at FROM connections.accounts")
    assert (status, row["enabled_at"]) == (303, datetime(2026, 2, 3, tzinfo=UTC))


def test_a_preview_counts_for_the_settings_that_it_was_shown_with(office: Office) -> None:
    office.user("ann")
    client = office.client("ann")
    ready(office, payment_account="090", sales_tax__8="OUTPUT", sales_tax__5="NONE", purchase_tax__8="INPUT")
    found_in_shop(office)
    send(client, f"{SETUP}/start", day="2026-02-03")
    page = client.get(SETUP).text
    assert "no documents to preview yet" in page
    [seen] = re.findall(r'name="seen" value="(\w+)"', page)
    send(client, f"/accounts/{ACCOUNT}/settings", **{"set:due_days": "14", "was:due_days": ""})
    status, page = send(client, f"{SETUP}/preview", seen=seen)
    assert (status, "a setting was changed since the preview was shown" in page) == (409, True)
    status, page = send(client, f"{SETUP}/switch_on")
    assert (status, "Preview of real documents" in page) == (409, True)
    [seen] = re.findall(r'name="seen" value="(\w+)"', page)
    assert send(client, f"{SETUP}/preview", seen=seen)[0] == 303
    status, page = send(client, f"{SETUP}/switch_on")
    assert (status, "Set-up: 1 step left" in page) == (303, True)


def test_the_preview_shows_documents_as_they_will_be_from_a_start_that_lies_ahead(place: Town) -> None:
    client = place.office.client("ann")
    ahead = (datetime.now(UTC) + timedelta(days=40)).date().isoformat()
    with at_work(place):
        send(client, "/setup", account=ACCOUNT, key=KEY)
        send(client, "/connect", **APP)
        until(client, 'name="set:sales_tax.8"')
        send(client, f"{SETUP}/settings", **CHOSEN)
        _, page = send(client, f"{SETUP}/start", day=ahead)
    shown = words(page)
    assert "Fitting" in shown and "200 Sales" in shown and "8% Tax on Sales" in shown


def test_what_was_made_since_the_start_date_is_sent_on_request(place: Town) -> None:
    client = place.office.client("ann")
    day = (datetime.now(UTC) - timedelta(days=60)).date().isoformat()
    with at_work(place):
        send(client, "/setup", account=ACCOUNT, key=KEY)
        send(client, "/connect", **APP)
        until(client, 'name="set:sales_tax.8"')
        send(client, f"{SETUP}/settings", **CHOSEN)
        _, page = send(client, f"{SETUP}/start", day=day)
        [seen] = re.findall(r'name="seen" value="(\w+)"', page)
        send(client, f"{SETUP}/preview", seen=seen)
        send(client, f"{SETUP}/switch_on")
        page = until(client, "2 earlier documents were made since the start date")
        assert place.source.shop.books["invoices"] == []
        assert send(client, f"{SETUP}/history")[0] == 303
        page = until(client, "What happens from now on")
    assert len(place.source.shop.books["invoices"]) == 2
    [act] = place.office.rows("SELECT result FROM web.acts WHERE act = 'source_backfill'")
    assert act["result"] == {"documents": 2}


def test_an_organisation_that_another_account_keeps_is_told(place: Town) -> None:
    client = place.office.client("ann")
    with at_work(place):
        send(client, "/setup", account=ACCOUNT, key=KEY)
        _, page = send(client, "/connect", **APP)
        assert "also the organisation of" not in page
        place.office.rows(
            "INSERT INTO connections.accounts (account, tenant_id, tenant_name, auth_kind, client_id,"
            " client_secret_encrypted, enabled_at, connected_at) SELECT 'north', tenant_id, tenant_name,"
            " auth_kind, client_id, client_secret_encrypted, enabled_at, connected_at"
            " FROM connections.accounts RETURNING account"
        )
        shown = words(client.get(SETUP).text)
    assert "is also the organisation of north. They keep the same books" in shown
