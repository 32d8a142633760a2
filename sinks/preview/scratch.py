"""Copy the ledger's knowledge of some records into temporary tables, for planning that must not be kept.

The ledger's own statements run on the copy: their tables are looked up among the temporary ones. If a
statement names a real table nevertheless, PostgreSQL refuses it, since the session is then in a read-only
transaction, in which only temporary tables can be written. Real tables are locked only while copying, and
only against changes of the tables themselves.
"""

import re
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any, LiteralString

import psycopg
from psycopg.abc import Params, Query

from connections import store
from contracts.commands import Command, ContactSnapshot, decode_command, encode_command
from runtime.database import Row, fetch_all
from runtime.sql import load_queries
from sinks.ledger import store as ledger
from sinks.ledger.packing import unpack

_SQL = load_queries(__file__)
_TABLE = re.compile(r"\b(ledger|connections)\.(?=\w)(?!of_one_organisation)")
_COPIES = (
    "copy_commands",
    "copy_event_ids",
    "give_bodies",
    "go_on_counting",
    "copy_snapshots",
    "copy_links",
    "copy_elements",
    "copy_exchange_rates",
    "copy_drift",
    "copy_connection",
    "copy_settings",
    "copy_facts",
    "lease",
    "generation",
)


class _CopyCursor(psycopg.AsyncCursor[Any]):
    """Reads and writes the copies of the tables that a statement names."""

    async def execute(
        self,
        query: Query,
        params: Params | None = None,
        *,
        prepare: bool | None = None,
        binary: bool | None = None,
    ) -> "_CopyCursor":
        if not isinstance(query, str):
            raise TypeError(f"only texts can be turned to the copy: {query!r}")
        return await super().execute(on_copy(query), params, prepare=prepare, binary=binary)


def on_copy(statement: LiteralString) -> LiteralString:
    """Return the statement with the ledger's and the connections' tables replaced by their copies."""
    return _TABLE.sub(r"pg_temp.\1_", statement)


@dataclass(frozen=True, slots=True)
class Scratch:
    """The pool of a lane that works on the copy: one connection, one transaction that is never committed."""

    database: ledger.Connection
    link: store.Connection

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[ledger.Connection]:
        """Lend the one connection."""
        yield self.database

    async def rows(self, name: str, parameters: Row | None = None) -> list[Row]:
        """Return the rows of a statement of this module's own."""
        return await fetch_all(self.database, _SQL[name], parameters)


@asynccontextmanager
async def scratch(
    database: ledger.Connection, account: str, commands: Sequence[Command]
) -> AsyncIterator[Scratch]:
    """Copy what the ledger knows about the commands' records and contacts.

    Args:
        database: in autocommit mode; its session is of no use for anything else afterwards.

    Raises:
        NotConnected: the account has no connection.
    """
    await database.execute(_SQL["begin"])
    link = await store.load_connection(database, account)
    if link is None:
        raise store.NotConnected(account)
    await database.execute(_SQL["tables"])
    parameters = await _wanted(database, account, commands, link)
    for name in _COPIES:
        await database.execute(_SQL[name], parameters)
    await database.execute("COMMIT")
    database.cursor_factory = _CopyCursor
    await database.execute(_SQL["plan_only"])
    try:
        yield Scratch(database, link)
    finally:
        await database.rollback()


async def _wanted(
    database: ledger.Connection, account: str, commands: Sequence[Command], link: store.Connection
) -> Row:
    """Return the parameters of the copying statements: records, contacts, and others that may have the same
    name.
    """
    records = sorted({(c.entity, c.record_id) for c in commands})
    known: Row = {
        **ledger.records_of(account, records),
        "command_ids": [c.command_id for c in commands],
        "content_hashes": [c.event.content_hash for c in commands],
        "bodies": [encode_command(c) for c in commands],
    }
    cursor = await database.execute(_SQL["open_commands"], known)
    before = [decode_command(unpack(bytes(row[0]))) for row in await cursor.fetchall()]
    contacts = _contacts((*before, *commands))
    numbers = {
        form.replace("{number}", c.record_number)
        for c in commands
        for form in (link.settings.invoice_number_format, link.settings.purchase_order_number_format)
        if c.record_number
    }
    snapshots = sorted({*records, *((c.side, c.record_id) for c in contacts)})
    return known | {
        "snapshot_entities": [entity for entity, _ in snapshots],
        "snapshot_records": [record for _, record in snapshots],
        "link_records": sorted({*known["records"], *(f"{c.side}/{c.record_id}" for c in contacts)}),
        "called": sorted({c.name for c in contacts} | numbers),
    }


def _contacts(commands: Iterable[Command]) -> list[ContactSnapshot]:
    return [c.party for c in commands if c.party is not None]
