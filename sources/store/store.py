"""Statements of the schema ``source``. All of a worker's go through a transaction that checks its lease."""

import json
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec
from psycopg.rows import tuple_row

from runtime.database import Connection, fetch_all, fetch_at_once, fetch_one
from runtime.sql import load_queries
from sources.diff.look import Shrunk
from sources.entries import entry, has_entry
from sources.problems import Problem, storable
from sources.reading import AGAIN, Batch, Kept, Key, Wish
from sources.schedule.choice import Standing, Wanted
from sources.schedule.layers import Listing
from sources.schedule.scans import Finished, Scan, Step, finished
from sources.schedule.trust import Evidence, Kind

LEASE_SECONDS: Final = 70.0
"""Longer than the deadline of a call; each transaction of the worker renews it."""
HINT_CHANNEL: Final = "source_hints"
"""Each hint is told here, with its account, so that an idle reader does not sleep on."""
MOST_HINTED: Final = 200
"""Details that hints may have waiting, about; more ids of hints are not looked at first."""

_SQL = load_queries(__file__)
_STANDING: Final = [_SQL[name] for name in ("standing", "calls", "scans", "wanted", "deep")]
_body = msgspec.json.Decoder(Kept)
_trust = msgspec.json.Decoder(dict[Kind, Evidence])
_statuses = msgspec.json.Decoder(dict[Listing, frozenset[str]])


class LeaseLost(Exception):
    """Another worker reads the account; nothing of this one's is kept."""


@dataclass(frozen=True, slots=True)
class Lease:
    """The right to read an account."""

    account: str
    holder: int
    fence: int


@dataclass(frozen=True, slots=True)
class Account:
    """How far an account's reading has come."""

    now: datetime
    """By the database's clock."""
    key: bytes
    """Encrypted, as it stands in the database."""
    connected: datetime | None
    """By SalesBinder's clock; none before its first answer."""
    shrunk: Shrunk
    failures: int
    refusals: int
    """Answers in a row that something may not be read."""
    missing: int
    """Lists in a row that were not there, or not answered with one."""
    standing: Standing
    wishes: Mapping[str, Wish]
    has_problems: bool = True
    """Whether something of it cannot be made sense of."""

    def is_well_at(self, clock: datetime) -> bool:
        """Return True if an answer at this moment, by SalesBinder's clock, changes nothing of this: it ends
        no trouble and no count, and is not from before the connection.
        """
        is_well = not (self.failures or self.refusals or self.missing or self.standing.blocked_until)
        return is_well and self.connected is not None and self.connected <= clock


async def connect(connection: Connection, account: str, encrypted_key: bytes) -> None:
    """Connect an account, or give a connected one another key; what is known of it stays."""
    await connection.execute(_SQL["connect"], {"account": account, "key": encrypted_key})


async def accounts(connection: Connection) -> dict[str, bytes]:
    """Return the encrypted key of each connected account."""
    rows = await fetch_all(connection, _SQL["accounts"])
    return {row["account"]: bytes(row["api_key_encrypted"]) for row in rows}


async def take_lease(connection: Connection, account: str, holder: int) -> Lease | None:
    """Take an account that nobody reads; None if somebody does. ``holder`` is the advisory lock of a session
    of this worker: without it, the account is free for others at once.
    """
    values = {"account": account, "holder": holder, "ttl": LEASE_SECONDS}
    row = await fetch_one(connection, _SQL["take_lease"], values)
    return None if row is None else Lease(account, holder, row["fence"])


async def release_lease(connection: Connection, lease: Lease) -> None:
    """Give the account back."""
    await connection.execute(_SQL["release_lease"], _of(lease))


@asynccontextmanager
async def fenced(connection: Connection, lease: Lease) -> AsyncIterator[None]:
    """Open a transaction of the lease's holder, and renew the lease with it.

    Raises:
        LeaseLost: another worker has the account.
    """
    async with connection.transaction():
        if await fetch_one(connection, _SQL["check_fence"], _of(lease)) is None:
            raise LeaseLost(lease.account)
        yield


async def load(connection: Connection, account: str) -> Account:
    """Return how far the account's reading has come."""
    name = {"account": account}
    (row,), calls, scans, wanted, deep = await fetch_at_once(connection, _STANDING, name)
    wishes = [
        Wish(
            each["record_id"],
            each["why"],
            each["due_at"],
            each["row_digest"],
            each["tries"],
            each["entity"] or None,
        )
        for each in wanted
    ]
    wishes += [Wish(each["record_id"], "deep", each["deep_at"], entity=each["entity"]) for each in deep]
    standing = Standing(
        sent=[each["at"] for each in calls],
        background=[each["at"] for each in calls if each["background"]],
        sent_for_hints=[each["at"] for each in calls if each["hinted"]],
        finished={
            each["key"]: msgspec.json.decode(each["finished"], type=Finished)
            for each in scans
            if each["finished"] is not None
        },
        scans={
            each["key"]: msgspec.json.decode(each["scan"], type=Scan)
            for each in scans
            if each["scan"] is not None
        },
        held={each["key"]: each["held_until"] for each in scans if each["held_until"] is not None},
        wanted=[Wanted(wish.record_id, wish.why, wish.at, wish.of_account) for wish in wishes],
        trust=_trust.decode(row["trust"]),
        blocked_until=row["held_until"],
        open_statuses=_statuses.decode(row["statuses"]),
        widened=row["widened"],
        hinted=row["hinted_at"],
    )
    by_id = {wish.record_id: wish for wish in wishes}
    return Account(
        row["now"],
        bytes(row["api_key_encrypted"]),
        row["connected_clock"],
        row["shrunk"],
        row["failures"],
        row["refusals"],
        row["missing"],
        standing,
        by_id,
        row["has_problems"],
    )


async def add_call(
    connection: Connection, account: str, at: datetime, *, background: bool, hinted: bool = False
) -> None:
    """Count a call before it is made: of a worker that dies, too many are counted rather than too few."""
    values = {"account": account, "at": at, "background": background, "hinted": hinted}
    await connection.execute(_SQL["add_call"], values)


async def hint(connection: Connection, account: str, ids: Sequence[str]) -> bool:
    """Look at the account now, and at these records first; False if it is not connected."""
    name = {"account": account}
    async with connection.transaction():
        if await fetch_one(connection, _SQL["hint"], name) is None:
            return False
        if ids:
            values = {**name, "ids": list(ids), "tries": len(AGAIN) - 1, "most": MOST_HINTED}
            await connection.execute(_SQL["hint_at"], values)
        await connection.execute(_SQL["tell_of_hint"], {**name, "channel": HINT_CHANNEL})
    return True


async def kept(connection: Connection, account: str, ids: Iterable[str]) -> dict[Key, Kept]:
    """Return what is kept of the records with these ids."""
    if not (named := sorted(ids)):
        return {}
    return await _records(connection, "kept", {"account": account, "ids": named})


async def lately_kept(connection: Connection, account: str, limit: int) -> dict[Key, Kept]:
    """Return the records that changed last."""
    return await _records(connection, "lately_kept", {"account": account, "limit": limit})


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


async def keep(connection: Connection, account: str, batch: Batch, *, has_problems: bool = True) -> bool:
    """Keep what an answer changed, and the events that tell it; return whether there is anything to tell.

    ``has_problems``: whether the account had any, which may be over now.
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
        await connection.execute(_SQL["want_no_more"], {"account": account, "ids": sorted(batch.unwanted)})
    await _for_each(connection, "want", [_wish(account, wish) for wish in batch.wanted])
    told = [(each.topic, each.key, each.value) for each in batch.events]
    told += await _keep_problems(connection, account, batch, has_problems=has_problems)
    events = [{"account": account, "topic": topic, "key": key, "value": value} for topic, key, value in told]
    await _for_each(connection, "tell", events)
    return bool(told)


async def _for_each(connection: Connection, statement: str, values: Sequence[Mapping[str, Any]]) -> None:
    """Execute the statement with each of these; without any, nothing is sent."""
    if values:
        async with connection.cursor() as cursor:
            await cursor.executemany(_SQL[statement], values)


async def _keep_problems(
    connection: Connection, account: str, batch: Batch, *, has_problems: bool
) -> list[tuple[str, bytes, bytes]]:
    """Keep what cannot be made sense of; return the log's entries of that, and of what is over."""
    told: list[tuple[str, bytes, bytes]] = []
    for each in batch.problems:
        row = await fetch_one(connection, _SQL["problem"], _problem(account, each))
        if row is not None and row["is_new"] and has_entry(each.entity, each.code):
            told.append(entry(account, each, row["first_at"]))
    if batch.seen and has_problems:
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
    clock: datetime,
    *,
    held_until: datetime | None,
    is_there: bool = True,
    trust: Mapping[Kind, Evidence] | None = None,
    statuses: Mapping[Listing, frozenset[str]] | None = None,
    widened: timedelta | None = None,
) -> None:
    """Keep what an answer taught about the account; its trouble is over. One that something is not there
    (404) says nothing about an account that may be gone.

    ``held_until`` is that of the account when the question was asked: trouble that another call has had
    since, such as a block, is not over.
    """
    values = {
        "is_there": is_there,
        "held_until": held_until,
        "account": account,
        "clock": clock,
        "trust": None if trust is None else msgspec.json.encode(trust).decode(),
        "statuses": None if statuses is None else msgspec.json.encode(statuses).decode(),
        "widened": widened,
    }
    await connection.execute(_SQL["learnt"], values)


async def add_refusal(connection: Connection, account: str) -> None:
    """Count an answer that something may not be read; the next answer with content ends the count."""
    await connection.execute(_SQL["refusal"], {"account": account})


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


def _of(lease: Lease) -> dict[str, Any]:
    return {
        "account": lease.account,
        "holder": lease.holder,
        "fence": lease.fence,
        "ttl": LEASE_SECONDS,
    }
