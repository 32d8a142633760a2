"""The first detail of a document of which only a row was known, from when stock was taken. Pure.

The row tells the sum that was paid then, not by which transactions; and its header and perhaps its lines.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final

import msgspec

from mappers.moments import plain_moment
from sources.diff.known import KnownDocument, KnownMoney, MoneyKind, Stock
from sources.diff.look import Look
from sources.problems import Unreadable
from sources.salesbinder.documents import Detail
from sources.salesbinder.rows import DocumentRow
from sources.salesbinder.statuses import CANCELLED
from sources.salesbinder.transactions import HALF_A_CENT, Transaction

_RECORDED_WITHIN: Final = timedelta(seconds=5)
"""Between the stamp of a transaction and that of its document, if it moves that."""


def take_stock(row: DocumentRow, look: Look, failed_since: datetime | None = None) -> KnownDocument:
    """Return what is known of a document that was there before the reader was, without telling it.

    ``failed_since``: the moment of the connection if its row failed when stock was taken. That it is
    cancelled is told then: nobody knows that it was before, and of one that is not in Xero it changes
    nothing. That an order was received makes a bill, and is told if it was modified since.
    """
    has_moved = failed_since is not None and row.modified is not None and row.modified > failed_since
    stock = Stock(mark=row.header, lines=row.lines, total=row.total, at=look.at)
    if failed_since is not None:
        stock = msgspec.structs.replace(stock, total=None, at=failed_since, has_failed=True)
    return KnownDocument(
        entity=row.entity,
        id=row.id,
        digest="",
        header_fields=(),
        line_fields=None,
        modified=row.modified or look.at,
        time=look.not_ahead(row.modified),
        cancelled=failed_since is None and row.status in CANCELLED,
        received=row.received and not has_moved,
        status=row.status,
        whole=False,
        stock=stock,
    )


def was_edited(before: KnownDocument, stock: Stock, detail: Detail) -> bool:
    """Return True if header or lines differ from the row of then.

    A row may show fewer lines than there are, so other lines count only if ``modified`` moved; and if it
    showed none, a moved ``modified`` counts only where neither status nor money explains it.
    """
    if stock.has_failed:
        return _may_be_edited(stock.at, detail)
    if detail.row_header != stock.mark:
        return True
    if detail.document.modified <= before.modified:
        return False
    if stock.lines:
        return detail.row_lines != stock.lines
    return detail.status == before.status and detail.total == stock.total


def _may_be_edited(since: datetime, detail: Detail) -> bool:
    """Return True if a document of which nothing was shown then has changed since, and neither its status nor
    its newest transaction explains that. To tell an edit that was none changes nothing in Xero.
    """
    modified = plain_moment(detail.document.modified)
    recorded = [row.created for row in detail.transactions if row.created is not None]
    is_paid_then = any(abs(modified - each) <= _RECORDED_WITHIN for each in recorded)
    return modified > since and not is_paid_then and detail.status not in CANCELLED


def known_then(stock: Stock, rows: Sequence[Transaction]) -> dict[str, KnownMoney]:
    """Return the transactions that the sum of then was made of: those recorded before, else the oldest ones
    that come to that sum.

    Raises:
        Unreadable: no such transactions are there.
    """
    if stock.has_failed:
        return _known([row for row in rows if row.amount and _was_made_by(row, stock.at)])
    total = stock.total
    if total is not None and not rows and abs(total) >= HALF_A_CENT:
        # That all of it is gone can be told without knowing what it was.
        return {"stock": KnownMoney(kind="payment", amount=total, day=None, reference="", told_as="stock")}
    if total is not None and all(row.created is not None for row in rows):
        old = [row for row in rows if row.created is not None and row.created <= stock.at]
        if _sum(old) == total:
            return _known(old)
    ordered = sorted(enumerate(rows), key=lambda each: (_age(each[1]), each[0]))
    for count in range(len(rows), -1, -1):
        oldest = [row for _, row in ordered[:count]]
        if total is not None and abs(_sum(oldest) - total) < HALF_A_CENT:
            return _known(oldest)
    raise Unreadable(
        "transactions",
        ", ".join(str(row.amount) for row in rows) or "none",
        f"{total} was paid when the account was connected, and no payments come to that any more",
        "Nothing is needed if the invoice is from before the date from which documents are synced; else "
        "compare its payments in Xero with those in SalesBinder.",
        "payments_before_start_unknown",
    )


def _was_made_by(row: Transaction, moment: datetime) -> bool:
    """Return True if a transaction was recorded by then. Its day, which people choose, does not say so."""
    if row.created is not None:
        return row.created <= moment
    raise Unreadable(
        "transactions",
        str(row.amount),
        "its row failed when the account was connected, and nothing says whether this was paid before",
        "Nothing is needed if the invoice is from before the date from which documents are synced; else tell "
        "it with all its payments by a backfill, until which none of them is told.",
        "payments_before_start_unknown",
    )


def _age(row: Transaction) -> tuple[str, str]:
    return row.created.isoformat() if row.created else "", row.day or ""


def _sum(rows: Sequence[Transaction]) -> Decimal:
    return sum((row.amount for row in rows), Decimal(0))


def _known(rows: Sequence[Transaction]) -> dict[str, KnownMoney]:
    return {row.id: known_money(row) for row in rows if row.amount}


def known_money(row: Transaction) -> KnownMoney:
    """Return a transaction that was there before the reader as if it had been told."""
    kind: MoneyKind = "payment" if row.amount > 0 else "refund"
    return KnownMoney(
        kind=kind,
        amount=row.amount,
        day=row.day,
        reference=row.reference,
        told_as=row.id,
        is_earlier=True,
    )
