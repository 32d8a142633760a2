"""``/hooks/{token}``: anybody who knows the address may send anything, and the account is looked at now."""

import logging
import time
from typing import Any

import pytest

from runtime.secrets import SecretBox
from sandbox.fake_salesbinder import FakeSalesBinderServer, acts
from sandbox.fake_salesbinder.switches import switches
from sources.hints import MAX_BODY
from sources.store import hooks, store
from tests.integration.sinks.shops import PATIENCE
from tests.web.office import Client, Office
from tests.web.test_hostile import IN_BODIES

ONE, TWO = "14691a1c-589c-4e50-b8f8-948f9991d1f1", "a3f1f7c0-11f0-4f7c-8f34-0f4a3f5e7a11"


def connect(office: Office, account: str = "acme") -> str:
    """Connect an account to SalesBinder; the token of its address."""
    box = SecretBox.open(office.data_dir, None)

    async def save(connection: Any) -> str:
        await store.connect(connection, account, box.encrypt("k3y"))
        await hooks.make(connection, account, box)
        found = await hooks.of(connection, account, box)
        assert found is not None
        return found.token

    return office.do(save)


def hinted(office: Office, account: str = "acme") -> list[str]:
    rows = office.rows("SELECT record_id FROM source.wanted WHERE account = %s AND why = 'hint'", account)
    return sorted(row["record_id"] for row in rows)


def until_hinted(office: Office, *ids: str) -> None:
    give_up = time.monotonic() + PATIENCE
    while hinted(office) != sorted(ids):
        assert time.monotonic() < give_up, hinted(office)
        time.sleep(0.05)


def last(office: Office, account: str = "acme") -> Any:
    [row] = office.rows(
        "SELECT last_at, hinted_at FROM source.accounts JOIN source.hooks USING (account) WHERE account = %s",
        account,
    )
    return row


def send(client: Client, token: str, body: Any, kind: str = "application/json", **headers: str) -> int:
    sent = {"Content-Type": kind, **headers}
    return client("POST", f"/hooks/{token}", body=body, headers=sent).status


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("application/json", f'{{"data":{{"id":"{ONE}"}}}}'),
        ("application/x-www-form-urlencoded", f"event=invoice.updated&id={ONE.upper()}"),
        (
            "multipart/form-data; boundary=x",
            f'--x\r\nContent-Disposition: form-data; name="i"\r\n\r\n{ONE}\r\n--x--',
        ),
        ("text/xml", f"<id>{ONE}</id>"),
        ("", f"\0\x01{ONE}"),
    ],
)
def test_the_ids_in_a_body_of_any_form_are_looked_at_first(office: Office, kind: str, body: str) -> None:
    token = connect(office)
    # As a stranger would: no session, no form of ours, another site's origin.
    assert send(office.client(), token, body.encode(), kind, Origin="https://app.salesbinder.com") == 202
    until_hinted(office, ONE)
    seen = last(office)
    assert seen["last_at"] is not None and seen["hinted_at"] is not None
    assert send(office.client(), f"{token}/?x={TWO}", b"") == 202
    until_hinted(office, ONE, TWO)


@pytest.mark.parametrize("body", ["id", "record", "nested", "no_id"])
def test_salesbinders_own_webhooks_are_taken_in_each_form_that_they_may_have(
    office: Office, body: str
) -> None:
    token = connect(office)
    with FakeSalesBinderServer(seed=3) as server:
        shop = server.world.add_shop("acme", switches({"webhook_body": body}))
        server.admin.webhook(f"{office.url}/hooks/{token}", shop="acme")
        customer = acts.create_party(shop, "customer", name="Widgets & Co")
        invoice = acts.create_document(shop, "invoice", customer, [{"name": "A", "price": 1}])
        give_up = time.monotonic() + PATIENCE
        while len(shop.hints.endpoints[0].sent) < len(shop.hints.deliveries) or not last(office)["hinted_at"]:
            assert time.monotonic() < give_up
            time.sleep(0.05)
        assert shop.hints.endpoints[0].failures == 0
    if body != "no_id":
        until_seen = time.monotonic() + PATIENCE
        while invoice not in hinted(office):
            assert time.monotonic() < until_seen
            time.sleep(0.05)


def test_rubbish_is_accepted_and_what_is_too_large_is_not(office: Office) -> None:
    token, client = connect(office), office.client()
    for body in (*IN_BODIES, b" " * MAX_BODY):
        assert send(client, token, body[:MAX_BODY]) == 202
    for method in ("PUT", "PATCH", "DELETE"):
        assert client(method, f"/hooks/{token}", body=b"{}").status == 202
    assert send(client, token, b" " * (MAX_BODY + 1)) == 413
    parts = [b" " * 1000] * 66
    chunked = client("POST", f"/hooks/{token}", body=iter(parts), chunked=True)
    assert chunked.status == 413
    assert hinted(office) == []


def test_opening_the_address_says_what_it_is_and_hints_nothing(office: Office) -> None:
    token = connect(office)
    assert office.client().get(f"/hooks/{token}").text.startswith("This is where SalesBinder's webhooks")
    time.sleep(1)
    assert last(office) == {"last_at": None, "hinted_at": None}


def test_an_address_that_is_nobodys_is_not_found_and_a_renewed_one_is_known_soon(office: Office) -> None:
    token, client = connect(office), office.client()
    other = connect(office, "beta")
    for unknown in ("", "x", token[:-1], token + "x", token.swapcase(), "%00", "a/b"):
        assert send(client, unknown, ONE.encode()) == 404, unknown
    box = SecretBox.open(office.data_dir, None)
    office.do(lambda c: hooks.renew(c, "acme", box))
    renewed = office.do(lambda c: hooks.of(c, "acme", box))
    assert renewed is not None and renewed.token != token
    give_up = time.monotonic() + PATIENCE
    while send(client, renewed.token, b"") != 202:
        assert time.monotonic() < give_up
        time.sleep(0.1)
    assert send(client, token, ONE.encode()) == 404
    assert send(client, other, b"") == 202
    assert hinted(office) == []


def test_a_flood_is_answered_and_only_some_of_it_is_kept(office: Office) -> None:
    token, client = connect(office), office.client()
    for number in range(60):
        ids = ",".join(f"14691a1c-589c-4e50-b8f8-{number:06x}{n:06x}" for n in range(20))
        assert send(client, token, ids.encode()) == 202
    time.sleep(2)
    assert 0 < len(hinted(office)) < store.MOST_HINTED + 100
    assert hinted(office, "beta") == []


def test_the_token_is_in_no_line_of_the_log(office: Office, caplog: pytest.LogCaptureFixture) -> None:
    token = connect(office)
    with caplog.at_level(logging.DEBUG):
        for body in (b"{}", b" " * (MAX_BODY + 1)):
            send(office.client(), token, body)
        office.client().get(f"/hooks/{token}/")
    access = logging.getLogger("uvicorn.access")
    assert (access.propagate, [type(one).__name__ for one in access.handlers if not _of_pytest(one)]) == (
        False,
        [],
    )
    ours = [one for one in caplog.records if one.name not in ("uvicorn.access", "urllib3.connectionpool")]
    assert [one for one in ours if token in one.getMessage()] == []


def _of_pytest(handler: logging.Handler) -> bool:
    return type(handler).__module__.startswith("_pytest")
