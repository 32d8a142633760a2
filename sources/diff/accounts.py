"""Customers and suppliers: created, edited, deleted. Pure."""

from datetime import datetime

import msgspec

from contracts.commands import Action
from sources.diff.known import KnownAccount
from sources.diff.look import Look, Outcome, doubted
from sources.events import Event, made_event
from sources.problems import LOOK_AGAIN, Problem, Unreadable
from sources.salesbinder.accounts import AccountRow
from sources.salesbinder.deleted import Deletion
from sources.salesbinder.rows import hash_of


def take_stock_of_account(row: AccountRow, look: Look) -> KnownAccount:
    """Return what is known of an account that was there before the reader was, without telling it."""
    modified = _since_it_is_there(row, look)
    time = look.not_ahead(modified)
    return KnownAccount(entity=row.entity, id=row.id, fields=row.told, modified=modified, time=time)


def _since_it_is_there(row: AccountRow, look: Look) -> datetime | None:
    """Return the row's ``modified``, or ``created`` if that is later: a server whose clock is behind edited
    it, and that counts no less than what documents told of the record as it was made.
    """
    if row.modified is None or row.created is None:
        return row.modified
    return max(row.modified, look.not_ahead(row.created))


def diff_account(before: KnownAccount | None, row: AccountRow, look: Look) -> Outcome[KnownAccount | None]:
    """Return what a row tells beyond what was told before.

    Only the contract's own fields count; a field that the row does not have says nothing, and one that is
    shown for the first time and is blank is not a change.
    """
    try:
        return _created(row, look) if before is None else _compared(before, row, look)
    except Unreadable as wrong:
        return Outcome(before, problems=(wrong.of(row.entity, row.id),), again=True)


def _created(row: AccountRow, look: Look) -> Outcome[KnownAccount | None]:
    known = msgspec.structs.replace(take_stock_of_account(row, look), revision=1)
    if known.modified == row.modified:
        return Outcome(known, (_event("created", row, known.time, 1, look),))
    known = msgspec.structs.replace(known, time=max(known.time, look.at))  # nobody knows when it was edited
    return Outcome(known, (_event("created", row, known.time, 1, look, known.modified),))


def _compared(before: KnownAccount, row: AccountRow, look: Look) -> Outcome[KnownAccount | None]:
    if before.deleted:
        return Outcome(before, problems=(_yet_visible(row),), again=True)
    fields = {**before.fields, **row.told}
    if all(value == before.fields.get(name, "") for name, value in row.told.items()):
        quiet = msgspec.structs.replace(before, fields=fields, modified=_latest(before, row), doubt=None)
        return Outcome(quiet)
    if before.modified is not None and row.modified is not None and row.modified < before.modified:
        mark = hash_of([f"{name}={value}" for name, value in sorted(row.told.items())])
        doubt = doubted(before.doubt, mark, look)
        if doubt is not None:
            return Outcome(msgspec.structs.replace(before, doubt=doubt), again=True)
    time, revision = max(_moment(before, row, look), before.time), before.revision + 1
    known = msgspec.structs.replace(
        before, fields=fields, modified=_latest(before, row), time=time, revision=revision, doubt=None
    )
    return Outcome(known, (_event("edited", row, time, revision, look, known.modified),))


def _latest(before: KnownAccount, row: AccountRow) -> datetime | None:
    found = [each for each in (before.modified, row.modified) if each is not None]
    return max(found) if found else None


def _moment(before: KnownAccount, row: AccountRow, look: Look) -> datetime:
    """Return when the account was edited: its ``modified`` if that moved, else the moment of the answer."""
    has_moved = row.modified is not None and (before.modified is None or row.modified > before.modified)
    return look.not_ahead(row.modified if has_moved else None)


def _event(
    action: Action,
    row: AccountRow,
    time: datetime,
    revision: int,
    look: Look,
    modified: datetime | None = None,
) -> Event:
    """Return the event; of two snapshots the later told is never the one with the older ``modified``."""
    body = {**row.body, "modified": modified.isoformat()} if modified is not None else row.body
    data = {str(row.entity): body}
    return made_event(look.account, row.entity, action, row.id, time, data, (action, str(revision)))


def _yet_visible(row: AccountRow) -> Problem:
    return Unreadable(
        "id",
        row.id,
        "SalesBinder's deleted log has it, yet it is shown",
        LOOK_AGAIN + "If it stays, make the record again in SalesBinder under a new id.",
        "deleted_yet_visible",
    ).of(row.entity, row.id)


def diff_deleted_account(before: KnownAccount, deletion: Deletion, look: Look) -> Outcome[KnownAccount]:
    """Return the deletion of a known account; nothing if it was told before."""
    if before.deleted:
        return Outcome(before)
    time = max(look.not_ahead(deletion.created), before.time)
    data = {str(before.entity): {"id": before.id}}
    event = made_event(look.account, before.entity, "deleted", before.id, time, data, ("deleted",))
    known = msgspec.structs.replace(before, time=time, revision=before.revision + 1, deleted=True)
    return Outcome(known, (event,))
