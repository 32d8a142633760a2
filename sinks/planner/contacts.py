"""Plan a customer's or supplier's contact: link it once, then push the changes."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import msgspec

from contracts.commands import ContactSnapshot
from contracts.json import Body, JsonObject
from contracts.newness import Stamp
from contracts.reasons import Refused, render, warning
from contracts.results import Warning
from sinks.planner.contact_lookups import find_by_name, find_by_number, find_numbers, read_by_id
from sinks.planner.contact_refusals import REFUSED, refuse_again
from sinks.planner.namesakes import Group, Namesake, group_of, name_claim
from sinks.planner.situation import Done, Learn, Plan, Send, Situation, Wait
from sinks.resolve import ResolvedContact, contact_body, resolve_contact, untold_parts
from sinks.resolve.contacts import Field
from sinks.resolve.folding import TOLD_FIELDS, news, told
from sinks.xero import statuses
from sinks.xero.elements import Element, Link, StepKey
from sinks.xero.errors import is_duplicate_contact_number
from sinks.xero.facts import ContactFacts

_NO_TIME = datetime.min.replace(tzinfo=UTC)


def contact_target(contact: ContactSnapshot) -> StepKey:
    """Return the step key of a customer's or supplier's contact."""
    return StepKey("contact", f"{contact.side}/{contact.record_id}")


def plan_contact_command(situation: Situation) -> Plan:
    """Plan for a customer or supplier that was created or edited."""
    contact = _contact(situation)
    step = plan_contact(situation)
    if step is not None:
        return step
    link = situation.contact_link
    assert link is not None
    older = contact.stamp[:2] < link.stamp[:2] and link.seq != situation.seq
    return Done("superseded" if older else None, link, contact_warnings(situation), supersedes="snapshots")


def plan_contact(situation: Situation) -> Plan | None:
    """Return the next step until the contact is linked and has SalesBinder's content; None if that is so.

    Raises:
        Refused: the contact cannot be what SalesBinder says.
    """
    contact = _contact(situation)
    link = situation.contact_link
    if link is None or link.removed:
        return _first_sync(situation, contact, resolve_contact(contact))
    if is_gone(situation):
        return plan_gone(situation)
    fresh = _news(contact, link)
    return None if fresh is None else _later_edit(situation, link, fresh)


def plan_party(situation: Situation, *, creates: bool) -> Plan | None:
    """Return the next step until a document's contact is right; None if the document can be sent.

    If Xero refuses a change of a linked contact, that delays none of its documents, see ``party_warnings``;
    an archived contact holds back a step that ``creates`` a document.

    Raises:
        Refused: the document cannot have this contact.
    """
    try:
        return plan_contact(situation)
    except Refused as refusal:
        linked = (
            situation.contact_link is not None
            and not situation.contact_link.removed
            and not is_gone(situation)
        )
        if not linked or (creates and refusal.code == "contact_archived"):
            raise
        return None


def plan_archived(situation: Situation) -> Plan:
    """Handle a linked contact that Xero calls archived: it was merged into another one, which is followed, or
    it really is.

    Raises:
        Refused: it is archived.
    """
    link = situation.contact_link
    assert link is not None
    if situation.known.contact is None:
        return read_contact(situation, link)
    if merged := situation.known.contact.get("MergedToContactID"):
        return Learn((_moved(link, str(merged)),), afresh=True)
    raise Refused("contact_archived", name=_contact(situation).name)


def read_contact(s: Situation, link: Link) -> Send:
    """Read the linked contact as Xero has it now."""
    return read_by_id(link.target, link.xero_id)


def is_archived(s: Situation) -> bool:
    """Return True if the linked contact was read and is not active."""
    return bool(s.known.contact) and statuses.is_archived(s.known.contact or {})


def is_gone(s: Situation) -> bool:
    """Return True if Xero does not know the linked contact any more."""
    refused = s.refusal is not None and s.refusal.code == "contact_gone"
    return refused or s.known.contact == {}


def plan_gone(s: Situation) -> Plan:
    """Fail because the linked contact is no longer in this organisation. A retry links it again, by number
    and name, or made again.

    Raises:
        Refused: ``contact_gone``.
    """
    link = s.contact_link
    assert link is not None
    if not s.retried:
        raise Refused("contact_gone", name=link.xero_number or _contact(s).name)
    return Learn((replace(link, removed=True),), afresh=True)


def contact_warnings(situation: Situation) -> tuple[Warning, ...]:
    """Return the warnings for a bookkeeper about the contact of this command."""
    contact = _contact(situation)
    try:
        warnings = resolve_contact(contact).warnings
    except Refused:  # of a document that is sent nevertheless
        warnings = ()
    if situation.contact_shared:
        warnings = (*warnings, warning("contact_shared", contact=contact.name))
    return warnings


def trouble_warnings(situation: Situation) -> tuple[Warning, ...]:
    """Return warnings about a linked contact whose own change was refused, for which its documents do not
    wait.
    """
    link = situation.contact_link
    if link is None or link.removed:
        return ()
    try:
        plan_contact(situation)
    except Refused as refusal:
        reason, _ = render(refusal.code, {"document": "it", **refusal.details})
        name = link.xero_number or _contact(situation).name
        return (warning("contact_not_updated", contact=name, message=reason),)
    return ()


def party_warnings(s: Situation) -> tuple[Warning, ...]:
    """Return the warnings for a bookkeeper about a document's contact."""
    return (*contact_warnings(s), *trouble_warnings(s))


def _contact(s: Situation) -> ContactSnapshot:
    if s.contact is None:
        raise Refused("our_error", message="the command carries no customer or supplier")
    return s.contact


def _first_sync(situation: Situation, contact: ContactSnapshot, resolved: ResolvedContact) -> Plan:
    target = contact_target(contact)
    if target in situation.unknown and situation.known.contact_by_name is None:
        if situation.now < situation.unknown[target]:
            return Wait(situation.unknown[target], "waiting_for_answer")
        if situation.known.contact_by_number is None:
            return find_by_number(target, contact)
        if not _of_our_number(situation, contact):  # the call did nothing: it is sent under a new key
            return Learn((), (target,), afresh=True)
    if situation.namesake is not None and not _number_refused(situation):
        return _join(situation, contact, resolved, situation.namesake)
    refused = situation.refusal is not None and situation.refusal.step == "contact"
    asked = situation.known.contact_by_number is not None and (refused or _of_our_number(situation, contact))
    if situation.known.contact_by_name is not None or asked:
        return _match(situation, contact, resolved)
    if situation.refusal is None or situation.refusal.step != "contact":
        group = _group(situation, contact)
        fields = {name: value for name, (value, _) in group.offers.items()}
        return Send(
            Element(
                "contacts.create",
                "contact",
                target,
                contact_body(fields, ()) | {"ContactNumber": contact.record_id},
                link_facts=_contact_facts(contact, resolved.fields),
                claim=name_claim(contact.name),
                offers=group.offers,
            )
        )
    if _number_refused(situation):
        return find_by_number(target, contact)
    if situation.refusal.code == "contact_name_taken":
        return find_by_name(situation, resolved)
    raise Refused(situation.refusal.code, **situation.refusal.details)


def _group(s: Situation, contact: ContactSnapshot) -> Group:
    return s.group or group_of([contact])


def _join(
    situation: Situation, contact: ContactSnapshot, resolved: ResolvedContact, namesake: Namesake
) -> Plan:
    """Use the contact of this name that was just created or found for another record. It is also ours, unless
    Xero has one with our number; newer content of these records is sent once for all of them.
    """
    target, group = contact_target(contact), _group(situation, contact)
    if situation.known.contact_by_number is None:
        return find_numbers(group.numbers_with(contact.record_id))
    if ours := _of_our_number(situation, contact):
        return _link(situation, contact, resolved, min(ours, key=statuses.is_archived))
    if situation.refusal is not None and situation.refusal.step == "contact link":
        raise Refused(situation.refusal.code, **situation.refusal.details)
    link_facts = _contact_facts(contact, resolved.fields)
    news = namesake.news(group)
    if not news:
        name = str(namesake.contact.get("Name") or contact.name)
        return Learn((Link(target, namesake.contact_id, name, situation.seq, facts=link_facts),), acted=True)
    body = contact_body(news, (), namesake.contact, group.untold) | {"ContactID": namesake.contact_id}
    return Send(
        Element(
            "contacts.update",
            "contact link",
            target,
            body,
            xero_id=namesake.contact_id,
            link_facts=link_facts,
            claim=name_claim(contact.name),
            offers=group.offers,
        )
    )


def _match(situation: Situation, contact: ContactSnapshot, resolved: ResolvedContact) -> Plan:
    """Choose among the contacts with this number or name in Xero. The number takes precedence over the
    name.
    """
    target = contact_target(contact)
    if ours := _of_our_number(situation, contact):
        return _link(situation, contact, resolved, min(ours, key=statuses.is_archived))
    if situation.known.contact_by_name is None:
        return find_by_name(situation, resolved)
    namesakes = [c for c in situation.known.contact_by_name if not statuses.is_archived(c)]
    if situation.known.contact_by_number is None and any(c.get("ContactNumber") for c in namesakes):
        return find_by_number(target, contact)
    if namesakes:
        return _link(
            situation, contact, resolved, max(namesakes, key=lambda c: c.get("Name") == contact.name)
        )
    if situation.refusal is not None and situation.refusal.code != "contact_name_taken":
        raise Refused(situation.refusal.code, **situation.refusal.details)
    if situation.known.names_asked >= 0:
        return find_by_name(situation, resolved)
    raise Refused("contact_name_unseen", name=contact.name)


def _of_our_number(s: Situation, contact: ContactSnapshot) -> list[JsonObject]:
    """Return the found contacts with the record's number. One that was merged into a contact which is not in
    Xero any more does not count: nobody can write to either.
    """
    found = (*(s.known.contact_by_number or ()), *(s.known.contact_by_name or ()))
    ours = [c for c in found if c.get("ContactNumber") == contact.record_id]
    return [c for c in ours if s.known.contact != {} or not c.get("MergedToContactID")]


def _link(
    situation: Situation, contact: ContactSnapshot, resolved: ResolvedContact, match: JsonObject
) -> Plan:
    """Link an existing contact for the first time: fields that are not blank overwrite, the rest is left
    alone.
    """
    if match.get("MergedToContactID") and situation.known.contact is not None:
        match = situation.known.contact
    if merged := match.get("MergedToContactID"):
        return read_by_id(contact_target(contact), str(merged))
    if situation.refusal is not None and situation.refusal.step == "contact link":
        raise Refused(situation.refusal.code, **situation.refusal.details)
    if statuses.is_archived(match):
        raise Refused("contact_archived", name=match.get("Name", contact.name))
    group = _group(situation, contact)
    filled = {name: value for name, (value, _) in group.offers.items()}
    body = contact_body(filled, (), match, group.untold) | {"ContactID": match["ContactID"]}
    if not match.get("ContactNumber"):
        body["ContactNumber"] = contact.record_id
    element = Element(
        "contacts.update",
        "contact link",
        contact_target(contact),
        body,
        xero_id=str(match["ContactID"]),
        link_facts=_contact_facts(contact, resolved.fields),
        claim=name_claim(contact.name),
        offers=group.offers,
    )
    return Send(element)


def _news(contact: ContactSnapshot, link: Link) -> ContactSnapshot | None:
    """Return the part of the snapshot that is not older than Xero's state; None if there is none."""
    if not contact.dated:
        return None
    return news(contact, _told(link), link.stamp)


def _told(link: Link) -> dict[str, Stamp]:
    """Return how new each field is that SalesBinder has given so far."""
    told, newest = link.contact.get("told"), link.stamp
    if told is None:  # all of them are as new, or it was linked before this was kept
        return dict.fromkeys(TOLD_FIELDS, newest)
    stamps = {field: [datetime.fromisoformat(part) for part in at] for field, at in told.items()}
    return {field: Stamp(at[0], at[1]) if at else newest for field, at in stamps.items()}


def _later_edit(situation: Situation, link: Link, contact: ContactSnapshot) -> Plan | None:
    """Push the fields that differ from those last sent.

    Args:
        contact: without the fields of which Xero has a newer value already.
    """
    sent = link.contact.get("sent", {})
    refused = situation.refusal
    if refused is not None and (refused.create or refused.step not in ("contact", "contact link")):
        refused = None
    if is_archived(situation) or (refused and refused.code == "contact_archived"):
        return plan_archived(situation)
    if refused is not None:
        raise Refused(refused.code, **refused.details)
    resolved = resolve_contact(contact)
    older = contact.stamp[:2] < link.stamp[:2]
    told_so_far = _told(link)
    wanted = {
        name: _whole(resolved, name, link, told_so_far)
        for name in resolved.fields
        if name != "name" or not older
    }
    changed = {name for name, value in wanted.items() if value != sent.get(name, _blank(value))}
    if not changed:
        return None
    pushed = changed if situation.contact_shared or older or link.contact.get("merged") else set(wanted)
    filled = {name: value for name, value in wanted.items() if name in pushed and value}
    cleared = tuple(name for name in sorted(pushed) if not wanted[name] and sent.get(name))
    link_facts = _contact_facts(contact, {**wanted, "name": wanted.get("name", link.text("name"))}, link)
    refuse_again(situation, link, link_facts)
    if situation.known.contact is None and {"billing", "shipping"} & {*filled, *cleared}:
        return read_contact(situation, link)  # an address is replaced as a whole, AttentionTo must be kept
    kept = {name: _never_told(resolved, name, told_so_far) for name in resolved.untold}
    body = contact_body(filled, cleared, situation.known.contact, kept) | {"ContactID": link.xero_id}
    return Send(
        Element("contacts.update", "contact", link.target, body, xero_id=link.xero_id, link_facts=link_facts)
    )


def _whole(resolved: ResolvedContact, name: str, link: Link, told_so_far: Mapping[str, Stamp]) -> Field:
    """Return the value that a field should have; for an address given in part, the other parts have their
    earlier values.
    """
    value = resolved.fields[name]
    before = (link.contact.get("sent") or {}).get(name)
    if not isinstance(value, dict) or not isinstance(before, dict):
        return value
    kept = resolved.untold.get(name, frozenset()) - _never_told(resolved, name, told_so_far)
    return {**{part: text for part, text in before.items() if part in kept}, **value}


def _never_told(resolved: ResolvedContact, name: str, told_so_far: Mapping[str, Stamp]) -> frozenset[str]:
    """Return the parts of an address that SalesBinder has never given, by Xero's names."""
    return resolved.untold.get(name, frozenset()) & untold_parts(name, told_so_far)


def _moved(link: Link, xero_id: str) -> Link:
    """Return the link to the contact that its own was merged into, which has a name and fields of its own."""
    facts = {name: value for name, value in link.facts.items() if name != REFUSED}
    return replace(link, xero_id=xero_id, facts={**facts, "merged": True})


def _contact_facts(
    contact: ContactSnapshot, fields: Mapping[str, Field], link: Link | None = None
) -> ContactFacts:
    """Return the facts to keep of a contact that is sent: the fields, how new the newest snapshot is, and
    each field that is older.
    """
    sent: Body = {}
    before: dict[str, Stamp] = {}
    merged = False
    if not contact.dated:  # anything with a time of its own is newer
        contact = msgspec.structs.replace(contact, version=_NO_TIME, event_time=_NO_TIME)
    newest = contact.stamp
    if link is not None and not link.removed:
        sent, before, merged = link.contact.get("sent", {}), _told(link), bool(link.contact.get("merged"))
        newest = max(newest, link.stamp)
    stamps = {**before, **{field: at for field, (_, at) in told(contact).items()}}
    known: ContactFacts = {
        "sent": {**sent, **fields},
        "version": newest.moment.isoformat(),
        "event_time": newest.time.isoformat(),
        "name": fields["name"],
    }
    told_at = {
        field: [] if at[:2] == newest[:2] else [at.moment.isoformat(), at.time.isoformat()]
        for field, at in stamps.items()
    }
    if any(told_at.values()) or told_at.keys() != set(TOLD_FIELDS):  # else it goes without saying
        known["told"] = told_at
    return {**known, "merged": True} if merged else known


def _number_refused(s: Situation) -> bool:
    """Return True if the number is among the reasons. Xero may name several at once; a taken number says more
    than a taken name.
    """
    if s.refusal is None:
        return False
    said = [s.refusal.details.get("message", "")]
    return s.refusal.code == "contact_number_taken" or is_duplicate_contact_number(said)


def _blank(value: Any) -> Any:
    return {} if isinstance(value, dict) else ""
