"""Statements that keep what an answer changed, and read what is known of records.

All of a worker's go through a transaction that checks its lease (``sources.store.store.fenced``).
"""

import json
from collections.abc import Iterable, Mapping, Sequence, Set
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
from psycopg.rows import tuple_row

from contracts.commands import Entity
from runtime.database import Connection, fetch_all, fetch_one
from runtime.sql import load_queries
from sources.batch import ACCOUNTS, AGAIN, DOCUMENTS, Batch, Kept, KeptInBrief, Key, Wish
from sources.entries import entry, has_entry
from sources.problems import Problem, storable
from sources.schedule.layers import Listing
from sources.schedule.scans import Finished, Step, finished
from sources.schedule.trust import Evidence, Kind

_SQL: Final = load_queries(__file__)
_body = msgspec.json.Decoder(Kept)
_in_brief = msgspec.json.Decoder(list[KeptInBrief])


async def kept(connection: Connection, account: str, ids: Iterable[str]) -> dict[Key, Kept]:
    """Return what is kept of the records with these ids."""
    if not (named := sorted(ids)):
        return {}
    return await _records(connection, "kept", {"account": account, "ids": named})


async def kept_in_brief(
    connection: Connection, account: str, entity: Entity, ids: Iterable[str]
) -> dict[str, KeptInBrief]:
    """Return what tells whether rows of the records with these ids are as before."""
    values = {"account": account, "entity": entity, "ids": "\n".join(ids)}
    # All in one row: as many rows, and an array of ids, would cost as much as reading them.
    async with connection.cursor(binary=True, row_factory=tuple_row) as cursor:
        await cursor.execute(_SQL["kept_in_brief"], values)
        found = await cursor.fetchone()
    if found is None or found[0] is None:
        return {}
    named, bodies = found
    return dict(zip(named.split("\n"), _in_brief.decode(b"[%b]" % bodies), strict=True))


async def lately_kept(connection: Connection, account: str, limit: int) -> dict[Key, Kept]:
    """Return the records that changed last, as many of each kind."""
    kinds = [*ACCOUNTS.values(), *DOCUMENTS.values()]
    values = {"account": account, "entities": kinds, "limit": limit}
    return await _records(connection, "lately_kept", values)


async def _records(connection: Connection, statement: str, values: Mapping[str, Any]) -> dict[Key, Kept]:
    # In binary, or each body came in hexadecimal digits: a sweep reads all records.
    async with connection.cursor(binary=True, row_factory=tuple_row) as cursor:
        await cursor.execute(_SQL[statement], values)
        rows = await cursor.fetchall()
    return {(entity, record_id): _kept(body, history) for entity, record_id, body, history in rows}


def _kept(body: bytes, history: bool) -> Kept:
    """Return the record; an operator decides about ``history`` while the reader knows the rest."""
    found = _body.decode(body)
    return found if found.history == history else msgspec.structs.replace(found, history=history)


async def keep(
    connection: Connection,
    account: str,
    batch: Batch,
    asked: datetime,
    *,
    problems: Set[tuple[str, str]] | None = None,
) -> bool:
    """Keep what an answer changed, and the events that tell it; return whether there is anything to tell.

    ``asked`` is when the question was asked, by our clock: what is wanted since stays wanted. ``problems``:
    records and lists that had one, which may be over now; None if any may.
    """
    records = [
        {
            "account": account,
            "entity": entity,
            "record_id": record_id,
            "body": msgspec.json.encode(each),
            "deep_at": each.deep,
            "history": each.history,
        }
        for (entity, record_id), each in batch.kept.items()
    ]
    await _for_each(connection, "keep_record", records)
    if batch.unwanted:
        ids = sorted(batch.unwanted)
        await connection.execute(_SQL["want_no_more"], {"account": account, "ids": ids, "asked": asked})
    await _for_each(connection, "want", [{**_wish(account, wish), "asked": asked} for wish in batch.wanted])
    told = [(each.topic, each.key, each.value) for each in batch.events]
    told += await _keep_problems(connection, account, batch, problems)
    events = [{"account": account, "topic": topic, "key": key, "value": value} for topic, key, value in told]
    await _for_each(connection, "tell", events)
    return bool(told)


async def _for_each(connection: Connection, statement: str, values: Sequence[Mapping[str, Any]]) -> None:
    """Execute the statement with each of these; without any, nothing is sent."""
    if values:
        async with connection.cursor() as cursor:
            await cursor.executemany(_SQL[statement], values)


async def _keep_problems(
    connection: Connection, account: str, batch: Batch, problems: Set[tuple[str, str]] | None
) -> list[tuple[str, bytes, bytes]]:
    """Keep what cannot be made sense of; return the log's entries of that, and of what is over."""
    told: list[tuple[str, bytes, bytes]] = []
    for each in batch.problems:
        row = await fetch_one(connection, _SQL["problem"], _problem(account, each))
        if row is not None and row["is_new"] and has_entry(each.entity, each.code):
            told.append(entry(account, each, row["first_at"]))
    if batch.seen and (problems is None or problems & batch.seen):
        seen = {"account": account, "seen": json.dumps(_seen(batch))}
        for row in await fetch_all(connection, _SQL["problems_over"], seen):
            since, over = row.pop("first_at"), row.pop("over_at")
            if has_entry(row["entity"], row["code"]):
                told.append(entry(account, Problem(**row), since, over))
    return told


def _wish(account: str, wish: Wish) -> dict[str, Any]:
    return {
        "account": account,
        "record_id": wish.record_id,
        "why": wish.why,
        "due_at": wish.at,
        "row": wish.row,
        "tries": wish.tries,
        "entity": wish.entity or "",
    }


def _problem(account: str, problem: Any) -> dict[str, Any]:
    names = ("entity", "record_id", "code", "field", "value", "problem", "remedy")
    return {"account": account, **{name: storable(getattr(problem, name)) for name in names}}


def _seen(batch: Batch) -> list[dict[str, Any]]:
    codes: dict[tuple[str, str], list[str]] = {key: [] for key in batch.seen}
    for each in batch.problems:
        codes.setdefault((each.entity, each.record_id), []).append(each.code)
    return [
        {"entity": entity, "record_id": record_id, "codes": found}
        for (entity, record_id), found in codes.items()
    ]


async def in_vain(connection: Connection, account: str, entity: Entity, wishes: Sequence[Wish]) -> list[str]:
    """Return those of these records that were asked for so often in vain, for the row that a list shows again
    now, that they are to be reported, and are not yet.
    """
    values = {
        "account": account,
        "entity": entity,
        "ids": [wish.record_id for wish in wishes],
        "rows": [wish.row for wish in wishes],
        "tries": len(AGAIN),
    }
    return [row["record_id"] for row in await fetch_all(connection, _SQL["in_vain"], values)]


async def note_listed(connection: Connection, account: str, entity: Entity, ids: Iterable[str]) -> None:
    """Note that a list shows these records now, those that are reported as listed and not shown."""
    values = {"account": account, "entity": entity, "ids": sorted(ids)}
    await connection.execute(_SQL["note_listed"], values)


async def not_listed(connection: Connection, account: str, entity: Entity, since: datetime) -> list[str]:
    """Return the records that are reported as listed and not shown, and were not listed since then."""
    values = {"account": account, "entity": entity, "since": since}
    return [row["record_id"] for row in await fetch_all(connection, _SQL["not_listed"], values)]


async def keep_scan(
    connection: Connection, account: str, step: Step, now: datetime, last: Finished | None
) -> None:
    """Keep how a scan goes on; ``now`` by SalesBinder's clock, ``last`` the last whole one of its kind."""
    scan = step.scan
    done = finished(step, now, last)
    is_done = step.state == "done"
    values = {
        "account": account,
        "key": scan.key,
        "scan": None if is_done else msgspec.json.encode(scan),
        "finished": msgspec.json.encode(done) if is_done else None,
    }
    await connection.execute(_SQL["keep_scan"], values)


async def hold_scan(connection: Connection, account: str, key: str, until: datetime) -> None:
    """Leave a kind of scan alone until then; where it goes on, and from when it asks, stays."""
    await connection.execute(_SQL["hold_scan"], {"account": account, "key": key, "until": until})


async def keep_learnt(
    connection: Connection,
    account: str,
    connected: datetime,
    *,
    held_until: datetime | None,
    is_there: bool = True,
    trust: Mapping[Kind, Evidence] | None = None,
    statuses: Mapping[Listing, frozenset[str]] | None = None,
    widened: timedelta | None = None,
) -> None:
    """Keep what an answer taught about the account; its trouble is over. One that something is not there
    (404) says nothing about an account that may be gone.

    ``connected`` is the moment of the connection by SalesBinder's clock. ``held_until`` is that of when the
    question was asked: trouble that another call has had since, such as a block, is not over.
    """
    values = {
        "is_there": is_there,
        "held_until": held_until,
        "account": account,
        "connected": connected,
        "trust": None if trust is None else msgspec.json.encode(trust).decode(),
        "statuses": None if statuses is None else msgspec.json.encode(statuses).decode(),
        "widened": widened,
    }
    await connection.execute(_SQL["learnt"], values)


async def prove(connection: Connection, account: str) -> None:
    """Keep that the key is of the company that the account is known as: it is read from now on."""
    await connection.execute(_SQL["prove"], {"account": account})


async def add_refusal(connection: Connection, account: str, *, of_list: bool) -> None:
    """Count an answer that a list, or a detail, may not be read; the next one with content ends the count."""
    await connection.execute(_SQL["refusal"], {"account": account, "of_list": of_list})


async def add_missing(connection: Connection, account: str) -> None:
    """Count a list that is not there, or that something else came for; the next list that is one ends the
    count.
    """
    await connection.execute(_SQL["missing"], {"account": account})


async def keep_trouble(
    connection: Connection, account: str, trouble: str, text: str, until: datetime
) -> None:
    """Keep why an account gives no answers, and until when it is not asked: as long as another call's trouble
    says, if that is longer.
    """
    values = {"account": account, "trouble": trouble, "text": text, "until": until}
    await connection.execute(_SQL["trouble"], values)


async def to_tell(connection: Connection, account: str, limit: int) -> list[tuple[int, str, bytes, bytes]]:
    """Return the next events to publish: their place in the outbox, topic, key and value."""
    rows = await fetch_all(connection, _SQL["to_tell"], {"account": account, "limit": limit})
    return [(row["id"], row["topic"], bytes(row["key"]), bytes(row["value"])) for row in rows]


async def told(connection: Connection, ids: Sequence[int]) -> None:
    """Remove events that the broker has."""
    await connection.execute(_SQL["told"], {"ids": list(ids)})
