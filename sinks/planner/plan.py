"""Plan one command: choose the planner for its action."""

from collections.abc import Callable
from dataclasses import replace

from contracts.newness import is_in_future
from contracts.reasons import Refused, warning
from sinks.planner.applied import plan_payment
from sinks.planner.contacts import plan_contact_command
from sinks.planner.invoices import plan_snapshot_command, read_invoice
from sinks.planner.orders import plan_order_command, plan_order_removal
from sinks.planner.receipts import plan_receipt
from sinks.planner.refunds import plan_refund
from sinks.planner.removal import plan_removal, plan_reset
from sinks.planner.situation import Done, Fail, Plan, Situation

_Planner = Callable[[Situation], Plan]


def _not_needed(s: Situation) -> Plan:
    """Return SalesBinder's own integration deletes no contact in Xero either."""
    return Done("not_needed")


_PLANNERS: dict[tuple[str, str], _Planner] = {
    ("customer", "created"): plan_contact_command,
    ("customer", "edited"): plan_contact_command,
    ("customer", "deleted"): _not_needed,
    ("supplier", "created"): plan_contact_command,
    ("supplier", "edited"): plan_contact_command,
    ("supplier", "deleted"): _not_needed,
    ("invoice", "created"): plan_snapshot_command,
    ("invoice", "edited"): plan_snapshot_command,
    ("invoice", "payment_applied"): plan_payment,
    ("invoice", "refund_applied"): plan_refund,
    ("invoice", "reset"): plan_reset,
    ("invoice", "cancelled"): plan_removal,
    ("invoice", "deleted"): plan_removal,
    ("purchase_order", "created"): plan_order_command,
    ("purchase_order", "edited"): plan_order_command,
    ("purchase_order", "received"): plan_receipt,
    ("purchase_order", "deleted"): plan_order_removal,
}


def _look_again(s: Situation) -> Plan | None:
    """Read an invoice again that is believed to be removed: a retry says that it may exist after all. An
    answer that it was not may have been wrong.
    """
    link = s.invoice_link
    if not s.retried or link is None or not link.removed or not link.xero_id or s.known.invoice is not None:
        return None
    return read_invoice(link)


def _told(situation: Situation, found: Plan) -> Plan:
    """Warn that the event's own clock is ahead, also on a completed action."""
    document, contact, time = (
        situation.command.document,
        situation.command.contact,
        situation.command.event.time,
    )
    stamps = (document.version, document.contact.version) if document else ()
    ahead = [at for at in (*stamps, *((contact.version,) if contact else ())) if is_in_future(at, time)]
    if not isinstance(found, Done) or not ahead:
        return found
    text = warning("modified_in_future", value=max(ahead).isoformat(), time=time.isoformat())
    return replace(found, warnings=(*found.warnings, text))


def plan(situation: Situation) -> Plan:
    """Return what to do next for this command, with the present knowledge. Planning again changes nothing."""
    planner = _PLANNERS.get((situation.command.entity, situation.command.action))
    if planner is None:
        return Fail("not_supported_yet")
    if situation.refusal is not None and situation.refusal.look_up:
        return Fail(situation.refusal.code, situation.refusal.details)
    try:
        return _told(situation, _look_again(situation) or planner(situation))
    except Refused as refusal:
        return Fail(refusal.code, refusal.details)
