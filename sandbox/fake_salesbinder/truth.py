"""What a shop truly holds and what truly happened, whichever way SalesBinder shows it.

Kept from the arguments of each act, apart from the records that the API renders: books are compared with it.
"""

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any

EVENT_KINDS = frozenset(
    {
        *(
            f"{party}.{what}"
            for party in ("customer", "supplier")
            for what in ("created", "edited", "deleted")
        ),
        *(f"invoice.{what}" for what in ("created", "edited", "cancelled", "reset", "deleted")),
        "invoice.payment_applied",
        "invoice.refund_applied",
        *(f"purchase_order.{what}" for what in ("created", "edited", "received", "deleted")),
    }
)
"""Kinds of changes that the contract has an event for; all others must lead to none."""


@dataclass(frozen=True, slots=True)
class Change:
    """Something that truly happened. `kind` is the event's type without `salesbinder.`, or one without event,
    such as `invoice.archived`, `prospect.created`, `customer.saved_unchanged`."""

    number: int
    at: datetime
    kind: str
    record_id: str
    amount: Decimal | None = None
    """Of the money that moved, above zero."""
    transaction_id: str | None = None
    """Of the payment; of a refund: of the row that shows it, if there is one."""
    fields: tuple[str, ...] = ()
    """What an edit changed."""
    payment_id: str | None = None
    """Of a refund: the payment that it returns."""

    @property
    def is_event(self) -> bool:
        """Return whether the contract has an event for it."""
        return self.kind in EVENT_KINDS


@dataclass(slots=True)
class TrueParty:
    """A customer, prospect or supplier as it stands; deleted ones stay, marked."""

    id: str
    kind: str
    fields: dict[str, str | None]
    deleted: bool = False
    archived: bool = False


@dataclass(slots=True)
class TrueDocument:
    """An estimate, invoice or order as it stands; deleted ones stay, marked."""

    id: str
    kind: str
    number: int
    party_id: str
    issue_date: date
    created: datetime
    net: Decimal
    tax: Decimal
    """Both taxes."""
    payments: dict[str, Decimal] = field(default_factory=dict)
    """What stands of each payment by transaction id, before refunds."""
    returned: dict[str, Decimal] = field(default_factory=dict)
    """What was given back of each payment."""
    refund_rows: list[str] = field(default_factory=list)
    """Ids of the rows that show refunds."""
    paid_without_rows: Decimal = Decimal(0)
    """Money that `total_transactions` counts and no row shows: nobody can publish it; not in `paid`."""
    cancelled: bool = False
    received: bool = False
    deleted: bool = False
    archived: bool = False

    @property
    def total(self) -> Decimal:
        """Return net and taxes."""
        return self.net + self.tax

    @property
    def paid(self) -> Decimal:
        """Return what was paid since the last reset, before refunds."""
        return sum(self.payments.values(), Decimal(0))

    @property
    def refunded(self) -> Decimal:
        """Return what was given back since the last reset."""
        return sum(self.returned.values(), Decimal(0))

    @property
    def net_paid(self) -> Decimal:
        """Return what the shop has kept: the one sum that every representation lets a reader know."""
        return self.paid - self.refunded

    def forget_money(self) -> None:
        """Take off all payments and refunds, as a reset does."""
        self.payments.clear()
        self.returned.clear()
        self.refund_rows.clear()
        self.paid_without_rows = Decimal(0)


class Truth:
    """The true state and history of one shop."""

    def __init__(self) -> None:
        self.parties: dict[str, TrueParty] = {}
        self.documents: dict[str, TrueDocument] = {}
        self.history: list[Change] = []

    def happened(
        self,
        at: datetime,
        kind: str,
        record_id: str,
        *,
        amount: Decimal | None = None,
        transaction_id: str | None = None,
        fields: tuple[str, ...] = (),
        payment_id: str | None = None,
    ) -> Change:
        """Note a change."""
        number = len(self.history) + 1
        change = Change(number, at, kind, record_id, amount, transaction_id, fields, payment_id)
        self.history.append(change)
        return change

    def changes(self, since: int = 0, *, events_only: bool = False) -> list[Change]:
        """Return changes with a number above `since`, oldest first."""
        later = self.history[since:]
        return [change for change in later if change.is_event] if events_only else later

    def as_dict(self) -> dict[str, Any]:
        """Return everything as plain JSON, amounts as Decimal."""
        return {
            "parties": [
                {
                    "id": held.id,
                    "kind": held.kind,
                    "fields": held.fields,
                    "deleted": held.deleted,
                    "archived": held.archived,
                }
                for held in self.parties.values()
            ],
            "documents": [_document(held) for held in self.documents.values()],
        }


def _document(held: TrueDocument) -> dict[str, Any]:
    names = (
        "id kind number party_id issue_date created net tax total payments returned paid refunded net_paid"
    )
    names += " paid_without_rows cancelled received deleted archived"
    return {name: getattr(held, name) for name in names.split()}
