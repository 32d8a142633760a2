"""Workers die, hang, come back or are of another version while accounts change hands: every account has one
worker soon, and no call to look is lost.
"""

import asyncio
from collections import Counter

import psycopg
import pytest

from sinks.lanes import supervisor
from sinks.ledger import leases
from tests.integration.sinks.desks import Desks, backlog
from tests.integration.sinks.shops import Maker, Shop, delivering


@pytest.mark.parametrize("dead", [0, 1, 2])
async def test_one_dies_between_giving_back_and_taking(desks: Desks, shop: Shop, dead: int) -> None:
    """The one that gave, the one that was to take, or another one."""
    await backlog(shop, 9)
    await desks.join()
    await desks.settle()
    await desks.join(2)
    await desks.living[0].look(desks.now)
    assert len(desks.living[0].had) == 8
    await desks.living.pop(dead).die()
    for desk in desks.living:
        await desk.look(desks.now)
    assert sum(len(desk.had) for desk in desks.living) == 9  # by one look of each
    await desks.settle()
    await desks.fair(9)


async def test_one_that_hung_comes_back_to_a_share(desks: Desks, shop: Shop) -> None:
    """What it had is others' now: it cannot renew it, and is given as much as the others have."""
    await backlog(shop, 9)
    await desks.join(3)
    for desk in desks.living:
        await desk.look(desks.now)
    hung = desks.living.pop(0)
    await shop.rows(
        "UPDATE ledger.workers SET seen_at = now() - interval '70 seconds' WHERE holder = 1 RETURNING 1"
    )
    await shop.rows("UPDATE ledger.leases SET expires_at = now() WHERE holder = 1 RETURNING 1")
    await desks.settle()
    await desks.fair(9)
    for lease in hung.had.values():
        assert not await leases.renew(hung.connection, lease, 70.0)
        await leases.give_back(hung.connection, lease)  # is not its own any more, so nothing happens
    await desks.fair(9)
    hung.had.clear()
    desks.living.append(hung)
    await leases.beat(hung.connection, hung.holder, "desk 1")
    await desks.settle()
    await desks.fair(9)


async def test_beside_workers_of_the_version_before(desks: Desks, shop: Shop) -> None:
    """A rolling upgrade, and for a while both are at work."""
    earlier = [await desks.join_earlier(), await desks.join_earlier()]
    await backlog(shop, 10)
    await earlier[0].look(desks.now)
    await desks.join(2)
    await desks.settle()
    assert [len(desk.had) for desk in (*earlier, *desks.living)] == [10, 0, 0, 0]
    await earlier[0].leave()
    await desks.settle()
    await desks.fair(10)
    await desks.join()
    for _ in range(30):  # the earlier one takes all that is given
        desks.now += 0.01
        for desk in desks.living:
            await desk.look(desks.now)
            await earlier[1].look(desks.now)
    rows = await shop.rows("SELECT holder FROM ledger.leases WHERE expires_at > now()")
    held = Counter(row["holder"] for row in rows)
    assert held.total() == 10
    assert max(held[desk.holder] for desk in desks.living) <= 1 + min(held[d.holder] for d in desks.living)
    gave = desks.gave
    await earlier[1].leave()
    await desks.settle()
    await desks.fair(10)
    assert desks.gave == gave


async def test_what_a_dying_transaction_locks_is_taken_as_soon_as_it_has_ended(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker is dead, and the database has not noticed it in all of its sessions."""
    monkeypatch.setattr(supervisor, "_LOOK_EVERY", 60.0)
    make = Maker(shop.account)
    await shop.send(make.contact("created", make.customer()))
    await shop.rows(
        "INSERT INTO ledger.leases (account, holder, fence, expires_at) VALUES (%s, 5, 1, 'infinity') "
        "RETURNING 1",
        shop.account,
    )
    async with await psycopg.AsyncConnection.connect(str(shop.environment.database_url)) as dying:
        await dying.execute("SELECT 1 FROM ledger.leases FOR UPDATE")
        async with delivering(shop):
            await asyncio.sleep(1.0)
            assert (await shop.rows("SELECT fence FROM ledger.leases"))[0]["fence"] == 1
            await dying.rollback()
            await shop.idle(20)


async def test_work_that_comes_during_a_look_is_not_left_to_the_worker_of_before(
    desks: Desks, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It gave the account back, the look saw that, and the work came before the look was over."""
    monkeypatch.setattr(supervisor, "_LOOK_EVERY", 60.0)
    make, holdings = Maker(shop.account), leases.holdings
    looked, given, came = asyncio.Event(), asyncio.Event(), asyncio.Event()

    async def slow(connection: psycopg.AsyncConnection[object]) -> leases.Holdings:
        found = await holdings(connection)
        if given.is_set() and not came.is_set():
            assert found.accounts == []
            await shop.send(make.contact("created", make.customer()))
            came.set()
            await asyncio.sleep(0.5)
        looked.set()
        return found

    monkeypatch.setattr(leases, "holdings", slow)
    before = await desks.join_earlier()
    [lease] = await leases.take(before.connection, [shop.account], before.holder, 70.0)
    async with delivering(shop):
        await looked.wait()
        await asyncio.sleep(0.5)
        given.set()
        await leases.give_back(before.connection, lease)
        await came.wait()
        await shop.idle(20)


async def test_a_worker_that_waits_for_the_ledger_is_not_silent(shop: Shop) -> None:
    """Else the status would call all of them hung."""
    await shop.rows("UPDATE ledger.generation SET held_at = now() RETURNING 1")
    async with delivering(shop):
        async with asyncio.timeout(10):
            while not await shop.rows("SELECT 1 FROM ledger.workers"):  # noqa: ASYNC110
                await asyncio.sleep(0.05)


async def test_a_killed_worker_is_missed_soon(
    desks: Desks, shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It tells nobody, so the others look often enough, and no more often than they must."""
    looks, holdings = 0, leases.holdings

    async def counted(connection: psycopg.AsyncConnection[object]) -> leases.Holdings:
        nonlocal looks
        looks += 1
        return await holdings(connection)

    monkeypatch.setattr(leases, "holdings", counted)
    make = Maker(shop.account)
    await desks.join()
    async with delivering(shop):
        await shop.send(make.contact("created", make.customer()))
        await shop.idle()
        looks = 0
        await asyncio.sleep(4.0)
        assert 7 <= looks <= 12
        await desks.living.pop().leave()
        await asyncio.sleep(0.5)
        looks = 0
        await asyncio.sleep(4.0)
        assert looks <= 6
