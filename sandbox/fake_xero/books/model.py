"""The records of an organisation's books. Plain data: the rules are in the modules beside this one."""

from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from typing import Any, TypeAlias

ZERO = Decimal(0)
Day: TypeAlias = date  # a field called `date` hides the type's own name

_CLASSES = {
    "REVENUE": "REVENUE", "SALES": "REVENUE", "OTHERINCOME": "REVENUE",
    "EXPENSE": "EXPENSE", "DIRECTCOSTS": "EXPENSE", "OVERHEADS": "EXPENSE", "DEPRECIATN": "EXPENSE",
    "BANK": "ASSET", "CURRENT": "ASSET", "INVENTORY": "ASSET", "FIXED": "ASSET", "PREPAYMENT": "ASSET",
    "NONCURRENT": "ASSET", "CURRLIAB": "LIABILITY", "LIABILITY": "LIABILITY", "TERMLIAB": "LIABILITY",
    "EQUITY": "EQUITY",
}  # fmt: skip

ACCOUNT_TYPES = frozenset(_CLASSES)


@dataclass(slots=True)
class Account:
    """A line of the chart of accounts."""

    account_id: str
    code: str
    name: str
    type: str
    tax_type: str = "NONE"
    status: str = "ACTIVE"
    enable_payments: bool = False
    currency: str | None = None
    system_account: str | None = None
    updated: datetime | None = None

    @property
    def account_class(self) -> str:
        """Xero's Class of the account's type."""
        return _CLASSES[self.type]


@dataclass(slots=True)
class TaxRate:
    """A tax rate; `components` are (name, per cent) and add up to `rate`."""

    tax_type: str
    name: str
    components: list[tuple[str, Decimal]]
    applies_to: frozenset[str]
    status: str = "ACTIVE"
    rate: Decimal = ZERO

    def __post_init__(self) -> None:
        self.rate = sum((percent for _, percent in self.components), ZERO)


@dataclass(slots=True)
class ItemDetails:
    """Sales or purchase side of an item: the defaults of a line."""

    unit_price: Decimal | None = None
    account_code: str | None = None
    tax_type: str | None = None


@dataclass(slots=True)
class Item:
    """An entry of the price list. That it is tracked is known; how many there are is not counted."""

    item_id: str
    code: str
    name: str
    description: str = ""
    purchase_description: str = ""
    is_sold: bool = True
    is_purchased: bool = True
    sales: ItemDetails = field(default_factory=ItemDetails)
    purchase: ItemDetails = field(default_factory=ItemDetails)
    tracked: bool = False
    updated: datetime | None = None


@dataclass(slots=True)
class Contact:
    """A customer or supplier. `texts` are its plain fields by Xero's names, set ones only."""

    contact_id: str
    name: str
    contact_number: str = ""
    status: str = "ACTIVE"
    texts: dict[str, str] = field(default_factory=dict)
    addresses: dict[str, dict[str, str]] = field(default_factory=dict)
    phones: dict[str, dict[str, str]] = field(default_factory=dict)
    persons: list[dict[str, Any]] = field(default_factory=list)
    default_currency: str | None = None
    is_supplier: bool = False
    is_customer: bool = False
    merged_to: str | None = None
    updated: datetime | None = None


@dataclass(slots=True)
class Line:
    """A line item. Quantity is None on a line that is only text."""

    line_item_id: str
    description: str = ""
    quantity: Decimal | None = None
    unit_amount: Decimal | None = None
    item_code: str | None = None
    account_code: str | None = None
    tax_type: str | None = None
    tax_amount: Decimal = ZERO
    line_amount: Decimal = ZERO
    discount_rate: Decimal | None = None
    discount_amount: Decimal | None = None
    tracking: list[dict[str, Any]] = field(default_factory=list)
    tax_overridden: bool = False


@dataclass(slots=True)
class Payment:
    """Money on one document. `amount` is in the document's currency."""

    payment_id: str
    document: "Document"
    account: Account
    date: Day
    amount: Decimal
    currency_rate: Decimal
    reference: str = ""
    status: str = "AUTHORISED"
    is_reconciled: bool = False
    updated: datetime | None = None


@dataclass(slots=True)
class Allocation:
    """Part of a credit note put on an invoice."""

    allocation_id: str
    credit_note: "Document"
    invoice: "Document"
    amount: Decimal
    date: Day


@dataclass(slots=True)
class Document:
    """An invoice, bill, credit note or purchase order; `extra` holds fields that no rule looks at."""

    document_id: str
    type: str
    contact: Contact
    date: Day
    currency: str
    number: str = ""
    reference: str = ""
    due_date: Day | None = None
    status: str = "DRAFT"
    line_amount_types: str = "Exclusive"
    lines: list[Line] = field(default_factory=list)
    currency_rate: Decimal = Decimal(1)
    sub_total: Decimal = ZERO
    total_tax: Decimal = ZERO
    total: Decimal = ZERO
    amount_paid: Decimal = ZERO
    amount_credited: Decimal = ZERO
    sent_to_contact: bool = False
    fully_paid_on: Day | None = None
    payments: dict[str, Payment] = field(default_factory=dict)
    allocations: dict[str, Allocation] = field(default_factory=dict)
    extra: dict[str, Any] = field(default_factory=dict)
    updated: datetime | None = None

    @property
    def amount_due(self) -> Decimal:
        """The open amount: AmountDue of an invoice, RemainingCredit of a credit note."""
        if self.status in {"VOIDED", "DELETED"}:
            return ZERO
        return self.total - self.amount_paid - self.amount_credited

    @property
    def has_money(self) -> bool:
        """Whether payments, refunds or allocations are on it."""
        return bool(self.payments or self.allocations)


@dataclass(frozen=True, slots=True)
class HistoryRecord:
    """A change of a record, and who made it."""

    changes: str
    at: datetime
    user: str
    details: str
