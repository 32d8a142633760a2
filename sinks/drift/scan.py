"""Scan an account's books in Xero once, call by call, with the result of each call written down.

A call and its comparison are one step, and the progress of the reading is committed with it: a worker that
takes over the account continues there. Lists are read page by page; objects that no list has shown, and those
that our own calls were changing at that moment, are looked up by their ids at the end. Last of all, Xero is
asked who changed the objects that differ.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime

import structlog

from connections.facts import OrganisationFacts
from connections.settings import Settings
from contracts.json import JsonObject
from runtime.database import Row, fetch_all
from runtime.sql import load_queries
from sinks.drift import books
from sinks.drift.check import missing_contacts, next_records, wanted_of, wanted_of_records
from sinks.drift.compare import CompareContext, Difference, Sent, updated
from sinks.drift.context import by_record, context_of, of_documents, puts_of
from sinks.drift.history import look, next_changed
from sinks.drift.judge import Found, judge, missing
from sinks.drift.record import Wanted
from sinks.lanes.lane import Lane
from sinks.lanes.side_jobs import SideJob
from sinks.lanes.single_get import read
from sinks.ledger import store as ledger
from sinks.xero.calls import QueuedElement, make_call
from sinks.xero.client import Answer, Request
from sinks.xero.elements import Element, Link, StepKey, encode_jsonb
from sinks.xero.responses import decode
from sinks.xero.routes import ROUTES, RouteName

log = structlog.stdlib.get_logger(__name__)

PAGE = 500
"""Records per page; Xero allows 1,000, and whole documents are long."""
_MARGIN = timedelta(minutes=1)
"""By how much the next reading begins before this one, so that nothing written at that moment is missed."""


@dataclass(frozen=True, slots=True)
class Listing:
    """An endpoint that lists our objects."""

    envelope: str
    id_field: str
    kinds: tuple[str, ...]
    look_up: RouteName
    """The route by which a single one is read."""
    query: Mapping[str, str]


LISTS = (
    Listing("Contacts", "ContactID", ("contact",), "contacts.read", {"includeArchived": "true"}),
    Listing("Invoices", "InvoiceID", ("invoice", "bill"), "invoices.read", {}),
    Listing("CreditNotes", "CreditNoteID", ("credit_note",), "credit_notes.read", {}),
    Listing("PurchaseOrders", "PurchaseOrderID", ("purchase_order",), "orders.read", {}),
    Listing("Payments", "PaymentID", ("payment", "refund"), "payments.read", {}),
)
"""In this order, so that merged contacts are known before documents are compared."""
_ENDPOINTS = {kind: listing.envelope for listing in LISTS for kind in listing.kinds}
_LOOKED_UP = 20
"""About how many objects a call looks up by their ids."""
_ALONE = ("CreditNotes", "PurchaseOrders")
"""Kinds without a list by ids, each of which is looked up by itself."""


def looked_up_at_once(listing: Listing) -> int:
    """Return how many objects of a list one call looks up by their ids."""
    return 1 if listing.envelope in _ALONE else ROUTES[listing.look_up].batch


@dataclass(frozen=True, slots=True)
class Run:
    """The progress of a reading."""

    run_id: str
    account: str
    since: datetime | None
    covers: bool
    started_at: datetime | None
    phase: int
    page: int
    calls: int
    calls_expected: int
    checked: bool
    """True if the histories of the records have been read, too."""
    checked_entity: str
    checked_record: str


@dataclass(frozen=True, slots=True)
class _Asked:
    """A call to be made: a page, or some objects by their ids."""

    request: Request
    listing: Listing
    wanted: tuple[str, ...] = ()
    """For a look-up: the ids."""


async def step(lane: Lane, run_id: str) -> float:
    """Make the next call of a reading, or end it; the next step is due at once.

    Raises:
        NoUsableAnswer: Xero did not answer; the same step is to be made again.
        LeaseLost: another worker goes on with it.
    """
    async with lane.transaction("reading", locked=False) as connection:
        run = await _run(connection, run_id)
        if run.started_at is None:
            await connection.execute(_SQL["start"], {"run_id": run_id})
            if run.since is None:
                await connection.execute(_SQL["all_unread"], {"account": run.account})
        checks = run.phase >= len(LISTS) and not run.checked
        if checks:
            await _check(connection, lane, run)
        asked = None if checks else await _next(connection, run)
        asked_at = await ledger.database_time(connection)
        ends = asked is None and not checks
        changed = await next_changed(connection, run.account, run_id) if ends else None
        if ends and changed is None:
            await _finish(connection, run, None)
    if changed is not None:
        await look(lane, run_id, changed, _ENDPOINTS[changed.kind])
        return 0.0
    if asked is None:
        return 0.0
    answer = await read(lane, asked.request)
    async with lane.transaction("comparison") as connection:
        await _run(connection, run_id)  # locked before its records are, as by those who add to it
        await _compare_answer(connection, lane, run, asked, answer, asked_at)
    return 0.0


COMPARING = SideJob("drift", step, when_idle=True)
"""Only when nothing else is to be sent."""


async def _compare_answer(
    connection: ledger.Connection,
    lane: Lane,
    run: Run,
    asked: _Asked,
    answer: Answer,
    asked_at: datetime | None,
) -> None:
    document = decode(answer.body)
    missing = answer.status == 404 and len(asked.wanted) == 1
    if not missing and (answer.status not in (200, 304) or not isinstance(document or {}, Mapping)):
        said = answer.body[:300].decode(errors="replace")
        await _finish(connection, run, f"Xero answered {answer.status} to GET {asked.request.path}: {said}")
        return
    listed = [] if missing else (document or {}).get(asked.listing.envelope) or ()
    found = [one for one in listed if isinstance(one, Mapping)]
    compared = await _take_in(connection, lane, run, asked, found, asked_at)
    pages = int(((document or {}).get("pagination") or {}).get("pageCount") or 0)
    await _progress(connection, run, asked, answer, len(found), pages, compared)


async def _run(connection: ledger.Connection, run_id: str) -> Run:
    rows = await fetch_all(connection, _SQL["open_run"], {"run_id": run_id})
    return Run(**rows[0])


async def _next(connection: ledger.Connection, run: Run) -> _Asked | None:
    """Return the call that comes next; None if all is read."""
    if run.phase < len(LISTS):
        listing = LISTS[run.phase]
        query = {**listing.query, "page": str(run.page), "pageSize": str(PAGE)}
        request = Request("GET", f"/{listing.envelope}", query, None, None, run.since)
        return _Asked(request, listing)
    for listing in LISTS:
        parameters = {
            "account": run.account,
            "run_id": run.run_id,
            "kinds": list(listing.kinds),
            "limit": looked_up_at_once(listing),
        }
        rows = await fetch_all(connection, _SQL["next_unread"], parameters)
        gone = [row for row in rows if row["xero_id"] is None]
        if gone:  # the link was taken back in the meantime
            await connection.execute(_SQL["read_now"], _keys(run.account, gone))
            return await _next(connection, run)
        if rows:
            return _look_up(listing, rows)
    return None


def _look_up(listing: Listing, rows: Sequence[Row]) -> _Asked:
    """Return the call that looks these up by id. Several links may be one object, such as a contact that is
    customer and supplier.
    """
    ids = tuple(dict.fromkeys(str(row["xero_id"]) for row in rows))
    parts = [
        QueuedElement(Element(listing.look_up, "compare", StepKey("contact", xero_id), xero_id=xero_id), [])
        for xero_id in ids
    ]
    return _Asked(make_call(parts).request, listing, ids)


async def _take_in(
    connection: ledger.Connection,
    lane: Lane,
    run: Run,
    asked: _Asked,
    found: Sequence[JsonObject],
    asked_at: datetime | None,
) -> int:
    """Compare the objects that a call has shown, and store the differences. Returns how many were compared.
    Objects that our own calls were changing meanwhile are left for later.
    """
    by_id = {str(one.get(asked.listing.id_field) or ""): one for one in found}
    gone = [xero_id for xero_id in asked.wanted if xero_id not in by_id]
    await books.keep(connection, lane.account, asked.listing.envelope, [*by_id.values()], gone, asked_at)
    ids = [*by_id, *gone]
    puts = await puts_of(connection, lane.account, asked_at, xero_ids=ids)
    ours = [put for put in puts if put.link.target.kind in asked.listing.kinds]
    busy = {put.link.xero_id for put in ours if put.busy}
    now = [put for put in ours if put.link.xero_id not in busy]
    late = [put for put in ours if put.link.xero_id in busy]
    settings, facts = _known(lane)
    documents = await of_documents(connection, lane.account, now, asked_at)
    context = await context_of(connection, lane.account, facts, now, documents)
    wanted = await wanted_of(connection, lane.account, settings, facts, now, documents)
    compared, differences = [], []
    for put in now:
        shown = by_id.get(put.link.xero_id)
        target = put.link.target
        differing = _judge(put, wanted.get(target), shown, context)
        compared.append({**_key(target), "fields": [one.difference.field for one in differing]})
        differences += [_row(put.link, shown, one) for one in differing]
    parameters = {"account": lane.account, "compared": encode_jsonb(compared)}
    await connection.execute(_SQL["forget"], parameters)
    parameters = {"account": lane.account, "differences": encode_jsonb(differences)}
    await connection.execute(_SQL["keep"], parameters)
    await connection.execute(_SQL["read_now"], _keys(lane.account, [_key(p.link.target) for p in now]))
    tried_by = run.run_id if asked.wanted else None
    later = _keys(lane.account, [_key(p.link.target) for p in late])
    await connection.execute(_SQL["read_later"], {**later, "tried_by": tried_by})
    return len(now)


def _judge(
    put: Sent,
    wanted: Wanted | None,
    found: JsonObject | None,
    context: Callable[[Sent], CompareContext],
) -> list[Found]:
    """Judge one object. If something about it is odd, that must not stop the reading of all others."""
    try:
        return judge(put, wanted, found, context(put), context(wanted.put if wanted else put))
    except (KeyError, TypeError, ValueError, ArithmeticError, AttributeError) as error:
        log.exception("an object of Xero could not be compared", xero_id=put.link.xero_id)
        said = f"what Xero shows cannot be compared: {error!r}"
        return [Found(Difference("unreadable", "", said))]


def _known(lane: Lane) -> tuple[Settings, OrganisationFacts]:
    connected = lane.session.connection
    assert connected is not None and connected.facts is not None
    return connected.settings, connected.facts


async def _check(connection: ledger.Connection, lane: Lane, run: Run) -> None:
    """Check the next histories without Xero: objects that they ask for and that are linked to nothing are
    stored as missing; those for which the ledger differs from its history are looked up in Xero.
    """
    after = run.checked_entity, run.checked_record
    since = None if run.since is None else run.since - _MARGIN
    keys = await next_records(connection, run.account, since, after, PAGE)
    documents = [key for key in keys if key[0] in ("invoice", "purchase_order")]
    asked_at = await ledger.database_time(connection)
    puts = await puts_of(connection, run.account, asked_at, records=[record for _, record in documents])
    of_records = by_record(puts)
    found = await wanted_of_records(connection, run.account, *_known(lane), documents, of_records)
    contacts = [key for key in keys if key not in documents]
    lost = await missing_contacts(connection, run.account, contacts)
    busy = {put.link.target.record_id for put in puts if put.busy}
    lost += [w for w in found.values() if w.is_missing and w.later is None]
    lost = [one for one in lost if one.put.link.target.record_id not in busy]
    parameters = {
        "account": run.account,
        "records": [*(record for _, record in documents), *("/".join(key) for key in contacts)],
        "missing": encode_jsonb([_key(one.put.link.target) for one in lost]),
    }
    await connection.execute(_SQL["forget_missing"], parameters)
    rows = [_row(one.put.link, None, missing(one)) for one in lost]
    await connection.execute(_SQL["keep"], {"account": run.account, "differences": encode_jsonb(rows)})
    behind = [_key(w.put.link.target) for w in found.values() if w.behind and w.put.link.xero_id]
    await connection.execute(_SQL["read_later"], {**_keys(run.account, behind), "tried_by": None})
    entity, record = keys[-1] if keys else after
    progress = {"run_id": run.run_id, "checked": len(keys) < PAGE, "entity": entity, "record_id": record}
    await connection.execute(_SQL["checked"], progress)


async def _progress(
    connection: ledger.Connection,
    run: Run,
    asked: _Asked,
    answer: Answer,
    read_now: int,
    pages: int,
    compared: int,
) -> None:
    more = not asked.wanted and (run.page < pages if pages else read_now >= PAGE)
    phase = run.phase if more or asked.wanted else run.phase + 1
    parameters = {"account": run.account, "run_id": run.run_id}
    unread = int((await fetch_all(connection, _SQL["unread"], parameters))[0]["records"])
    await connection.execute(
        _SQL["progress"],
        {
            "run_id": run.run_id,
            "phase": phase,
            "page": run.page + 1 if more else 1,
            "calls_left": len(LISTS) - phase + max(pages - run.page - 1, 0)
            if phase < len(LISTS)
            else -(-unread // _LOOKED_UP),
            "read": read_now,
            "compared": compared,
            "next_since": _moment_of(answer) - _MARGIN,
        },
    )


def _moment_of(answer: Answer) -> datetime:
    """Return when Xero responded, by its own clock; by ours if it does not say."""
    try:
        moment = parsedate_to_datetime(answer.headers.get("date", ""))
    except ValueError:
        return datetime.now(UTC)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


async def _finish(connection: ledger.Connection, run: Run, error: str | None) -> None:
    await connection.execute(_SQL["finish"], {"run_id": run.run_id, "error": error})
    await connection.execute(ledger.SQL["answer_requests"], {"request_ids": [run.run_id], "error": error})
    await connection.execute("SELECT pg_notify('sbx_requests', %s)", [run.account])


def _row(link: Link, found: JsonObject | None, one: Found) -> Row:
    difference = one.difference
    status = str((found or {}).get("Status") or (found or {}).get("ContactStatus") or "")
    return {
        **_key(link.target),
        "field": difference.field,
        "xero_id": link.xero_id,
        "xero_status": status,
        "ours": difference.ours,
        "xeros": difference.xeros,
        "information": difference.information,
        "changed_at": updated(found),
        "why": one.why,
        "mend": one.mend or None,
        "number": link.xero_number,
    }


def _key(target: StepKey) -> dict[str, str]:
    return {"kind": target.kind, "record_id": target.record_id, "transaction_id": target.transaction_id}


def _keys(account: str, rows: Sequence[Row]) -> Row:
    names = ("kind", "record_id", "transaction_id")
    return {"account": account, **{name: [row[name] for row in rows] for name in names}}


_SQL = load_queries(__file__)
