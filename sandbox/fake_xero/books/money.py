"""How payments, refunds and allocations change the document they are on."""

from .ledger import Books
from .model import ZERO, Document


def settle(books: Books, document: Document) -> None:
    """Recompute the paid and credited amounts, and move between AUTHORISED and PAID accordingly."""
    document.amount_paid = sum((payment.amount for payment in document.payments.values()), ZERO)
    document.amount_credited = sum((part.amount for part in document.allocations.values()), ZERO)
    if document.has_money and document.amount_due == 0:
        document.status = "PAID"
        days = [payment.date for payment in document.payments.values()]
        days += [part.date for part in document.allocations.values()]
        document.fully_paid_on = max(days)
    elif document.status == "PAID":
        document.status = "AUTHORISED"
        document.fully_paid_on = None
    document.updated = books.now()
