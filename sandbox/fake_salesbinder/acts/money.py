"""Payments, refunds and resets of invoices, each in the representation that the switches ask for."""

from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from decimal import Decimal
from typing import Any

from ..records import INVOICE, Document, Transaction
from ..shop import Shop
from ..totals import amount_due, total_transactions
from ..truth import TrueDocument
from .base import Refused, act, amount, day, text

REFUND_REFERENCE = "Refund"


@act
def pay(shop: Shop, document_id: str, paid: Any, *, reference: str | None = None, paid_on: Any = None) -> str:
    """Apply a payment to an invoice; returns the transaction's id. Refused above what is due."""
    document, truth = _standing_invoice(shop, document_id)
    sum_paid = amount(paid)
    if sum_paid <= 0:
        raise Refused("amount", "positive", "Please enter an amount above zero")
    if truth.net_paid + truth.paid_without_rows + sum_paid > amount_due(document):
        raise Refused("amount", "due", "That is more than is due")
    row = _row(shop, sum_paid, reference, paid_on)
    truth.payments[row.id] = sum_paid
    _save(shop, document, (*document.transactions, row), shop.switches.payment_moves_modified)
    shop.happened("payment_applied", document, amount=sum_paid, transaction_id=row.id)
    return row.id


@act
def correct_payment(shop: Shop, document_id: str, transaction_id: str, **changes: Any) -> None:
    """Change `amount`, `transaction_date` or `reference` of a payment that nothing was returned of.

    The history calls it payment_applied once more, with the fields that changed."""
    document, truth = _standing_invoice(shop, document_id)
    row = _payment(document, truth, transaction_id)
    if truth.returned.get(transaction_id):
        raise Refused("id", "returned", "A payment that was returned cannot be changed")
    after = replace(
        row,
        amount=amount(changes.get("amount", row.amount)),
        day=day(changes.get("transaction_date"), row.day),
        reference=text(changes, "reference", row.reference),
        modified=shop.stamp(),
    )
    if after.amount <= 0 or truth.net_paid - row.amount + after.amount > amount_due(document):
        raise Refused("amount", "due", "Please enter an amount above zero, and no more than is due")
    truth.payments[transaction_id] = after.amount
    rows = [after if held.id == row.id else held for held in document.transactions]
    _save(shop, document, rows, shop.switches.payment_moves_modified)
    names = ("amount", "day", "reference")
    changed = tuple(name for name in names if getattr(row, name) != getattr(after, name))
    what = "payment_applied" if changed else "saved_unchanged"
    shop.happened(what, document, amount=after.amount, transaction_id=transaction_id, fields=changed)


@act
def refund(
    shop: Shop,
    document_id: str,
    transaction_id: str,
    returned: Any = None,
    *,
    reference: str | None = None,
    paid_on: Any = None,
) -> None:
    """Return a payment (`Return Payment` on the page), in full or in part.

    Where rows vanish, a payment can only be returned in full: Refused otherwise."""
    document, truth = _standing_invoice(shop, document_id)
    row = _payment(document, truth, transaction_id)
    left = truth.payments[transaction_id] - truth.returned.get(transaction_id, Decimal(0))
    sum_returned = left if returned is None else amount(returned)
    if not 0 < sum_returned <= left:
        raise Refused("amount", "left", f"Please enter an amount above zero and up to {left}")
    if shop.switches.refund == "row_vanishes" and sum_returned != left:
        raise Refused("amount", "whole", "A payment is returned in full")
    rows, refund_row = _returned(shop, document, row, sum_returned, reference, paid_on)
    truth.returned[transaction_id] = truth.returned.get(transaction_id, Decimal(0)) + sum_returned
    if refund_row:
        truth.refund_rows.append(refund_row.id)
    _save(shop, document, rows, shop.switches.refund_moves_modified)
    told = refund_row.id if refund_row else transaction_id
    shop.happened(
        "refund_applied", document, amount=sum_returned, transaction_id=told, payment_id=transaction_id
    )


def _returned(
    shop: Shop, document: Document, row: Transaction, returned: Decimal, reference: str | None, paid_on: Any
) -> tuple[Sequence[Transaction], Transaction | None]:
    """Return the invoice's rows after a refund, and the new one if there is one."""
    shown = shop.switches.refund
    others = [held for held in document.transactions if held.id != row.id]
    if shown == "row_vanishes" or (shown == "row_shrinks" and returned == row.amount):
        return others, None
    if shown == "row_shrinks":
        smaller = replace(row, amount=row.amount - returned, modified=shop.stamp())
        return [smaller if held.id == row.id else held for held in document.transactions], None
    if shown == "negative_row":
        new = _row(shop, -returned, reference or row.reference, paid_on)
        return [*document.transactions, new], new
    if shop.switches.refund_mark == "reference":
        reference = f"{REFUND_REFERENCE} {reference or row.reference or ''}".rstrip()
    new = replace(_row(shop, returned, reference or row.reference, paid_on), marked=True)
    return [*document.transactions, new], new


@act
def reset(shop: Shop, document_id: str) -> None:
    """Return all payments at once (`Options`, `Reset Invoice`): nothing is paid, the invoice stays."""
    document, truth = _standing_invoice(shop, document_id)
    if not truth.payments and not truth.paid_without_rows:
        raise Refused("transactions", "none", "There is no payment to return")
    if shop.switches.reset == "rows_vanish":
        rows: Sequence[Transaction] = ()
    else:
        rows = (*document.transactions, *_offsets(shop, document, truth))
    document = replace(document, paid_without_rows=Decimal(0))
    truth.forget_money()
    _save(shop, document, rows, shop.switches.reset_moves_modified)
    shop.happened("reset", document)


def _offsets(shop: Shop, document: Document, truth: TrueDocument) -> list[Transaction]:
    """Return the rows below zero that bring the total to 0."""
    added = shop.switches.marked_row_in_total == "added"
    if shop.switches.reset == "one_negative_row":
        total = total_transactions(replace(document, paid_without_rows=Decimal(0)), added)
        return [_row(shop, -total, None, None)] if total else []
    # A refund that is a row of its own has lowered the total already.
    separate = shop.switches.refund == "negative_row" or (shop.switches.refund == "marked_row" and not added)
    offsets = []
    for row in document.transactions:
        if row.id in truth.payments:
            left = row.amount - (truth.returned.get(row.id, Decimal(0)) if separate else Decimal(0))
        elif row.id in truth.refund_rows and row.marked and added:
            left = row.amount
        else:
            continue
        if left:
            offsets.append(_row(shop, -left, row.reference, None))
    return offsets


def seed_paid(
    shop: Shop, document_id: str, paid: Any, *, with_row: bool, paid_on: date | None = None
) -> None:
    """Give an invoice money that came along with it, with a row or without one."""
    document, truth = _standing_invoice(shop, document_id)
    sum_paid = amount(paid)
    if with_row:
        row = _row(shop, sum_paid, None, paid_on)
        truth.payments[row.id] = sum_paid
        document = replace(document, transactions=(*document.transactions, row))
    else:
        truth.paid_without_rows += sum_paid
        document = replace(document, paid_without_rows=document.paid_without_rows + sum_paid)
    shop.store.documents.put(document)


def _standing_invoice(shop: Shop, document_id: str) -> tuple[Document, TrueDocument]:
    document = shop.document(document_id)
    if document.context_id != INVOICE:
        raise Refused("document_id", "invoice", "Only invoices take payments")
    if document.state == "cancelled":
        raise Refused("document_id", "cancelled", "This invoice is cancelled")
    return document, shop.truth.documents[document_id]


def _payment(document: Document, truth: TrueDocument, transaction_id: str) -> Transaction:
    if transaction_id in truth.payments:
        for row in document.transactions:
            if row.id == transaction_id:
                return row
    raise Refused("id", "exists", f"There is no payment {transaction_id} to return or change")


def _row(shop: Shop, shown: Decimal, reference: str | None, paid_on: Any) -> Transaction:
    now = shop.stamp()
    return Transaction(shop.new_id(), shown, day(paid_on, now.date()), reference, now, now)


def _save(shop: Shop, document: Document, rows: Sequence[Transaction], moves: str) -> None:
    shop.save(replace(document, transactions=tuple(rows)), moves=moves)
