"""Workers divide the accounts by what each reads from the ledger: every account has one worker, and each
worker has its share.
"""

import asyncio
import dataclasses
from itertools import count, pairwise

import pytest
from rich.console import Console

from sandbox.fake_xero.server import FakeXeroServer
from sbx.cli import status, status_report
from sinks.lanes.leasing import GRACE, Lanes
from sinks.ledger import leases
from sinks.ledger.store import Connection
from tests.integration.sinks.desks import LONG, Desks, backlog
from tests.integration.sinks.shops import PATIENCE, Maker, Shop, connect, delivering


@pytest.mark.parametrize("accounts", [1, 10, 200])
@pytest.mark.parametrize("workers", [1, 2, 3, 5])
async def test_accounts_are_divided_as_workers_come_and_go(
    desks: Desks, shop: Shop, workers: int, accounts: int
) -> None:
    await backlog(shop, accounts)
    await desks.join(workers)
    for desk in desks.living:
        await desk.look(desks.now)
    await desks.fair(accounts)  # by one look of each
    await desks.join()
    await desks.settle()
    await desks.fair(accounts)
    assert desks.gave <= accounts // (workers + 1) + 1  # and no more than that
    await desks.living.pop(0).die()
    gave = desks.gave
    for desk in desks.living:
        await desk.look(desks.now)
    await desks.fair(accounts)  # again by one look of each
    if workers > 1:
        await desks.living.pop(0).leave()
        await desks.settle()
        await desks.fair(accounts)
    assert desks.gave <= gave


async def test_one_is_given_at_a_time(desks: Desks, shop: Shop) -> None:
    await backlog(shop, 10)
    await desks.join()
    first = desks.living[0]
    await desks.settle()
    await desks.join()
    second = desks.living[1]
    for moved in range(1, 6):
        await first.look(desks.now)
        await first.look(desks.now)  # nobody has taken it yet: no other is given
        assert (len(first.had), len(second.had)) == (10 - moved, moved - 1)
        await second.look(desks.now)
        assert (len(first.had), len(second.had)) == (10 - moved, moved)
    await desks.settle()
    assert (first.gave, second.gave) == (5, 0)


async def test_what_was_just_taken_stays(desks: Desks, shop: Shop) -> None:
    await backlog(shop, 4)
    await desks.join()
    await desks.settle()
    await desks.join()
    assert not await desks.living[0].look(desks.now, older=0.0)
    assert await desks.living[0].look(desks.now)


async def test_new_work_moves_nothing_that_is_at_work(desks: Desks, shop: Shop) -> None:
    """Work that is done within moments, on accounts that one worker happens to have."""
    await backlog(shop, 6)
    await desks.join()
    await desks.settle()
    await desks.join()
    await shop.rows("UPDATE ledger.commands SET queued_at = now() RETURNING 1")
    await desks.settle()
    assert [len(desk.had) for desk in desks.living] == [6, 0]


async def test_a_worker_that_hangs_keeps_its_leases_and_has_no_share(desks: Desks, shop: Shop) -> None:
    """It neither looks nor says anything; its session lives."""
    await backlog(shop, 9)
    await desks.join(3)
    for desk in desks.living:
        await desk.look(desks.now)
    hung = desks.living.pop(0)
    assert len(hung.had) == 3
    await shop.rows(
        "UPDATE ledger.workers SET seen_at = now() - interval '16 seconds' WHERE holder = 1 RETURNING 1"
    )
    make = Maker("new")
    await shop.send(make.contact("created", make.customer()))
    await desks.settle()
    assert sorted(len(desk.had) for desk in desks.living) == [3, 4]
    await shop.rows("UPDATE ledger.leases SET expires_at = now() WHERE holder = 1 RETURNING 1")
    await desks.settle()
    assert sorted(len(desk.had) for desk in desks.living) == [5, 5]
    await hung.die()


async def test_what_its_worker_does_not_take_another_takes_soon(desks: Desks, shop: Shop) -> None:
    """A worker hangs, and nobody knows yet."""
    await desks.join(2)
    await backlog(shop, 2)
    alert = desks.living[1]
    decision = await alert.leasing.decide(alert.connection, Lanes({}), 50.0)
    assert (len(decision.take), decision.call, decision.look_in) == (1, True, GRACE)
    await alert.look(50.0)
    assert len(alert.had) == 1
    assert not await alert.look(50.0 + 0.9 * GRACE)
    await alert.look(50.0 + GRACE)
    assert len(alert.had) == 2


async def test_what_nobody_takes_is_taken_back_and_not_given_again_at_once(desks: Desks, shop: Shop) -> None:
    await backlog(shop, 4)
    await desks.join()
    giver = desks.living[0]
    await desks.settle()
    await desks.join()  # and hangs
    await giver.look(2000.0, older=0.0)
    assert len(giver.had) == 3
    await giver.look(2000.1, older=0.0)
    await giver.look(2000.1 + GRACE, older=0.0)
    assert len(giver.had) == 4
    await giver.look(2001.0, older=0.0)
    await giver.look(2009.0, older=0.0)
    assert len(giver.had) == 4
    await giver.look(2012.0, older=0.0)
    assert len(giver.had) == 3


async def test_what_cannot_be_left_is_not_tried_again_soon_but_another_is(desks: Desks, shop: Shop) -> None:
    """Its calls take long: to wait for them in vain costs the account as long again. Others may be free to
    go: without them, a worker that joins would wait for the slowest account.
    """
    await backlog(shop, 4)
    await desks.join()
    giver = desks.living[0]
    await desks.settle()
    await desks.join()
    tries: dict[str, list[int]] = {}
    for second in range(100):
        lanes = Lanes(dict.fromkeys(giver.had, LONG))
        for account in (await giver.leasing.decide(giver.connection, lanes, 2000.0 + second)).give:
            tries.setdefault(account, []).append(second)
    assert tries.keys() == giver.had.keys()
    assert sorted(times[0] for times in tries.values()) == [0, 4, 8, 12]
    assert all(later - earlier > 30 for times in tries.values() for earlier, later in pairwise(times))


async def test_the_backlogs_are_weighed(desks: Desks, shop: Shop) -> None:
    """Two accounts with much to do, and two with little."""
    await backlog(shop, 4)
    makers = [Maker("shop-000"), Maker("shop-001")]
    for _ in range(20):
        await shop.send(*(make.contact("created", make.customer()) for make in makers))
    await desks.join(2)
    for desk in desks.living:
        await desk.look(desks.now)
    assert all(len({"shop-000", "shop-001"} & desk.had.keys()) == 1 for desk in desks.living)


async def test_accounts_of_one_organisation_move_together(
    desks: Desks, shop: Shop, xero: FakeXeroServer
) -> None:
    others = [dataclasses.replace(shop, account=name) for name in ("north", "south")]
    alone = [
        dataclasses.replace(shop, account=name, tenant_id=xero.admin.add_tenant(name))
        for name in ("east", "west")
    ]
    for one in (*others, *alone):
        await connect(one)
        make = Maker(one.account)
        await shop.send(make.contact("created", make.customer()))
    await shop.rows("UPDATE ledger.commands SET queued_at = now() - interval '1 minute' RETURNING 1")
    await desks.join()
    await desks.settle()
    assert len(desks.living[0].had) == 4
    await desks.join(2)
    await desks.settle()
    assert sorted(sorted(desk.had) for desk in desks.living) == [["east"], ["north", "south"], ["west"]]


async def test_a_paused_account_is_nobodys_share(desks: Desks, shop: Shop, xero: FakeXeroServer) -> None:
    names = [f"shop-{number:03}" for number in range(4)]
    for name in names[:2]:
        await connect(dataclasses.replace(shop, account=name, tenant_id=xero.admin.add_tenant(name)))
    await backlog(shop, 4)
    await shop.rows("UPDATE connections.accounts SET paused_at = now(), paused_by = 'ann', "
                    "paused_reason = 'stock-taking' WHERE account LIKE 'shop-%%' RETURNING 1")  # fmt: skip
    await desks.join(2)
    for desk in desks.living:
        await desk.look(desks.now)
    paused = set(names[:2])
    assert [(len(desk.had.keys() & paused), len(desk.had.keys() - paused)) for desk in desks.living] == [
        (1, 1),
        (1, 1),
    ]


@pytest.mark.parametrize("more", ["event", "replay"])
async def test_neither_history_nor_backlog_is_read_through(desks: Desks, shop: Shop, more: str) -> None:
    """What a look costs does not grow with the commands that wait, or with those that are done."""
    await backlog(shop, 3)
    await more_of_them(shop, 30_000, "event")
    await shop.rows("UPDATE ledger.commands SET state = 'completed' RETURNING 1")
    await backlog(shop, 3)
    await more_of_them(shop, 10_000, more)
    await desks.join()
    connection = desks.living[0].connection
    await connection.execute("VACUUM ANALYZE ledger.commands")
    assert await blocks_of_a_look(connection) < 300


async def test_a_backlog_that_is_over_is_not_read_through(desks: Desks, shop: Shop) -> None:
    """The planner has its statistics still, by which nearly everything waits."""
    await backlog(shop, 3)
    await more_of_them(shop, 30_000, "event")
    await desks.join()
    connection = desks.living[0].connection
    await connection.execute("VACUUM ANALYZE ledger.commands")
    await connection.execute("UPDATE ledger.commands SET state = 'completed'")
    await backlog(shop, 3)
    await connection.execute("VACUUM ledger.commands")
    assert await blocks_of_a_look(connection) < 300


async def blocks_of_a_look(connection: Connection) -> int:
    plan = await connection.execute(
        b"EXPLAIN (ANALYZE, BUFFERS, FORMAT JSON) " + leases.SQL["holdings"].encode(), {"silence": 15.0}
    )
    [row] = await plan.fetchall()
    return int(row[0][0]["Plan"]["Shared Hit Blocks"] + row[0][0]["Plan"]["Shared Read Blocks"])


async def more_of_them(shop: Shop, count: int, triggered_by: str) -> None:
    """So many more of each open command."""
    await shop.rows(
        "INSERT INTO ledger.commands (command_id, account, entity, record_id, action, content_hash, "
        "event_time, body, triggered_by) "
        "SELECT gen_random_uuid(), account, entity, n::text, action, content_hash, event_time, body, %s "
        "FROM ledger.commands, generate_series(1, %s) AS n WHERE state = 'queued' RETURNING 1",
        triggered_by,
        count // 3,
    )


async def test_the_status_says_who_works_on_what(desks: Desks, shop: Shop) -> None:
    await backlog(shop, 3)
    await desks.join(2)
    for desk in desks.living:
        await desk.look(desks.now)
    await shop.rows(
        "UPDATE ledger.workers SET seen_at = now() - interval '40 seconds' WHERE holder = 2 RETURNING 1"
    )
    found = await asyncio.to_thread(status.gather, shop.environment)
    first, second = desks.living
    assert {account["name"]: account["worker"] for account in found.accounts} == {
        **dict.fromkeys(first.had, "desk 1"),
        **dict.fromkeys(second.had, "desk 2"),
        shop.account: None,
    }
    workers = [(one["name"], one["accounts"], round(one["silent"], -1)) for one in found.deliver_workers]
    assert workers == [("desk 1", len(first.had), 0), ("desk 2", len(second.had), 40)]
    with_console = Console(width=160)
    with with_console.capture() as shown:
        with_console.print(status_report.tables(found))
    assert "desk 2" in shown.get()
    assert "has said nothing for 40 s: its accounts go to the others" in shown.get()
    assert "worker" in found.to_json()["accounts"][0]
    await second.die()
    desks.living.remove(second)
    found = await asyncio.to_thread(status.gather, shop.environment)
    with with_console.capture() as shown:
        with_console.print(status_report.tables(found))
    assert "desk" not in shown.get()  # there is only one


# With lanes


@pytest.fixture
async def shops(database_url: str, xero: FakeXeroServer, shop: Shop) -> list[Shop]:
    """Ten accounts, each with an organisation of its own."""
    made = [
        dataclasses.replace(shop, account=f"shop-{n}", tenant_id=xero.admin.add_tenant(f"shop-{n}"))
        for n in range(10)
    ]
    for one in made:
        await connect(one)
    return made


async def test_lanes_move_to_workers_that_join_and_nothing_is_doubled(
    shops: list[Shop], xero: FakeXeroServer
) -> None:
    """Sales come in all the time, and calls take so long that there is always something to do."""
    xero.admin.limits(minute=1000)
    xero.admin.fault("latency", seconds=2.0, times=None)
    stop = asyncio.Event()
    selling = [asyncio.create_task(sell(one, stop)) for one in shops]
    async with delivering(shops[0]):
        await divided(shops[0], [10])
        async with delivering(shops[0]):
            await divided(shops[0], [5, 5])
            async with delivering(shops[0]):
                await divided(shops[0], [3, 3, 4])
            await divided(shops[0], [5, 5])
        stop.set()
        sold = await asyncio.gather(*selling)
        xero.admin.clear_faults()
        for one in shops:
            await one.idle(120)
    for one, number in zip(shops, sold, strict=True):
        numbers = sorted(int(invoice["number"]) for invoice in one.books["invoices"])
        assert numbers == list(range(1, number + 1))
        assert {invoice["status"] for invoice in one.books["invoices"]} == {"PAID"}
    given = await shops[0].rows("SELECT max(fence) FROM ledger.leases")
    assert given[0]["max"] <= 8  # nobody's account goes to and fro


async def sell(shop: Shop, stop: asyncio.Event) -> int:
    """A paid sale a second, until told to stop; how many."""
    make = Maker(shop.account)
    for number in count(1):
        document = make.document(make.customer(f"{shop.account} {number}"), number)
        await shop.send(make.created(document), make.paid(document, "108.00"))
        if stop.is_set():
            return number
        await asyncio.sleep(1.0)
    raise AssertionError


async def divided(shop: Shop, wanted: list[int]) -> None:
    """Until the accounts are divided like this, by count: on a busy machine, what is given is given again."""
    async with asyncio.timeout(PATIENCE):
        while True:
            rows = await shop.rows(
                "SELECT count(*) FROM ledger.leases WHERE expires_at > now() GROUP BY holder ORDER BY 1"
            )
            if [row["count"] for row in rows] == wanted:
                return
            await asyncio.sleep(0.05)
