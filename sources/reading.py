"""What one answer changes in what the reader knows, and what it tells. Pure.

The database keeps a ``Batch`` in one transaction, and publishes its events afterwards.
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from contracts.commands import Action, Entity
from sources.diff.accounts import diff_account, take_stock_of_account
from sources.diff.known import KnownAccount, KnownDocument
from sources.diff.look import Look, Outcome
from sources.diff.stocked import take_stock
from sources.events import Event
from sources.problems import Problem, Unreadable
from sources.salesbinder.accounts import AccountEntity, read_account
from sources.salesbinder.answers import Page
from sources.salesbinder.deleted import Deletion, read_deletion
from sources.salesbinder.rows import DocumentEntity, DocumentRow, hash_of, read_row, row_rest
from sources.salesbinder.statuses import is_settled
from sources.salesbinder.values import moment_or_none, own_id, text
from sources.schedule.choice import Why
from sources.schedule.deep import deep_period, first_share, is_live
from sources.schedule.layers import Listing
from sources.schedule.scans import Finished, Scan

ACCOUNTS: Final[Mapping[Listing, AccountEntity]] = {"customers": "customer", "suppliers": "supplier"}
DOCUMENTS: Final[Mapping[Listing, DocumentEntity]] = {"invoices": "invoice", "orders": "purchase_order"}
AGAIN: Final = (timedelta(seconds=30), timedelta(minutes=2), timedelta(minutes=10), timedelta(hours=1))
"""When a record that could not be understood is looked at again; from the last one on every so often."""
_SERVERS_APART: Final = timedelta(seconds=5)
"""A record that is made right after the connection may have a stamp from before it."""
_FUTURE: Final = timedelta(minutes=5)
"""No record is made so long after the answer that shows it: its stamp is of another time zone."""
_ZONES: Final = timedelta(hours=14)
"""By so much a stamp in the time of any zone differs from UTC at most."""
_DELTA_SHOULD_HAVE: Final = timedelta(minutes=2)

Key = tuple[Entity, str]
_rows = msgspec.json.Encoder(enc_hook=str)


class LogRow(msgspec.Struct, frozen=True, kw_only=True):
    """The latest row of the deleted log that names a record."""

    created: datetime | None
    is_over: bool = False
    """The record was shown for an hour all the same, so it was not deleted (archived, perhaps)."""
    missing: datetime | None = None
    """Since when its detail is not there, by our clock; none if it was shown last."""


class Kept(msgspec.Struct, frozen=True, kw_only=True):
    """A record as the database keeps it."""

    known: KnownAccount | KnownDocument
    fingerprint: str = ""
    """Of the last row, byte for byte: an unchanged row needs no reading."""
    mark: str = ""
    """What the last detail, or the row of the stock-taking, showed of header, status and sum paid. Of an
    account: the fields that neither its row nor its detail has.
    """
    rest: str = ""
    """And of lines and receipts."""
    excused: str = ""
    """A row that differs from the detail though two details read for it showed nothing new."""
    late: str = ""
    """A row for which one detail was read, which may be older than the row: it is read once more."""
    log: LogRow | None = None
    deep: datetime | None = None
    """When its detail is read again though nothing hints at a change; none: never."""
    created: datetime | None = None
    """Of a document of which stock was taken: when it was made."""
    history: bool = False
    """Nothing of it was told, and its next detail is to be told whole. The database has it apart, too."""

    @property
    def may_be_gone(self) -> bool:
        """Return True if the log says that it was deleted, and its detail has not confirmed it yet."""
        return self.log is not None and not self.log.is_over and not self.known.deleted


@dataclass(frozen=True, slots=True)
class Wish:
    """A detail that is to be read."""

    record_id: str
    why: Why
    at: datetime
    row: str = ""
    """The row that it is read for (``signature``)."""
    tries: int = 0
    entity: Entity | None = None
    """None: of a document of a type that only the detail tells."""

    @property
    def of_account(self) -> bool:
        """Return True for a detail of a customer or supplier."""
        return self.entity in ACCOUNTS.values()


@dataclass(frozen=True, slots=True)
class Context:
    """What holds for the account."""

    look: Look
    connected: datetime
    """By SalesBinder's clock: what was created before it is not new."""
    stock_taken: frozenset[Listing] = frozenset()
    delta_asked: datetime | None = None
    """When the last whole ``delta`` of this list began, by SalesBinder's clock."""
    newest_then: datetime | None = None
    """When the newest document of this list was made that was there at the last whole sweep."""
    now: datetime | None = None
    """By our clock, by which all goes that is due; none: SalesBinder's is ours."""
    is_relaxed: bool = False
    """Whether ``modified`` is proven to be moved."""

    def is_old(self, created: datetime, listing: Listing) -> bool:
        """Return True for what was made before the account was connected.

        Clocks of several servers aside, if it was not there when stock was taken. Stamps may be in the shop's
        own time, whatever they say: what is newer than all that was there then is new, and what was there is
        not new by a stamp of the future.
        """
        if listing not in self.stock_taken:
            return created < self.connected or created > self.look.at + _FUTURE
        if self.newest_then is not None and created >= self.newest_then:
            return False
        return created < self.connected - _SERVERS_APART

    @property
    def due(self) -> datetime:
        """Return the moment that it is by our clock."""
        return self.now or self.look.at


@dataclass(slots=True)
class Batch:
    """What is to be kept after one answer."""

    kept: dict[Key, Kept] = field(default_factory=dict)
    events: list[Event] = field(default_factory=list)
    problems: list[Problem] = field(default_factory=list)
    seen: set[tuple[str, str]] = field(default_factory=set)
    """Records, or lists, that were read: problems of theirs that are not among ``problems`` are over."""
    wanted: list[Wish] = field(default_factory=list)
    unwanted: set[str] = field(default_factory=set)
    statuses: set[str] = field(default_factory=set)
    """Ids of statuses of documents that are not settled."""
    told: frozenset[Action] = frozenset()
    moved: bool = False
    """Whether ``modified`` moved with what was told: evidence, if it is a detail's."""
    has_evidence: bool = False
    missed: bool = False
    """Whether the delta should have shown a change that a sweep found."""

    def take(self, key: Key, found: Outcome[Any], kept: Kept | None) -> None:
        """Take what a look found; ``kept`` is the record with what is known now."""
        self.seen.add(key)
        self.events += found.events
        self.problems += found.problems
        if kept is not None:
            self.kept[key] = kept


def fingerprint(row: Any) -> str:
    """Return a digest of a row as it came; blank, which is like no other, if it cannot be written again."""
    try:
        written = _rows.encode(row)
    except (UnicodeError, RecursionError):
        return ""
    return hashlib.sha256(written).hexdigest()


def row_id(row: Any) -> str | None:
    """Return the id that a row has, if it has one."""
    return own_id(row.get("id")) if isinstance(row, dict) else None


def signature(row: DocumentRow) -> str:
    """Return all that a row shows."""
    return hash_of([row.mark, row_rest(row.lines, row.receipts)])


def read_page(scan: Scan, page: Page, kept: Mapping[Key, Kept], context: Context) -> Batch:
    """Return what a page of a list changes. ``kept`` has the records of its rows that are known."""
    batch = Batch()
    if scan.listing == "log":
        if scan.page == 1:
            batch.seen.add(("deletion", ""))
        for row in page.rows:
            _read_log_row(row, scan, kept, context, batch)
        return batch
    entity: Entity = ACCOUNTS.get(scan.listing) or DOCUMENTS[scan.listing]
    for row in page.rows:
        _read_listed(row, entity, scan, kept, context, batch)
    return batch


def _read_listed(
    row: Any, entity: Entity, scan: Scan, kept: Mapping[Key, Kept], context: Context, batch: Batch
) -> None:
    key: Key = (entity, row_id(row) or "")
    before = batch.kept.get(key) or kept.get(key)
    now = fingerprint(row)
    if before is not None and now and now in (before.fingerprint, before.late):
        return  # as nearly all rows are: what comes before this is what a sweep costs
    try:
        if scan.listing in ACCOUNTS:
            _read_account_row(row, ACCOUNTS[scan.listing], now, before, scan, context, batch)
        else:
            _read_document_row(row, DOCUMENTS[scan.listing], now, before, scan, context, batch)
    except Unreadable as wrong:
        if wrong.code == "record_foreign" or not key[1]:
            batch.problems.append(wrong.of(*rows_of(scan)))
            return
        batch.seen.add(key)
        batch.problems.append(wrong.of(*key))
        if before is not None:
            # The next row that can be read is read, though it is as before: the problem is over with it.
            batch.kept[key] = msgspec.structs.replace(before, fingerprint="", late="")


def rows_of(scan: Scan) -> tuple[str, str]:
    """Return what a problem concerns of a row that is none of this list's records: the list's rows.

    It is over once a whole scan has no such row.
    """
    return scan.listing, f"{scan.layer} rows"


def with_strange_rows(scan: Scan, batch: Batch) -> Scan:
    """Return the scan, which knows whether one of its rows was none of this list's records."""
    found = any((each.entity, each.record_id) == rows_of(scan) for each in batch.problems)
    return msgspec.structs.replace(scan, strange=scan.strange or found)


def _read_account_row(
    raw: Any,
    entity: AccountEntity,
    now: str,
    before: Kept | None,
    scan: Scan,
    context: Context,
    batch: Batch,
) -> None:
    row = read_account(raw, entity, context.look.account)
    key = (entity, row.id)
    is_old = row.created is None or context.is_old(row.created, scan.listing)
    if before is None and is_old and scan.listing not in context.stock_taken:
        batch.seen.add(key)
        batch.kept[key] = Kept(known=take_stock_of_account(row, context.look), fingerprint=now)
        return
    if not row.lacks <= _lacking(before):
        batch.seen.add(key)
        batch.wanted.append(Wish(row.id, "changed", context.due, now, entity=entity))
        return
    known = before.known if before is not None else None
    assert known is None or isinstance(known, KnownAccount)
    found = diff_account(known, row, context.look)
    settled = now if not found.again else ""
    batch.take(key, found, kept_of(before, found.known, fingerprint=settled) if found.known else None)


def _lacking(before: Kept | None) -> frozenset[str]:
    return frozenset(before.mark.split()) if before is not None else frozenset()


def kept_of(before: Kept | None, known: Any, **changes: Any) -> Kept:
    """Return what is kept of a record of which this is known now."""
    if before is None:
        return Kept(known=known, **changes)
    return msgspec.structs.replace(before, known=known, **changes)


def _read_document_row(
    raw: Any,
    entity: DocumentEntity,
    now: str,
    before: Kept | None,
    scan: Scan,
    context: Context,
    batch: Batch,
) -> None:
    row = read_row(raw, entity)
    key = (entity, row.id)
    if not is_settled(entity, row.status) and (status := _status_id(raw)) is not None:
        batch.statuses.add(status)
    rest = row_rest(row.lines, row.receipts)
    if before is None:
        is_old = (
            context.is_old(row.created, scan.listing)
            if row.created
            else scan.listing not in context.stock_taken
        )
        if is_old:
            known = take_stock(row, context.look)
            deep = None if is_settled(entity, row.status) else first_deep(known, context)
            batch.kept[key] = Kept(
                known=known, fingerprint=now, mark=row.mark, rest=rest, deep=deep, created=row.created
            )
        else:
            batch.wanted.append(Wish(row.id, "changed", context.due, signature(row), entity=entity))
            batch.missed |= _was_missed(row, None, scan, context)
        return
    if (row.mark, rest) == (before.mark, before.rest):
        batch.kept[key] = msgspec.structs.replace(before, fingerprint=now, excused="")
    elif signature(row) not in (before.excused, before.late):
        assert isinstance(before.known, KnownDocument)
        batch.wanted.append(Wish(row.id, "changed", context.due, signature(row), entity=entity))
        batch.missed |= _was_missed(row, before.known, scan, context)


def _status_id(row: Mapping[str, Any]) -> str | None:
    status = row.get("status")
    found = text(status.get("id")) if isinstance(status, Mapping) else None
    found = found or text(row.get("status_id"))
    return found if isinstance(found, str) and found.isascii() and found.isalnum() else None


def _was_missed(row: DocumentRow, known: KnownDocument | None, scan: Scan, context: Context) -> bool:
    """Return True if the delta should have shown this row: it was modified before one that is over began."""
    if scan.layer in ("delta", "log") or row.modified is None or context.delta_asked is None:
        return False
    has_moved = known is None or row.modified > known.modified
    return has_moved and row.modified + _DELTA_SHOULD_HAVE < context.delta_asked


def _read_log_row(row: Any, scan: Scan, kept: Mapping[Key, Kept], context: Context, batch: Batch) -> None:
    try:
        deletion = read_deletion(row)
    except Unreadable as wrong:
        batch.problems.append(wrong.of(*rows_of(scan)))
        return
    entities: Iterable[Entity] = (*ACCOUNTS.values(), *DOCUMENTS.values())
    known = [(entity, deletion.record_id) for entity in entities]
    found = {key: batch.kept.get(key) or kept[key] for key in known if key in batch.kept or key in kept}
    for key, before in found.items():
        if not before.known.deleted and _is_news(before.log, deletion):
            # The detail decides: perhaps the log has rows of records that were archived, too.
            batch.kept[key] = msgspec.structs.replace(before, log=LogRow(created=deletion.created))
            batch.wanted.append(Wish(deletion.record_id, "changed", context.due, entity=key[0]))


def _is_news(before: LogRow | None, deletion: Deletion) -> bool:
    if before is None or before.created is None or deletion.created is None:
        return before is None
    return deletion.created > before.created


def ids_of(rows: Sequence[Any], listing: Listing) -> set[str]:
    """Return the ids of records that a page's rows name."""
    name = "record_id" if listing == "log" else "id"
    found = {own_id(row.get(name)) for row in rows if isinstance(row, dict)}
    return {each for each in found if each is not None}


def newest_of(rows: Iterable[Any]) -> datetime | None:
    """Return when the newest record of a page was made, as far as its rows say so.

    Texts of one form are compared as they stand: reading each as a moment costs as much as all else about an
    unchanged row.
    """
    made = [each for row in rows if isinstance(row, dict) and isinstance(each := row.get("created"), str)]
    latest: dict[tuple[str, str, str], str] = {}
    for each in made:
        # All but the digits down to the second, or minute: where this is alike, texts are in order of time.
        form = (each[10:11], each[16:17], each[19:] if each[16:17] == ":" else each[17:])
        if each > latest.get(form, ""):
            latest[form] = each
    found = [moment_or_none(each) for each in latest.values()]
    if None in found:  # It is greater than texts that may be moments.
        found = [moment_or_none(each) for each in made]
    return max(filter(None, found), default=None)


def newest_then(stock: Finished | None, connected: datetime) -> datetime | None:
    """Return when the newest record of a list was made that its last whole sweep showed; none: nobody knows.

    To a list that was empty, or showed old records alone, all is new that comes, in whatever zone its stamp
    is; but not all that was ever made, which the key's user may only not have been permitted to see. If the
    clock of the first answer was far ahead, ours says when the sweep was.
    """
    if stock is None:
        return None
    earliest = min(connected, stock.started) - _ZONES
    if stock.count == 0:
        return earliest
    return None if stock.newest is None else max(stock.newest, earliest)


def next_deep(known: KnownDocument, context: Context) -> datetime | None:
    """Return when a document whose detail was just read is read again though nothing hints at a change."""
    return None if known.deleted else context.due + _deep_period(known, context)


def first_deep(known: KnownDocument, context: Context) -> datetime:
    """Return when a document of which only a row was read is read deep first."""
    return context.due + first_share(known.id) * _deep_period(known, context)


def _deep_period(known: KnownDocument, context: Context) -> timedelta:
    live = is_live(is_open=not is_settled(known.entity, known.status), told=known.time, now=context.look.at)
    return deep_period(is_live=live, is_relaxed=context.is_relaxed)
