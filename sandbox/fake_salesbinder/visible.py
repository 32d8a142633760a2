"""What of a shop's history can be published by a reader that looks after every change (reference §11).

The history says what truly happened; the API does not always let that be told. A last payment whose row
vanishes looks like a reset, a reset in rows below zero like refunds; money in marked rows, or in no rows,
cannot be told. Rows that vanish count as a reset even if their payments could not be published.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal

from .switches import Switches
from .truth import Change

_MONEY = ("payment_applied", "refund_applied", "reset", "paid_without_row", "brought_in")


@dataclass(frozen=True, slots=True)
class Visible:
    """An event that can be published: type without `salesbinder.`, record, amount above zero of money."""

    kind: str
    record_id: str
    amount: Decimal | None = None


@dataclass(slots=True)
class _Invoice:
    """An invoice's rows as its detail shows them."""

    rows: list[Decimal] = field(default_factory=list)
    """Amounts of rows other than the standing payments."""
    standing: dict[str, Decimal] = field(default_factory=dict)
    """What the rows of payments since the last reset show."""
    returned: dict[str, Decimal] = field(default_factory=dict)
    """What separate rows give back of each."""
    parts: dict[str, Decimal] = field(default_factory=dict)
    """What was told as refunds of each because its row became smaller: it stays told as paid."""
    marked: bool = False
    """A row with a mark stands there: nothing of this invoice's money is published."""
    without_rows: bool = False
    """The total counts more than the rows."""

    @property
    def silent(self) -> bool:
        return self.marked or self.without_rows


def visible(
    history: Iterable[Change],
    switches: Switches,
    *,
    smaller_row: str = "correction",
    marked_row: str = "nothing",
) -> list[Visible]:
    """Return the events of a history, in order.

    `smaller_row` is what a reader takes a row for whose amount went down: a `correction` of the payment, or a
    `refund`; the API does not tell (§11 payment_applied). `marked_row` is what it takes a row with a mark for
    whose total is lower by it: `nothing` that can be published, or a `refund`, as mark and total both say."""
    marks_tell = marked_row == "refund" and switches.marked_row_in_total == "subtracted"
    invoices: dict[str, _Invoice] = {}
    found: list[Visible] = []
    for change in history:
        what = change.kind.partition(".")[2]
        if change.kind.startswith("invoice.") and what in _MONEY:
            invoice = invoices.setdefault(change.record_id, _Invoice())
            found += _money(invoice, change, what, switches, smaller_row, marks_tell)
        elif change.is_event:
            found.append(Visible(change.kind, change.record_id))
    return found


def _money(
    invoice: _Invoice, change: Change, what: str, switches: Switches, smaller_row: str, marks_tell: bool
) -> list[Visible]:
    amount = change.amount or Decimal(0)
    if what == "reset":
        return _reset(invoice, change, switches)
    if what in ("paid_without_row", "brought_in"):
        if change.transaction_id:
            invoice.standing[change.transaction_id] = amount
        else:
            invoice.without_rows = amount > 0
        return []
    if what == "payment_applied":
        row = change.transaction_id or ""
        smaller = invoice.standing.get(row, amount) - amount
        invoice.standing[row] = amount
        if smaller > 0 and smaller_row == "refund":
            _add(invoice.parts, row, smaller)
            found = [Visible("invoice.refund_applied", change.record_id, smaller)]
        else:
            found = [Visible(change.kind, change.record_id, amount + invoice.parts.get(row, Decimal(0)))]
    else:
        found = _refund(invoice, change, switches, smaller_row, marks_tell)
    return [] if invoice.silent else found


def _refund(
    invoice: _Invoice, change: Change, switches: Switches, smaller_row: str, marks_tell: bool
) -> list[Visible]:
    payment, amount = change.payment_id or "", change.amount or Decimal(0)
    refund = [Visible(change.kind, change.record_id, amount)]
    if switches.refund in ("negative_row", "marked_row"):
        _add(invoice.returned, payment, amount)
        invoice.rows.append(-amount)
        invoice.marked = switches.refund == "marked_row" and not marks_tell
        return refund
    left = invoice.standing[payment] - amount
    if left:
        invoice.standing[payment] = left
        if smaller_row == "refund":
            _add(invoice.parts, payment, amount)
            return refund
        return [Visible("invoice.payment_applied", change.record_id, left)]
    del invoice.standing[payment]
    return refund if invoice.standing or invoice.rows else [Visible("invoice.reset", change.record_id)]


def _add(sums: dict[str, Decimal], row: str, amount: Decimal) -> None:
    sums[row] = sums.get(row, Decimal(0)) + amount


def _reset(invoice: _Invoice, change: Change, switches: Switches) -> list[Visible]:
    stood = invoice.standing or invoice.rows
    left = [
        amount - invoice.returned.get(payment, Decimal(0)) for payment, amount in invoice.standing.items()
    ]
    left = [amount for amount in left if amount]
    silent = invoice.silent
    shown = list(invoice.standing.values())
    invoice.standing, invoice.returned, invoice.parts, invoice.without_rows = {}, {}, {}, False
    if switches.reset == "rows_vanish":
        invoice.rows, invoice.marked = [], False
        return [Visible(change.kind, change.record_id)] if stood else []
    if switches.reset == "one_negative_row":
        left = [sum(left, Decimal(0))] if left else []
    invoice.rows += [*shown, *(-amount for amount in left)]
    found = [Visible("invoice.refund_applied", change.record_id, amount) for amount in left]
    return [] if silent else found
