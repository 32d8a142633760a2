"""Lanes come and go: none is lost at its start, and one that breaks is at work again at once."""

import asyncio
import dataclasses

from structlog.testing import capture_logs

from tests.integration.sinks.shops import Maker, Shop, delivering


async def test_lanes_of_many_accounts_that_start_together_keep_their_leases(shop: Shop) -> None:
    makers = [Maker(f"shop-{number}") for number in range(150)]
    await shop.send(*(make.contact("created", make.customer()) for make in makers))
    with capture_logs() as logs:
        async with delivering(shop):
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
    ended = await asyncio.wait_for(shop.run(*events), 30)
    assert ended == ["posted"] * 3
