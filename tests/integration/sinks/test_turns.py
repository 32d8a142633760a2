"""What is live goes before what is done again, and the order within a record holds."""

import psycopg

from sandbox.fake_xero.server import FakeXeroServer
from sinks.ledger import store as ledger
from sinks.ledger.intake import Trigger, take_in
from tests.integration.sinks.shops import Maker, Shop, delivering

REPLAY = Trigger("replay", "ann")


async def send(shop: Shop, by: Trigger, *events: dict[str, object]) -> None:
    async with await psycopg.AsyncConnection.connect(str(shop.environment.database_url)) as connection:
        await take_in(connection, [shop.command(event) for event in events], by)


async def test_live_work_is_taken_up_before_a_replay(shop: Shop, maker: Maker) -> None:
    again = [maker.contact("created", maker.customer(f"Old {n}")) for n in range(3)]
    await send(shop, REPLAY, *again)
    live = maker.contact("created", maker.customer("New"))
    behind = maker.event("customer.edited", again[0]["subject"], again[0]["data"])
    await shop.send(live, behind)
    async with await shop.connect() as connection:
        heads = await ledger.ready(connection, shop.account, [], 10)
        only_live = await ledger.ready(connection, shop.account, [], 10, ledger.LIVE)
    expected = [live, *again]
    assert [entry.command_id for entry in heads] == [shop.command_id(event) for event in expected]
    assert [ledger.turn(entry) for entry in heads] == [0, 2, 2, 2]
    assert [entry.command_id for entry in only_live] == [shop.command_id(live)]


async def test_live_work_is_sent_before_a_replay_that_fills_the_lane(
    shop: Shop, maker: Maker, xero: FakeXeroServer
) -> None:
    """A lane full of replayed customers, and a live one: the live one is in the next call, not the last."""
    count = 700
    again = [maker.contact("created", maker.customer(f"Old {n}")) for n in range(count)]
    await send(shop, REPLAY, *again)
    live = maker.contact("created", maker.customer("New"))
    await shop.send(live)
    async with delivering(shop):
        await shop.idle()
    contacts = [contact["name"] for contact in shop.books["contacts"]]
    assert len(contacts) >= count + 1
    started = {row["command_id"]: row["started_at"] for row in await shop.rows(_STARTED, shop.account)}
    [first] = await shop.rows(
        "SELECT min(started_at) AS at FROM ledger.commands WHERE account = %s", shop.account
    )
    assert started[shop.command_id(live)] == first["at"]


async def test_only_what_may_be_merged_is_read_behind_a_head(shop: Shop, maker: Maker) -> None:
    """Snapshots up to the first action of another kind, of each record; nothing that is at work."""
    paid, edited, busy = (maker.document(maker.customer(f"C{n}"), n) for n in range(3))
    events = [maker.created(document) for document in (paid, edited, busy)]
    await shop.send(*events, maker.paid(paid, "100.00"), maker.edited(paid, name="too late"))
    mergeable = [maker.edited(edited, name="once"), maker.edited(edited, name="twice")]
    running = maker.edited(busy, name="at work")
    await shop.send(*mergeable, maker.paid(edited, "100.00"), running, maker.edited(busy, name="behind it"))
    async with await shop.connect() as connection:
        await connection.execute(
            "UPDATE ledger.commands SET state = 'running' WHERE command_id = %s", [shop.command_id(running)]
        )
        heads = await ledger.ready(connection, shop.account, [], 10)
        behind = await ledger.followers(connection, shop.account, heads)
    assert [entry.command_id for entry in heads] == [shop.command_id(event) for event in events]
    assert [entry.command_id for entry in behind] == [shop.command_id(event) for event in mergeable]


async def test_whether_anything_is_due_is_not_looked_for_in_what_is_done(shop: Shop, maker: Maker) -> None:
    """The planner has the statistics of a backlog, and the backlog is over."""
    await shop.send(maker.contact("created", maker.customer()))
    await shop.rows(
        "INSERT INTO ledger.commands (command_id, account, entity, record_id, action, content_hash, "
        "event_time, body) "
        "SELECT gen_random_uuid(), account, entity, n::text, action, content_hash, event_time, body "
        "FROM ledger.commands, generate_series(1, 20000) AS n WHERE account = %s RETURNING 1",
        shop.account,
    )
    url = str(shop.environment.database_url)
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        await connection.execute("VACUUM ANALYZE ledger.commands")
        await connection.execute("UPDATE ledger.commands SET state = 'completed'")
        await connection.execute("VACUUM ledger.commands")
        asked = b"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) " + ledger.SQL["anything_due"].encode()
        [row] = await (await connection.execute(asked, {"account": shop.account})).fetchall()
    read = row[0][0]["Plan"]
    assert read["Shared Hit Blocks"] + read["Shared Read Blocks"] < 100, read


_STARTED = "SELECT command_id::text AS command_id, started_at FROM ledger.commands WHERE account = %s"
