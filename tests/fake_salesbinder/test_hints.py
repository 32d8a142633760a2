"""Facts about v3's change feed and webhooks (reference §9, §10)."""

from collections.abc import Callable
from typing import Any

import pytest

from sandbox.fake_salesbinder import acts
from sandbox.fake_salesbinder.hints import Endpoint

from .conftest import Stage


def feed(stage: Stage, cursor: str) -> list[tuple[str, str]]:
    body = stage.v3("sync", cursor=cursor).json
    return [(change["id"], change["operation"]) for change in body["changes"]]


def test_start_gives_a_cursor(stage: Stage) -> None:
    """§9: `{"object":"sync_start","resources","retention_days","cursor"}`."""
    body = stage.v3("sync", start="now").json
    assert (body["object"], body["retention_days"]) == ("sync_start", 90)
    assert body["resources"] == ["item", "invoice", "estimate", "purchase_order"]


def test_pages_hold_ids_only_and_no_accounts(stage: Stage) -> None:
    """§9: `"changes":[{"resource","id","operation":"upsert"|"delete"}]`; ids only; no accounts."""
    cursor = stage.v3("sync", start="now").json["cursor"]
    invoice, order = stage.invoice(), stage.order()
    acts.create_party(stage.shop, "customer", name="New")
    acts.delete_document(stage.shop, order)
    body = stage.v3("sync", cursor=cursor, limit=2).json
    assert body == {
        "object": "sync_page",
        "resources": ["item", "invoice", "estimate", "purchase_order"],
        "changes": [
            {"resource": "invoice", "id": invoice, "operation": "upsert"},
            {"resource": "purchase_order", "id": order, "operation": "upsert"},
        ],
        "has_more": True,
        "next_cursor": body["next_cursor"],
    }
    assert feed(stage, body["next_cursor"]) == [(order, "delete")]


@pytest.mark.parametrize(
    "query",
    [
        {},
        {"start": "now", "since": "1"},
        {"cursor": "nonsense"},
        {"since": "9999999999"},
        {"start": "now", "limit": 501},
    ],
)
def test_bad_questions_are_400(stage: Stage, query: dict[str, Any]) -> None:
    """§9: one of start, since, cursor; `limit` 1–500; 400: bad cursor, or in the future."""
    assert stage.v3("sync", **query).status == 400


def test_what_is_older_than_90_days_is_409(stage: Stage) -> None:
    """§9: "409: rebuild required (too old)"."""
    cursor = stage.v3("sync", start="now").json["cursor"]
    stage.invoice()
    stage.later(91 * 86_400)
    assert stage.v3("sync", cursor=cursor).status == 409
    old = int(stage.world.clock.now().timestamp()) - 91 * 86_400
    assert stage.v3("sync", since=old).status == 409


def test_since_is_epoch_seconds_or_iso(stage: Stage) -> None:
    invoice = stage.invoice()
    moment = stage.world.clock.now()
    for since in (int(moment.timestamp()), moment.isoformat().replace("+", "%2B")):
        assert [change["id"] for change in stage.v3("sync", since=since).json["changes"]] == [invoice]


def _money(stage: Stage, invoice: str) -> str:
    return acts.pay(stage.shop, invoice, "10")


def _reset(stage: Stage, invoice: str) -> None:
    acts.reset(stage.shop, invoice)


def _archive(stage: Stage, invoice: str) -> None:
    acts.archive(stage.shop, invoice)


@pytest.mark.parametrize(
    ("name", "setting", "act", "operations"),
    [
        ("sync_on_payment", "upsert", _money, ["upsert"]),
        ("sync_on_payment", "nothing", _money, []),
        ("sync_on_reset", "upsert", _reset, ["upsert"]),
        ("sync_on_reset", "nothing", _reset, []),
        ("sync_on_archive", "upsert", _archive, ["upsert"]),
        ("sync_on_archive", "delete", _archive, ["delete"]),
        ("sync_on_archive", "nothing", _archive, []),
    ],
)
def test_what_makes_an_entry_is_a_switch(
    name: str, setting: str, act: Callable[[Stage, str], object], operations: list[str]
) -> None:
    """§9: "Does a payment, reset, archive make an `upsert`: [U]"; §14 (11)."""
    stage = Stage(**{name: setting})
    invoice = stage.invoice()
    acts.pay(stage.shop, invoice, "1")
    cursor = stage.v3("sync", start="now").json["cursor"]
    act(stage, invoice)
    assert feed(stage, cursor) == [(invoice, operation) for operation in operations]


# Webhooks


def delivered(stage: Stage, act: Callable[[], object]) -> list[bytes]:
    stage.shop.hints.endpoints = [Endpoint("http://127.0.0.1:1/")]
    before = len(stage.shop.hints.deliveries)
    act()
    return [delivery.body for delivery in stage.shop.hints.deliveries[before:]]


@pytest.mark.parametrize(
    ("setting", "shows"), [("id", True), ("record", True), ("nested", True), ("no_id", False)]
)
def test_the_body_of_a_webhook_is_a_switch(setting: str, shows: bool) -> None:
    """§10: "payload … [U]": a hint, never the event."""
    stage = Stage(webhook_body=setting)
    invoice = stage.invoice()
    (body,) = delivered(stage, lambda: acts.edit_document(stage.shop, invoice, name="New"))
    assert (invoice.encode() in body) == shows
    assert b"event_id" in body


@pytest.mark.parametrize(
    ("setting", "name"), [("family", b'"invoices.invoice_created"'), ("plain", b'"invoice.created"')]
)
def test_the_names_of_webhooks_are_a_switch(setting: str, name: bytes) -> None:
    """§10: `inventory.item_created` is known; names for invoices, orders, estimates [U]."""
    stage = Stage(webhook_names=setting)
    (body,) = delivered(stage, stage.invoice)
    assert name in body


@pytest.mark.parametrize(("setting", "count"), [("yes", 1), ("no", 0)])
def test_whether_money_and_accounts_send_one_is_a_switch(setting: str, count: int) -> None:
    """§10: "payment events, accounts: [U]"."""
    stage = Stage(webhook_on_payment=setting, webhook_on_accounts=setting)
    invoice = stage.invoice()
    assert len(delivered(stage, lambda: acts.pay(stage.shop, invoice, "1"))) == count
    assert len(delivered(stage, lambda: acts.edit_party(stage.shop, stage.customer, url="x"))) == count


def test_nobody_listens_nothing_is_sent(stage: Stage) -> None:
    stage.invoice()
    assert stage.shop.hints.deliveries == []
