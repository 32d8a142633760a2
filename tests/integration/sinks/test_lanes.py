"""Lanes come and go: none is lost at its start, and one that breaks is at work again at once."""

import asyncio
import dataclasses

from structlog.testing import capture_logs

from sinks.lanes.runner import LEASE_SECONDS
from sinks.ledger import store as ledger
from tests.integration.sinks.shops import Maker, Shop, delivering


async def test_lanes_of_many_accounts_that_start_together_keep_their_leases(shop: Shop) -> None:
    makers = [Maker(f"shop-{number}") for number in range(150)]
    await shop.send(*(make.contact("created", make.customer()) for make in makers))
    with capture_logs() as logs:
        async with delivering(shop, connections=16):
            for make in makers:
                await dataclasses.replace(shop, account=make.account).idle()
    assert {line["event"] for line in logs} == {"lane starts"}
    ended = await shop.rows("SELECT reason_code, count(*) FROM ledger.commands GROUP BY 1")
    assert ended == [{"reason_code": "not_connected", "count": 150}]


async def test_a_lane_that_broke_is_at_work_again_long_before_its_lease_ends(
    open_shop: Shop, maker: Maker
) -> None:
    shop = open_shop
    assert await shop.run(maker.contact("created", maker.customer())) == ["posted"]
    async with await shop.connect() as connection:
        await connection.execute("UPDATE ledger.leases SET fence = fence + 1")
    events = [maker.contact("created", maker.customer(f"Shop {n}")) for n in range(3)]
    ended = await asyncio.wait_for(shop.run(*events), LEASE_SECONDS - 10)
    assert ended == ["posted"] * 3


async def test_a_worker_that_hangs_in_a_transaction_holds_up_its_own_account_alone(shop: Shop) -> None:
    """It stands for a process that was stopped, or whose machine sleeps, while it had its lease locked."""
    hung, other = (Maker(name) for name in ("hung", "other"))
    await shop.send(*(make.contact("created", make.customer()) for make in (hung, other)))
    async with await shop.connect() as connection:
        await connection.execute("INSERT INTO ledger.leases VALUES ('hung', 1, 1, now() - interval '1 hour')")
        await connection.commit()
        await ledger.check_fence(connection, ledger.Lease("hung", 1, 1))
        limit = await (await connection.execute("SHOW idle_in_transaction_session_timeout")).fetchone()
        async with delivering(shop):
            # Before the server ends the session that hangs.
            await dataclasses.replace(shop, account="other").idle(50)
            assert await shop.rows(
                "SELECT 1 FROM ledger.commands WHERE account = 'hung' AND state = 'queued'"
            )
            await connection.rollback()
            await dataclasses.replace(shop, account="hung").idle()
    assert limit == ("1min",)
