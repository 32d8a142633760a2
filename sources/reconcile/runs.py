"""Statements about reconciliations: how far one has come, what SalesBinder showed, and the result."""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final, Literal

import msgspec

from runtime.database import Connection, Row, fetch_all, fetch_one
from runtime.sql import load_queries
from sources.problems import storable
from sources.reconcile.months import Month
from sources.reconcile.result import Result
from sources.reconcile.shop import ShopDocument
from sources.reconcile.why import Unclear
from sources.schedule.layers import Listing
from sources.schedule.scans import Scan

Phase = Literal["rows", "details", "xero", "records", "links"]
Place = tuple[str, str, str, str]
"""Where a result stands among all: day of issue (``infinity`` if it has none), kind, number, record id."""
ListState = Literal["read", "in_part", "odd", "refused"]
"""``in_part``: but for rows that SalesBinder failed to show."""

_SQL = load_queries(__file__)
_PAGE: Final = 1000


@dataclass(frozen=True, slots=True)
class Reading:
    """How the reading of SalesBinder's lists goes on."""

    scan: Scan | None
    """The list that is read; none between two."""
    lists: Mapping[Listing, ListState]
    """Those that are done."""
    unread: Mapping[Listing, str]
    """Rows that the last one failed to show, in words."""


@dataclass(frozen=True, slots=True)
class Run:
    """A reconciliation under way."""

    run_id: str
    actor: str
    phase: Phase
    started_at: datetime
    """By the database's clock."""
    now: datetime
    scan: Scan | None
    lists: Mapping[Listing, ListState]
    details: int
    failures: int
    due_at: datetime
    xero_run: str | None
    after: tuple[str, str]
    months: Sequence[Month]


async def ask(connection: Connection, account: str, actor: str) -> str:
    """Ask for a reconciliation; one that is under way counts. Returns its id.

    Raises:
        LookupError: the account is not connected to SalesBinder.
    """
    name = {"account": account, "actor": actor}
    await connection.execute(_SQL["ask"], name)
    row = await open_row(connection, account)
    if row is None:
        raise LookupError(account)
    return str(row["run_id"])


async def open_run(connection: Connection, account: str) -> Run | None:
    """Return the reconciliation that was asked for and has not ended, begun; None if there is none."""
    row = await fetch_one(connection, _SQL["begin"], {"account": account})
    if row is None:
        return None
    return Run(
        row["run_id"],
        row["actor"],
        row["phase"],
        row["started_at"],
        row["now"],
        None if row["scan"] is None else msgspec.json.decode(row["scan"], type=Scan),
        row["lists"],
        row["details"],
        row["failures"],
        row["due_at"],
        row["xero_run"],
        (row["after_kind"], row["after_record"]),
        msgspec.convert(row["months"], list[Month], strict=False),
    )


async def open_row(connection: Connection, account: str) -> Row | None:
    """Return ``run_id``, ``failures`` in a row and ``now`` of the one under way; None if there is none."""
    return await fetch_one(connection, _SQL["open"], {"account": account})


async def last_asked(connection: Connection, account: str) -> datetime | None:
    """Return when the last one was asked for; None if none was."""
    row = await fetch_one(connection, _SQL["last_asked"], {"account": account})
    return None if row is None else row["asked_at"]


async def seen(connection: Connection, run_id: str) -> Row:
    """Return how far a reconciliation has come."""
    row = await fetch_one(connection, _SQL["seen"], {"run_id": run_id})
    assert row is not None
    return row


async def last_run(connection: Connection, account: str) -> Row | None:
    """Return the one that ended last with a result; None if there was none."""
    return await fetch_one(connection, _SQL["last"], {"account": account})


async def last_error(connection: Connection, account: str) -> Row | None:
    """Return the one that ended last, if it ended with an error; None otherwise."""
    row = await fetch_one(connection, _SQL["ended_last"], {"account": account})
    return row if row is not None and row["error"] is not None else None


async def under_way(connection: Connection, account: str) -> Row | None:
    """Return the one that has not ended; None if there is none."""
    row = await open_row(connection, account)
    return None if row is None else await seen(connection, str(row["run_id"]))


async def count_call(connection: Connection, run_id: str) -> None:
    """Count a call of SalesBinder's API before it is made."""
    await connection.execute(_SQL["count_call"], {"run_id": run_id})


async def put_off(connection: Connection, run_id: str, until: datetime, why: str, *, failed: bool) -> None:
    """Go on later; ``why`` says what it waits for."""
    values = {"run_id": run_id, "until": until, "why": storable(why), "failed": failed}
    await connection.execute(_SQL["put_off"], values)


async def keep_rows(
    connection: Connection,
    account: str,
    run_id: str,
    documents: Sequence[tuple[ShopDocument, bool]],
    reading: Reading,
) -> None:
    """Keep a page of documents, each with whether its detail is to be read, and how the reading goes on."""
    async with connection.cursor() as cursor:
        await cursor.executemany(
            _SQL["keep_document"],
            [
                {
                    "account": account,
                    "entity": document.entity,
                    "record_id": document.id,
                    "body": msgspec.json.encode(document),
                    "run_id": run_id,
                    "wanted": wanted,
                }
                for document, wanted in documents
            ],
        )
    values = {**_reading(reading), "run_id": run_id, "rows": len(documents)}
    await connection.execute(_SQL["rows_kept"], values)


async def page_failed(
    connection: Connection, run_id: str, reading: Reading, until: datetime, why: str
) -> None:
    """Keep how the reading goes on after a page that could not be shown, later."""
    values = {**_reading(reading), "run_id": run_id, "until": until, "why": storable(why)}
    await connection.execute(_SQL["page_failed"], values)


def _reading(reading: Reading) -> dict[str, Any]:
    return {
        "scan": None if reading.scan is None else msgspec.json.encode(reading.scan),
        "lists": msgspec.json.encode(reading.lists).decode(),
        "unread": msgspec.json.encode(reading.unread).decode(),
    }


async def next_wanted(connection: Connection, account: str, run_id: str) -> ShopDocument | None:
    """Return a document whose detail is to be read; None if all are."""
    row = await fetch_one(connection, _SQL["next_wanted"], {"account": account, "run_id": run_id})
    return None if row is None else msgspec.json.decode(row["body"], type=ShopDocument)


async def keep_detail(connection: Connection, account: str, run_id: str, document: ShopDocument) -> None:
    """Keep what a detail told of a document."""
    values = {
        "account": account,
        "run_id": run_id,
        "entity": document.entity,
        "record_id": document.id,
        "body": msgspec.json.encode(document),
    }
    await connection.execute(_SQL["keep_detail"], values)
    await connection.execute(_SQL["count_detail"], values)


async def enter(connection: Connection, run_id: str, phase: Phase) -> None:
    """Begin the next part."""
    await connection.execute(_SQL["enter"], {"run_id": run_id, "phase": phase})


async def wait_for_xero(connection: Connection, run_id: str, xero_run: str) -> None:
    """Wait for this reading of Xero."""
    await connection.execute(_SQL["wait_for_xero"], {"run_id": run_id, "xero_run": xero_run})


async def xero_read(connection: Connection, run_id: str, calls: int) -> None:
    """Note that Xero was read, with so many calls."""
    await connection.execute(_SQL["xero_read"], {"run_id": run_id, "calls": calls})


async def documents_after(
    connection: Connection, account: str, run_id: str, after: tuple[str, str], limit: int
) -> list[ShopDocument]:
    """Return the next documents that SalesBinder showed to this run."""
    values = {"account": account, "run_id": run_id, "entity": after[0], "record_id": after[1], "limit": limit}
    rows = await fetch_all(connection, _SQL["documents_after"], values)
    return [msgspec.json.decode(row["body"], type=ShopDocument) for row in rows]


async def shown_to(
    connection: Connection, account: str, run_id: str, keys: Sequence[tuple[str, str]]
) -> set[tuple[str, str]]:
    """Return those of these documents (entity, record id) that SalesBinder showed to this run."""
    values = {
        "account": account,
        "run_id": run_id,
        "entities": [entity for entity, _ in keys],
        "records": [record for _, record in keys],
    }
    rows = await fetch_all(connection, _SQL["shown_to"], values)
    return {(row["entity"], row["record_id"]) for row in rows}


async def unclear(connection: Connection, account: str, records: Sequence[str]) -> dict[str, Unclear]:
    """Return, by record id, what the reader cannot make sense of."""
    rows = await fetch_all(connection, _SQL["unclear"], {"account": account, "records": list(records)})
    return {
        row["record_id"]: Unclear(
            problem=f"{row['field']} is {row['value']}: {row['problem']}", remedy=row["remedy"]
        )
        for row in rows
    }


async def keep_results(
    connection: Connection,
    account: str,
    run_id: str,
    results: Sequence[Result],
    after: tuple[str, str],
    months: Sequence[Month],
) -> None:
    """Keep compared documents, and how far the comparing has come."""
    async with connection.cursor() as cursor:
        await cursor.executemany(
            _SQL["keep_result"],
            [
                {
                    "account": account,
                    "run_id": run_id,
                    "kind": each.compared.kind,
                    "record_id": each.compared.record_id,
                    "number": storable(each.number),
                    "day": each.compared.day,
                    "agrees": each.compared.agrees,
                    "why": each.reason.code if each.reason is not None else "",
                    "is_news": each.is_news,
                    "digest": each.digest,
                    "body": msgspec.json.encode(each),
                }
                for each in results
            ],
        )
    values = {
        "run_id": run_id,
        "kind": after[0],
        "record_id": after[1],
        "months": msgspec.json.encode(months).decode(),
    }
    await connection.execute(_SQL["compared"], values)


async def finish(connection: Connection, account: str, run_id: str, error: str | None) -> None:
    """End a run. Without an error, its results alone stand from now on."""
    error = None if error is None else storable(error)
    values = {"account": account, "run_id": run_id, "error": error}
    if error is None:
        await connection.execute(_SQL["forget_others"], values)
        await connection.execute(_SQL["forget_documents"], values)
    await connection.execute(_SQL["finish"], values)
    await connection.execute(_SQL["forget_old"], values)


async def results(
    connection: Connection,
    account: str,
    since: date | None = None,
    until: date | None = None,
    *,
    only_differing: bool = False,
    limit: int | None = None,
    after: Place | None = None,
) -> AsyncIterator[tuple[Result, datetime]]:
    """Yield the results of the last comparison by day of issue, each with when its difference was found
    first; those without a day come last, and only where no day is asked for. ``after``: only those behind.
    """
    day, kind, number, record = after or ("-infinity", "", "", "")
    values: dict[str, Any] = {
        "account": account,
        "since": since,
        "until": until,
        "only_differing": only_differing,
        "last_day": day,
        "last_kind": kind,
        "last_number": storable(number),
        "last_record": record,
    }
    left = limit
    while left is None or left > 0:
        values["limit"] = _PAGE if left is None else min(_PAGE, left)
        rows = await fetch_all(connection, _SQL["results"], values)
        for row in rows:
            yield msgspec.json.decode(row["body"], type=Result), row["first_seen_at"]
        if len(rows) < values["limit"]:
            return
        left = None if left is None else left - len(rows)
        names = ("kind", "number", "record_id")
        last_kind, last_number, last_record = (rows[-1][name] for name in names)
        values |= {"last_day": rows[-1]["last_day"], "last_kind": last_kind}
        values |= {"last_number": last_number, "last_record": last_record}
