"""Find out in Xero what was perhaps sent: an account's lane reads, then its findings are matched.

Everything that was changed in Xero since the ledger last knew it is read page by page; for few records, only
the objects with their numbers. Possible matches are kept by their mark. Then the records are matched, some at
a time, each in one transaction: links are written, actions that have been done end, and the planner goes on
from there. The progress is committed with each step; a worker that takes over the account continues there.
"""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

import structlog

from contracts.commands import ContactSnapshot
from contracts.json import JsonObject
from runtime.database import Row, fetch_all
from runtime.sql import load_queries
from sinks.drift.scan import LISTS
from sinks.lanes.lane import Lane
from sinks.lanes.planning import write_and_publish
from sinks.lanes.side_jobs import SideJob
from sinks.lanes.single_get import NoUsableAnswer, read
from sinks.ledger import store as ledger
from sinks.ledger.entries import Entry, entry_of_archived, entry_of_row
from sinks.recover.contacts import match_contact
from sinks.recover.invoices import match_invoice
from sinks.recover.orders import match_order
from sinks.recover.reading import (
    RECORDS,
    Asked,
    Formats,
    documents_by_number,
    envelope_of,
    kept,
    keys_of,
    money_on,
    next_page,
    page_of,
)
from sinks.recover.record import Findings, Record
from sinks.xero.call_guard import machine_seconds
from sinks.xero.elements import Link, StepKey, encode_jsonb
from sinks.xero.responses import decode

log = structlog.stdlib.get_logger(__name__)

SQL = load_queries(__file__)
_CONTACTS = ("customer", "supplier")


@dataclass(frozen=True, slots=True)
class _Clearing:
    since: datetime | None
    by_number: bool
    phase: int
    page: int
    calls: int
    trusted_in: float


async def step(lane: Lane, _request: str) -> float:
    """Make the next step; returns the seconds after which the one behind it is due, 0 for at once.

    Raises:
        NoUsableAnswer: Xero did not answer; the same step is to be made again.
        LeaseLost, LedgerHeld: another worker goes on with it, or nobody may.
    """
    async with lane.pool.connection() as connection:
        rows = await fetch_all(connection, SQL["open"], {"account": lane.account})
        if not rows:
            return 0.0
        clearing = _Clearing(**rows[0])
        flagged = await fetch_all(connection, SQL["flagged"], {"account": lane.account, "limit": RECORDS})
    if clearing.trusted_in > 0 and flagged:
        return clearing.trusted_in
    if not flagged:
        await _end(lane)
    elif clearing.by_number:
        await _look_up(lane, flagged)
        await _match(lane, flagged)
    elif clearing.phase < len(LISTS):
        await _read_page(lane, clearing)
    else:
        await _match(lane, flagged)
    return 0.0


CLEARING = SideJob("clearing", step, when_idle=False)
"""Actions that may have been sent wait for it."""


async def begin(
    connection: ledger.Connection,
    account: str,
    *,
    since: datetime | None,
    by_number: bool,
    trusted_in: float,
    actor: str,
) -> None:
    """Have the account's lane find out what was perhaps sent; part of the caller's transaction.

    Args:
        since: by the database's clock: the ledger knows everything that was sent before. None if that moment
            is not known.
        trusted_in: seconds from now after which an unknown call can have no more effect.
    """
    parameters = {
        "account": account,
        "since": since,
        "by_number": by_number,
        "trusted_in": trusted_in,
        "actor": actor,
    }
    await connection.execute(SQL["begin"], parameters)


# Reading


async def _read_page(lane: Lane, clearing: _Clearing) -> None:
    asked = page_of(clearing.phase, clearing.page, clearing.since)
    listed, document = await _ask(lane, asked)
    more = next_page(asked, listed, document) is not None
    await _keep(
        lane,
        kept(asked.envelope, listed),
        phase=clearing.phase if more else clearing.phase + 1,
        page=clearing.page + 1 if more else 1,
    )


async def _look_up(lane: Lane, flagged: Sequence[JsonObject]) -> None:
    """Look up documents by their numbers first, then the money on those that are there."""
    commands = [entry.command for entry in await _histories(lane, flagged)]
    current = lane.session.connection
    assert current is not None
    keys = _keys(lane.account, flagged)
    async with lane.pool.connection() as connection:
        known = await fetch_all(connection, SQL["formats"], {"account": lane.account})
        linked = await fetch_all(connection, SQL["linked_documents"], keys)
    formats = Formats(
        frozenset({current.settings.invoice_number_format, *_named(known, "invoice_number_format")}),
        frozenset(
            {current.settings.purchase_order_number_format, *_named(known, "purchase_order_number_format")}
        ),
    )
    found, calls = await _ask_all(lane, documents_by_number(commands, formats))
    ids = [row["xero_id"] for row in found if envelope_of(row["key"]) in ("Invoices", "CreditNotes")]
    money, more = await _ask_all(lane, money_on(dict.fromkeys([*ids, *(r["xero_id"] for r in linked)])))
    await _keep(lane, [*found, *money], calls=calls + more)


def _named(rows: Sequence[JsonObject], key: str) -> list[str]:
    return [row["value"] for row in rows if row["key"] == key]


async def _ask_all(lane: Lane, several: Iterable[Asked]) -> tuple[list[Row], int]:
    found, calls = [], 0
    for first in several:
        asked: Asked | None = first
        while asked is not None:
            listed, document = await _ask(lane, asked)
            calls += 1
            found += kept(asked.envelope, listed)
            asked = next_page(asked, listed, document)
    return found, calls


async def _ask(lane: Lane, asked: Asked) -> tuple[list[JsonObject], JsonObject]:
    """Return the objects that a call lists, and its whole response. Waits until the account's limits allow
    it.

    Raises:
        NoUsableAnswer: no response that can be read.
    """
    while (wait := lane.budget.wait(machine_seconds())) != 0.0:  # noqa: ASYNC110 - no event ends Xero's minute
        await asyncio.sleep(min(wait or 0.2, 1.0))
    answer = await read(lane, asked.request)
    if answer.status == 304:
        return [], {}
    document = decode(answer.body)
    if answer.status != 200 or not isinstance(document, Mapping):
        lane.state.back_off()
        said = answer.body[:200].decode(errors="replace")
        raise NoUsableAnswer(f"Xero answered {answer.status} to GET {asked.request.path}: {said}")
    listed = [one for one in document.get(asked.envelope) or () if isinstance(one, Mapping)]
    return listed, document


async def _keep(
    lane: Lane, shown: Sequence[JsonObject], *, phase: int = 0, page: int = 1, calls: int = 1
) -> None:
    async with lane.transaction("clearing_read", locked=False) as connection:
        unique = {(row["key"], row["xero_id"]): row for row in shown}
        parameters = {"account": lane.account, "shown": encode_jsonb(list(unique.values()))}
        await connection.execute(SQL["keep"], parameters)
        progress = {"account": lane.account, "phase": phase, "page": page, "calls": calls}
        await connection.execute(SQL["progress"], progress)


# Matching


async def _match(lane: Lane, flagged: Sequence[JsonObject]) -> None:
    """Match some records and let their actions go on."""
    async with lane.transaction("clearing") as connection:
        records = await _records(connection, lane, flagged)
        links: dict[StepKey, Link] = {}
        entries: list[Entry] = []
        acted: list[str] = []
        for record in records:
            findings = _match_one(record, links)
            links |= findings.links
            entries += findings.entries.values()
            acted += [e.command_id for e in record.entries if e.seq in findings.acted()]
        await ledger.write_links(connection, lane.account, links.values())
        await write_and_publish(connection, entries, lane.addresses)
        keys = _keys(lane.account, flagged)
        await connection.execute(SQL["resolve_open"], keys)
        await connection.execute(SQL["clear"], {**keys, "acted": acted})
    log.info("found out what was perhaps sent", account=lane.account, records=len(flagged), links=len(links))
    lane.more = True


def _match_one(record: Record, made: Mapping[StepKey, Link]) -> Findings:
    """Return the findings for one record. Contacts are matched before the documents that name them.

    A bug ends the lane, and the account pauses itself if it happens again: nothing may be sent for a record
    that was not matched.
    """
    findings = Findings()
    for side, record_id, known in _contacts_of(record):
        match_contact(record, side, record_id, known, findings)
    whole = replace(record, links={**record.links, **made, **findings.links})
    found = {"invoice": match_invoice, "purchase_order": match_order}.get(record.entity)
    more = found(whole) if found is not None else Findings()
    findings.links |= more.links
    findings.entries |= more.entries
    return findings


def _contacts_of(record: Record) -> list[tuple[str, str, list[tuple[int, ContactSnapshot]]]]:
    known: defaultdict[tuple[str, str], list[tuple[int, ContactSnapshot]]] = defaultdict(list)
    for entry in record.entries:
        contact = entry.command.party
        if contact is not None:
            known[contact.side, contact.record_id].append((entry.seq, contact))
    return [(side, record_id, several) for (side, record_id), several in known.items()]


async def _records(connection: ledger.Connection, lane: Lane, flagged: Sequence[JsonObject]) -> list[Record]:
    current = lane.session.connection
    assert current is not None and current.facts is not None
    rows = await fetch_all(connection, SQL["histories"], _keys(lane.account, flagged))
    entries = [_entry(row) for row in rows]
    marked = frozenset(str(row["command_id"]) for row in rows if row["perhaps_sent"])
    histories: defaultdict[tuple[str, str], list[Entry]] = defaultdict(list)
    for entry in entries:
        histories[entry.record].append(entry)
    documents = [record for entity, record in histories if entity not in _CONTACTS]
    parties = [f"{c.side}/{c.record_id}" for e in entries if (c := e.command.party) is not None]
    links = await ledger.links(connection, lane.account, documents, dict.fromkeys(parties))
    parameters = {
        "account": lane.account,
        "keys": keys_of([entry.command for entry in entries], current.settings),
        "xero_ids": [link.xero_id for link in links.values() if link.xero_id],
    }
    shown = await fetch_all(connection, SQL["shown"], parameters)
    linked = await ledger.linked(connection, lane.account, [row["xero_id"] for row in shown])
    now = await ledger.database_time(connection)
    by_key: defaultdict[str, list[JsonObject]] = defaultdict(list)
    for one in shown:
        by_key[one["key"]].append(one)
    found = []
    for (entity, record_id), history in histories.items():
        own = {t: link for t, link in links.items() if t.record_id == record_id or t.kind == "contact"}
        ids = {link.xero_id for t, link in own.items() if t.record_id == record_id}
        keys = keys_of([entry.command for entry in history], current.settings)
        rows_of = [one for key in keys for one in by_key[key]]
        rows_of += [one for one in shown if one["xero_id"] in ids]
        envelopes: defaultdict[str, dict[str, JsonObject]] = defaultdict(dict)
        for own_row in rows_of:
            envelopes[envelope_of(own_row["key"])][own_row["xero_id"]] = own_row["body"]
        found.append(
            Record(
                account=lane.account,
                entity=entity,
                record_id=record_id,
                entries=history,
                flagged=marked,
                links=own,
                shown={name: list(several.values()) for name, several in envelopes.items()},
                elsewhere=frozenset(
                    x
                    for x, owner, target in linked
                    if target.kind != "contact" and (owner != lane.account or target.record_id != record_id)
                ),
                settings=current.settings,
                facts=current.facts,
                now=now,
            )
        )
    found.sort(key=lambda one: one.entity not in _CONTACTS)
    return found


async def _histories(lane: Lane, flagged: Sequence[JsonObject]) -> list[Entry]:
    async with lane.pool.connection() as connection:
        rows = await fetch_all(connection, SQL["histories"], _keys(lane.account, flagged))
    return [_entry(row) for row in rows]


def _entry(row: Row) -> Entry:
    return entry_of_row(row) if row["archived_at"] is None else entry_of_archived(row)


def _keys(account: str, flagged: Sequence[JsonObject]) -> Row:
    return ledger.records_of(account, [(row["entity"], row["record_id"]) for row in flagged])


async def _end(lane: Lane) -> None:
    async with lane.transaction("clearing_end", locked=False) as connection:
        await connection.execute(SQL["end"], {"account": lane.account})
        await connection.execute(SQL["forget"], {"account": lane.account})
    log.info("all that was perhaps sent is found out", account=lane.account)
