"""The amounts in Xero of payments and refunds with more decimals than money has: running sums, rounded.
Pure.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

from contracts.money import OF_THREE_DECIMALS, WITHOUT_CENTS, rounded, without_mills


@dataclass(frozen=True, slots=True)
class MoneyEvent:
    """A payment, refund or reset of a record, with the content of its event."""

    seq: int
    """Its position in the record."""
    action: str
    time: datetime
    transaction_id: str = ""
    amount: Decimal = Decimal(0)
    """As given; for a refund, without its sign."""
    day: date | None = None
    """The day, if the event states one."""
    reference: str = ""
    completed: bool = False
    share: Decimal | None = None
    """Its amount in Xero, once that was fixed."""


def shares(events: Iterable[MoneyEvent], currency: str, total: Decimal | None = None) -> dict[int, Decimal]:
    """Return the amount of each payment and refund in ``currency``, by position.

    There is a running sum of payments and one of refunds, each from 0 after a reset; an amount is the growth
    of its rounded sum. A transaction counts once, with its first event: if a later event has another amount,
    that is rounded by itself.

    Args:
        events: all of one record, in order, regardless of their results.
        total: of the invoice in Xero, if it is known. Xero keeps two decimals of every currency, so an amount
            with another number of them can round past an invoice that is paid in full: then it is the total.
    """
    most = total if currency in WITHOUT_CENTS | OF_THREE_DECIMALS else None
    sums = {"payment_applied": Decimal(0), "refund_applied": Decimal(0)}
    first: dict[tuple[str, str], tuple[Decimal, Decimal]] = {}
    found: dict[int, Decimal] = {}
    for event in events:
        if event.action == "reset":
            sums = dict.fromkeys(sums, Decimal(0))
            first.clear()
            continue
        key = event.action, event.transaction_id
        own = rounded(event.amount, currency)
        if key in first:
            told, share = first[key]
            comes_to = share if told == own else _at_most(event.amount, own, most)
        else:
            before = sums[event.action]
            now = sums[event.action] = before + event.amount
            comes_to = _at_most(now, rounded(now, currency), most) - rounded(before, currency)
            first[key] = own, comes_to
        found[event.seq] = comes_to if event.share is None else event.share
    return found


def _at_most(amount: Decimal, comes_to: Decimal, most: Decimal | None) -> Decimal:
    """Return the rounded ``amount``: not more than ``most``, if only rounding makes it more."""
    return most if most is not None and comes_to > most >= without_mills(amount) else comes_to


def is_finer(events: Iterable[MoneyEvent], currency: str) -> bool:
    """Return True if one of the amounts has more decimals than the currency, so that sums make a
    difference.
    """
    return any(event.amount != rounded(event.amount, currency) for event in events)
