"""Leases and the workers that hold them, as the ledger has them."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass, field

from runtime.database import Connection, fetch_all, fetch_one
from runtime.sql import load_queries
from sinks.ledger.store import Lease

SQL = load_queries(__file__)

CHANNEL = "sbx_workers"
"""Where workers tell each other to look: one has come or goes, or an account has changed hands."""
SILENCE = 15.0
"""Seconds without a word after which a worker has no share any more, though its session lives."""
_COUNTED = 1000
"""Commands of an account that are counted at most."""


@dataclass(frozen=True, slots=True)
class Account:
    """An account that has work, or a worker."""

    name: str
    organisation: str
    """The same for all accounts that are connected to one organisation."""
    holder: int | None
    """The living worker that has it."""
    has_work: bool
    age: float | None
    """Seconds for which something has been waiting that can be worked on; None if nothing can."""


@dataclass(frozen=True, slots=True)
class Holdings:
    """Everything there is to divide, at one moment."""

    accounts: list[Account] = field(default_factory=list)
    workers: frozenset[int] = frozenset()
    """Holders that live and say so; unknown where there is no account."""


async def beat(connection: Connection, holder: int, name: str) -> bool:
    """Note that this worker lives and works. Return True when nobody knew of it before."""
    found = await fetch_one(connection, SQL["beat"], {"holder": holder, "name": name})
    new = found is not None and bool(found["new"])
    if new:
        await connection.execute(SQL["forget_the_dead"])
        await call_to_look(connection)
    return new


async def leave(connection: Connection, holder: int) -> None:
    """Note that this worker gives its accounts back and takes none any more."""
    await connection.execute(SQL["leave"], [holder])
    await call_to_look(connection)


async def call_to_look(connection: Connection) -> None:
    """Have all workers look what there is to divide, once this is committed."""
    await connection.execute(SQL["call_to_look"], [CHANNEL])


async def holdings(connection: Connection) -> Holdings:
    """Return what there is to divide, and among whom."""
    rows = await fetch_all(connection, SQL["holdings"], {"silence": SILENCE})
    accounts = [
        Account(row["account"], row["organisation"], row["holder"], row["has_work"], row["age"])
        for row in rows
    ]
    return Holdings(accounts, frozenset(rows[0]["workers"]) if rows else frozenset())


async def backlogs(connection: Connection, accounts: Collection[str]) -> dict[str, int]:
    """Return how many open commands each of the accounts has, up to a thousand."""
    parameters = {"accounts": list(accounts), "most": _COUNTED}
    return {
        row["account"]: row["commands"] for row in await fetch_all(connection, SQL["backlogs"], parameters)
    }


async def take(connection: Connection, accounts: Iterable[str], holder: int, seconds: float) -> list[Lease]:
    """Return leases of those of the accounts that nobody has, good for so many seconds."""
    wanted = await _of_free_organisations(connection, sorted(accounts))
    leases = []
    for account in wanted:
        parameters = {"account": account, "holder": holder, "ttl": seconds}
        row = await fetch_one(connection, SQL["take_lease"], parameters)
        if row is not None:
            leases.append(Lease(account, holder, row["fence"], row["mark"]))
    return leases


async def _of_free_organisations(connection: Connection, accounts: list[str]) -> list[str]:
    """Return the accounts without those of an organisation of which another worker is just taking leases.
    Such locks are taken before the leases are looked at, so that no two workers take accounts of one
    organisation.
    """
    rows = await fetch_all(connection, SQL["lock_organisations"], [accounts])
    busy = {row["account"] for row in rows if not row["locked"]}
    return [account for account in accounts if account not in busy]


async def renew(connection: Connection, lease: Lease, seconds: float) -> bool:
    """Let the lease be good for so many seconds from now. Return False when another worker has it."""
    cursor = await connection.execute(SQL["renew_lease"], {**lease.parameters(), "ttl": seconds})
    return cursor.rowcount > 0


async def give_back(connection: Connection, lease: Lease) -> None:
    """Let others have the account; they hear of it once this is committed."""
    await connection.execute(SQL["release_lease"], lease.parameters())
    await call_to_look(connection)
