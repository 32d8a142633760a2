"""Look for contacts in Xero: by name as Xero compares names, by our number, by its id."""

import hashlib
import re
from collections.abc import Sequence

from contracts.commands import ContactSnapshot
from sinks.planner.situation import Send, Situation
from sinks.resolve import ResolvedContact
from sinks.xero.elements import Element, Step, StepKey
from sinks.xero.names import name_key
from sinks.xero.routes import RouteName


def find_by_name(situation: Situation, resolved: ResolvedContact) -> Send:
    """Look a contact up by name. Xero ignores case and accents when it calls a name taken; reports differ on
    whether its filter and its search do. So it is asked for the name, then searched for a part that has one
    spelling, then all its contacts are read and compared by us. All commands that look for the name wait for
    that one response.

    A name with a quote cannot be used in a filter.
    """
    route: RouteName
    wanted, asked = str(resolved.fields["name"]), situation.known.names_asked
    if asked == 0 and not {'"', "\\"} & set(wanted):
        route, query = "contacts.find", {"where": f"Name=={quoted(wanted)}", "page": "1"}
    elif asked <= 1:
        route, query = "contacts.search", {"searchTerm": _plainest_part(wanted)}
    else:
        route, query = "contacts.list", {"page": str(asked - 1)}
    target = StepKey("contact", f"like/{name_key(wanted)}")
    step: Step = "look up contact by name"
    return Send(Element(route, step, target, query=query, wanted=wanted, shared=True))


def _plainest_part(name: str) -> str:
    """Return the longest part of a name without quotes and letters that may be spelt otherwise."""
    parts = re.findall(r"[ !#-\[\]-~]+", name)
    return max((part.strip() for part in parts), key=len, default="") or name


def find_numbers(numbers: Sequence[str]) -> Send:
    """Ask Xero once for contacts with any of these numbers; the answer is given only to commands that asked
    for the same ones.
    """
    where = " OR ".join(f"ContactNumber=={quoted(number)}" for number in numbers)
    asked = hashlib.sha256(where.encode()).hexdigest()[:32]
    target = StepKey("contact", f"numbers/{asked}")
    step: Step = "look up contact by number"
    return Send(Element("contacts.find_numbers", step, target, query={"where": where}, shared=True))


def find_by_number(target: StepKey, contact: ContactSnapshot) -> Send:
    """Look the contact up in a page: only a page shows into which contact another one was merged."""
    query = {
        "where": f"ContactNumber=={quoted(contact.record_id)}",
        "includeArchived": "true",
        "page": "1",
    }
    wanted = contact.record_id
    return Send(
        Element("contacts.find_number", "look up contact by number", target, query=query, wanted=wanted)
    )


def quoted(text: str) -> str:
    """Return a text as Xero's ``where`` takes it. It knows no way to write a quote inside (Xero-Java#347)."""
    return f'"{text}"'


def read_by_id(target: StepKey, contact_id: str) -> Send:
    """Read one contact as Xero has it now."""
    return Send(Element("contacts.read", "read contact", target, xero_id=contact_id))
