"""Judge an object: how Xero differs from what was sent and from what was asked for, and why, if that is
known.

Pure. If Xero has what was sent, but not what was asked for, that is the worst kind: the log says that it is
done. Differences that a failed or waiting entry explains are only reported.
"""

from dataclasses import dataclass, replace

from contracts.json import JsonObject
from sinks.drift.compare import CompareContext, Difference, Sent, compare
from sinks.drift.record import Later, Wanted
from sinks.planner.documents import GONE

MISSING = "missing"
_FOLLOWS = "amount_due"
"""The field that follows from payments, which are compared by themselves."""


@dataclass(frozen=True, slots=True)
class Found:
    """A difference, and why it exists."""

    difference: Difference
    why: str = ""
    mend: str = ""
    """The action that fixes it if it is queued again; ``""`` if none is known."""


def judge(
    put: Sent,
    wanted: Wanted | None,
    found: JsonObject | None,
    context: CompareContext,
    asked: CompareContext,
) -> list[Found]:
    """Return the differences of one object.

    Args:
        wanted: the object as the history of its record asks for it; None if that is not known.
        around: the context for comparing with what was sent.
        asked: the context for comparing with ``wanted``.
    """
    sent = compare(put, found, context)
    if wanted is None or wanted.put.ended:
        return [Found(one) for one in sent]
    if not wanted.put.stands:
        return _still_there(wanted, found)
    by_sent = {one.field: one for one in sent}
    by_wanted = {one.field: one for one in compare(wanted.put, found, asked)}
    judged = []
    for field in dict.fromkeys((*by_wanted, *by_sent)):
        ours = by_wanted.get(field)
        if field == _FOLLOWS:
            ours = by_sent.get(field)
        if ours is not None:
            judged.append(_explained(ours, by_sent.get(field), wanted))
    return _with_later(judged, wanted.later, found, asked)


def missing(wanted: Wanted) -> Found:
    """Return the objects that were asked for and are linked to nothing."""
    number = f" for {wanted.put.link.xero_number}" if wanted.put.link.xero_number else ""
    why = f"{_log_says(wanted)}, and nothing in Xero is linked to it; {_BY_HAND}"
    again = wanted.put.link.target.kind in ("invoice", "purchase_order")
    mend = wanted.said.command_id if wanted.said and again else ""
    return Found(Difference(MISSING, f"{wanted.named}{number}", ""), why, mend)


_BY_HAND = "look for it in Xero, and enter it there if it is not"


def _log_says(wanted: Wanted) -> str:
    if wanted.said is None:
        return "the log says that it is done"
    action = wanted.said.action.replace("_", " ")
    return f"the log says that '{action}' of {wanted.said.time:%Y-%m-%d %H:%M} is done"


def _still_there(wanted: Wanted, found: JsonObject | None) -> list[Found]:
    status = str((found or {}).get("Status") or "")
    if found is None or status in GONE:
        return []
    one = Difference("status", "DELETED", status)
    if wanted.later is not None:
        return [_told(one, wanted.later)]
    mend = wanted.said.command_id if wanted.said and wanted.mends else ""
    return [Found(one, f"{_log_says(wanted)}; it should not be there", mend)]


def _explained(ours: Difference, sent: Difference | None, wanted: Wanted) -> Found:
    if ours.information or (sent is not None and sent.ours == ours.ours):
        return Found(ours)
    if wanted.later is not None and wanted.later.put is None:
        return _told(ours, wanted.later)
    mend = wanted.said.command_id if wanted.said and wanted.mends and wanted.behind else ""
    return Found(ours, _log_says(wanted), mend)


def _told(one: Difference, later: Later) -> Found:
    """Return the difference with the later action that explains it: known if that failed or waits; if it was
    skipped, it stays a difference.
    """
    known = not later.said.is_skipped
    return Found(
        replace(one, information=known), f"not yet in Xero: {later.said.words}" if known else later.said.words
    )


def _with_later(
    judged: list[Found], later: Later | None, found: JsonObject | None, asked: CompareContext
) -> list[Found]:
    if later is None or later.put is None or found is None:
        return judged
    beyond = {one.field: one for one in compare(later.put, found, asked)}
    kept = [one for one in judged if one.difference.field in beyond or one.difference.field == _FOLLOWS]
    fields = {one.difference.field for one in kept}
    told = [
        _told(one, later)
        for field, one in beyond.items()
        if field not in fields and not one.information and field != _FOLLOWS
    ]
    return [*kept, *told]
