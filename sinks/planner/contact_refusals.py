"""Keep a contact's change that Xero refused from being sent again with every document of the contact.
Pure.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Final

from contracts.reasons import ReasonCode, Refused
from sinks.planner.situation import Situation
from sinks.xero.elements import Element, Link
from sinks.xero.facts import ContactFacts, RefusedFact, of_contact

REFUSED: Final = "refused"
"""Fact of a contact's link: Xero's last refusal of it, by a digest of the content, and why."""
_TRY_AGAIN_AFTER = timedelta(days=1)
"""How long a refusal is remembered: somebody may have fixed it in Xero, of which we are not told."""
_ABOUT_NO_CONTENT = frozenset({"contact_archived", "contact_gone"})


def refuse_again(situation: Situation, link: Link, link_facts: ContactFacts) -> None:
    """Raise Xero's earlier refusal of the same content, for at most a day. A command about the contact
    itself, and one that is done again, is sent nevertheless.

    Args:
        link_facts: the facts that the link would keep.

    Raises:
        Refused: Xero did not take it.
    """
    before = link.contact.get(REFUSED)
    if before is None or situation.retried or situation.command.document is None:
        return
    fresh = situation.now - datetime.fromisoformat(before["at"]) < _TRY_AGAIN_AFTER
    if fresh and before["content"] == _digest(link_facts):
        raise Refused(before["code"], **before["details"])


def with_refusal(
    element: Element, code: ReasonCode, details: Mapping[str, str], link: Link | None, at: datetime
) -> Link | None:
    """Return the contact's link with Xero's refusal; None if the link does not change."""
    changes = element.target.kind == "contact" and element.step == "contact" and "sent" in element.link_facts
    if not changes or link is None or link.removed or code in _ABOUT_NO_CONTENT:
        return None
    told: RefusedFact = {
        "content": _digest(of_contact(element.link_facts)),
        "code": code,
        "details": dict(details),
        "at": at.isoformat(),
    }
    return replace(link, facts={**link.facts, REFUSED: told})


def _digest(link_facts: ContactFacts) -> str:
    """Return a digest of all fields that would be sent."""
    return hashlib.sha256(json.dumps(link_facts["sent"], sort_keys=True).encode()).hexdigest()[:32]
