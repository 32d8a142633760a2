"""Work out a contact as SalesBinder last described it, field by field. Pure."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from contracts.commands import ContactSnapshot
from contracts.json import Body, JsonObject
from contracts.newness import Stamp
from contracts.reasons import Refused
from sinks.drift.compare import CLEARED, Sent
from sinks.drift.record import Later, Said, Wanted
from sinks.resolve import resolve_contact, untold_parts
from sinks.resolve.folding import told


def times_told(put: Sent, snapshot: ContactSnapshot) -> set[datetime]:
    """Return the times of the events whose content was not sent; empty if all of it was."""
    return {stamp.time for stamp, _ in _unsent(put, snapshot).values()}


def contact_wanted(put: Sent, snapshot: ContactSnapshot, said: Sequence[Said]) -> Wanted:
    """Return the contact with the content that events carried and that was never sent.

    Args:
        said: created and edited actions that may have told it.
    """
    done: Body = {}
    waiting: Body = {}
    by: Said | None = None
    later: Said | None = None
    for name, (stamp, value) in _unsent(put, snapshot).items():
        brought = [one for one in said if one.time == stamp.time and _brings(one, snapshot)]
        if any(_has_told(one) for one in brought):
            done[name] = value
            by = by or next(one for one in brought if _has_told(one))
        elif open_ones := [one for one in brought if one.is_pending or one.is_skipped]:
            waiting[name], later = value, open_ones[-1]
    return Wanted(
        _with(put, done),
        f"contact {snapshot.name}",
        by,
        behind=bool(done),
        mends=bool(by),
        later=None if later is None else Later(later, _with(put, {**done, **waiting})),
    )


def _unsent(put: Sent, snapshot: ContactSnapshot) -> dict[str, tuple[Stamp, Any]]:
    """Return, by field, the latest value that differs from the one sent, and how new it is."""
    if not snapshot.dated or put.link.removed:
        return {}
    try:
        resolved = resolve_contact(snapshot)
    except Refused:
        return {}
    sent = put.link.contact.get("sent") or {}
    fields = told(snapshot)
    found: dict[str, tuple[Stamp, Any]] = {}
    for name, value in resolved.fields.items():
        before = sent.get(name)
        if isinstance(value, dict) and isinstance(before, dict):
            untold = untold_parts(name, fields)
            value = {**{part: text for part, text in before.items() if part in untold}, **value}
        if value != before and (value or before):
            stamps = [at for field, (_, at) in fields.items() if field.split(".")[0] == name]
            found[name] = max(stamps, default=snapshot.stamp), value
    return found


def _brings(one: Said, snapshot: ContactSnapshot) -> bool:
    contact = one.command.party
    return contact is not None and (contact.side, contact.record_id) == (snapshot.side, snapshot.record_id)


def _has_told(one: Said) -> bool:
    """Return True if a customer's own completed action has carried it, or a document's, even if a newer one
    replaced the document. If it could not be sent, the document's entry says so.
    """
    return (one.is_in_xero or one.outcome == "superseded") and "contact_not_updated" not in one.warned


def _with(put: Sent, fields: JsonObject) -> Sent:
    sent = {**(put.link.contact.get("sent") or {}), **fields}
    cleared = [name for name, value in fields.items() if not value]
    link = replace(put.link, facts={**put.link.facts, "sent": sent, CLEARED: cleared})
    return replace(put, link=link, body={**put.body, "fields": [*put.body.get("fields", ()), *fields]})
