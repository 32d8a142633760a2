"""The shop's books in the evening: what SalesBinder shows, and which part of it ought to be in Xero.

The two differ only where the shop did something on purpose that Xero, or the settings, must refuse
(``Refusal``).
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Literal

Record = dict[str, Any]
"""A record as SalesBinder writes it in JSON."""

_NOTHING = Decimal(0)


@dataclass(frozen=True)
class Money:
    """A payment or a refund. ``amount`` is above zero, in the document's currency."""

    id: str
    amount: Decimal
    day: date
    reference: str
    """How it was paid."""
    account: str
    """Code of the account in Xero on which it belongs."""


@dataclass
class Figures:
    """The totals of a document. ``tax`` is both taxes together and part of ``total``."""

    total: Decimal = _NOTHING
    tax: Decimal = _NOTHING
    payments: list[Money] = field(default_factory=list)
    refunds: list[Money] = field(default_factory=list)

    @property
    def paid(self) -> Decimal:
        """The amount that was paid in, including money that was refunded later."""
        return amount_of(self.payments)

    @property
    def refunded(self) -> Decimal:
        """The amount that was refunded."""
        return amount_of(self.refunds)


def amount_of(money: Iterable[Money]) -> Decimal:
    """Return the sum of payments or refunds."""
    return sum((one.amount for one in money), _NOTHING)


@dataclass(frozen=True)
class Refusal:
    """An action that was wrong on purpose, and the reason for which the log must show it as failed."""

    record_id: str
    action: str
    reason: str


@dataclass
class ShopContact:
    """A customer or supplier in all versions, the oldest first."""

    kind: Literal["customer", "supplier"]
    versions: list[Record]
    deleted: bool = False

    @property
    def id(self) -> str:
        """Its id in SalesBinder."""
        return str(self.versions[0]["id"])

    @property
    def latest(self) -> Record:
        """The record in the evening."""
        return self.versions[-1]

    @property
    def name(self) -> str:
        """Its name in the evening."""
        return str(self.latest["name"])

    def at(self, moment: datetime) -> Record:
        """Return the record as it was at a moment of the day."""
        known = [one for one in self.versions if datetime.fromisoformat(one["modified"]) <= moment]
        return (known or self.versions[:1])[-1]


@dataclass
class ShopDocument:
    """The common parts of invoices and purchase orders."""

    id: str
    number: int
    party: ShopContact
    story: str
    """Its story, in a few words."""
    currency: str | None = None
    """None is the organisation's own."""
    figures: Figures = field(default_factory=Figures)
    """As SalesBinder shows it."""
    held: Figures | None = None
    """The figures that Xero ought to hold; None if it ought to hold nothing."""
    texts: set[str] = field(default_factory=set)
    """The texts about the items sold that the lines in Xero must have."""
    refusals: list[Refusal] = field(default_factory=list)
    old: bool = False
    """From before the shop was connected."""

    @property
    def stands(self) -> bool:
        """Xero ought to have it, unless something is wrong on purpose."""
        return not self.old


@dataclass
class ShopInvoice(ShopDocument):
    """An invoice."""

    status: Literal["open", "cancelled", "deleted"] = "open"

    @property
    def stands(self) -> bool:
        """It was neither cancelled nor deleted, and made since the shop was connected."""
        return super().stands and self.status == "open"


@dataclass
class ShopOrder(ShopDocument):
    """A purchase order."""

    status: Literal["open", "received", "deleted"] = "open"
    received_on: date | None = None

    @property
    def stands(self) -> bool:
        """It was not deleted, and made since the shop was connected."""
        return super().stands and self.status != "deleted"


@dataclass
class ShopDay:
    """The shop's day: the events in the order in which they are published, and the books."""

    account: str
    opened: datetime
    """Nothing but old documents was created before it."""
    events: list[Record]
    invoices: list[ShopInvoice]
    orders: list[ShopOrder]
    contacts: list[ShopContact]
    repeated: int
    """Events that are published twice, as publishers do when they are not sure."""

    @property
    def refusals(self) -> list[Refusal]:
        """Everything that was wrong on purpose."""
        return [refusal for one in (*self.invoices, *self.orders) for refusal in one.refusals]
