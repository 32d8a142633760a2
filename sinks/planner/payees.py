"""Choose the contact of a credit note: the invoice's, or the record's own if Xero no longer has that one.

Pure.
"""

from dataclasses import replace
from typing import Final

from contracts.json import JsonObject
from contracts.reasons import Refused
from sinks.planner.contacts import plan_contact, read_contact
from sinks.planner.situation import Learn, Plan, Situation
from sinks.resolve import contact_of
from sinks.xero.elements import Step

CREDIT_NOTE: Final = "credit note"
TO_OWN_CONTACT: Final = "credit note to the record's contact"
STEPS: tuple[Step, ...] = (CREDIT_NOTE, TO_OWN_CONTACT)


def find_payee(situation: Situation, invoice: JsonObject) -> Plan | None:
    """Return the next step until a credit note can be made out to somebody; None if it can be sent.

    Raises:
        Refused: ``contact_gone``; a retry links the record again, by number and name, or makes its contact
            again.
    """
    if situation.contact is None or not (_is_gone(situation) or _is_being_linked(situation)):
        return None
    link = situation.contact_link
    linked = link is not None and not link.removed
    if link is not None and linked and link.xero_id != contact_of(invoice) and situation.known.contact != {}:
        return read_contact(situation, link) if situation.known.contact is None else None
    if not situation.retried:
        raise Refused("contact_gone", name=situation.contact.name)
    return Learn((replace(link, removed=True),)) if link is not None and linked else plan_contact(situation)


def payee_of(s: Situation, invoice: JsonObject) -> tuple[Step, str]:
    """Return the step by which the credit note goes out, and the ContactID to which."""
    link = s.contact_link
    own = _is_gone(s) or (s.refusal is not None and s.refusal.step == TO_OWN_CONTACT)
    if own and link is not None and not link.removed and s.contact is not None:
        return TO_OWN_CONTACT, link.xero_id
    return CREDIT_NOTE, contact_of(invoice)


def _is_gone(s: Situation) -> bool:
    """Return True if Xero did not know the invoice's contact."""
    return s.refusal is not None and s.refusal.step == CREDIT_NOTE and s.refusal.code == "contact_gone"


def _is_being_linked(s: Situation) -> bool:
    """Return True if Xero did not take the contact that is made again: its name is looked for."""
    unlinked = s.contact_link is None or s.contact_link.removed
    return unlinked and s.refusal is not None and s.refusal.step in ("contact", "contact link")
