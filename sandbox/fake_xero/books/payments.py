"""Payments on invoices and bills, and refunds on credit notes: created and deleted, never changed."""

from decimal import Decimal
from typing import Any

from . import errors as e
from . import money
from .errors import BadBody, Refused
from .ledger import Books, new_id
from .model import Account, Document, Payment
from .reading import day, number, record_id, round_to, text


def find(books: Books, key: str) -> Payment | None:
    """Return a payment by id."""
    return books.payments.get(record_id(key) or "")


def write(books: Books, element: dict[str, Any]) -> Payment:
    """PUT or POST of an element: a PaymentID in it means deleting that payment."""
    if given := text(element, "PaymentID"):
        payment = find(books, given)
        if payment is None:
            raise Refused(e.ID_NOT_FOUND.format("Payment", "PaymentID"))
        return update(books, payment, element)
    return create(books, element)


def create(books: Books, element: dict[str, Any]) -> Payment:
    """Pay a document, in part or in full. Raises Refused with Xero's texts."""
    document = _document(books, element)
    problems: list[str] = []
    account = _account(books, element, problems)
    amount = number(element, "Amount")
    on = day(element, "Date") or books.today()
    if document.status not in {"AUTHORISED", "PAID"}:
        problems.append(e.NOT_AUTHORISED)
    elif amount is None or amount <= 0:
        problems.append("The payment amount must be greater than zero")
    elif amount > document.amount_due:
        problems.append(e.OVERPAID)
    if locked := books.lock_error(on):
        problems.append(locked)
    if problems or account is None or amount is None:
        raise Refused(*problems)
    payment = Payment(
        new_id(), document, account, on, round_to(amount, 2),
        number(element, "CurrencyRate") or document.currency_rate,
        reference=text(element, "Reference") or "",
        is_reconciled=bool(element.get("IsReconciled", False)),
        updated=books.now(),
    )  # fmt: skip
    books.put_payment(payment)
    document.payments[payment.payment_id] = payment
    money.settle(books, document)
    return payment


def update(books: Books, payment: Payment, element: dict[str, Any]) -> Payment:
    """Return all that Xero lets one do to a payment is to delete it."""
    if text(element, "Status") != "DELETED":
        raise Refused(e.PAYMENT_IMMUTABLE)
    if payment.status == "DELETED":
        raise Refused(e.NOT_VALID_FOR_MODIFICATION.format("Payment"))
    if payment.is_reconciled:
        raise Refused("The payment cannot be deleted because it has been reconciled")
    if locked := books.lock_error(payment.date):
        raise Refused(locked)
    payment.status = "DELETED"
    payment.updated = books.now()
    del payment.document.payments[payment.payment_id]
    money.settle(books, payment.document)
    return payment


def bank_amount(books: Books, payment: Payment) -> Decimal:
    """Return the payment in the bank account's currency."""
    if payment.document.currency in {books.base_currency, payment.account.currency}:
        return payment.amount
    return round_to(payment.amount / payment.currency_rate, 2)


def _document(books: Books, element: dict[str, Any]) -> Document:
    """Return the one document that a payment is for."""
    named = [name for name in ("Invoice", "CreditNote", "Prepayment", "Overpayment") if element.get(name)]
    if element.get("InvoiceNumber"):
        named.append("InvoiceNumber")
    if element.get("CreditNoteNumber"):
        named.append("CreditNoteNumber")
    if len(named) != 1:
        raise Refused("A payment must be for exactly one Invoice, CreditNote, Prepayment or Overpayment")
    name = named[0]
    if name in {"Prepayment", "Overpayment"}:
        raise Refused(e.ID_NOT_FOUND.format(name, f"{name}ID"))
    title, shelf = ("Invoice", books.invoices) if "Invoice" in name else ("CreditNote", books.credit_notes)
    reference = element[name] if isinstance(element[name], dict) else {f"{title}Number": element[name]}
    found = None
    if given := text(reference, f"{title}ID"):
        found = shelf.by_id.get(record_id(given) or "")
    elif given := text(reference, f"{title}Number"):
        found = next(iter(shelf.numbered(given)), None)
    if found is None:
        raise Refused(e.ID_NOT_FOUND.format("Credit Note" if title == "CreditNote" else title, f"{title}ID"))
    return found


def _account(books: Books, element: dict[str, Any], problems: list[str]) -> Account | None:
    named = element.get("Account") or {}
    if not isinstance(named, dict):
        raise BadBody("Account must be an object")
    code, account_id = text(named, "Code") or text(element, "Code"), text(named, "AccountID")
    if not code and not account_id:
        problems.append(e.PAYMENT_ACCOUNT_MISSING)
        return None
    found = (
        books.accounts.get(record_id(account_id) or "") if account_id else books.account_with_code(code or "")
    )
    if found is None or not (found.type == "BANK" or found.enable_payments):
        problems.append(e.ACCOUNT_INVALID.format(account_id or code))
        return None
    if found.status != "ACTIVE":
        problems.append(e.ACCOUNT_ARCHIVED.format(account_id or code))
        return None
    return found
