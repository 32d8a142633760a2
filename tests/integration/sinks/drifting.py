"""Readings of Xero in tests: asked for, waited for, and what they found."""

import asyncio
from datetime import datetime
from typing import Any

from sinks.drift import acts
from sinks.drift.acts import Selection
from tests.integration.sinks.shops import PATIENCE, Shop


async def read(shop: Shop, since: datetime | None = None, *, full: bool = False) -> dict[str, Any]:
    """Have the shop's lane read Xero, and wait for its end."""
    async with await shop.connect() as connection:
        run_id = await acts.ask(
            connection, shop.account, await acts.plan(connection, shop.account, since, full=full), "ann"
        )
        await connection.commit()
        async with asyncio.timeout(PATIENCE):
            while (run := await acts.reading(connection, run_id))["finished_at"] is None:
                await connection.commit()
                await asyncio.sleep(0.02)
    assert run["error"] is None, run["error"]
    return run


async def standing(shop: Shop) -> list[dict[str, Any]]:
    """The differences that stand."""
    async with await shop.connect() as connection:
        return await acts.differences(connection, shop.account, Selection())


def seen(rows: list[dict[str, Any]]) -> list[tuple[str, str, str, str]]:
    return [(row["kind"], row["field"], row["ours"], row["xeros"]) for row in rows]


async def drift(shop: Shop, **how: Any) -> list[tuple[str, str, str, str]]:
    """Read, and what stands then: kind, field, ours, Xero's."""
    await read(shop, **how)
    return seen(await standing(shop))


async def unexplained(shop: Shop) -> list[tuple[str, str, str, str]]:
    """As ``drift``, without what is information, such as what an entry that failed asks for."""
    await read(shop)
    return seen([row for row in await standing(shop) if not row["information"]])


async def resend(shop: Shop) -> list[str]:
    """Send again what differs, wait, and tell how the actions ended."""
    rows = await standing(shop)
    async with await shop.connect() as connection:
        queued = await acts.resend(connection, shop.account, rows, "ann")
    await shop.idle()
    ended = await shop.rows(
        "SELECT outcome, reason_code, triggered_by FROM ledger.commands WHERE command_id = ANY(%s::uuid[])",
        queued,
    )
    assert all(row["triggered_by"] == "drift" for row in ended)
    return [row["outcome"] or row["reason_code"] for row in ended]


async def adopt(shop: Shop) -> int:
    rows = await standing(shop)
    async with await shop.connect() as connection:
        return await acts.adopt(connection, shop.account, rows, "ann")
