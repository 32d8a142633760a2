"""Map payments and refunds on invoices: SalesBinder's transaction to a transaction snapshot."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from contracts.commands import TransactionSnapshot
from contracts.events.records import ListedTransaction, Transaction
from mappers.moments import plain_day
from mappers.texts import text

MARK_LENGTH = 8


def to_transaction(
    transaction: Transaction,
    listed: Iterable[ListedTransaction],
    event_time: datetime,
    *,
    refund: bool,
) -> TransactionSnapshot:
    """Return the payment or refund. Without a date it has the day of the event's time in that time's own
    offset.

    A refund's amount loses its sign; a payment's stays as given.
    """
    day = transaction.transaction_date
    return TransactionSnapshot(
        transaction_id=transaction.id,
        amount=Decimal(transaction.amount).copy_abs() if refund else Decimal(transaction.amount),
        date=plain_day(day) if day else event_time.date(),
        dated=day is not None,
        reference=" ".join(text(transaction.reference).split()),
        mark=mark(transaction.id, listed),
    )


def mark(transaction_id: str, listed: Iterable[ListedTransaction]) -> str:
    """Return ``#`` and the first 8 of the id; the whole id where another of the document shares them."""
    short = transaction_id[:MARK_LENGTH]
    shared = any(other.id.startswith(short) and other.id != transaction_id for other in listed)
    return f"#{transaction_id if shared else short}"
