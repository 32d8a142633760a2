"""What the answer to the question for one record changes, or that the record is not there. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Final

import msgspec

from contracts.commands import Action, Entity
from sources.batch import ACCOUNTS, AGAIN, DOCUMENTS, Batch, Kept, Key, Wish, kept_of
from sources.context import Context, next_deep
from sources.diff.accounts import diff_account, diff_deleted_account
from sources.diff.documents import diff_deleted_document, diff_document
from sources.diff.known import KnownAccount, KnownDocument
from sources.diff.look import SETTLED, Outcome
from sources.events import Event
from sources.odd import left_out_of_history
from sources.problems import LOOK_AGAIN, Unreadable
from sources.salesbinder import answers
from sources.salesbinder.accounts import read_account
from sources.salesbinder.deleted import Deletion
from sources.salesbinder.documents import read_detail

_UNKNOWN: Final = 1
"""How often an id that only a hint names, and that nobody knows, is asked for again."""
_SHOWN_YET_MISSING: Final = timedelta(days=1)
"""So often a document is asked for whose row shows what its detail does not."""

_GIVEN_UP: Final = len(AGAIN) + 7
"""Tries, a week of them, after which a detail that was never there is only wanted if a list shows its row."""


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
    batch = read_document(answers.read_detail(body, "document"), wish, before, context)
    # That an answer could not be read was a problem of a document while nobody knew of which type.
    batch.seen.add(subject_of(wish))
    return batch


def subject_of(wish: Wish) -> tuple[str, str]:
    """Return what a problem of an answer without a record concerns: a document, if its type is not known."""
    return wish.entity or "document", wish.record_id


def read_document(record: Mapping[str, Any], wish: Wish, before: Kept | None, context: Context) -> Batch:
    """Return what a detail changes. ``before`` is what is kept of the document, if anything is."""
    batch = Batch()
    known = before.known if before is not None else None
    is_history = before is not None and (before.history or before.left_out)
    assert known is None or isinstance(known, KnownDocument)
    if known is not None and is_history and not known.revision:
        known = None
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
    found = diff_document(known, detail, context.look, whole=is_history)
    is_same = before is not None and (detail.mark, detail.row_rest) == (before.mark, before.rest)
    may_be_late = is_same and _may_be_late(wish)
    if found.known is not None:
        kept = kept_of(
            before,
            found.known,
            fingerprint="",
            mark=detail.mark,
            rest=detail.row_rest,
            excused=wish.row if is_same and not may_be_late else "",
            hidden=False,
            late=wish.row if may_be_late else "",
            deep=next_deep(found.known, before.created if before is not None else None, context),
            history=is_history and not found.known.whole,
            left_out=False,
        )
        batch.take((detail.entity, detail.id), found, kept)
    else:
        batch.take((detail.entity, detail.id), found, None)
    batch.told = frozenset(_action(event) for event in found.events)
    batch.has_evidence = known is not None and not is_history
    batch.moved = known is not None and detail.document.modified > known.modified
    _next_look((detail.entity, detail.id), wish, before, found, may_be_late, context, batch)
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
    may_be_late = _may_be_late(wish) and not found.again
    if found.known is not None:
        kept = kept_of(
            before,
            found.known,
            fingerprint="" if found.again or may_be_late else wish.row,
            hidden=False,
            late=wish.row if may_be_late else "",
            mark=" ".join(sorted(row.lacks)),
        )
        batch.take(key, found, kept)
    else:
        batch.take(key, found, None)
    _next_look(key, wish, before, found, may_be_late, context, batch)
    return batch


def _may_be_late(wish: Wish) -> bool:
    """Return True for the first look at what a row shows, which may be ahead of the details."""
    return bool(wish.row) and not wish.tries


def _next_look(
    key: Key,
    wish: Wish,
    before: Kept | None,
    found: Outcome[Any],
    may_be_late: bool,
    context: Context,
    batch: Batch,
) -> None:
    """Want the detail again if it left something open, if it may be older than the row that it was read for,
    or if the log says that there is none.
    """
    if before is not None and before.may_be_gone:
        assert before.log is not None
        is_over = not found.again and wish.tries >= len(AGAIN)
        log = msgspec.structs.replace(before.log, missing=None, is_over=is_over)
        batch.kept[key] = msgspec.structs.replace(batch.kept.get(key, before), log=log)
        if not is_over:
            batch.wanted.append(again(wish, context.due))
            return
    if found.again or may_be_late:
        batch.wanted.append(again(wish, context.due))
    else:
        batch.unwanted.add(wish.record_id)


def _action(event: Event) -> Action:
    action: Any = event.type.rpartition(".")[2]
    return action  # type: ignore[no-any-return]


def not_there(wish: Wish, before: Kept | None, context: Context) -> Batch:
    """Return what follows from a detail that is not there (404), which proves nothing by itself.

    A list may know of a record before its detail does; one that is known stays known, unless the deleted log
    names it, too, and it was not there a minute ago either: the log may name what was archived, and a detail
    may be missing for a moment.
    """
    batch = Batch()
    if before is None:
        _unknown(wish, context, batch)
    elif before.may_be_gone:
        _perhaps_gone(wish, before, context, batch)
    elif wish.row:
        _not_shown(wish, before, context, batch)
    elif before.history and wish.tries < len(AGAIN):
        batch.wanted.append(again(wish, context.due))
    else:
        batch.unwanted.add(wish.record_id)
        if isinstance(before.known, KnownDocument):
            _put_away(wish, before, before.known, context, batch)
        else:
            batch.seen.add((before.known.entity, wish.record_id))
    return batch


def _unknown(wish: Wish, context: Context, batch: Batch) -> None:
    """Ask some times more; then daily for a week, or until no list shows it (``ask_once_more``)."""
    if wish.tries < (len(AGAIN) if wish.entity else _UNKNOWN):
        batch.wanted.append(again(wish, context.due))
        return
    if not wish.row or wish.tries == len(AGAIN):
        batch.seen.add(subject_of(wish))
    if wish.row and wish.tries < _GIVEN_UP:
        # Its row may be shown for as long: without this wish, each list would begin with it once more.
        at = context.due + _SHOWN_YET_MISSING
        batch.wanted.append(replace(again(wish, context.due), at=at))
    else:
        batch.unwanted.add(wish.record_id)


def ask_once_more(key: Key, before: Kept | None, context: Context, batch: Batch) -> None:
    """Ask for a record whose detail was not there, and which its list shows no more: that is over with it."""
    if before is not None:
        batch.kept[key] = msgspec.structs.replace(before, excused="", hidden=False)
    batch.wanted.append(Wish(key[1], "again", context.due, tries=len(AGAIN), entity=key[0]))


def _perhaps_gone(wish: Wish, before: Kept, context: Context, batch: Batch) -> None:
    """Tell the deletion that the log names, once the detail has been missing for long enough."""
    if (left := _until_gone(before, context)) > timedelta(0):
        _not_there_yet(wish, before, left, context, batch)
        return
    batch.unwanted.add(wish.record_id)
    assert before.log is not None
    deletion = Deletion(wish.record_id, before.log.created)
    found: Outcome[Any]
    if isinstance(before.known, KnownAccount):
        found = diff_deleted_account(before.known, deletion, context.look)
    else:
        found = diff_deleted_document(before.known, deletion, context.look)
    kept = kept_of(before, found.known, deep=None, history=False, left_out=False)
    batch.take((before.known.entity, wish.record_id), found, kept)


def _put_away(wish: Wish, before: Kept, known: KnownDocument, context: Context, batch: Batch) -> None:
    """Ask seldom for a document that may come back from the archive."""
    deep = context.due + _SHOWN_YET_MISSING if before.excused else next_deep(known, before.created, context)
    key = (known.entity, wish.record_id)
    kept = msgspec.structs.replace(before, deep=deep, late="")
    batch.kept[key] = _without_history(key, kept, batch)
    if not before.hidden:
        batch.seen.add(key)


def _without_history(key: Key, kept: Kept, batch: Batch) -> Kept:
    """Return the document left out of the history that is told, if it is part of it, and report that."""
    if kept.history or (kept.left_out and not kept.hidden):
        batch.problems.append(left_out_of_history().of(*key))
        return msgspec.structs.replace(kept, history=False, left_out=True)
    return kept


def _not_shown(wish: Wish, before: Kept, context: Context, batch: Batch) -> None:
    """Ask some times more for what a list shows and no detail does; of a document not before a day has passed
    then, unless its row is another one: lists may go on to show what is in the archive.
    """
    is_over, changes = wish.tries >= len(AGAIN), dict[str, Any]()
    if isinstance(before.known, KnownDocument):
        changes = {"deep": context.due + _SHOWN_YET_MISSING}
        changes["excused"] = wish.row if is_over else before.excused
    key: Key = (before.known.entity, wish.record_id)
    kept = msgspec.structs.replace(before, late="" if is_over else wish.row, **changes)
    if is_over:
        if not before.hidden:
            batch.seen.add(key)
        kept = msgspec.structs.replace(kept, hidden=True)
        batch.kept[key] = _without_history(key, kept, batch)
        batch.unwanted.add(wish.record_id)
    else:
        batch.kept[key] = kept
        batch.wanted.append(again(wish, context.due))


def nothing_is_there(wish: Wish, kept: Mapping[Key, Kept], context: Context) -> Batch:
    """Return what follows from a detail that is not there where lists are not either: it is the account,
    perhaps. The minute for which a record that the log names must be missing begins again.
    """
    batch = Batch(wanted=[put_off(wish, context.due)])
    for key, before in kept.items():
        if before.log is not None and before.log.missing is not None:
            log = msgspec.structs.replace(before.log, missing=None)
            batch.kept[key] = msgspec.structs.replace(before, log=log)
    return batch


def _until_gone(before: Kept, context: Context) -> timedelta:
    """Return how long a detail that the log says is gone has still to be missing."""
    since = before.log.missing if before.log is not None else None
    return SETTLED if since is None else since + SETTLED - context.due


def _not_there_yet(wish: Wish, before: Kept, left: timedelta, context: Context, batch: Batch) -> None:
    assert before.log is not None
    since = before.log.missing or context.due
    log = msgspec.structs.replace(before.log, missing=since)
    batch.kept[before.known.entity, wish.record_id] = msgspec.structs.replace(before, log=log)
    at = context.due + left
    batch.wanted.append(Wish(wish.record_id, "again", at, wish.row, wish.tries, before.known.entity))


def put_off(wish: Wish, now: datetime) -> Wish:
    """Return the next try of a detail that was not answered: behind others, and never the last one."""
    later = again(wish, now)
    return replace(later, tries=min(later.tries, len(AGAIN) - 1))


def again(wish: Wish, now: datetime) -> Wish:
    """Return the next look at a record, later each time."""
    wait = AGAIN[min(wish.tries, len(AGAIN) - 1)]
    return Wish(wish.record_id, "again", now + wait, wish.row, wish.tries + 1, wish.entity)
