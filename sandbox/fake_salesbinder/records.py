"""The records of a shop as SalesBinder holds them. Immutable: each change makes a new version."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal

CUSTOMER, PROSPECT, SUPPLIER = 2, 8, 10
ESTIMATE, INVOICE, ORDER = 4, 5, 11
CONTEXTS = {
    CUSTOMER: "customer",
    PROSPECT: "prospect",
    SUPPLIER: "supplier",
    ESTIMATE: "estimate",
    INVOICE: "invoice",
    ORDER: "purchase_order",
}
"""Context ids (reference §1.2) and what the history calls them."""
ADDRESS = ("address_1", "address_2", "city", "region", "postal_code", "country")
PARTY_FIELDS = (
    "name",
    "office_email",
    "office_phone",
    "office_fax",
    "url",
    *(f"billing_{part}" for part in ADDRESS),
    *(f"shipping_{part}" for part in ADDRESS),
)
"""Fields of an account that the contract names."""
OTHER_PARTY_FIELDS = ("vat_number", "account_manager", "label_name")
"""Fields of an account that no event is made of."""


@dataclass(frozen=True, slots=True)
class Party:
    """A customer, prospect or supplier: SalesBinder calls them accounts."""

    id: str
    context_id: int
    number: int
    fields: Mapping[str, str | None]
    created: datetime
    modified: datetime
    archived: bool = False
    last_invoiced: datetime | None = None
    assigned_to: str | None = None
    """Id of the user whose record it is; None: nobody's."""

    @property
    def name(self) -> str:
        """Return its name."""
        return self.fields["name"] or ""


@dataclass(frozen=True, slots=True)
class Item:
    """An item of the catalogue, as lines show it."""

    id: str
    number: int
    name: str
    sku: str
    barcode: str = ""
    serial_number: str = ""
    details: tuple[tuple[str, str, bool], ...] = ()
    """Custom fields: name, value, shown publicly."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a document. `price` or `cost` is per unit, `tax` and `tax2` are per cent."""

    id: str
    quantity: Decimal
    price: Decimal
    cost: Decimal
    tax: Decimal
    tax2: Decimal
    discount_percent: Decimal
    item: Item | None
    name: str | None
    description: str
    created: datetime
    modified: datetime
    received: Decimal = Decimal(0)
    removed: bool = False
    variation: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class Transaction:
    """A row of `transactions`, with the amount as SalesBinder shows it."""

    id: str
    amount: Decimal
    day: date
    reference: str | None
    created: datetime
    modified: datetime
    marked: bool = False
    """A refund that is told by a mark instead of its sign."""


@dataclass(frozen=True, slots=True)
class Document:
    """An estimate, invoice or purchase order."""

    id: str
    context_id: int
    number: int
    party_id: str
    party_as_saved: Party
    issue_date: date
    created: datetime
    modified: datetime
    state: str = "open"
    """Invoices: open, cancelled; estimates: open, closed, expired, declined; orders: not_sent, sent,
    partially_received, received, closed, cancelled.
    """
    name: str | None = None
    lines: tuple[Line, ...] = ()
    transactions: tuple[Transaction, ...] = ()
    paid_without_rows: Decimal = Decimal(0)
    """Part of `total_transactions` that no row stands for."""
    date_sent: datetime | None = None
    expiry_date: date | None = None
    archived: bool = False
    user_id: str | None = None
    source_id: str | None = None
    """The estimate that an invoice was made of."""
    unproven_status: str | None = None
    others: Mapping[str, str | None] | None = None
    """Fields that no event is made of, such as `public_note`."""

    @property
    def standing_lines(self) -> tuple[Line, ...]:
        """Return the lines that were not taken out."""
        return tuple(line for line in self.lines if not line.removed)


@dataclass(frozen=True, slots=True)
class Tombstone:
    """A row of the deleted log."""

    number: int
    context_id: int
    record_id: str
    created: datetime
    seconds: float
    """The clock's seconds when it was written, for its lag."""
