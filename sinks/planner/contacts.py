"""Planning a customer's or supplier's contact: link it once, then push what changed."""

import unicodedata
from collections.abc import Mapping
from typing import Any

from contracts.commands import ContactSnapshot
from contracts.reasons import Refused, warning
from contracts.results import Warning
from sinks.planner.situation import Done, Plan, Remember, Send, Situation
from sinks.resolve import ResolvedContact, contact_body, resolve_contact
from sinks.steps import Element, Link, Target

_ARCHIVED = "ARCHIVED"


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
    own = s.command.contact
    stale = own is not None and (own.version, own.event_time) < (contact.version, contact.event_time)
    return Done("superseded" if stale else None, link, contact_warnings(s), supersedes="snapshots")


def plan_contact(s: Situation) -> Plan | None:
    """The next step until the contact is linked and holds what SalesBinder has; none when there is nothing to do.

    Raises:
        Refused: the contact cannot be what SalesBinder says.
    """
    contact = _contact(s)
    resolved = resolve_contact(contact)
    if s.contact_link is None:
        return _first_sync(s, contact, resolved)
    return _later_edit(s, s.contact_link, contact, resolved)


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
    if s.known.contact_by_name is None and s.known.contact_by_number is None:
        if s.refusal is None or s.refusal.step != "contact":
            body = contact_body(resolved.fields, ()) | {"ContactNumber": contact.record_id}
            return Send(
                Element("contacts.create", "contact", target, body, memory=_memory(contact, resolved))
            )
        if s.refusal.code == "contact_name_taken":
            return _find_by_name(target, resolved)
        if s.refusal.code == "contact_number_taken":
            return _find_by_number(target, contact)
        raise Refused(s.refusal.code, **s.refusal.details)
    return _match(s, contact, resolved)


def _match(s: Situation, contact: ContactSnapshot, resolved: ResolvedContact) -> Plan:
    """Xero has a contact of this number or name: which one is it?"""
    target = contact_target(contact)
    by_number = [c for c in s.known.contact_by_number or () if c.get("ContactNumber") == contact.record_id]
    ours = [
        c for c in s.known.contact_by_name or () if c.get("ContactNumber") == contact.record_id
    ] or by_number
    if ours:
        return _link(s, contact, resolved, ours[0])
    namesakes = [
        c
        for c in s.known.contact_by_name or ()
        if c.get("ContactStatus", "ACTIVE") == "ACTIVE" and same_name(str(c.get("Name", "")), contact.name)
    ]
    number_refused = s.refusal is not None and s.refusal.code == "contact_number_taken"
    if s.known.contact_by_number is None and (number_refused or _numbered_otherwise(namesakes)):
        return _find_by_number(target, contact)
    if s.known.contact_by_name is None:
        return _find_by_name(target, resolved)
    if namesakes:
        return _link(s, contact, resolved, namesakes[0])
    if s.refusal is not None:
        raise Refused(s.refusal.code, **s.refusal.details)
    raise Refused("contact_name_taken", name=contact.name)


def _link(
    s: Situation, contact: ContactSnapshot, resolved: ResolvedContact, match: Mapping[str, Any]
) -> Plan:
    """First sync with a contact that exists: only what is not blank is overwritten, the rest is left alone."""
    if merged := match.get("MergedToContactID"):
        if s.known.contact is None or s.known.contact.get("ContactID") != merged:
            return _read(contact_target(contact), str(merged))
        match = s.known.contact
    if s.refusal is not None and s.refusal.step == "contact link":
        raise Refused(s.refusal.code, **s.refusal.details)
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
    if s.known.contact is not None:
        merged = s.known.contact.get("MergedToContactID")
        if merged and merged != link.xero_id:
            moved = Link(link.target, str(merged), link.xero_number, link.seq, facts=link.facts)
            return Remember((moved,))
        if s.known.contact.get("ContactStatus") == _ARCHIVED:
            raise Refused("contact_archived", name=contact.name)
    if s.refusal is not None and s.refusal.step in ("contact", "contact link"):
        if s.refusal.code == "contact_archived" and s.known.contact is None:
            return _read(link.target, link.xero_id)
        raise Refused(s.refusal.code, **s.refusal.details)
    if (contact.version, contact.event_time) < (link.time("version"), link.time("event_time")):
        return None
    wanted = resolved.wire_fields()
    changed = {name for name, value in wanted.items() if value != sent.get(name, _blank(value))}
    if not changed:
        return None
    pushed = changed if s.contact_shared else set(wanted)
    if s.known.contact is None and any(resolved.fields[name] for name in pushed & {"billing", "shipping"}):
        return _read(link.target, link.xero_id)  # an address is replaced as a whole, AttentionTo must be kept
    filled = {name: value for name, value in resolved.fields.items() if name in pushed and value}
    cleared = tuple(name for name in sorted(pushed) if not resolved.fields[name] and sent.get(name))
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
    name = str(resolved.fields["name"]).replace("\\", "\\\\").replace('"', '\\"')
    query = {"where": f'Name=="{name}"'}
    return Send(Element("contacts.find", "look up contact by name", target, query=query))


def _find_by_number(target: Target, contact: ContactSnapshot) -> Send:
    query = {"where": f'ContactNumber=="{contact.record_id}"', "includeArchived": "true"}
    return Send(Element("contacts.find", "look up contact by number", target, query=query))


def _read(target: Target, contact_id: str) -> Send:
    return Send(Element("contacts.read", "read contact", target, xero_id=contact_id))


def _numbered_otherwise(namesakes: list[Mapping[str, Any]]) -> bool:
    return bool(namesakes) and bool(namesakes[0].get("ContactNumber"))


def _blank(value: Any) -> Any:
    return {} if isinstance(value, dict) else ""


def same_name(one: str, other: str) -> bool:
    """True when Xero takes both for one name: surrounding and repeated blanks, case and accents aside."""
    return _folded(one) == _folded(other)


def _folded(name: str) -> str:
    decomposed = unicodedata.normalize("NFKD", " ".join(name.split()).casefold())
    return "".join(c for c in decomposed if not unicodedata.combining(c))
