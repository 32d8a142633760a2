"""Planning a customer's or supplier's contact: link it once, then push what changed."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from contracts.commands import ContactSnapshot
from contracts.reasons import Refused, warning
from contracts.results import Warning
from sinks.planner.situation import Done, Plan, Remember, Send, Situation, Wait
from sinks.resolve import ResolvedContact, contact_body, resolve_contact
from sinks.steps import Element, Link, Target
from sinks.xero.errors import is_duplicate_contact_number


def contact_target(contact: ContactSnapshot) -> Target:
    """The step key of a customer's or supplier's contact."""
    return Target("contact", f"{contact.side}/{contact.record_id}")


def plan_contact_command(s: Situation) -> Plan:
    """A customer or supplier was created or edited."""
    contact = _contact(s)
    step = plan_contact(s)
    if step is not None:
        return step
    link = s.contact_link
    assert link is not None
    older = contact.stamp[:2] < link.stamp[:2]
    return Done("superseded" if older else None, link, contact_warnings(s), supersedes="snapshots")


def plan_contact(s: Situation) -> Plan | None:
    """The next step until the contact is linked and holds what SalesBinder has; none when that is so.

    Raises:
        Refused: the contact cannot be what SalesBinder says.
    """
    contact = _contact(s)
    link = s.contact_link
    if link is None:
        return _first_sync(s, contact, resolve_contact(contact))
    if contact.stamp[:2] < link.stamp[:2]:
        return None
    return _later_edit(s, link, contact, resolve_contact(contact))


def plan_archived(s: Situation) -> Plan:
    """Xero calls the linked contact archived: it was merged into another one, which is followed, or it is.

    Raises:
        Refused: it is archived.
    """
    link = s.contact_link
    assert link is not None
    if s.known.contact is None:
        return _read(link.target, link.xero_id)
    if merged := s.known.contact.get("MergedToContactID"):
        return Remember((replace(link, xero_id=str(merged)),), afresh=True)
    raise Refused("contact_archived", name=_contact(s).name)


def contact_warnings(s: Situation) -> tuple[Warning, ...]:
    """What a bookkeeper should know about the contact of this command."""
    contact = _contact(s)
    warnings = resolve_contact(contact).warnings
    if s.contact_shared:
        warnings = (*warnings, warning("contact_shared", contact=contact.name))
    return warnings


def _contact(s: Situation) -> ContactSnapshot:
    if s.contact is None:
        raise Refused("our_error", message="the command carries no customer or supplier")
    return s.contact


def _first_sync(s: Situation, contact: ContactSnapshot, resolved: ResolvedContact) -> Plan:
    target = contact_target(contact)
    if target in s.unknown and s.known.contact_by_name is None:
        if s.now < s.unknown[target]:
            return Wait(s.unknown[target], "waiting_for_answer")
        if s.known.contact_by_number is None:
            return _find_by_number(target, contact)
        if not s.known.contact_by_number:  # the call did nothing: it is sent under a new key
            return Remember((), (target,), afresh=True)
    if s.known.contact_by_name is not None or s.known.contact_by_number is not None:
        return _match(s, contact, resolved)
    if s.refusal is None or s.refusal.step != "contact":
        body = contact_body(resolved.fields, ()) | {"ContactNumber": contact.record_id}
        return Send(Element("contacts.create", "contact", target, body, memory=_memory(contact, resolved)))
    if _number_refused(s):
        return _find_by_number(target, contact)
    if s.refusal.code == "contact_name_taken":
        return _find_by_name(target, resolved)
    raise Refused(s.refusal.code, **s.refusal.details)


def _match(s: Situation, contact: ContactSnapshot, resolved: ResolvedContact) -> Plan:
    """Xero has a contact of this number or name: which one is it? The number counts more than the name."""
    target = contact_target(contact)
    found = (*(s.known.contact_by_number or ()), *(s.known.contact_by_name or ()))
    ours = [c for c in found if c.get("ContactNumber") == contact.record_id]
    if ours:
        return _link(s, contact, resolved, min(ours, key=_archived))
    if s.known.contact_by_name is None:
        return _find_by_name(target, resolved)
    namesakes = [c for c in s.known.contact_by_name if not _archived(c)]
    if s.known.contact_by_number is None and any(c.get("ContactNumber") for c in namesakes):
        return _find_by_number(target, contact)
    if namesakes:
        return _link(s, contact, resolved, max(namesakes, key=lambda c: c.get("Name") == contact.name))
    if s.refusal is not None:
        raise Refused(s.refusal.code, **s.refusal.details)
    raise Refused("contact_name_taken", name=contact.name)


def _link(
    s: Situation, contact: ContactSnapshot, resolved: ResolvedContact, match: Mapping[str, Any]
) -> Plan:
    """First sync with a contact that exists: what is not blank is overwritten, the rest is left alone."""
    if match.get("MergedToContactID") and s.known.contact is not None:
        match = s.known.contact
    if merged := match.get("MergedToContactID"):
        return _read(contact_target(contact), str(merged))
    if s.refusal is not None and s.refusal.step == "contact link":
        raise Refused(s.refusal.code, **s.refusal.details)
    if _archived(match):
        raise Refused("contact_archived", name=match.get("Name", contact.name))
    filled = {name: value for name, value in resolved.fields.items() if value}
    body = contact_body(filled, (), existing=match) | {"ContactID": match["ContactID"]}
    if not match.get("ContactNumber"):
        body["ContactNumber"] = contact.record_id
    element = Element(
        "contacts.update",
        "contact link",
        contact_target(contact),
        body,
        xero_id=str(match["ContactID"]),
        memory=_memory(contact, resolved),
    )
    return Send(element)


def _later_edit(s: Situation, link: Link, contact: ContactSnapshot, resolved: ResolvedContact) -> Plan | None:
    sent: Mapping[str, Any] = link.facts.get("sent", {})
    refused = s.refusal if s.refusal is not None and s.refusal.step in ("contact", "contact link") else None
    if (s.known.contact and _archived(s.known.contact)) or (refused and refused.code == "contact_archived"):
        return plan_archived(s)
    if refused is not None:
        raise Refused(refused.code, **refused.details)
    wanted = resolved.wire_fields()
    changed = {name for name, value in wanted.items() if value != sent.get(name, _blank(value))}
    if not changed:
        return None
    pushed = changed if s.contact_shared else set(wanted)
    filled = {name: value for name, value in resolved.fields.items() if name in pushed and value}
    cleared = tuple(name for name in sorted(pushed) if not resolved.fields[name] and sent.get(name))
    if s.known.contact is None and {"billing", "shipping"} & {*filled, *cleared}:
        return _read(link.target, link.xero_id)  # an address is replaced as a whole, AttentionTo must be kept
    body = contact_body(filled, cleared, existing=s.known.contact) | {"ContactID": link.xero_id}
    return Send(
        Element(
            "contacts.update",
            "contact",
            link.target,
            body,
            xero_id=link.xero_id,
            memory=_memory(contact, resolved, link),
        )
    )


def _memory(contact: ContactSnapshot, resolved: ResolvedContact, link: Link | None = None) -> dict[str, Any]:
    before = link.facts.get("sent", {}) if link else {}
    return {
        "sent": {**before, **resolved.wire_fields()},
        "version": contact.version.isoformat(),
        "event_time": contact.event_time.isoformat(),
        "name": resolved.fields["name"],
    }


def _find_by_name(target: Target, resolved: ResolvedContact) -> Send:
    """Names are compared by Xero itself, which knows neither case nor accents. One with a quote cannot stand
    in a filter: it is searched for by its longest part without one.
    """
    wanted = str(resolved.fields["name"])
    query = {"where": f"Name=={quoted(wanted)}", "page": "1"}
    if '"' in wanted or "\\" in wanted:
        part = max(wanted.replace("\\", '"').split('"'), key=len).strip()
        query = {"searchTerm": part or wanted, "page": "1", "pageSize": "1000"}
    return Send(Element("contacts.find", "look up contact by name", target, query=query, wanted=wanted))


def _find_by_number(target: Target, contact: ContactSnapshot) -> Send:
    """Only a page tells into which contact another was merged."""
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
    """A text as Xero's ``where`` takes it. It knows no way to write a quote inside (Xero-Java#347)."""
    return f'"{text}"'


def _read(target: Target, contact_id: str) -> Send:
    return Send(Element("contacts.read", "read contact", target, xero_id=contact_id))


def _number_refused(s: Situation) -> bool:
    """Xero may name several reasons at once; that the number is taken says more than that the name is."""
    if s.refusal is None:
        return False
    said = [s.refusal.details.get("message", "")]
    return s.refusal.code == "contact_number_taken" or is_duplicate_contact_number(said)


def _archived(contact: Mapping[str, Any]) -> bool:
    return str(contact.get("ContactStatus", "ACTIVE")) != "ACTIVE"


def _blank(value: Any) -> Any:
    return {} if isinstance(value, dict) else ""
