"""Transactions of an invoice's detail, and whether they agree with the sum that the invoice states. Pure.

SalesBinder describes neither refunds nor returned payments. A transaction below zero is a refund; a mark
(``type: refund``, ``returned: 1``) is believed only if the sum agrees with what it says.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final, Literal

from contracts.events.fields import Day, NotADate
from sources.problems import LOOK_AGAIN, Unreadable
from sources.salesbinder.answers import listed
from sources.salesbinder.values import (
    amount_of,
    identifier,
    is_true,
    moment,
    moment_or_none,
    text,
)

Mark = Literal["refund", "returned", "void"]
"""What a mark says: the row is a refund; the payment was returned; it does not count."""

HALF_A_CENT: Final = Decimal("0.005")
"""Sums that differ by less agree: SalesBinder computes them as floats."""

_KINDS: Final = frozenset({"type", "kind", "status", "transaction_type", "direction", "category"})
_REFUND: Final = re.compile(r"refund|return|revers|charge_?back|credit_?note", re.IGNORECASE)
_RETURNED: Final = re.compile(r"refunded|returned|reversed", re.IGNORECASE)
_IN_WORDS: Final = re.compile(r"\s*refund\b", re.IGNORECASE)
"""A reference that begins so: nobody knows whether a row says by it alone that it is a refund."""
_VOID: Final = re.compile(r"void|cancel|delet|archiv|removed", re.IGNORECASE)
_REMEDY: Final = LOOK_AGAIN + "If it stays, open the invoice in SalesBinder and compare its payments."


@dataclass(frozen=True, slots=True)
class Transaction:
    """A payment, or below zero a refund. ``day`` is ``YYYY-MM-DD``; none and blank if it is not stated."""

    id: str
    amount: Decimal
    day: str | None
    reference: str
    created: datetime | None
    mark: str = ""
    """The field that says that it is no plain payment, such as ``type: refund``; blank if none does."""
    says: Mark | None = None


def read_transactions(rows: Any, document_id: str) -> tuple[Transaction, ...]:
    """Return the transactions of a detail, without repetitions.

    Raises:
        Unreadable: one of them cannot be read, belongs to another document or is there with two contents.
    """
    listed_rows = listed(rows)
    if listed_rows is None:
        raise Unreadable("transactions", rows, "it is not a list", _REMEDY, "transactions_missing")
    found: dict[str, Transaction] = {}
    for place, row in enumerate(listed_rows):
        transaction = _read(row, f"transactions[{place}]", document_id)
        if found.setdefault(transaction.id, transaction) != transaction:
            raise Unreadable(
                f"transactions[{place}].id",
                transaction.id,
                "it is there twice with different contents",
                _REMEDY,
            )
    return tuple(found.values())


def _read(row: Any, place: str, document_id: str) -> Transaction:
    if not isinstance(row, Mapping):
        raise Unreadable(place, row, "it is not an object", _REMEDY)
    own_id = identifier(row.get("id"))
    if not isinstance(own_id, str) or not own_id.strip():
        raise Unreadable(f"{place}.id", own_id, "it is required", _REMEDY)
    of_document = identifier(row.get("document_id"))
    if of_document not in (None, document_id):
        raise Unreadable(
            f"{place}.document_id",
            of_document,
            "it belongs to another document",
            _REMEDY,
            "record_foreign",
        )
    reference = text(row.get("reference"))
    if not isinstance(reference, str | None):
        raise Unreadable(f"{place}.reference", reference, "it is not a text", _REMEDY)
    mark, says = _mark(row)
    return Transaction(
        own_id,
        amount_of(row.get("amount"), f"{place}.amount"),
        _day(row.get("transaction_date"), f"{place}.transaction_date"),
        reference or "",
        moment_or_none(row.get("created")),
        mark,
        says,
    )


def _day(value: Any, field: str) -> str | None:
    value = moment(value)
    try:
        return None if value is None else Day.read(value).isoformat()
    except NotADate as error:
        raise Unreadable(field, value, "it is not a date", _REMEDY) from error


def _mark(row: Mapping[str, Any]) -> tuple[str, Mark | None]:
    """Return the field that says that this is no plain payment, and what it says."""
    for name, value in row.items():
        if moment(value) is None or name in ("id", "document_id", "reference", "amount"):
            continue
        if name in _KINDS:
            said = " ".join(map(str, value.values())) if isinstance(value, Mapping) else str(value)
        elif is_true(value) or name.endswith(("_at", "_date", "_on")):
            said = name
        else:
            continue
        if _RETURNED.search(said):
            return f"{name}: {value}", "returned"
        if _REFUND.search(said):
            return f"{name}: {value}", "refund"
        if _VOID.search(said):
            return f"{name}: {value}", "void"
    reference = text(row.get("reference"))
    if isinstance(reference, str) and _IN_WORDS.match(reference):
        return f"reference: {reference}", "refund"
    return "", None


def agreed(rows: Sequence[Transaction], total: Decimal) -> tuple[Transaction, ...]:
    """Return the transactions that count, each with its sign, so that they come to ``total``.

    ``total`` is the invoice's ``total_transactions``. Marked ones count as their mark says (a refund: below
    zero; returned: below zero, not at all, or as they stand beside rows below zero; void: not at all) if the
    sum says the same.

    Raises:
        Unreadable: the sum is another one, or contradicts a mark.
    """
    marked = [row for row in rows if row.says is not None and row.amount > 0]
    if not marked:
        return _plain(rows, total)
    readings = {_reading(rows, -1), _reading(rows, 0)}
    if any(row.amount < 0 or row.says == "refund" for row in rows):
        # A payment may be marked because rows of their own return it.
        readings.add(_reading(rows, 1))
    fitting = [reading for reading in readings if abs(_sum(reading) - total) < HALF_A_CENT]
    if len(fitting) == 1:
        return fitting[0]
    first = next(place for place, row in enumerate(rows) if row is marked[0])
    raise Unreadable(
        f"transactions[{first}]",
        marked[0].mark,
        f"this mark does not go together with total_transactions, which is {total}",
        _REMEDY,
        "transaction_marked",
    )


def _plain(rows: Sequence[Transaction], total: Decimal) -> tuple[Transaction, ...]:
    came_to = _sum(rows)
    if abs(came_to - total) < HALF_A_CENT:
        return tuple(rows)
    what = f"the {len(rows)} transactions come to {came_to}" if rows else "there are no transactions"
    raise Unreadable("total_transactions", total, what, _REMEDY, "sums_disagree")


def _reading(rows: Sequence[Transaction], returned: int) -> tuple[Transaction, ...]:
    """Return the rows with their signs; those marked as returned count ``returned`` times."""
    times = {None: 1, "refund": -1, "returned": returned, "void": 0}
    signs = [(row, times[row.says] if row.amount > 0 else 1) for row in rows]
    return tuple(
        row if sign == 1 else Transaction(row.id, -row.amount, row.day, row.reference, row.created)
        for row, sign in signs
        if sign
    )


def _sum(rows: Sequence[Transaction]) -> Decimal:
    return sum((row.amount for row in rows), Decimal(0))
