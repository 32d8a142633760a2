"""What the answer to the question for one record changes, or that the record is not there. Pure."""

from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import msgspec

from contracts.commands import Action, Entity
from sources.diff.accounts import diff_account, diff_deleted_account
from sources.diff.documents import diff_deleted_document, diff_document
from sources.diff.known import KnownAccount, KnownDocument
from sources.diff.look import Outcome
from sources.events import Event
from sources.problems import LOOK_AGAIN, Unreadable
from sources.reading import ACCOUNTS, AGAIN, DOCUMENTS, Batch, Context, Kept, Key, Wish, kept_of, next_deep
from sources.salesbinder import answers
from sources.salesbinder.accounts import read_account
from sources.salesbinder.deleted import Deletion
from sources.salesbinder.documents import read_detail


def read_any_detail(
    is_missing: bool, body: bytes, wish: Wish, kept: Mapping[Key, Kept], context: Context
) -> Batch:
    """Return what the answer to the question for a detail changes; ``is_missing``: it is 404.

    Raises:
        Unreadable: the answer has no record at all.
    """
    entities: Iterable[Entity] = ACCOUNTS.values() if wish.of_account else DOCUMENTS.values()
    keys = [(entity, wish.record_id) for entity in entities]
    before = next((kept[key] for key in keys if key in kept), None)
    if is_missing:
        return not_there(wish, before, context)
    if wish.of_account:
        return read_account_detail(answers.read_detail(body, "customer"), wish, before, context)
    return read_document(answers.read_detail(body, "document"), wish, before, context)


def read_document(record: Mapping[str, Any], wish: Wish, before: Kept | None, context: Context) -> Batch:
    """Return what a detail changes. ``before`` is what is kept of the document, if anything is."""
    batch = Batch()
    known = before.known if before is not None and not before.history else None
    assert known is None or isinstance(known, KnownDocument)
    try:
        detail = read_detail(record, wish.record_id, context.look.account)
    except Unreadable as wrong:
        entity: Entity = known.entity if known is not None else "invoice"
        batch.seen.add((entity, wish.record_id))
        # An estimate that becomes an invoice under its id may be in the list before its detail says so.
        if wish.tries or wrong.code != "record_foreign":
            batch.problems.append(wrong.of(entity, wish.record_id))
        batch.wanted.append(again(wish, context.due))
        return batch
    found = diff_document(known, detail, context.look)
    if found.known is not None:
        is_same = before is not None and (detail.mark, detail.row_rest) == (before.mark, before.rest)
        kept = kept_of(
            before,
            found.known,
            fingerprint="",
            mark=detail.mark,
            rest=detail.row_rest,
            excused=wish.row if is_same else "",
            deep=next_deep(found.known, context),
            history=False,
        )
        batch.take((detail.entity, detail.id), found, kept)
    else:
        batch.take((detail.entity, detail.id), found, None)
    batch.told = frozenset(_action(event) for event in found.events)
    batch.has_evidence = known is not None
    batch.moved = known is not None and detail.document.modified > known.modified
    _next_look((detail.entity, detail.id), wish, before, found, context, batch)
    return batch


def read_account_detail(
    record: Mapping[str, Any], wish: Wish, before: Kept | None, context: Context
) -> Batch:
    """Return what the detail of a customer or supplier changes, whose row has not all fields."""
    batch = Batch()
    entity = next(each for each in ACCOUNTS.values() if each == wish.entity)
    key = (entity, wish.record_id)
    known = before.known if before is not None else None
    assert known is None or isinstance(known, KnownAccount)
    try:
        row = read_account(record, entity, context.look.account)
        if row.id != wish.record_id:
            raise Unreadable("id", row.id, f"{wish.record_id} was asked for", LOOK_AGAIN, "record_foreign")
    except Unreadable as wrong:
        batch.seen.add(key)
        batch.problems.append(wrong.of(*key))
        batch.wanted.append(again(wish, context.due))
        return batch
    found = diff_account(known, row, context.look)
    if found.known is not None:
        shown = wish.row if not found.again else ""
        kept = kept_of(before, found.known, fingerprint=shown, mark=" ".join(sorted(row.lacks)))
        batch.take(key, found, kept)
    else:
        batch.take(key, found, None)
    _next_look(key, wish, before, found, context, batch)
    return batch


def _next_look(
    key: Key, wish: Wish, before: Kept | None, found: Outcome[Any], context: Context, batch: Batch
) -> None:
    """Want the detail again if it left something open, or if the log says that there is none."""
    if before is not None and before.may_be_gone and not found.again:
        if wish.tries < len(AGAIN):
            batch.wanted.append(again(wish, context.due))
            return
        assert before.log is not None
        over = msgspec.structs.replace(before.log, is_over=True)
        batch.kept[key] = msgspec.structs.replace(batch.kept.get(key, before), log=over)
    if found.again:
        batch.wanted.append(again(wish, context.due))
    else:
        batch.unwanted.add(wish.record_id)


def _action(event: Event) -> Action:
    action: Any = event.type.rpartition(".")[2]
    return action  # type: ignore[no-any-return]


def not_there(wish: Wish, before: Kept | None, context: Context) -> Batch:
    """Return what follows from a detail that is not there (404), which proves nothing by itself.

    A list may know of a record before its detail does; one that is known stays known, unless the deleted log
    names it, too.
    """
    batch = Batch()
    if before is None and wish.tries < len(AGAIN):
        batch.wanted.append(again(wish, context.due))
        return batch
    batch.unwanted.add(wish.record_id)
    if before is not None and before.may_be_gone:
        assert before.log is not None
        deletion = Deletion(wish.record_id, before.log.created)
        found: Outcome[Any]
        if isinstance(before.known, KnownAccount):
            found = diff_deleted_account(before.known, deletion, context.look)
        else:
            found = diff_deleted_document(before.known, deletion, context.look)
        batch.take((before.known.entity, wish.record_id), found, kept_of(before, found.known, deep=None))
    elif before is not None and isinstance(before.known, KnownDocument):
        # It may come back from the archive; it is not asked for over and over meanwhile.
        key = (before.known.entity, wish.record_id)
        batch.kept[key] = msgspec.structs.replace(
            before, deep=next_deep(before.known, context), history=False
        )
    return batch


def again(wish: Wish, now: datetime) -> Wish:
    """Return the next look at a record, later each time."""
    wait = AGAIN[min(wish.tries, len(AGAIN) - 1)]
    return Wish(wish.record_id, "again", now + wait, wish.row, wish.tries + 1, wish.entity)
