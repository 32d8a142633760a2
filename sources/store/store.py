"""Statements of the schema ``source``. All of a worker's go through a transaction that checks its lease."""

from collections.abc import AsyncIterator, Mapping, Sequence, Set
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec
from psycopg.rows import dict_row

from runtime.database import Connection, fetch_all, fetch_one
from runtime.sql import load_queries
from sources.batch import Wish
from sources.diff.look import Shrunk
from sources.schedule.choice import Standing, Wanted
from sources.schedule.layers import Listing
from sources.schedule.scans import Finished, Scan
from sources.schedule.trust import Evidence, Kind

LEASE_SECONDS: Final = 70.0
"""Longer than the deadline of a call; each transaction of the worker renews it."""
HINT_CHANNEL: Final = "source_hints"
"""Each hint is told here, with its account, so that an idle reader does not sleep on."""
MOST_HINTED: Final = 200
"""Details that hints may have waiting, about; more ids of hints are not looked at first."""

UNPROVEN: Final = "salesbinder_key_unproven"
"""Trouble of an account whose key is not known to be of its company."""
_MOST_PROBLEMS: Final = 100
"""Problems that are named with the account; beyond them, each answer may end one."""

_SQL = load_queries(__file__)
_scan = msgspec.json.Decoder(Scan)
_finished = msgspec.json.Decoder(Finished)
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
    """Lists in a row that may not be read."""
    missing: int
    """Lists in a row that were not there, or not answered with one."""
    standing: Standing
    wishes: Mapping[str, Wish]
    problems: Set[tuple[str, str]] | None = None
    """What cannot be made sense of: records or lists; none if there are too many to name."""
    cut_off: datetime | None = None
    """Documents created before it are not synced; none: the account is not connected to Xero."""

    is_unproven: bool = False
    """Whether it is not sure that the key is of this company."""

    @property
    def is_well(self) -> bool:
        """Return True if an answer of use ends no trouble and no count."""
        counts = (self.failures, self.refusals, self.missing, self.standing.refused_details)
        return not any(counts) and self.standing.blocked_until is None


async def connect(
    connection: Connection, account: str, encrypted_key: bytes, *, unproven: str | None = None
) -> None:
    """Connect an account, or give a connected one another key; what is known of it stays.

    ``unproven``: why it is not sure that the key is of this company; None if it is.
    """
    values: dict[str, Any] = {"account": account, "key": encrypted_key, "text": unproven or ""}
    values["trouble"] = UNPROVEN if unproven is not None else None
    async with connection.transaction():
        await connection.execute(_SQL["reader_waits"], values)
        await connection.execute(_SQL["connect"], values)


async def accounts(connection: Connection) -> dict[str, bytes]:
    """Return the encrypted key of each connected account."""
    rows = await fetch_all(connection, _SQL["accounts"])
    return {row["account"]: bytes(row["api_key_encrypted"]) for row in rows}


async def set_shrunk(connection: Connection, account: str, shrunk: Shrunk) -> Shrunk:
    """Set how a payment that becomes smaller is read from now on; return how it was.

    Raises:
        LookupError: the account is not connected.
    """
    row = await fetch_one(connection, _SQL["set_shrunk"], {"account": account, "shrunk": shrunk})
    if row is None:
        raise LookupError(account)
    before: Shrunk = row["shrunk"]
    return before


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
    values = {"account": account, "most": _MOST_PROBLEMS + 1}
    # In binary, or each scan came in hexadecimal digits. A statement more costs as much as all of its rows.
    async with connection.cursor(binary=True, row_factory=dict_row) as cursor:
        (row,) = await (await cursor.execute(_SQL["standing"], values)).fetchall()
    scans = _rows(row, "keys", "scans", "finished", "held")
    wanted = _rows(row, "wanted", "why", "due", "digests", "tries", "entities")
    wishes = [
        Wish(record_id, why, due, digest, tries, entity or None)
        for record_id, why, due, digest, tries, entity in wanted
    ]
    standing = Standing(
        sent=row["sent"] or (),
        background=row["background"] or (),
        sent_for_hints=row["sent_for_hints"] or (),
        finished={key: _finished.decode(done) for key, _, done, _ in scans if done is not None},
        scans={key: _scan.decode(scan) for key, scan, _, _ in scans if scan is not None},
        held={key: until for key, _, _, until in scans if until is not None},
        wanted=[Wanted(wish.record_id, wish.why, wish.at, wish.of_account) for wish in wishes],
        trust=_trust.decode(row["trust"]),
        blocked_until=row["held_until"],
        open_statuses=_statuses.decode(row["statuses"]),
        widened=row["widened"],
        hinted=row["hinted_at"],
        refused_details=row["refused_details"],
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
        _problems(row["problems"]),
        row["cut_off"],
        row["unproven"],
    )


def _rows(row: Mapping[str, Any], *columns: str) -> list[tuple[Any, ...]]:
    """Return the rows of which ``row`` has the columns as arrays; none if there were none."""
    return [*zip(*(row[name] or () for name in columns), strict=True)]


def _problems(found: Sequence[str]) -> frozenset[tuple[str, str]] | None:
    if len(found) > _MOST_PROBLEMS:
        return None
    parts = [each.partition(" ") for each in found]
    return frozenset((entity, record_id) for entity, _, record_id in parts)


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
            values = {**name, "ids": list(ids), "most": MOST_HINTED}
            await connection.execute(_SQL["hint_at"], values)
        await connection.execute(_SQL["tell_of_hint"], {**name, "channel": HINT_CHANNEL})
    return True


def _of(lease: Lease) -> dict[str, Any]:
    return {
        "account": lease.account,
        "holder": lease.holder,
        "fence": lease.fence,
        "ttl": LEASE_SECONDS,
    }
