"""Invoices that come from elsewhere: from an estimate, or from before the shop used this."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from ..records import ESTIMATE, INVOICE
from ..shop import Shop
from .base import Refused, act, amount
from .documents import create_document, fitting_party, net_and_tax, new_document, true_document
from .lines import LineInput
from .money import seed_paid


@act
def convert_estimate(shop: Shop, document_id: str, *, deposit: Any = 0) -> str:
    """Make an invoice of an estimate; returns its id, which is the estimate's by the switch.

    A `deposit` comes along as a payment, or as a total that no row shows, by the switch."""
    estimate = shop.document(document_id)
    if estimate.context_id != ESTIMATE or estimate.state != "open":
        raise Refused("status_id", "open", "Only open estimates can be converted")
    fitting_party(shop, INVOICE, estimate.party_id)
    if shop.switches.converted_estimate == "same_id":
        invoice = replace(estimate, context_id=INVOICE, number=shop.next_number(INVOICE))
        invoice = shop.save(invoice)
        shop.truth.documents[invoice.id] = true_document(invoice, "invoice")
        shop.happened("created", invoice)
    else:
        shop.happened("converted", shop.save(replace(estimate, state="closed")))
        lines = tuple(replace(line, id=shop.new_id()) for line in estimate.standing_lines)
        invoice_id = create_document(
            shop, "invoice", estimate.party_id, [], name=estimate.name, source_id=document_id
        )
        invoice = replace(shop.document(invoice_id), lines=lines)
        shop.store.documents.put(invoice)
        truth = shop.truth.documents[invoice_id]
        truth.net, truth.tax = net_and_tax(invoice)
    if amount(deposit, "deposit"):
        _deposit(shop, invoice.id, deposit)
    return invoice.id


def _deposit(shop: Shop, invoice_id: str, deposit: Any) -> None:
    with_row = shop.switches.total_without_rows != "converted"
    seed_paid(shop, invoice_id, deposit, with_row=with_row)
    document = shop.document(invoice_id)
    if with_row:
        row = document.transactions[-1]
        shop.happened("payment_applied", document, amount=row.amount, transaction_id=row.id)
    else:
        shop.happened("paid_without_row", document, amount=amount(deposit))


@act
def bring_old_invoice(
    shop: Shop, party_id: str, lines: Sequence[LineInput], *, created: Any, paid: Any = 0
) -> str:
    """Bring in an invoice from before, paid by `paid`; returns its id. In the history it is brought_in."""
    moment = created if isinstance(created, datetime) else datetime.fromisoformat(str(created))
    moment = moment.astimezone(UTC).replace(microsecond=0)
    document = new_document(shop, INVOICE, party_id, lines, moment.date(), None)
    document = replace(document, created=moment, modified=moment)
    shop.store.documents.put(document)
    shop.truth.documents[document.id] = true_document(document, "invoice")
    if amount(paid, "paid"):
        with_row = shop.switches.total_without_rows != "old"
        seed_paid(shop, document.id, paid, with_row=with_row, paid_on=moment.date())
    rows = shop.document(document.id).transactions
    shop.happened(
        "brought_in", document, amount=amount(paid, "paid"), transaction_id=rows[0].id if rows else None
    )
    return document.id
