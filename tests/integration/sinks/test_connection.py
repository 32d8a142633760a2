"""Without a connection, paused, lost, in a locked period."""

import asyncio
from typing import Any

import psycopg
import pytest

from connections import store
from contracts.results import AccountResult
from sinks.ledger.commands import retry, skip
from tests.integration.sinks.conftest import assert_explained
from tests.integration.sinks.shops import PATIENCE, Maker, Office, Shop, connect, delivering


async def test_not_connected_fails_and_retry_works_after_connecting(office: Office) -> None:
    shop = office.new_shop()
    make = Maker(shop.account)
    created = make.created(make.document(make.customer(), 1))
    assert await shop.run(created) == ["not_connected"]
    await connect(shop)
    assert await shop.retry(created) == ["posted"]
    assert_explained(await shop.told())


async def test_paused_account_keeps_everything_queued(books: Shop, make: Maker) -> None:
    async with await books.connect() as connection:
        await store.pause(connection, books.account, actor="ann", reason="stocktaking")
    document = make.document(make.customer(), 1)
    events = [make.created(document), make.paid(document, "108.00")]
    await books.send(*events)
    await _until_held(books, "account_paused")
    assert [await books.end(event) for event in events] == ["queued", "queued"]
    assert books.calls() == []
    async with await books.connect() as connection:
        await store.resume(connection, books.account, actor="ann")
    await books.idle()
    assert [await books.end(event) for event in events] == ["posted", "posted"]
    await _until_held(books, None)


async def test_a_pause_that_ends_while_no_worker_runs_is_over_in_the_log_too(
    shop: Shop, maker: Maker
) -> None:
    """Nothing else is left to be done for the account that a lane would start for."""
    created = maker.created(maker.document(maker.customer(), 1))
    async with delivering(shop):
        async with await shop.connect() as connection:
            await store.pause(connection, shop.account, actor="ann", reason="stocktaking")
        await shop.send(created)
        await _until_held(shop, "account_paused")
        await shop.skip(created, "entered by hand")
    async with await shop.connect() as connection:
        await store.resume(connection, shop.account, actor="ann")
    async with delivering(shop):
        await _until_held(shop, None)


async def test_what_is_queued_can_be_skipped(books: Shop, make: Maker) -> None:
    async with await books.connect() as connection:
        await store.pause(connection, books.account, actor="ann", reason="stocktaking")
    document = make.document(make.customer(), 1)
    created, paid = make.created(document), make.paid(document, "8.00")
    await books.send(created, paid)
    assert await books.skip(paid, "paid in Xero") == [books.command_id(paid)]
    async with await books.connect() as connection:
        await store.resume(connection, books.account, actor="ann")
    await books.idle()
    assert [await books.end(created), await books.end(paid)] == ["posted", "skipped_by_operator"]
    assert books.invoice("1")["payments"] == []


async def test_what_is_running_is_left_to_its_lane(books: Shop, make: Maker) -> None:
    async with await books.connect() as connection:
        await store.pause(connection, books.account, actor="ann", reason="stocktaking")
    created = make.created(make.document(make.customer(), 1))
    await books.send(created)
    ids = [books.command_id(created)]
    async with await books.connect() as connection:
        await connection.execute("UPDATE ledger.commands SET state = 'running' WHERE command_id = %s", ids)
        assert await retry(connection, ids, "ann") == await skip(connection, ids, "ann", "no") == []
        await connection.rollback()
        await store.resume(connection, books.account, actor="ann")
    await books.idle()
    assert await books.end(created) == "posted"


async def test_resumed_while_its_lane_reads_the_pause(
    books: Shop, make: Maker, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What a lane is told after it has read the connection and before it rests is not lost."""
    read = store.load_connection
    resumed: list[bool] = []

    async def read_then_resumed(connection: Any, account: str) -> store.Connection | None:
        found = await read(connection, account)
        if account == books.account and found is not None and found.paused_reason and not resumed:
            async with await books.connect() as other:
                resumed.append(await store.resume(other, account, actor="ann"))
            await asyncio.sleep(0.5)  # the notification comes meanwhile
        return found

    monkeypatch.setattr(store, "load_connection", read_then_resumed)
    async with await books.connect() as connection:
        await store.pause(connection, books.account, actor="ann", reason="stocktaking")
    created = make.created(make.document(make.customer(), 1))
    assert await books.run(created) == ["posted"]
    assert resumed == [True]


async def test_lost_connection_keeps_everything_queued(books: Shop, make: Maker) -> None:
    books.xero.admin.connections(disconnect=[books.tenant_id])
    created = make.created(make.document(make.customer(), 1))
    await books.send(created)
    await _until_held(books, "connection_lost")
    assert await books.end(created) == "queued"
    books.xero.admin.connections(connect=[books.tenant_id])
    await connect(books)
    await books.idle()
    assert await books.end(created) == "posted"


async def test_locked_period_fails(books: Shop, make: Maker) -> None:
    books.seed(period_lock_date="2026-03-31")
    document = make.document(make.customer(), 1)
    created = make.created(document)
    assert await books.run(created) == ["period_locked"]
    assert (await books.entry(created))["reason_args"]["lock_date"] == "2026-03-31"
    assert await books.run(make.paid(document, "8.00")) == ["period_locked"]
    books.seed(period_lock_date=None)
    assert await books.retry(created) == ["posted"]


@pytest.mark.parametrize("known", [True, False])
async def test_locked_period_moves_to_the_first_open_day(books: Shop, make: Maker, known: bool) -> None:
    """Also when the books were locked after we had asked: then Xero refuses first."""
    await books.settings(locked_period="first_open_day")
    if not known:
        await books.run(make.created(make.document(make.customer("Bolts Ltd"), 7, issue_date="2026-03-02")))
    books.seed(period_lock_date="2026-03-31")
    document = make.document(make.customer(), 1)
    created, paid = make.created(document), make.paid(document, "108.00")
    assert await books.run(created, paid) == ["posted", "posted"]
    invoice = books.invoice("1")
    assert (invoice["date"], invoice["due_date"]) == ("2026-04-01", "2026-05-01")
    assert invoice["payments"][0]["date"] == "2026-04-01"
    assert await books.warnings(created) == ["date_moved"]
    assert await books.warnings(paid) == ["date_moved"]


async def _until_held(shop: Shop, code: str | None) -> None:
    async with asyncio.timeout(PATIENCE):
        while not any(isinstance(r, AccountResult) and r.held == code for r in shop.published):  # noqa: ASYNC110
            await asyncio.sleep(0.02)


async def test_trouble_of_one_account_does_not_delay_another(
    office: Office, books: Shop, make: Maker
) -> None:
    other = office.new_shop()
    await connect(other)
    async with await psycopg.AsyncConnection.connect(str(other.environment.database_url)) as connection:
        await store.pause(connection, other.account, actor="ann", reason="stocktaking")
    theirs = Maker(other.account)
    await other.send(theirs.created(theirs.document(theirs.customer(), 1)))
    assert await books.run(make.created(make.document(make.customer(), 1))) == ["posted"]
