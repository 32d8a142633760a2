"""What stands in Xero of an invoice's money as each of its events comes, if all before was done as logged."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import msgspec

from sources.events import Event

_CENT = Decimal("0.01")


@dataclass(frozen=True)
class Standing:
    """An event of money, and what stands in Xero before it."""

    kind: str
    amount: Decimal
    total: Decimal
    """Of the invoice."""
    payments: tuple[Decimal, ...]
    """Without that of the event's own transaction."""
    returned: Decimal
    """By credit notes, without that of the event's own transaction."""

    @property
    def exceeds_due(self) -> bool:
        """Return True if Xero has less to be paid."""
        return self.amount > self.total - sum(self.payments, Decimal(0))

    @property
    def exceeds_paid(self) -> bool:
        """Return True if less is paid in Xero than is returned."""
        paid = sum(self.payments, Decimal(0))
        if self.kind == "payment_applied":
            return self.returned > paid + self.amount
        return self.amount > paid - self.returned

    @property
    def matches_none(self) -> bool:
        """Return True if no payment has this amount."""
        return self.amount not in self.payments


@dataclass
class _Money:
    total: Decimal = Decimal(0)
    payments: dict[str, Decimal] = field(default_factory=dict)
    notes: dict[str, Decimal] = field(default_factory=dict)


def standings(told: Sequence[Event], failed: set[str], refund_as: str) -> dict[str, Standing]:
    """Return, by event, what stands before it; ``failed`` are events that changed nothing in Xero."""
    books: dict[bytes, _Money] = {}
    found: dict[str, Standing] = {}
    for event in told:
        kind = event.type.rpartition(".")[2]
        if ".invoice." not in event.type:
            continue
        data, money = msgspec.json.decode(event.value)["data"], books.setdefault(event.key, _Money())
        if kind.endswith("_applied"):
            found[event.id] = _standing(kind, data["transaction"], money)
        if event.id not in failed:
            _play(kind, data, money, refund_as)
    return found


def _standing(kind: str, transaction: Mapping[str, Any], money: _Money) -> Standing:
    own = transaction["id"]
    payments = tuple(amount for each, amount in money.payments.items() if each != own)
    returned = sum((amount for each, amount in money.notes.items() if each != own), Decimal(0))
    return Standing(kind, _cents(transaction["amount"]), money.total, payments, returned)


def _play(kind: str, data: Mapping[str, Any], money: _Money, refund_as: str) -> None:
    if kind in ("created", "edited"):
        shown = data["document"]
        names = ("total_price", "total_tax", "total_tax2")
        money.total = sum((_cents(shown.get(name)) for name in names), Decimal(0))
    elif kind == "payment_applied":
        money.payments[data["transaction"]["id"]] = _cents(data["transaction"]["amount"])
    elif kind == "refund_applied":
        amount = _cents(data["transaction"]["amount"])
        if refund_as == "credit_note":
            money.notes[data["transaction"]["id"]] = amount
        else:
            taken = next((each for each, paid in money.payments.items() if paid == amount), None)
            money.payments.pop(taken or "", None)
    elif kind == "reset":
        money.payments.clear()
        money.notes.clear()


def _cents(amount: Any) -> Decimal:
    return abs(Decimal(str(amount or 0))).quantize(_CENT)
