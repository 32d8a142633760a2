"""Connecting an account on the page: with credentials, and by agreeing at Xero."""

import re
from collections.abc import Iterator
from html import unescape
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import pytest
import urllib3

from runtime.secrets import SecretBox
from sandbox.fake_xero.server import FakeXeroServer
from sandbox.fake_xero.world import DEFAULT_CLIENT, DEFAULT_SECRET
from tests.web import sample
from tests.web.office import Client, Office, entry, serving

APP = {"client_id": DEFAULT_CLIENT, "client_secret": DEFAULT_SECRET}


@pytest.fixture
def xero() -> Iterator[FakeXeroServer]:
    with FakeXeroServer() as server:
        yield server


@pytest.fixture
def shop(database_url: str, tmp_path: Path, xero: FakeXeroServer) -> Iterator[Office]:
    """The page with Xero, and acme's connection lost."""
    with serving(database_url, tmp_path, SBX_XERO_API_URL=xero.url, SBX_XERO_IDENTITY_URL=xero.url) as office:
        office.user("ann")
        sample.connect(office)
        lost = "UPDATE connections.accounts SET tenant_id = %s, status = 'lost' RETURNING 1"
        office.rows(lost, xero.tenant_id)
        yield office


def kept(office: Office, account: str = "acme") -> tuple[str, str, str]:
    [row] = office.rows(
        "SELECT status, client_id, auth_kind FROM connections.accounts WHERE account = %s", account
    )
    return row["status"], row["client_id"], row["auth_kind"]


def send(client: Client, path: str, **given: str) -> tuple[int, str]:
    answer = client.form(path, {"form_token": client.mark(), **given})
    return answer.status, client.get(answer.headers["location"]).text if answer.status == 303 else answer.text


def question(page: str) -> str:
    """Xero's address that the page leads to."""
    found = re.search(r'class="button primary" href="([^"]+)"', page)
    assert found is not None, page
    return unescape(found[1])


def agree(address: str) -> str:
    """Agree at Xero; path and query of ours that it leads back to."""
    answer = urllib3.request("GET", address, redirect=False, retries=False)
    assert answer.status == 302
    back = urlsplit(answer.headers["location"])
    return f"{back.path}?{back.query}"


@pytest.mark.parametrize("path", ["/connect", "/connect/browser"])
def test_what_was_typed_stays_and_the_error_is_at_its_field(shop: Office, path: str) -> None:
    client = shop.client("ann")
    typed = {"account": "Bolt & Co", "client_id": "client-77", "tenant_id": "tenant-77"}
    status, page = send(client, path, **typed, client_secret="hush-hush")
    assert status == 400
    for value in ("Bolt &amp; Co", "client-77", "tenant-77"):
        assert page.count(f'value="{value}"') == 2, value
    assert "hush-hush" not in page
    wrong = re.findall(r'<input[^>]*aria-invalid="true"[^>]*>', page)
    assert len(wrong) == 1 and 'name="account"' in wrong[0] and "autofocus" in wrong[0]
    described = re.search(r'aria-describedby="([^"]+)"', wrong[0])
    assert described is not None and f'id="{described[1]}"' in page


def test_each_missing_field_of_the_form_says_so(shop: Office) -> None:
    status, page = send(shop.client("ann"), "/connect", account="beta")
    assert status == 400 and 'value="beta"' in page
    assert "Give the client id of the app." in page and "Give the client secret." in page


def test_credentials_are_tried_first_and_never_shown(shop: Office) -> None:
    client = shop.client("ann")
    _, page = send(client, "/connect", account="acme", client_id=DEFAULT_CLIENT, client_secret="wrong-one")
    assert "Xero refuses the credentials" in page and "wrong-one" not in page
    assert kept(shop)[0] == "lost"

    status, page = send(client, "/connect", account="acme", **APP)
    assert (status, "Waiting entries are being sent" in page) == (303, True)
    assert DEFAULT_SECRET not in page
    assert kept(shop) == ("connected", DEFAULT_CLIENT, "client_credentials")
    [row] = shop.rows("SELECT client_secret_encrypted FROM connections.accounts")
    assert (
        SecretBox.open(shop.data_dir, None).decrypt(bytes(row["client_secret_encrypted"])) == DEFAULT_SECRET
    )
    assert DEFAULT_SECRET not in str(shop.rows("SELECT * FROM web.acts"))


def test_somebody_agrees_at_xero(shop: Office, xero: FakeXeroServer) -> None:
    client = shop.client("ann")
    page = client.get("/connect", account="acme").text
    assert "Xero no longer accepts our access" in page and "as before: settings and cut-off stay" in page
    assert f'value="{shop.url}/connect/callback"' in page
    assert "Xero accepts http for localhost only" not in page, "this page is localhost"

    status, page = send(client, "/connect/browser", account="acme", **APP)
    address = question(page)
    asked = {name: values[0] for name, values in parse_qs(urlsplit(address).query).items()}
    assert (status, asked["redirect_uri"]) == (200, f"{shop.url}/connect/callback")
    assert DEFAULT_SECRET not in page
    back = agree(address)
    answer = client.get(back)
    assert (answer.status, answer.headers["location"]) == (303, "/accounts/acme/settings?done=connected")
    assert kept(shop) == ("connected", DEFAULT_CLIENT, "authorization_code")
    [token] = shop.rows("SELECT refresh_token_encrypted IS NOT NULL AS there FROM connections.tokens")
    assert token["there"]
    [act] = shop.rows("SELECT actor, act, target FROM web.acts")
    assert (act["actor"], act["act"], act["target"]["browser"]) == ("ann", "connect", True)
    # Once only.
    again = client.get(back)
    assert (again.status, "does not belong to a request" in again.text) == (400, True)


def test_an_answer_counts_in_the_session_that_asked(shop: Office) -> None:
    shop.user("bob")
    shop.user("vic", "viewer")
    client = shop.client("ann")
    back = agree(question(send(client, "/connect/browser", account="acme", **APP)[1]))
    for other in (shop.client("bob"), shop.client("ann")):
        answer = other.get(back)
        assert (answer.status, "does not belong to a request" in answer.text) == (400, True)
    assert shop.client("vic").get(back).status == 403
    assert client.get("/connect/callback").status == 400
    # The session has ended: whoever signs in begins again.
    nobody = shop.client().get(back)
    assert (nobody.status, nobody.headers["location"].startswith("/sign-in?next=/connect/callback")) == (
        303,
        True,
    )
    shop.rows("UPDATE web.agreements SET expires_at = now() RETURNING 1")
    assert client.get(back).status == 400
    assert kept(shop)[0] == "lost"


def test_what_xero_refuses_is_said_and_changes_nothing(shop: Office) -> None:
    client = shop.client("ann")
    for answer, said in (
        ("error=access_denied", "Xero did not grant access: access_denied"),
        ("code=not-one", "Xero refuses the app"),
    ):
        address = question(send(client, "/connect/browser", account="acme", **APP)[1])
        [state] = parse_qs(urlsplit(address).query)["state"]
        page = client.get(f"/connect/callback?{answer}&state={state}")
        assert (page.status, said in page.text) == (400, True)
        assert DEFAULT_SECRET not in page.text
    assert kept(shop)[0] == "lost"
    assert shop.rows("SELECT 1 FROM web.acts") == []


def test_an_account_is_connected_for_the_first_time(shop: Office, xero: FakeXeroServer) -> None:
    client = shop.client("ann")
    status, page = send(client, "/connect", account="beta", **APP)
    assert (status, "Settings <span" in page) == (303, True)
    [row] = shop.rows("SELECT tenant_id FROM connections.accounts WHERE account = 'beta'")
    assert row["tenant_id"] == xero.tenant_id
    refused = send(client, "/connect", account="gamma", tenant_id="another", **APP)
    assert (refused[0], "is not connected to another" in refused[1]) == (400, True)
    assert len(shop.rows("SELECT 1 FROM connections.accounts")) == 2


def test_connecting_is_for_those_who_may(shop: Office) -> None:
    shop.user("vic", "viewer")
    shop.user("bea", "operator", ["beta"])
    for name, status in (("vic", 403), ("bea", 404)):
        who = shop.client(name)
        assert who.get("/connect", account="acme").status == status
        for path in ("/connect", "/connect/browser"):
            assert send(who, path, account="acme", **APP)[0] == status
    ann = shop.client("ann")
    for given, said in (
        ({"account": "No/Account", "client_id": "c", "client_secret": "s"}, "is not a SalesBinder account"),
        ({"account": "acme"}, "Give the client id"),
    ):
        for path in ("/connect", "/connect/browser"):
            status, page = send(ann, path, **given)
            assert (status, said in page) == (400, True)
    assert kept(shop)[0] == "lost"
    assert shop.rows("SELECT 1 FROM web.agreements") == []


def test_what_is_lost_leads_here(shop: Office) -> None:
    shop.log(
        entry("a", 1, "failed", reason_code="not_connected", reason="No connection.", remedy="Connect it.")
    )
    client = shop.client("ann")
    for path in ("/overview", "/issues", "/entries/a", "/accounts/acme/settings"):
        assert 'href="/connect?account=acme"' in client.get(path).text, path
    shop.user("vic", "viewer")
    assert "/connect?" not in shop.client("vic").get("/entries/a").text
