"""Match a customer's or supplier's contact with the one in Xero, by its number, and see what it has of ours.
Pure.
"""

from collections.abc import Iterable

import msgspec

from contracts.commands import ContactSnapshot
from contracts.json import Body
from contracts.reasons import Refused
from sinks.drift.compare import contact_field, same_field
from sinks.recover.record import Findings, Found, Record
from sinks.resolve import resolve_contact
from sinks.xero.elements import Link, StepKey
from sinks.xero.statuses import is_archived

Known = tuple[int, ContactSnapshot]
"""A snapshot of a contact and the position of the action that brought it."""


def match_contact(
    record: Record, side: str, record_id: str, known: Iterable[Known], findings: Findings
) -> None:
    """Link a contact that is not linked to the one that bears its number.

    A field counts as sent if Xero shows it as one of the snapshots has it; the others are sent again. A
    contact that Xero knows only by its name is left to the planner, which finds it by that.
    """
    target = StepKey("contact", f"{side}/{record_id}")
    if target in record.links or target in findings.links:
        return
    numbered = [c for c in record.shown.get("Contacts", ()) if c.get("ContactNumber") == record_id]
    active = [c for c in numbered if not is_archived(c)]
    snapshots = [msgspec.structs.replace(c, position=seq) for seq, c in known]
    if len(active) != 1 or not snapshots or active[0]["ContactID"] in record.elsewhere:
        return
    findings.links[target] = _link(target, active[0], snapshots)


def _link(target: StepKey, found: Found, snapshots: list[ContactSnapshot]) -> Link:
    dated = [one for one in snapshots if one.dated]
    snapshots = sorted(dated or snapshots, key=lambda one: one.stamp)
    sent: Body = {}
    whole = snapshots[0]
    unseen = {"website"} if len({one.website for one in snapshots}) > 1 else set()  # Xero does not show it
    for snapshot in snapshots:
        try:
            fields = resolve_contact(snapshot).wire_fields()
        except Refused:
            continue
        shown = {name: contact_field(name, found) for name in fields}
        same = {
            name: v
            for name, v in fields.items()
            if name not in unseen and (shown[name] is None or same_field(v, shown[name]))
        }
        sent |= same
        if len(same) == len(fields):
            whole = snapshot
    facts = {
        "sent": sent,
        "version": whole.version.isoformat(),
        "event_time": whole.event_time.isoformat(),
        "position": str(whole.position),
        "name": str(found.get("Name") or ""),
    }
    return Link(target, str(found["ContactID"]), str(found.get("Name") or ""), whole.position, facts=facts)
