"""The transactions of an invoice: shares of cents, corrections, what a reset makes of them."""

from dataclasses import dataclass, field
from datetime import datetime
from decimal import Decimal
from typing import Any

from tests.reliability.model.numbers import cents
from tests.reliability.model.order import Event, time_of

_ACCOUNTS = {"Credit Card 9008": "091"}
_NOTHING = Decimal(0)

Told = tuple[datetime, int]
"""When a transaction was told: its event's time, then position."""


@dataclass(frozen=True)
class Money:
    """A payment that stands in Xero, or one that a credit note paid out."""

    amount: Decimal
    """As it stands in Xero."""
    said: Decimal
    """The event's own amount, to cents by itself."""
    day: str
    reference: str
    account: str
    mark: str
    told: Told
    edition: int = 1
    """Of a credit note: the how manyth for its transaction, the voided ones counted."""

    @property
    def shown(self) -> tuple[Decimal, str, str, str]:
        return self.amount, self.day, f"{self.reference} {self.mark}", self.account

    @property
    def content(self) -> tuple[Decimal, str, str]:
        return self.said, self.day, self.reference


@dataclass
class Till:
    """What was told of an invoice's payments, or of its refunds."""

    standing: dict[str, Money] = field(default_factory=dict)
    """By transaction id: what stands in Xero."""
    applied: dict[str, Money] = field(default_factory=dict)
    """By transaction id: what was applied last, whether or not it still stands."""
    editions: dict[str, int] = field(default_factory=dict)
    credited: bool = True
    """Of refunds: credit notes stand for them; else payments were taken back."""
    _sum: Decimal = _NOTHING
    _shares: dict[str, Decimal] = field(default_factory=dict)

    @property
    def total(self) -> Decimal:
        return sum((money.amount for money in self.standing.values()), _NOTHING)

    def tell(self, event: Event, position: int) -> Money:
        """The transaction of an event. The first telling since the last reset gets what the sum of all
        grows by; one after it is rounded by itself.
        """
        transaction = event["data"]["transaction"]
        raw = Decimal(str(transaction["amount"]))
        raw = abs(raw) if event["type"].endswith("refund_applied") else raw
        said = cents(raw)
        if transaction["id"] not in self._shares:
            before, self._sum = self._sum, self._sum + raw
            self._shares[transaction["id"]] = cents(self._sum) - cents(before)
            amount = self._shares[transaction["id"]]
        else:
            amount = said
        reference = transaction["reference"]
        return Money(
            amount,
            said,
            transaction["transaction_date"],
            reference,
            _ACCOUNTS.get(reference, "090"),
            f"#{transaction['id'][:8]}",
            (time_of(event), position),
        )

    def apply(self, transaction: str, money: Money) -> None:
        """The transaction stands in Xero now."""
        edition = self.editions[transaction] = self.editions.get(transaction, 0) + 1
        self.standing[transaction] = self.applied[transaction] = _with_edition(money, edition)

    def take_off(self, transaction: str, by: Money) -> None:
        """A correction to nothing."""
        self.standing.pop(transaction)
        self.applied[transaction] = by

    def reset(self) -> None:
        """Nothing stands any more, and sums begin at nothing."""
        self.standing.clear()
        self._sum, self._shares = _NOTHING, {}


def _with_edition(money: Money, edition: int) -> Money:
    return Money(**{**money.__dict__, "edition": edition})


def transaction_id(event: Event) -> Any:
    return event["data"]["transaction"]["id"]
