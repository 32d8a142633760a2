"""What one page of a list changes in what the reader knows, and what it tells. Pure."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final

import msgspec

from contracts.commands import Entity
from sources.batch import ACCOUNTS, DOCUMENTS, Batch, Kept, KeptInBrief, Key, LogRow, Wish, kept_of
from sources.context import Context, first_deep, keeps_deep
from sources.diff.accounts import diff_account, take_stock_of_account
from sources.diff.known import KnownAccount, KnownDocument
from sources.diff.stocked import take_stock
from sources.odd import left_out_of_history, listed_yet_missing
from sources.problems import Unreadable
from sources.salesbinder.accounts import AccountEntity, AccountRow, read_account
from sources.salesbinder.answers import Page, SentRow
from sources.salesbinder.deleted import Deletion, read_deletion
from sources.salesbinder.rows import DocumentEntity, DocumentRow, hash_of, read_row, row_rest
from sources.salesbinder.statuses import is_settled
from sources.salesbinder.values import own_id, text
from sources.schedule.layers import Listing
from sources.schedule.scans import Scan

_DELTA_SHOULD_HAVE: Final = timedelta(minutes=2)

_rows = msgspec.json.Encoder(enc_hook=str)


def fingerprint(row: Any) -> str:
    """Return a digest of a row as it came; blank, which is like no other, if it cannot be written again."""
    try:
        written = _rows.encode(row)
    except (UnicodeError, RecursionError):
        return ""
    return hashlib.sha256(written).hexdigest()


def wire_of(row: SentRow, fingerprint: str) -> str:
    """Return a digest of a row as it was sent, good for nothing but a record of this fingerprint."""
    digest = hashlib.sha256(row.body)
    digest.update(fingerprint.encode())
    return digest.hexdigest()[:32]


def may_have_changed(row: SentRow, known: Mapping[str, KeptInBrief], context: Context) -> bool:
    """Return True for a row that ``read_page`` has to read: all but those that were sent so before.

    What comes before this is what a sweep costs, as nearly all rows are as before.
    """
    before = known.get(row.id)
    if before is None or before.wire != wire_of(row, before.fingerprint):
        return True
    return not keeps_deep(before.known, before.created, before.deep, context)


def note_wires(
    sent: Sequence[SentRow], rows: Sequence[Any], entity: Entity, kept: Mapping[Key, Kept], batch: Batch
) -> None:
    """Note of records that are as these rows show them how the rows were sent."""
    for as_sent, row in zip(sent, rows, strict=True):
        key: Key = (entity, as_sent.id)
        record = batch.kept.get(key) or kept.get(key)
        if record is None or not record.fingerprint or record.fingerprint != fingerprint(row):
            continue
        if record.wire != (wire := wire_of(as_sent, record.fingerprint)):
            batch.kept[key] = msgspec.structs.replace(record, wire=wire)


def row_id(row: Any) -> str | None:
    """Return the id that a row has, if it has one."""
    if isinstance(row, SentRow):
        return row.id
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
    entity = entity_of(scan.listing)
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
        if before.created is not None:
            _follow_cut_off(key, before, context, batch)
        return
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


def _follow_cut_off(key: Key, before: Kept, context: Context, batch: Batch) -> None:
    """Give or take the deep reads of a document that is as before where the cut-off has moved since."""
    known = before.known
    assert isinstance(known, KnownDocument)
    if not keeps_deep(known, before.created, before.deep, context):
        deep = first_deep(known, before.created, context)
        batch.kept[key] = msgspec.structs.replace(before, deep=deep)


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
    is_untaken = scan.listing not in context.stock_taken or scan.listing in context.unseen
    if before is None and is_old and is_untaken:
        _take_stock_of_account(row, now, scan, context, batch)
        return
    if not row.lacks <= _lacking(before):
        batch.seen.add(key)
        if before is not None and before.hidden:
            batch.problems.append(listed_yet_missing().of(*key))
        batch.wanted.append(Wish(row.id, "changed", context.due, now, entity=entity))
        return
    known = before.known if before is not None else None
    assert known is None or isinstance(known, KnownAccount)
    found = diff_account(known, row, context.look)
    settled = now if not found.again else ""
    batch.take(key, found, kept_of(before, found.known, fingerprint=settled) if found.known else None)


def _take_stock_of_account(row: AccountRow, now: str, scan: Scan, context: Context, batch: Batch) -> None:
    """Keep an account from before the connection silently, but one that was changed while its row failed."""
    key: Key = (row.entity, row.id)
    known = take_stock_of_account(row, context.look)
    has_failed = scan.listing in context.stock_taken
    if has_failed and row.modified is not None and row.modified > context.connected:
        nothing = msgspec.structs.replace(known, fields={}, modified=None)
        found = diff_account(nothing, row, context.look)
        batch.take(key, found, Kept(known=found.known, fingerprint=now) if found.known else None)
        return
    batch.seen.add(key)
    batch.kept[key] = Kept(known=known, fingerprint=now)


def _lacking(before: Kept | None) -> frozenset[str]:
    return frozenset(before.mark.split()) if before is not None else frozenset()


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
            has_failed = scan.listing in context.unseen
            known = take_stock(row, context.look, context.connected if has_failed else None)
            if has_failed:
                batch.wanted.append(Wish(row.id, "changed", context.due, signature(row), entity=entity))
            deep = first_deep(known, row.created, context)
            batch.kept[key] = Kept(
                known=known, fingerprint=now, mark=row.mark, rest=rest, deep=deep, created=row.created
            )
        else:
            batch.wanted.append(Wish(row.id, "changed", context.due, signature(row), entity=entity))
            batch.missed |= _was_missed(row, None, scan, context)
        return
    if (row.mark, rest) == (before.mark, before.rest):
        batch.kept[key] = msgspec.structs.replace(before, fingerprint=now, excused="", hidden=False)
    elif signature(row) not in (before.excused, before.late):
        assert isinstance(before.known, KnownDocument)
        batch.wanted.append(Wish(row.id, "changed", context.due, signature(row), entity=entity))
        batch.missed |= _was_missed(row, before.known, scan, context)
    elif before.hidden and signature(row) == before.excused:
        batch.problems.append(listed_yet_missing().of(*key))
        if before.left_out:
            # All problems of a record that stand are told together: what is not among them is over.
            batch.problems.append(left_out_of_history().of(*key))


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


def entity_of(listing: Listing) -> Entity:
    """Return what the records of a list are, which is not that of the log."""
    return ACCOUNTS.get(listing) or DOCUMENTS[listing]


def ids_of(rows: Sequence[Any], listing: Listing) -> set[str]:
    """Return the ids of records that a page's rows name."""
    if listing == "log":
        found = {own_id(row.get("record_id")) for row in rows if isinstance(row, dict)}
    else:
        found = {row_id(row) for row in rows}
    return {each for each in found if each is not None}
