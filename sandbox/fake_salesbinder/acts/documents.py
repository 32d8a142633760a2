"""Estimates, invoices and purchase orders: created, edited, sent, cancelled, deleted."""

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any

from ..records import CUSTOMER, ESTIMATE, INVOICE, ORDER, PROSPECT, SUPPLIER, Document, Party
from ..shop import Shop
from ..totals import amount_due, totals
from ..truth import TrueDocument
from .base import Refused, act, day
from .lines import LineInput, content, edited_lines, new_line

_KINDS = {"estimate": ESTIMATE, "invoice": INVOICE, "purchase_order": ORDER}
_PARTIES = {ESTIMATE: (CUSTOMER, PROSPECT), INVOICE: (CUSTOMER,), ORDER: (SUPPLIER,)}
_FIRST_STATE = {ESTIMATE: "open", INVOICE: "open", ORDER: "not_sent"}
_UNPROVEN = {INVOICE: ("sent", "overdue", "viewed"), ORDER: ("pending",), ESTIMATE: ()}
OTHERS = ("shipping_address", "public_note", "external_po_number", "custom_doc_number", "shipping_location")
"""Fields that no event is made of."""


@act
def create_document(
    shop: Shop,
    kind: str,
    party_id: str,
    lines: Sequence[LineInput],
    *,
    name: str | None = None,
    issue_date: Any = None,
    number: int | None = None,
    others: dict[str, str | None] | None = None,
    source_id: str | None = None,
) -> str:
    """Create an `estimate`, `invoice` or `purchase_order` for an account; returns its id."""
    if kind not in _KINDS:
        raise Refused("context_id", "valid", f"{kind!r} is none of {', '.join(_KINDS)}")
    document = new_document(shop, _KINDS[kind], party_id, lines, issue_date, number)
    document = replace(document, name=name, others=others, source_id=source_id)
    shop.store.documents.put(document)
    shop.truth.documents[document.id] = true_document(document, kind)
    shop.happened("created", document)
    touch_customer(shop, document)
    return document.id


def new_document(
    shop: Shop,
    context_id: int,
    party_id: str,
    lines: Sequence[LineInput],
    issue_date: Any,
    number: int | None,
) -> Document:
    """Return a document that is not stored yet."""
    party = fitting_party(shop, context_id, party_id)
    now = shop.stamp()
    unproven = _UNPROVEN[context_id] if shop.switches.unproven_statuses == "shown" else ()
    return Document(
        id=shop.new_id(),
        context_id=context_id,
        number=number or shop.next_number(context_id),
        party_id=party_id,
        party_as_saved=party,
        issue_date=day(issue_date, now.date(), "issue_date"),
        created=now,
        modified=now,
        state=_FIRST_STATE[context_id],
        lines=tuple(new_line(shop, given) for given in lines),
        user_id=shop.owner.id if shop.chance.random() < 0.8 else None,
        unproven_status=shop.chance.choice(unproven) if unproven and shop.chance.random() < 0.5 else None,
    )


def fitting_party(shop: Shop, context_id: int, party_id: str) -> Party:
    """Return the account that a document of this context is for. Raises Refused if it cannot have one."""
    try:
        party = shop.party(party_id)
    except LookupError:
        raise Refused("customer_id", "exists", "This account does not exist") from None
    if party.context_id not in _PARTIES[context_id]:
        raise Refused("customer_id", "context", "This account cannot have such a document")
    return party


@act
def edit_document(
    shop: Shop,
    document_id: str,
    *,
    lines: Sequence[LineInput] | None = None,
    party_id: str | None = None,
    issue_date: Any = None,
    others: dict[str, str | None] | None = None,
    **fields: Any,
) -> None:
    """Edit a document: `lines` are all that are to stand, `fields` are `name`, `number`. None: saved only."""
    if unknown := set(fields) - {"name", "number"}:
        raise Refused(min(unknown), "known", "This field does not exist")
    before = shop.document(document_id)
    if before.state == "cancelled":
        raise Refused("status_id", "cancelled", "A cancelled document cannot be edited")
    after = replace(before, others={**(before.others or {}), **(others or {})}, **fields)
    after = replace(after, issue_date=day(issue_date, before.issue_date, "issue_date"))
    after = replace(after, party_id=party_id or before.party_id)
    after = replace(after, party_as_saved=fitting_party(shop, before.context_id, after.party_id))
    if lines is not None:
        after = replace(after, lines=edited_lines(shop, before.lines, lines))
    truth = shop.truth.documents[document_id]
    if truth.net_paid + truth.paid_without_rows > amount_due(after) < amount_due(before):
        raise Refused("document_items", "paid", "More has been paid than that")
    after = shop.save(after)
    _tell_edit(shop, before, after)
    touch_customer(shop, after)


def _tell_edit(shop: Shop, before: Document, after: Document) -> None:
    truth = shop.truth.documents[after.id]
    truth.party_id, truth.issue_date, truth.number = after.party_id, after.issue_date, after.number
    truth.net, truth.tax = net_and_tax(after)
    changed = [
        name
        for name in ("name", "number", "issue_date", "party_id")
        if getattr(before, name) != getattr(after, name)
    ]
    old, new = before.standing_lines, after.standing_lines
    if [content(line) for line in old] != [content(line) for line in new]:
        changed.append("lines")
    ids = ("line_ids",) if [line.id for line in old] != [line.id for line in new] else ()
    shop.happened("edited" if changed else "saved_unchanged", after, fields=(*changed, *ids))
    if after.state == "partially_received" and is_full(after):
        _mark_received(shop, after)


def is_full(order: Document) -> bool:
    """Return whether everything ordered has come in."""
    wanted = [line for line in order.standing_lines if line.quantity > 0]
    return bool(wanted) and all(line.received >= line.quantity for line in wanted)


def _mark_received(shop: Shop, order: Document) -> None:
    shop.truth.documents[order.id].received = True
    shop.happened("received", shop.save(replace(order, state="received"), moves="no"))


@act
def send_document(shop: Shop, document_id: str) -> None:
    """Send an invoice or order: sets `date_sent`, and an order's status."""
    document = shop.document(document_id)
    state = "sent" if document.state == "not_sent" else document.state
    document = replace(document, date_sent=shop.stamp(), state=state)
    shop.happened("sent", shop.save(document, moves=shop.switches.send_moves_modified))


@act
def set_estimate_state(shop: Shop, document_id: str, state: str) -> None:
    """Make an estimate `open`, `closed`, `expired` or `declined`."""
    estimate = shop.document(document_id)
    if estimate.context_id != ESTIMATE or state not in ("open", "closed", "expired", "declined"):
        raise Refused("status_id", "valid", f"{state!r} is not a status of an estimate")
    shop.happened(state, shop.save(replace(estimate, state=state)))


@act
def cancel_document(shop: Shop, document_id: str) -> None:
    """Cancel an invoice. Refused while it holds money: payments are returned first (reference §4, §7)."""
    document = shop.document(document_id)
    if document.context_id != INVOICE or document.state == "cancelled":
        raise Refused("status_id", "valid", "Only standing invoices can be cancelled")
    _without_money(shop, document)
    document = shop.save(replace(document, state="cancelled"), moves=shop.switches.cancel_moves_modified)
    shop.truth.documents[document_id].cancelled = True
    shop.happened("cancelled", document)


@act
def delete_document(shop: Shop, document_id: str) -> None:
    """Delete a document. Invoices without money only, orders while Not Sent only (reference §4)."""
    document = shop.document(document_id)
    if document.context_id == ORDER and document.state != "not_sent":
        raise Refused("status_id", "not_sent", "Only orders that are Not Sent can be deleted")
    _without_money(shop, document)
    shop.store.documents.remove(document_id)
    shop.bury(document_id, document.context_id)
    shop.truth.documents[document_id].deleted = True
    shop.happened("deleted", document)


def _without_money(shop: Shop, document: Document) -> None:
    truth = shop.truth.documents[document.id]
    if truth.net_paid or truth.paid_without_rows:
        raise Refused("transactions", "returned", "Payments must be returned first")


def touch_customer(shop: Shop, document: Document) -> None:
    """Do to the customer what saving its invoice does, by the switch."""
    touches = shop.switches.invoice_touches_customer
    if document.context_id != INVOICE or touches == "no":
        return
    party = shop.party(document.party_id)
    if touches in ("last_invoiced", "both"):
        party = replace(party, last_invoiced=shop.stamp())
    shop.save_party(party, moves="no" if touches == "last_invoiced" else "yes")


def net_and_tax(document: Document) -> tuple[Decimal, Decimal]:
    """Return what a document adds up to before taxes, and both taxes."""
    found = totals(document)
    return found.price, found.tax + found.tax2


def true_document(document: Document, kind: str) -> TrueDocument:
    """Return a document as the truth notes it."""
    net, tax = net_and_tax(document)
    return TrueDocument(
        document.id, kind, document.number, document.party_id, document.issue_date, document.created, net, tax
    )
