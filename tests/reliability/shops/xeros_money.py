"""What stands in Xero of an invoice's money as each of its events comes, if all before was done as logged."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from decimal import Decimal
from typing import Any

import msgspec

from sources.events import Event

_CENT = Decimal("0.01")


@dataclass(frozen=True)
class Transaction:
    """A payment or refund."""

    amount: Decimal
    reference: str

    def takes_back(self, payment: "Transaction") -> bool:
        """Return True if this refund can be of that payment: a reference says which, none says nothing."""
        return self.amount == payment.amount and self.reference in ("", payment.reference)


@dataclass(frozen=True)
class Standing:
    """An event of money, and what stands in Xero before it."""

    kind: str
    own: Transaction
    total: Decimal
    """Of the invoice."""
    payments: tuple[Transaction, ...]
    """Without that of the event's own transaction."""
    returned: Decimal
    """By credit notes, without that of the event's own transaction."""

    @property
    def exceeds_due(self) -> bool:
        """Return True if Xero has less to be paid."""
        return self.own.amount > self.total - self._paid

    @property
    def exceeds_paid(self) -> bool:
        """Return True if less is paid in Xero than is returned."""
        if self.kind == "payment_applied":
            return self.returned > self._paid + self.own.amount
        return self.own.amount > self._paid - self.returned

    @property
    def matches_none(self) -> bool:
        """Return True if no payment has this amount, and this reference where one is given."""
        return not any(self.own.takes_back(payment) for payment in self.payments)

    @property
    def _paid(self) -> Decimal:
        return sum((payment.amount for payment in self.payments), Decimal(0))


@dataclass
class _Money:
    total: Decimal = Decimal(0)
    payments: dict[str, Transaction] = field(default_factory=dict)
    """The newest last."""
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
    payments = tuple(payment for each, payment in money.payments.items() if each != own)
    returned = sum((amount for each, amount in money.notes.items() if each != own), Decimal(0))
    return Standing(kind, _transaction(transaction), money.total, payments, returned)


def _play(kind: str, data: Mapping[str, Any], money: _Money, refund_as: str) -> None:
    if kind in ("created", "edited"):
        shown = data["document"]
        names = ("total_price", "total_tax", "total_tax2")
        money.total = sum((_cents(shown.get(name)) for name in names), Decimal(0))
    elif kind == "payment_applied":
        _pay(data["transaction"]["id"], _transaction(data["transaction"]), money)
    elif kind == "refund_applied":
        refund = _transaction(data["transaction"])
        if refund_as == "credit_note":
            money.notes[data["transaction"]["id"]] = refund.amount
        else:
            newest_first = reversed(money.payments.items())
            taken = next((each for each, paid in newest_first if refund.takes_back(paid)), "")
            money.payments.pop(taken, None)
    elif kind == "reset":
        money.payments.clear()
        money.notes.clear()


def _pay(transaction_id: str, payment: Transaction, money: _Money) -> None:
    """Keep a payment; a corrected one is made again, and is the newest then."""
    before = money.payments.get(transaction_id)
    if before is not None:
        payment = replace(payment, reference=payment.reference or before.reference)
    if payment != before:
        money.payments.pop(transaction_id, None)
        money.payments[transaction_id] = payment


def _transaction(shown: Mapping[str, Any]) -> Transaction:
    return Transaction(_cents(shown["amount"]), shown.get("reference") or "")


def _cents(amount: Any) -> Decimal:
    return abs(Decimal(str(amount or 0))).quantize(_CENT)
