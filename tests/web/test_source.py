"""A SalesBinder account on the page: connected, how it is read, its address for webhooks."""

import json
import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path

import pytest

from runtime.secrets import SecretBox
from sandbox.fake_salesbinder import FakeSalesBinderServer
from tests.web import sample
from tests.web.office import Client, Office, serving
from tests.web.test_hooks import connect as connected_already
from tests.web.test_hooks import send as send_hook

KEY = "acme-key"


@pytest.fixture
def salesbinder() -> Iterator[FakeSalesBinderServer]:
    with FakeSalesBinderServer(seed=3) as server:
        server.world.limiter.minute = server.world.limiter.burst = 10**9
        server.world.add_shop("acme")
        yield server


@pytest.fixture
def shop(database_url: str, tmp_path: Path, salesbinder: FakeSalesBinderServer) -> Iterator[Office]:
    """The page with a SalesBinder."""
    with serving(database_url, tmp_path, SBX_SALESBINDER_API_URL=salesbinder.api_url) as office:
        office.user("ann")
        yield office


def send(client: Client, path: str, **given: str) -> tuple[int, str]:
    """Post a form of the page; status, and the page that comes of it."""
    answer = client.form(path, {"form_token": client.mark(), **given})
    location = answer.headers.get("location", "").partition("#")[0]
    return answer.status, client.get(location).text if answer.status == 303 else answer.text


def error_at(page: str, field: str) -> str:
    """The error beside a field, which names it."""
    assert f'aria-describedby="{field}-error"' in page
    found = re.search(rf'id="{field}-error">([^<]*)<', page)
    assert found is not None, page
    return unescape(found[1])


def address_of(page: str) -> str:
    found = re.search(r'id="hook" value="([^"]+)"', page)
    assert found is not None, page
    return found[1]


def keys(office: Office) -> list[str]:
    rows = office.rows("SELECT api_key_encrypted FROM source.accounts ORDER BY account")
    box = SecretBox.open(office.data_dir, None)
    return [box.decrypt(bytes(row["api_key_encrypted"])) for row in rows]


def test_errors_stand_at_their_field_and_change_nothing(
    shop: Office, salesbinder: FakeSalesBinderServer
) -> None:
    client = shop.client("ann")
    for given, field, said in (
        ({"account": "acme", "key": "wr0ng-key"}, "key", "refuses this key"),
        ({"account": "acme", "key": "two words"}, "key", "the API key is blank, or has blanks"),
        ({"account": "No/Account", "key": KEY}, "account", "is not a SalesBinder account"),
        ({"account": "nobody", "key": KEY}, "account", "open https://nobody.salesbinder.com"),
        ({"account": "acme", "key": ""}, "key", "Give the API key."),
        ({"account": "", "key": KEY}, "account", "Give the account."),
    ):
        status, page = send(client, "/connect/salesbinder", **given)
        assert status == 400
        assert said in error_at(page, field)
        assert given["key"] not in page or not given["key"]
        assert f'value="{given["account"]}"' in page
    salesbinder.admin.fault("rate_limit")
    status, page = send(client, "/connect/salesbinder", account="acme", key=KEY)
    assert (status, "try again in a few minutes" in page) == (400, True)
    assert keys(shop) == []
    assert shop.rows("SELECT 1 FROM web.acts") == []


def test_an_account_is_connected_and_its_key_is_never_shown(shop: Office) -> None:
    client = shop.client("ann")
    assert "Generate New API Key" in client.get("/connect/salesbinder", account="acme").text
    status, page = send(client, "/connect/salesbinder", account="acme", key=KEY)
    assert (status, "What is there already is read once, silently" in page) == (303, True)
    assert keys(shop) == [KEY]
    for path in ("/accounts/acme/source", "/connect/salesbinder?account=acme", "/overview", "/acts"):
        assert KEY not in client.get(path).text
    [act] = shop.rows("SELECT actor, act, target FROM web.acts")
    assert (act["actor"], act["act"], act["target"]) == ("ann", "source_connect", {"account": "acme"})
    assert "not connected to Xero yet" in page
    address = address_of(page)
    # Another key: what is known stays, the address for webhooks too.
    page = client.get("/connect/salesbinder", account="acme").text
    assert "Another API key for acme" in page and 'type="hidden" name="account" value="acme"' in page
    status, page = send(client, "/connect/salesbinder", account="acme", key="wr0ng-key")
    assert (status, "refuses this key" in error_at(page, "key")) == (400, True)
    status, page = send(client, "/connect/salesbinder", account="acme", key=KEY)
    assert (status, address_of(page)) == (303, address)


def test_a_permission_that_is_missing_is_told(shop: Office, salesbinder: FakeSalesBinderServer) -> None:
    owner = salesbinder.world.shops["acme"].owner
    owner.permissions = {each for each in owner.permissions if "Suppliers" not in each}
    _, page = send(shop.client("ann"), "/connect/salesbinder", account="acme", key=KEY)
    assert "The key's user may not see suppliers" in page


def test_connecting_and_addresses_are_for_those_who_may(shop: Office) -> None:
    token = connected_already(shop)
    shop.user("vic", "viewer")
    shop.user("bea", "operator", ["beta"])
    for name, status in (("vic", 403), ("bea", 404)):
        who = shop.client(name)
        assert who.get("/connect/salesbinder", account="acme").status == status
        assert send(who, "/connect/salesbinder", account="acme", key=KEY)[0] == status
        assert send(who, "/accounts/acme/source/hook")[0] == status
    vic = shop.client("vic").get("/accounts/acme/source")
    assert (vic.status, "Not being read" in vic.text) == (200, True)
    assert token not in vic.text and "/hooks/" not in vic.text and "/connect/salesbinder" not in vic.text
    assert shop.client("bea").get("/accounts/acme/source").status == 404
    assert shop.client("ann").get("/accounts/nobody/source").status == 404
    assert keys(shop) == ["k3y"]


def test_the_address_for_webhooks_is_shown_and_renewed(shop: Office) -> None:
    token, client = connected_already(shop), shop.client("ann")
    page = client.get("/accounts/acme/source").text
    assert address_of(page) == f"{shop.url}/hooks/{token}"
    assert "No webhook has come yet" in page and "SalesBinder can only reach it by https" in page
    assert send_hook(shop.client(), token, b"{}") == 202
    status, page = send(client, "/accounts/acme/source/hook")
    renewed = address_of(page)
    assert (status, renewed == f"{shop.url}/hooks/{token}") == (303, False)
    assert client.get("/accounts/acme/source").text.count(renewed) == 1
    [act] = shop.rows("SELECT act, target, result::text AS result FROM web.acts")
    assert (act["act"], act["target"], act["result"]) == ("source_hook", {"account": "acme"}, "{}")
    shop.rows("UPDATE source.hooks SET token_encrypted = 'x' RETURNING 1")
    assert "another secret key" in client.get("/accounts/acme/source").text


def test_the_page_says_how_an_account_is_read(shop: Office) -> None:
    connected_already(shop)
    client = shop.client("ann")
    done = json.dumps({"started": "2026-01-01T00:00:00Z", "asked": "2026-01-01T00:00:00Z", "count": 5})
    scan = {"layer": "all", "listing": "invoices", "started": "2026-01-01T00:00:00Z", "page": 2}
    going = json.dumps(scan | {"count": 800, "latest": 800, "rows": 200})
    for key, going_on, finished in (
        ("all/customers", None, done), ("all/suppliers", None, done), ("all/orders", None, done),
        ("all/invoices", going, None), ("log/log", None, done),
    ):  # fmt: skip
        shop.rows(
            "INSERT INTO source.scans (account, key, scan, finished) VALUES ('acme', %s, %s, %s) RETURNING 1",
            key, going_on and going_on.encode(), finished and finished.encode(),
        )  # fmt: skip
    shop.rows(
        "INSERT INTO source.leases VALUES ('acme', 1, 1, clock_timestamp() + interval '1 hour') RETURNING 1"
    )
    trust = {"payment_applied": {"moved": 20, "unmoved": 0, "run": 20}}
    shop.rows("UPDATE source.accounts SET trust = %s RETURNING 1", json.dumps(trust))
    shop.rows(
        "INSERT INTO source.problems (account, entity, record_id, code, field, value, problem, remedy)"
        " VALUES ('acme', 'invoice', 'i1', 'sums_disagree', 'total_transactions', '60', 'none <b>',"
        " 'Compare them.') RETURNING 1"
    )
    for entity in ("invoices", "invoice"):
        shop.rows(
            "INSERT INTO source.problems (account, entity, record_id, code, field, value, problem, remedy)"
            " VALUES ('acme', %s, 'i2', 'answer_unreadable', '', '500', 'no', 'Wait.') RETURNING 1",
            entity,
        )
    shop.rows(
        "INSERT INTO source.problems (account, entity, record_id, code, field, value, problem, remedy)"
        " VALUES ('acme', 'invoices', '', 'list_odd', '', '5', 'no', 'Wait.') RETURNING 1"
    )
    page = client.get("/accounts/acme/source").text
    assert 'reason=answer_unreadable">1 of them in the log</a>' in page
    assert "reason=list_odd" not in page, "the log has no entry of a list"
    assert "Reading what is there" in page and "data-running" in page
    assert "215 of 815 rows read" in page
    assert '<progress max="1000" value="264"' in page
    assert "20 of 20 did, the last 20 in a row" in page
    assert "Payments and sum paid differ" in page and "none &lt;b&gt;" in page and "Compare them." in page
    assert 'href="/?account=acme&amp;reason=sums_disagree"' in page
    shop.rows("UPDATE source.scans SET finished = %s, scan = NULL RETURNING 1", done.encode())
    page = client.get("/accounts/acme/source").text
    assert "Being read" in page and "data-running" not in page and "<progress" not in page


def test_trouble_stands_on_its_page_and_first_on_the_overview(shop: Office) -> None:
    connected_already(shop)
    connected_already(shop, "beta")
    sample.connect(shop, "acme")
    sample.connect(shop, "zeta")
    shop.rows(
        "INSERT INTO source.leases SELECT account, 1, 1, clock_timestamp() + interval '1 hour'"
        " FROM source.accounts RETURNING 1"
    )
    shop.rows(
        "UPDATE source.accounts SET trouble = 'salesbinder_key_refused', trouble_since = clock_timestamp(),"
        " held_until = clock_timestamp() + interval '9 minutes' WHERE account = 'acme' RETURNING 1"
    )
    client = shop.client("ann")
    page = client.get("/accounts/acme/source").text
    assert "SalesBinder refuses the API key" in page and "Next attempt at" in page
    assert "Another key…" in page and "Profile page" in page
    overview = client.get("/overview").text
    places = [overview.index(f">{name}</h2>") for name in ("acme", "beta", "zeta")]
    assert places == sorted(places)
    first = overview.partition(">acme</h2>")[2].partition("</section>")[0]
    assert "SalesBinder not read" in first and "refuses the API key" in first
    rest = overview.partition(">beta</h2>")[2]
    assert "SalesBinder: reading what is there" in rest and "refuses the API key" not in rest
    assert 'href="/connect/salesbinder?account=zeta"' in rest


def test_an_account_that_others_publish_says_so(shop: Office) -> None:
    sample.connect(shop, "acme")
    page = shop.client("ann").get("/accounts/acme/source").text
    assert "published by another program" in page and "/connect/salesbinder?account=acme" in page
