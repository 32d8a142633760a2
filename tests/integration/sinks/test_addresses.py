"""Whoever publishes an entry, it carries its account's own addresses, from the first version on."""

import asyncio
from pathlib import Path
from typing import Any

from connections import store
from contracts.results import EntryResult
from log_projection import projection
from sandbox.fake_xero.server import FakeXeroServer
from streams.transform import queued_entry
from tests.integration.sinks.shops import DAY, PATIENCE, Maker, Shop, delivering

OWN = {
    "document_url": "https://erp.example/{account}/d/{id}",
    "account_url": "https://erp.example/{kind}/{id}",
}
MIGRATION = Path(__file__).parents[3] / "log_projection" / "migrations" / "025_addresses.sql"


async def wrong(shop: Shop) -> list[tuple[str, int, str]]:
    """Results with another address than the account's settings say."""
    expected = {"invoice": "https://erp.example/acme/d/", "customer": "https://erp.example/customers/"}
    results = await shop.told()
    assert results
    return [
        (r.action, r.version, r.salesbinder_url)
        for r in results
        if r.salesbinder_url != expected[r.entity] + r.record_id.replace(" ", "%20")
    ]


async def test_holds_releases_recoveries_and_reused_ids(
    shop: Shop, maker: Maker, xero: FakeXeroServer
) -> None:
    await shop.settings(**OWN)
    document = maker.document(maker.customer(), 5001, id="5001 b")
    event = maker.created(document)
    async with delivering(shop):
        assert await shop.run(event, maker.contact("created", maker.customer("Other"))) == ["posted"] * 2
        xero.admin.fault("latency", seconds=1.0, times=None)
        edits = [maker.paid(document, "1.00") for _ in range(3)]
        await shop.send(*edits)
        await asyncio.sleep(0.5)
        async with await shop.connect() as connection:
            await store.pause(connection, "acme", actor="ann", reason="stock-taking")
        await asyncio.sleep(2.5)
        async with await shop.connect() as connection:
            await store.resume(connection, "acme", actor="ann")
        await shop.idle()
        again = {**event, "time": maker.now}
        await shop.send(again)
        await asyncio.sleep(0.5)
    assert await wrong(shop) == []
    last = [r for r in shop.published if isinstance(r, EntryResult) and r.xero_id]
    assert all(r.xero_url for r in last)


def _of(shop: Shop, account: str) -> list[EntryResult]:
    return [r for r in shop.published if isinstance(r, EntryResult) and r.account == account]


async def test_no_connection(shop: Shop, maker: Maker) -> None:
    other = Maker("nobody")
    async with delivering(shop):
        await shop.send(other.contact("created", other.customer("X", id="a/b")))
        async with asyncio.timeout(PATIENCE):
            while not (found := _of(shop, "nobody")):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
    assert {r.salesbinder_url for r in found} == {"https://nobody.salesbinder.com/customers/view/a%2Fb"}


async def test_the_first_version_in_the_log(shop: Shop, maker: Maker) -> None:
    await shop.settings(**OWN)
    commands = [
        shop.command(maker.created(maker.document(maker.customer(), 5001, id="5001 b"))),
        shop.command(maker.contact("created", maker.customer("Other", id="c1"))),
    ]
    async with await shop.connect() as connection:
        await projection.apply(connection, [queued_entry(command, DAY) for command in commands])
    rows = await shop.rows("SELECT salesbinder_url FROM integrations_log.entries ORDER BY entity")
    assert [row["salesbinder_url"] for row in rows] == [
        "https://erp.example/customers/c1",
        "https://erp.example/acme/d/5001%20b",
    ]


async def test_rows_from_before(shop: Shop, maker: Maker) -> None:
    """Rows as earlier versions have left them get the addresses, those that are right stay."""
    await shop.settings(**OWN)
    command = shop.command(maker.contact("created", maker.customer("Other", id="c1")))
    document = shop.command(maker.created(maker.document(maker.customer(), 5001, id="d1")))
    async with await shop.connect() as connection:
        await projection.apply(connection, [queued_entry(one, DAY) for one in (command, document)])
        await connection.execute(_OLD)
        await connection.execute(MIGRATION.read_bytes())
    rows: list[Any] = await shop.rows(
        "SELECT entity, salesbinder_url, xero_url FROM integrations_log.entry ORDER BY entity"
    )
    assert [(row["entity"], row["salesbinder_url"]) for row in rows] == [
        ("customer", "https://erp.example/customers/c1"),
        ("invoice", "https://erp.example/acme/d/d1"),
    ]


_OLD = b"""UPDATE integrations_log.entry SET salesbinder_url =
    CASE entity WHEN 'customer' THEN 'https://erp.example/acme/d/c1'
                ELSE 'https://acme.salesbinder.com/documents/view/d1' END"""
