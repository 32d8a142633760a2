"""Several SalesBinder accounts on one Xero organisation: they share its limits, and not its documents."""

import asyncio
import dataclasses
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

import psycopg
import pytest
from psycopg.rows import dict_row

from connections import store
from connections.check import number_clashes
from runtime.sql import load_queries
from sandbox.fake_xero.server import FakeXeroServer
from sbx.cli import status
from tests.integration.sinks.shops import (
    PATIENCE,
    Maker,
    Shop,
    connect,
    connected_shop,
    delivering,
    environment_of,
)

STATUS = load_queries(status.__file__)
RATE = 4.0
"""Xero's seconds in one of ours."""


@pytest.fixture
async def pair(database_url: str, xero: FakeXeroServer, tmp_path: Path) -> AsyncIterator[tuple[Shop, Shop]]:
    """Two accounts that are connected to one organisation, nothing at work."""
    north = await connected_shop(database_url, xero, tmp_path, "north")
    south = Shop("south", environment_of(database_url, xero, tmp_path), xero)
    await connect(south)
    yield north, south


def sales(maker: Maker, numbers: range) -> list[dict[str, Any]]:
    events = []
    for number in numbers:
        document = maker.document(maker.customer(f"{maker.account} {number}"), number)
        events.append(maker.event("invoice.created", document["id"], {"document": document}))
    return events


def then_reset(maker: Maker, events: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Each of their invoices paid and reset: the payments are taken off one by one."""
    paid = [maker.paid(event["data"]["document"], "108.00") for event in events]
    return [*paid, *(maker.event("invoice.reset", event["subject"], event["data"]) for event in events)]


def refused(xero: FakeXeroServer) -> list[Any]:
    return [call for call in xero.admin.calls() if call["status"] == 429]


@pytest.mark.parametrize("workers", [1, 2])
async def test_their_limits_are_the_organisations(
    pair: tuple[Shop, Shop], xero: FakeXeroServer, workers: int
) -> None:
    """More calls at once, and more in the minute, than Xero takes of one organisation."""
    north, south = pair
    for one in pair:
        one.environment = dataclasses.replace(one.environment, clock_rate=RATE)
    xero.admin.set_clock(rate=RATE)
    xero.admin.fault("latency", seconds=0.4, times=None)
    first, second = Maker("north"), Maker("south")
    made, others = sales(first, range(1, 41)), sales(second, range(1001, 1041))
    async with AsyncExitStack() as stack:
        for _ in range(workers):
            await stack.enter_async_context(delivering(north))
        await asyncio.gather(north.send(*made), south.send(*others))
        await asyncio.gather(north.idle(), south.idle())
        await asyncio.gather(north.send(*then_reset(first, made)), south.send(*then_reset(second, others)))
        await asyncio.gather(north.idle(), south.idle())
    assert refused(xero) == []
    assert len(north.calls()) > 80
    assert {i["status"] for i in north.books["invoices"]} == {"AUTHORISED"}
    assert len(north.books["invoices"]) == 80


async def test_a_backlog_of_one_lets_the_other_go_on(pair: tuple[Shop, Shop], xero: FakeXeroServer) -> None:
    """Calls of a second each, a hundred of them waiting: the other account's one sale is not behind them."""
    north, south = pair
    first, second = Maker("north"), Maker("south")
    made = sales(first, range(1, 41))
    async with delivering(north):
        await north.send(*made)
        await north.idle()
        xero.admin.fault("latency", seconds=0.5, times=None)
        await north.send(*then_reset(first, made))
        await asyncio.sleep(3)
        await south.send(*sales(second, range(1001, 1002)))
        await south.idle()
        waiting = await north.rows(
            "SELECT count(*) FROM ledger.commands WHERE state IN ('queued', 'running')"
        )
        xero.admin.clear_faults()
        assert waiting[0]["count"] > 0
    assert refused(xero) == []


async def test_a_worker_has_all_accounts_of_an_organisation(pair: tuple[Shop, Shop]) -> None:
    """Also when they are connected to it while two workers are at work."""
    north, south = pair
    async with delivering(north), delivering(south):
        for round_ in range(3):
            for maker, one in ((Maker("north"), north), (Maker("south"), south)):
                name = f"{one.account} {round_}"
                assert await one.run(maker.contact("created", maker.customer(name))) == ["posted"]
        held = await north.rows("SELECT account, holder FROM ledger.leases WHERE expires_at > now()")
    assert {row["account"] for row in held} == {"north", "south"}
    assert len({row["holder"] for row in held}) == 1


async def test_a_day_that_is_used_up_holds_both_and_what_is_left_agrees(
    pair: tuple[Shop, Shop], xero: FakeXeroServer
) -> None:
    north, south = pair
    first, second = Maker("north"), Maker("south")
    xero.admin.limits(day=16)
    async with delivering(north), asyncio.timeout(PATIENCE):
        # Where the lanes are slow, one call takes what several have brought: there must be enough of them.
        while len(held := await holds(north)) < 2:
            name = str(first.minute)
            await north.send(first.contact("created", first.customer(f"N{name}")))
            await south.send(second.contact("created", second.customer(f"S{name}")))
            await asyncio.sleep(0.3)
        calls = await asyncio.to_thread(status_of, north)
    assert held == {"north": "xero_day_limit", "south": "xero_day_limit"}
    assert len(refused(xero)) <= 1
    assert calls["north"] == calls["south"]
    assert calls["north"]["day"] == 0


async def holds(shop: Shop) -> dict[str, str]:
    """What holds each account that is held."""
    rows = await shop.rows("SELECT account, held FROM ledger.accounts WHERE held > ''")
    return {row["account"]: row["held"] for row in rows}


def status_of(shop: Shop) -> dict[str, Any]:
    """The calls left of each account, as ``sbx status`` tells them."""
    environment = shop.environment
    with psycopg.connect(**environment.psycopg("test"), row_factory=dict_row) as connection:
        rows = connection.execute(STATUS["accounts"]).fetchall()
    return {row["name"]: {"minute": row["minute_left"], "day": row["day_left"]} for row in rows}


async def test_a_document_of_the_other_account_is_never_taken_for_ours(
    pair: tuple[Shop, Shop], xero: FakeXeroServer
) -> None:
    """The same number, customer, day and amount: only the address tells the two invoices apart."""
    north, south = pair
    first, second = Maker("north"), Maker("south")
    customer = first.customer("Widgets & Co")
    document = first.document(customer, 5001)
    other = {**document, "id": "another-document", "customer": {**customer, "id": "another-customer"}}
    other["customer_id"] = "another-customer"
    async with delivering(north):
        assert await north.run(first.created(document)) == ["posted"]
        event = second.created(other)
        assert await south.run(event) == ["number_taken"]
        await south.settings(invoice_number_format="S-{number}")
        assert await south.retry(event) == ["posted"]
    assert sorted(i["number"] for i in north.books["invoices"]) == ["5001", "S-5001"]
    shared = await north.rows("SELECT account, xero_id FROM ledger.links WHERE kind = 'contact'")
    assert len(shared) == 2
    assert len({row["xero_id"] for row in shared}) == 1  # one contact of that name, linked from both


async def test_a_document_that_the_other_account_has_linked_is_not_adopted(
    pair: tuple[Shop, Shop], xero: FakeXeroServer
) -> None:
    """One address for both accounts, and one record id: what is linked is the other's all the same."""
    north, south = pair
    for one in pair:
        await one.settings(document_url="https://erp.example/documents/{id}")
    first, second = Maker("north"), Maker("south")
    document = first.document(first.customer("Widgets & Co"), 5001)
    async with delivering(north):
        assert await north.run(first.created(document)) == ["posted"]
        assert await south.run(second.created(document)) == ["number_taken"]


async def test_equal_number_formats_are_told(pair: tuple[Shop, Shop]) -> None:
    north, south = pair
    async with await north.connect() as connection:
        own = await store.load_connection(connection, "north")
        assert own is not None
        others = await store.settings_of_others(connection, "north")
    assert list(others) == ["south"]
    found = number_clashes(own.settings, others)
    assert [(one.key, one.code) for one in found] == [
        ("invoice_number_format", "numbers_may_clash"),
        ("purchase_order_number_format", "numbers_may_clash"),
    ]
    assert all("south" in one.problem for one in found)
    await south.settings(invoice_number_format="s-{number}", purchase_order_number_format="S-{number}")
    await north.settings(invoice_number_format="S-{number}")
    async with await north.connect() as connection:
        own = await store.load_connection(connection, "north")
        assert own is not None
        found = number_clashes(own.settings, await store.settings_of_others(connection, "north"))
    assert [one.key for one in found] == ["invoice_number_format"]  # Xero compares numbers without case


async def test_customers_of_one_name_in_two_accounts_make_one_contact(pair: tuple[Shop, Shop]) -> None:
    """Both lanes give the name at once; Xero takes one of them, and the other is linked to that."""
    north, south = pair
    first, second = Maker("north"), Maker("south")
    made = [
        [maker.created(maker.document(maker.customer("Cash Sale"), start + n)) for n in range(20)]
        for maker, start in ((first, 1), (second, 1001))
    ]
    async with delivering(north):
        await asyncio.gather(north.send(*made[0]), south.send(*made[1]))
        await asyncio.gather(north.idle(), south.idle())
        [contact] = north.books["contacts"]
        assert {i["contact_id"] for i in north.books["invoices"]} == {contact["id"]}
        assert len(north.books["invoices"]) == 40
        assert len(north.calls()) <= 30, north.calls()
        told = await north.rows("SELECT warnings FROM ledger.commands")
        assert all("contact_shared" in [w["code"] for w in row["warnings"]] for row in told[-10:])
        customer = made[1][0]["data"]["document"]["customer"]
        second.minute += 1
        phone = second.contact("edited", {**customer, "office_phone": "2", "modified": second.now})
        assert await south.run(phone) == ["posted"]
    [contact] = north.books["contacts"]
    assert (contact["name"], contact["phones"]["DEFAULT"]["PhoneNumber"]) == ("Cash Sale", "2")
