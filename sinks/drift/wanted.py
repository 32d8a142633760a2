"""Work out the state that Xero should have by the known history of a record. Pure.

It is independent of what was sent: the newest good snapshot of a document, resolved as it was when it was
posted; the latest event of each payment and refund; what resets and removals have left of them; and the goods
received. Anything that only settings decide is taken as it was sent, so that settings changed since make no
difference.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import msgspec

from connections.facts import OrganisationFacts
from connections.settings import Settings
from contracts.commands import DocumentSnapshot
from contracts.json import Body, JsonObject
from contracts.reasons import Refused
from mappers.totals import totals
from sinks.drift.compare import NUMBERS, Sent
from sinks.drift.record import Later, Record, Said, Wanted, gone, made_of
from sinks.drift.wanted_money import money_wanted
from sinks.planner.contacts import contact_target
from sinks.resolve import ResolvedDocument, resolve_bill, resolve_invoice, resolve_order
from sinks.xero.elements import Kind, Link, StepKey

_NOT_COMPARED = ("Type", "Url", "InvoiceNumber", "PurchaseOrderNumber")
_KEPT_DAYS = ("date_moved", "date_kept")


@dataclass(frozen=True, slots=True)
class Given:
    """The settings and facts with which the history is read."""

    account: str
    settings: Settings
    facts: OrganisationFacts
    contacts: Mapping[str, str]
    """ContactIDs that customers and suppliers (``customer/{id}``) are linked to."""
    billed_only: frozenset[str] = frozenset()
    """Command ids of receipts that ended under another ``received_as`` than today's, so that there need be no
    bill."""


def wanted(record: Record, given: Given) -> dict[StepKey, Wanted]:
    """Return, by target, each object that should be in Xero, or was there and should not be any more."""
    given = replace(given, facts=replace(given.facts, lock_date=None))
    kind: Kind = "invoice" if record.entity == "invoice" else "purchase_order"
    found: dict[StepKey, Wanted] = {}
    document = _document(record, kind, given)
    if document is not None:
        found[document.put.link.target] = document
    if kind == "invoice":
        found |= money_wanted(record, given.settings, given.facts)
    elif (bill := _bill(record, given)) is not None:
        found[bill.put.link.target] = bill
    return found


def _document(record: Record, kind: Kind, given: Given) -> Wanted | None:
    target = record.target(kind)
    put = record.puts.get(target) or Sent(Link(target, ""), {})
    base = _base(record, put.link)
    removal = record.removal
    if removal is not None:
        if not put.link.xero_id:
            return None
        named = f"{kind.replace('_', ' ')} {put.link.xero_number}"
        return Wanted(gone(put), named, removal, behind=not put.link.removed, mends=True)
    if base is None or base.command.document is None:
        return None
    snapshot = _placed(base)
    as_it_should = _put(put, snapshot, kind, given)
    if record.may_be_gone:
        as_it_should = replace(as_it_should, ended=True)
    if kind == "purchase_order" and _received(record):
        as_it_should = replace(as_it_should, body={**as_it_should.body, "Status": "BILLED"})
    later = _later(record, base)
    kept = put.link.text("content")
    return Wanted(
        as_it_should,
        f"{kind.replace('_', ' ')} {snapshot.number} of {totals(snapshot).total}",
        base,
        behind=bool(kept) and kept != snapshot.digest,
        mends=base.action in ("created", "edited"),
        later=None if later is None else Later(later, _put(put, _placed(later), kind, given)),
    )


def _placed(said: Said) -> DocumentSnapshot:
    assert said.command.document is not None
    return msgspec.structs.replace(said.command.document, position=said.seq)


def _received(record: Record) -> list[Said]:
    return [one for one in record.of("received") if one.is_in_xero]


def _base(record: Record, link: Link) -> Said | None:
    """Return the action whose snapshot Xero should have: the newest of those that are done or that a later
    one replaces, or the one that the ledger has sent, even if its own entry failed. None if the ledger has
    something newer for which no action is known.
    """
    received = next(iter(_received(record)), None)
    told = [one for one in record.of("created", "edited") if one.command.document is not None]
    done = [
        one
        for one in told
        if one.is_in_xero or (one.outcome == "superseded" and (received is None or one.seq < received.seq))
    ]
    brought = [one for one in record.of("payment_applied", "received") if one.seq == link.seq]
    content = link.text("content")
    sent = [one for one in (*told, *brought) if content and _placed(one).digest == content]
    if not any(one.is_in_xero for one in done) and not sent:
        return None
    found = max((*done, *sent), key=lambda one: _placed(one).stamp, default=None)
    if found is None or (link.xero_id and content and _is_newer(link, found)):
        return None
    return found


def _is_newer(link: Link, said: Said) -> bool:
    snapshot = _placed(said)
    return link.stamp[:2] > snapshot.stamp[:2] and link.text("content") != snapshot.digest


def _later(record: Record, base: Said) -> Said | None:
    """Return the newest snapshot beyond ``base`` that failed, waits or was skipped."""
    beyond = [
        one
        for one in record.of("created", "edited")
        if (one.is_pending or one.is_skipped)
        and one.command.document is not None
        and _placed(one).stamp > _placed(base).stamp
    ]
    return max(beyond, key=lambda one: _placed(one).stamp, default=None)


# As it is sent


def _put(put: Sent, snapshot: DocumentSnapshot, kind: Kind, given: Given, day: Any = None) -> Sent:
    """Return ``put`` with the snapshot's content, resolved as it was when it was posted."""
    link = put.link
    own = totals(snapshot)
    try:
        resolved = _resolved(snapshot, kind, given, link, day)
    except Refused:  # today's chart or settings do not hold it; its own totals still count
        told = None not in (snapshot.subtotal, snapshot.tax)
        facts = {"expected_total": own.total} if told else {}
        return made_of(_without_lines(put) if told else put, _party(put, snapshot, given), **facts)
    body = {name: value for name, value in resolved.body.items() if name not in _NOT_COMPARED}
    same = link.text("content") == snapshot.digest
    if same:
        for name, said in (("CurrencyCode", snapshot.currency), ("DueDate", snapshot.due_date)):
            if not said:
                body.pop(name, None)
    else:
        body[NUMBERS[kind]] = resolved.number
    if _day_was_kept(link):
        for name in ("Date", *(() if snapshot.due_date else ("DueDate",))):
            body.pop(name, None)
    if same and _taxes(body["LineItems"]) != _taxes(put.body.get("LineItems") or body["LineItems"]):
        del body["LineItems"]  # other tax types by today's settings
        return made_of(put, {**body, **_party(put, snapshot, given)}, expected_total=own.total)
    return made_of(put, {**body, **_party(put, snapshot, given)}, expected_total=resolved.total)


def _resolved(snapshot: DocumentSnapshot, kind: Kind, given: Given, link: Link, day: Any) -> ResolvedDocument:
    facts = link.facts if link.xero_id else None
    if kind == "invoice":
        return resolve_invoice(snapshot, given.settings, given.facts, given.account, facts)
    if kind == "bill":
        return resolve_bill(snapshot, given.settings, given.facts, given.account, day, facts)
    return resolve_order(snapshot, given.settings, given.facts, facts)


def _without_lines(put: Sent) -> Sent:
    return replace(put, body={name: value for name, value in put.body.items() if name != "LineItems"})


def _day_was_kept(link: Link) -> bool:
    codes = link.warning_codes
    return bool(codes & set(_KEPT_DAYS)) or bool(link.text("moved_seq"))


def _taxes(lines: Sequence[JsonObject]) -> list[Any]:
    return [line.get("TaxType") for line in lines]


def _party(put: Sent, snapshot: DocumentSnapshot, given: Given) -> Body:
    """Return the contact, if it is another one than the document was sent with."""
    party = contact_target(snapshot.contact).record_id
    linked = given.contacts.get(party)
    if put.link.text("party") == party or not linked:
        return {}
    return {"Contact": {"ContactID": linked, "other": True}}


# Bills


def _bill(record: Record, given: Given) -> Wanted | None:
    """Return the bill for the goods received, made of the lines that were received last."""
    receipts = _received(record)
    target = record.target("bill")
    put = record.puts.get(target) or Sent(Link(target, ""), {})
    if not receipts:
        return None
    first, last = receipts[0], receipts[-1]
    order = record.puts.get(record.target("purchase_order"))
    snapshot = _bill_lines(record, last, order)
    number = order.link.xero_number if order else snapshot.number
    named = f"bill {number} of {totals(snapshot).total}"
    if not put.link.xero_id:
        expected = given.settings.received_as == "bill" and first.command_id not in given.billed_only
        if not expected and not any(one.xero_type == "bill" for one in receipts):
            return None
        facts = {"expected_total": totals(snapshot).total}
        return Wanted(Sent(Link(target, "", number, last.seq, facts=facts), {}), named, last)
    day = first.command.received_on or first.time.date()
    as_it_should = _put(put, snapshot, "bill", given, day)
    if put.link.text("received_lines") in ("", snapshot.lines_digest):
        return Wanted(as_it_should, named, last)
    return Wanted(as_it_should, named, last, behind=True)


def _bill_lines(record: Record, receipt: Said, order: Sent | None) -> DocumentSnapshot:
    """Return the receipt's own snapshot, unless the order in Xero is newer and of the same supplier."""
    own = _placed(receipt)
    base = _base(record, order.link) if order else None
    if base is None or own.stamp >= _placed(base).stamp:
        return own
    newest = _placed(base)
    return newest if newest.contact.record_id == own.contact.record_id else own
