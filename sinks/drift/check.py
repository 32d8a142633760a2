"""Read the history of records in bulk: the state that it asks for, and the objects in it that are linked to
nothing.

Xero is not asked here. If the ledger itself differs from what the history asks for, the reading looks the
object up by its id; so a list that shows only changes in Xero does not hide it.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from decimal import Decimal

import structlog

from connections.facts import OrganisationFacts
from connections.settings import Settings
from contracts.commands import ContactSnapshot, decode_command
from runtime.database import Row, fetch_all
from runtime.sql import load_queries
from sinks.drift.compare import Sent
from sinks.drift.record import Record, Said, Wanted, record_of
from sinks.drift.wanted import Given, wanted
from sinks.drift.wanted_contacts import contact_wanted, times_told
from sinks.ledger import store as ledger
from sinks.ledger.packing import unpack
from sinks.planner.contacts import contact_target
from sinks.xero.elements import Link, StepKey

log = structlog.stdlib.get_logger(__name__)

_Key = tuple[str, str]


async def wanted_of(
    connection: ledger.Connection,
    account: str,
    settings: Settings,
    facts: OrganisationFacts,
    puts: Sequence[Sent],
    of_records: Mapping[str, Sequence[Sent]],
) -> dict[StepKey, Wanted]:
    """Return, by target, the state that the history of their records asks for. A record whose history cannot
    be read is left out.

    Args:
        puts: what is compared.
        of_records: all that is linked for the documents among them, by record id.
    """
    keys = {record_of(put.link.target) for put in puts if put.link.target.kind != "contact"}
    found = await wanted_of_records(connection, account, settings, facts, keys, of_records)
    contacts = [put for put in puts if put.link.target.kind == "contact"]
    return found | await _wanted_contacts(connection, account, contacts)


async def wanted_of_records(
    connection: ledger.Connection,
    account: str,
    settings: Settings,
    facts: OrganisationFacts,
    keys: Collection[_Key],
    of_records: Mapping[str, Sequence[Sent]],
) -> dict[StepKey, Wanted]:
    """Return, by target, the state that the histories of these documents (entity, record id) ask for."""
    if not keys:
        return {}
    said, billed_only = await _said(connection, account, keys)
    parties = {
        contact_target(one.command.document.contact).record_id
        for told in said.values()
        for one in told
        if one.command.document is not None
    }
    rows = await fetch_all(connection, _SQL["contacts"], {"account": account, "records": sorted(parties)})
    contacts = {row["record_id"]: row["xero_id"] for row in rows}
    given = Given(account, settings, facts, contacts, frozenset(billed_only))
    found: dict[StepKey, Wanted] = {}
    for (entity, record_id), told in said.items():
        own = {put.link.target: put for put in of_records.get(record_id, ())}
        record = Record(entity, record_id, told, own)
        try:
            found |= wanted(record, given)
        except (KeyError, TypeError, ValueError, ArithmeticError, AttributeError):
            log.exception("a history could not be read", entity=entity, record_id=record_id)
    return found


async def _said(
    connection: ledger.Connection, account: str, keys: Collection[_Key]
) -> tuple[dict[_Key, list[Said]], set[str]]:
    parameters = ledger.records_of(account, sorted(keys))
    found: defaultdict[_Key, list[Said]] = defaultdict(list)
    billed_only = set()
    for row in await fetch_all(connection, _SQL["history"], parameters):
        found[row["entity"], row["record_id"]].append(_of_row(row))
        if row["by_other_setting"]:
            billed_only.add(row["command_id"])
    return found, billed_only


def _of_row(row: Row) -> Said:
    return Said(
        seq=row["seq"],
        command_id=row["command_id"],
        state=row["state"],
        outcome=row["outcome"] or "",
        reason_code=row["reason_code"] or "",
        command=decode_command(unpack(bytes(row["body"]))),
        share=None if row["share"] is None else Decimal(row["share"]),
        xero_type=row["xero_type"],
        warned=tuple(row["warned"]),
    )


async def _wanted_contacts(
    connection: ledger.Connection, account: str, puts: Sequence[Sent]
) -> dict[StepKey, Wanted]:
    """Return the contacts for which events carried something that was not sent."""
    keys = [tuple(put.link.target.record_id.split("/", 1)) for put in puts]
    known = await ledger.snapshots(connection, account, [(key[0], key[-1]) for key in keys])
    unsent: list[tuple[Sent, ContactSnapshot]] = []
    times: set[datetime] = set()
    for put, key in zip(puts, keys, strict=True):
        snapshot = known.get((key[0], key[-1]))
        if isinstance(snapshot, ContactSnapshot) and (told := times_told(put, snapshot)):
            unsent.append((put, snapshot))
            times |= told
    if not unsent:
        return {}
    rows = await fetch_all(connection, _SQL["told_at"], {"account": account, "times": sorted(times)})
    said = [_of_row(row) for row in rows]
    return {put.link.target: contact_wanted(put, snapshot, said) for put, snapshot in unsent}


async def next_records(
    connection: ledger.Connection, account: str, since: datetime | None, after: _Key, limit: int
) -> list[_Key]:
    """Return the records (entity, record id) after this one with an action that has ended since; in order."""
    parameters = {
        "account": account,
        "since": since,
        "entity": after[0],
        "record_id": after[1],
        "limit": limit,
    }
    return [
        (row["entity"], row["record_id"])
        for row in await fetch_all(connection, _SQL["next_records"], parameters)
    ]


async def missing_contacts(connection: ledger.Connection, account: str, keys: Iterable[_Key]) -> list[Wanted]:
    """Return the customers and suppliers that Xero has according to the log, and that are linked to
    nothing.
    """
    parameters = ledger.records_of(account, sorted(keys))
    found: dict[StepKey, Wanted] = {}
    for row in await fetch_all(connection, _SQL["contacts_without"], parameters):
        one = _of_row(row)
        target = StepKey("contact", f"{row['entity']}/{row['record_id']}")
        name = one.command.contact.name if one.command.contact else one.command.party_name
        found[target] = Wanted(Sent(Link(target, ""), {}), f"contact {name}", one)
    return list(found.values())


_SQL = load_queries(__file__)
