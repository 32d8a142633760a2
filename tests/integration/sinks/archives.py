"""Shops whose actions ended long ago, and rounds that bring them to the archive."""

import asyncio
import json
from typing import Any

from log_projection.projection import apply
from streams.archiving import Archiving
from tests.integration.sinks.shops import Maker, Shop

DAYS = 400
"""Days for which what has ended stays in the database of a test."""
GONE = ["created", "edited", "created", "payment_applied"]
"""The actions of what ``sold`` has sold."""


async def log_all(shop: Shop) -> None:
    """Bring what was told to the log, as the project stage does."""
    told = await shop.told()
    async with await shop.connect() as connection:
        await apply(connection, list(told))


async def age(shop: Shop, days: int = 500, *events: dict[str, Any]) -> None:
    """Let the account's actions, or those of these events, and all calls, be so many days older."""
    ids = [shop.command_id(event) for event in events] or None
    async with await shop.connect() as connection:
        await connection.execute(
            "UPDATE ledger.commands SET queued_at = queued_at - make_interval(days => %(days)s), "
            "started_at = started_at - make_interval(days => %(days)s), "
            "finished_at = finished_at - make_interval(days => %(days)s) "
            "WHERE account = %(account)s AND (%(ids)s::uuid[] IS NULL OR command_id = ANY(%(ids)s::uuid[]))",
            {"days": days, "account": shop.account, "ids": ids},
        )
        await connection.execute(
            "UPDATE ledger.intents SET created_at = created_at - make_interval(days => %s) "
            "WHERE account = %s",
            [days, shop.account],
        )


async def go(archiving: Archiving) -> None:
    await archiving.go_round(asyncio.Event())


async def standing(shop: Shop) -> list[tuple[str, bool]]:
    """Action of each command, and whether it is in the archive, in order."""
    rows = await shop.rows(
        "SELECT action, archived_at IS NOT NULL AS gone FROM ledger.commands WHERE account = %s ORDER BY seq",
        shop.account,
    )
    return [(row["action"], row["gone"]) for row in rows]


async def count(shop: Shop, table: str) -> int:
    query = f"SELECT count(*) AS n FROM {table} WHERE account = %s"  # noqa: S608
    return int((await shop.rows(query, shop.account))[0]["n"])


def rows_in(archiving: Archiving, account: str) -> list[dict[str, Any]]:
    archive = archiving.archive
    return [json.loads(line) for part in archive.parts(account) for line in archive.lines(part)]


def ids(rows: list[dict[str, Any]], row: str, name: str) -> set[str]:
    return {one[name] for one in rows if one["row"] == row}


async def sold(books: Shop, make: Maker) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A customer, edited once, with a paid invoice, done and in the log; returns the document and the events
    of which nothing but what is narrow stays: all but the edit, which is the customer's newest.
    """
    customer = make.customer("Widgets & Co", office_phone="604-555-0101")
    first = make.contact("created", customer)
    assert await books.run(first) == ["posted"]
    assert await books.run(make.changed(customer, office_phone="604-555-0102")) == ["posted"]
    document = make.document(customer, 5001)
    events = [make.created(document), make.paid(document, "108.00")]
    assert await books.run(*events) == ["posted", "posted"]
    await log_all(books)
    return document, [first, *events]


async def gone(shop: Shop) -> list[str]:
    """Actions of the commands in the archive, in order."""
    return [action for action, gone in await standing(shop) if gone]
