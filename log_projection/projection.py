"""Write results into the log. A result that is seen twice, late, or after a newer one changes nothing."""

from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeVar

import msgspec
import psycopg

from connections import store
from contracts.nul import ESCAPED, without_nul
from contracts.results import AccountResult, EntryResult, Result
from log_projection import steps
from log_projection.shortening import Shortener
from runtime.crash_points import crash_point
from runtime.sql import load_queries

CHANNEL = "integrations_log"
"""PostgreSQL notification channel: a bare "something changed", at most one per batch."""

_SQL = load_queries(__file__)
R = TypeVar("R", EntryResult, AccountResult)

_encoder = msgspec.json.Encoder(decimal_format="string")
_shorteners: list[Shortener] = []


async def apply(connection: psycopg.AsyncConnection[Any], results: Sequence[Result]) -> None:
    """Bring the log up to these results, in one transaction, then notify ``CHANNEL``.

    Raises:
        psycopg.DataError: PostgreSQL cannot hold a value of one of the results; nothing was applied.
        psycopg.OperationalError: the database is away; nothing was applied, or all of it was.
    """
    if not results:
        return
    entry_results = [result for result in results if isinstance(result, EntryResult)]
    entries = newest(entry_results, lambda result: result.entry_id)
    attempted = [result for result in entry_results if result.made]
    told = steps.told(entry_results)
    account_results = [result for result in results if isinstance(result, AccountResult)]
    holds = newest(account_results, lambda result: result.account)
    async with connection.transaction():
        entries = await _with_addresses(connection, entries)
        shortener = await _shortener(connection) if attempted else None
        async with connection.pipeline():
            await connection.execute(_SQL["lock"])
            if entries:
                await connection.execute(_SQL["entries"], [entry_rows(entries)])
            if shortener is not None:
                await connection.execute(_SQL["attempts"], [attempt_rows(attempted, shortener)])
            if told:
                await connection.execute(_SQL["steps"], [_json(told)])
            if holds:
                await connection.execute(_SQL["holds"], [_json(holds)])
                await connection.execute(_SQL["hold_steps"], [_json(account_results)])
            await connection.execute(_SQL["notify"])
        crash_point("projection.before_commit")
    crash_point("projection.after_commit")


async def _shortener(connection: psycopg.AsyncConnection[Any]) -> Shortener:
    """Return what shortens attempts; asked for once, since fragments never change."""
    if not _shorteners:
        cursor = await connection.execute(_SQL["fragments"])
        [(marks, fragments)] = await cursor.fetchall()
        _shorteners.append(Shortener(marks, fragments))
    return _shorteners[0]


async def _with_addresses(
    connection: psycopg.AsyncConnection[Any], entries: Sequence[EntryResult]
) -> list[EntryResult]:
    """Add addresses. Their first versions come from a stage that knows no settings: records' addresses
    in SalesBinder are added here.
    """
    without = {entry.account for entry in entries if not entry.salesbinder_url and entry.account}
    if not without:
        return list(entries)
    addresses = await store.record_addresses(connection, without)
    return [
        entry
        if entry.account not in addresses or entry.salesbinder_url
        else msgspec.structs.replace(
            entry,
            salesbinder_url=addresses[entry.account].shown(entry.account, entry.entity, entry.record_id),
        )
        for entry in entries
    ]


def newest(results: Iterable[R], identity: Callable[[R], str]) -> list[R]:
    """Return the highest version of each ``identity``, in the order in which the identities first appear.

    One statement may write a row only once, and versions that are superseded within the batch need not be
    written.
    """
    found: dict[str, R] = {}
    for result in results:
        known = found.setdefault(identity(result), result)
        if known.version < result.version:
            found[identity(result)] = result
    return list(found.values())


def entry_rows(entries: Sequence[EntryResult]) -> str:
    """Return the rows of entries, without attempts and steps, which go to tables of their own."""
    replace = msgspec.structs.replace
    return _json(
        [replace(entry, made=(), history=()) if entry.made or entry.history else entry for entry in entries]
    )


def attempt_rows(results: Sequence[EntryResult], shortener: Shortener) -> str:
    """Return the attempts of these results, with what their rows hold of the entries."""
    return _json(
        [
            {
                "entry_id": result.entry_id,
                "account": result.account,
                "made": [shortener.shortened(attempt) for attempt in result.made],
            }
            for result in results
        ]
    )


def _json(rows: Sequence[Any]) -> str:
    """Return rows as a JSON array that jsonb takes.

    jsonb knows no NUL character, JSON does (an answer of some proxy may hold one): it is shown as U+FFFD.
    """
    encoded = _encoder.encode(rows)
    if ESCAPED in encoded:
        encoded = _encoder.encode(without_nul(msgspec.json.decode(encoded)))
    return encoded.decode()
