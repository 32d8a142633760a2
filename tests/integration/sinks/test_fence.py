"""A worker that lost the account while its call was under way writes nothing for it any more."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import psycopg
from structlog.testing import capture_logs

from sandbox.fake_xero.server import FakeXeroServer
from tests.integration.sinks.shops import PATIENCE, Maker, Shop, delivering

_OTHER_HOLDER = 4711


async def until(shop: Shop, query: str) -> dict[str, Any]:
    """The first row, once there is one."""
    async with asyncio.timeout(PATIENCE):
        while not (rows := await shop.rows(query)):  # noqa: ASYNC110
            await asyncio.sleep(0.02)
        return rows[0]


async def test_an_overtaken_worker_cannot_land_its_call(
    shop: Shop, xero: FakeXeroServer, maker: Maker
) -> None:
    with capture_logs() as logs:
        await overtake(shop, xero, maker, logs)


async def overtake(shop: Shop, xero: FakeXeroServer, maker: Maker, logs: Sequence[Mapping[str, Any]]) -> None:
    async with delivering(shop):
        await shop.run(maker.contact("created", maker.customer("First")))
        xero.admin.fault("latency_after", method="PUT", path="Contacts", times=1, seconds=600)
        event = maker.contact("created", maker.customer("Second"))
        await shop.send(event)
        call = await until(shop, "SELECT intent_id FROM ledger.intents WHERE answered_at IS NULL")
        async with await psycopg.AsyncConnection.connect(str(shop.environment.database_url)) as other:
            await other.execute("SELECT pg_advisory_lock(%s)", [_OTHER_HOLDER])
            await other.execute("UPDATE ledger.leases SET holder = %s, fence = fence + 1", [_OTHER_HOLDER])
            await other.commit()
            xero.admin.clear_faults()
            async with asyncio.timeout(PATIENCE):  # until its answer has come, and was thrown away
                while not any(line["event"] == "lane lost its lease" for line in logs):  # noqa: ASYNC110
                    await asyncio.sleep(0.02)
            [found] = await shop.rows(
                "SELECT answered_at FROM ledger.intents WHERE intent_id = %s", call["intent_id"]
            )
            assert found["answered_at"] is None
            assert await shop.end(event) == "running"
            assert len(await shop.rows("SELECT 1 FROM ledger.links WHERE kind = 'contact'")) == 1
        await shop.idle()  # the other is gone: the account is taken back, the call found unanswered
    assert await shop.end(event) == "posted"
    assert sorted(contact["name"] for contact in shop.books["contacts"]) == ["First", "Second"]


async def test_merged_snapshots_stay_merged_when_their_worker_is_gone(
    shop: Shop, xero: FakeXeroServer, maker: Maker
) -> None:
    """Their call was done and its answer is a stored 500: the invoice is looked up by the snapshot that was
    sent, not by the first one.
    """
    document = maker.document(maker.customer("First"), 1)
    line = {**document["document_items"][0], "price": "50.00"}
    events = [maker.created(document), maker.edited(document, document_items=[line])]
    xero.admin.fault("error_after", method="PUT", path="Invoices", times=1)
    slow = xero.admin.fault("latency_after", method="PUT", path="Invoices", times=1, seconds=600)
    await shop.send(*events)
    async with delivering(shop):
        await until(
            shop, "SELECT 1 FROM ledger.intents WHERE answered_at IS NULL AND route = 'invoices.create'"
        )
        async with await psycopg.AsyncConnection.connect(str(shop.environment.database_url)) as other:
            await other.execute("SELECT pg_advisory_lock(%s)", [_OTHER_HOLDER])
            await other.execute("UPDATE ledger.leases SET holder = %s, fence = fence + 1", [_OTHER_HOLDER])
            await other.commit()
            async with asyncio.timeout(PATIENCE):
                while not shop.books["invoices"]:  # noqa: ASYNC110 - Xero's books
                    await asyncio.sleep(0.02)
            xero.admin.clear_faults(slow)
        await shop.idle()
    assert [await shop.end(event) for event in events] == ["superseded", "posted"]
    [invoice] = shop.books["invoices"]
    assert invoice["total"] == "54.00"
