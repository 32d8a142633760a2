"""An invoice or a purchase order, and what of it must be seen in Xero."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from tests.reliability.model.money import Till
from tests.reliability.model.numbers import Line, cents, net_of, read_lines, total_of
from tests.reliability.model.order import EARLIEST, Stamp

_NOTHING = Decimal(0)
_DUE_AFTER = timedelta(days=30)


@dataclass(frozen=True)
class Content:
    """What a document says, as far as Xero shows it."""

    name: str | None
    issued: str
    due: str
    texts: tuple[str, ...]
    lines: tuple[Line, ...]
    net: Decimal
    total: Decimal

    @property
    def amounts(self) -> tuple[Any, ...]:
        """What must not change once something is paid."""
        return self.lines, self.net, self.total

    @property
    def billed(self) -> tuple[Any, ...]:
        """What a bill shows of it."""
        return self.amounts, self.texts


@dataclass
class Paper:
    """An invoice or a purchase order."""

    number: str = ""
    party: str = ""
    status: str = ""
    """As in Xero; blank while it is not there."""
    old: bool = False
    """From before the cut-off."""
    dated: bool = False
    """Known from created or edited: others are not kept, and a deletion brings no date."""
    removed: bool = False
    content: Content | None = None
    total: Decimal = _NOTHING
    sent: Stamp = EARLIEST
    payments: Till = field(default_factory=Till)
    refunds: Till = field(default_factory=Till)
    reversed: set[str] = field(default_factory=set)
    """Payments that a refund has taken back."""
    received: Stamp | None = None
    bill: tuple[str, str, Decimal, str] | None = None
    billed: Content | None = None
    """What was received, as it was told then."""
    failed_snapshots: list[str] = field(default_factory=list)
    failed_money: list[tuple[str, str]] = field(default_factory=list)
    """Event id and transaction id."""
    failed_receipts: list[str] = field(default_factory=list)

    @property
    def shown_status(self) -> str:
        if self.status == "AUTHORISED" and self.payments.total == self.total:
            return "PAID"
        return self.status


def content_of(document: Mapping[str, Any], order: bool) -> Content:
    """A document that can be posted."""
    items = document["document_items"]
    due = document.get("due_date") or str(date.fromisoformat(document["issue_date"]) + _DUE_AFTER)
    lines, _ = read_lines(document, order)
    return Content(
        document.get("name"),
        document["issue_date"],
        due,
        tuple(item["name"] for item in items),
        lines,
        cents(net_of(document, order)),
        total_of(document, order),
    )


def in_part(document: Mapping[str, Any]) -> bool:
    """True for a receipt whose own lines say that not everything came."""
    if (document.get("status") or {}).get("name") == "received":
        return False
    items = document["document_items"]
    came = [Decimal(str(item.get("quantity_partially_received") or 0)) for item in items]
    return any(some > 0 for some in came) and any(
        some < Decimal(str(item["quantity"])) for some, item in zip(came, items, strict=True)
    )
