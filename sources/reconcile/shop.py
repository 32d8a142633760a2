"""What a row of SalesBinder says of a document's number, party and sums. Pure.

A row holds the sum that is paid, refunds deducted. Paid and refunded apart stand in a detail alone: what the
reader holds of the last one serves as long as it comes to the row's sum.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Final

import msgspec

from contracts.events.fields import Day, NotADate
from contracts.money import to_cents
from mappers.totals import clean_amount
from sources.batch import Kept
from sources.diff.known import KnownDocument
from sources.problems import Unreadable
from sources.reading import fingerprint, signature
from sources.salesbinder.rows import DocumentEntity, read_row, row_rest
from sources.salesbinder.transactions import HALF_A_CENT, Transaction
from sources.salesbinder.values import amount_of, code, identifier, is_blank, lenient_text, moment, text

_NOTHING: Final = Decimal("0.00")


class ShopDocument(msgspec.Struct, frozen=True, kw_only=True):
    """An invoice or purchase order as SalesBinder shows it. An amount that it does not show readably is
    none.
    """

    entity: DocumentEntity
    id: str
    number: str
    party_id: str
    party: str
    day: date | None
    """Of issue."""
    created: datetime | None
    status: str
    """In SalesBinder's words, lower case."""
    currency: str
    net: Decimal | None
    tax: Decimal | None
    balance: Decimal | None
    """What was paid, refunds deducted. Orders have none."""
    paid: Decimal | None = None
    refunded: Decimal | None = None
    """Both none: not known apart."""
    received: bool = False
    is_told: bool = False
    """Whether the reader has seen this state, and told it."""

    @property
    def total(self) -> Decimal | None:
        """Return what is to be paid."""
        return None if self.net is None or self.tax is None else self.net + self.tax


def read_shop_row(row: Any, entity: DocumentEntity, kept: Kept | None) -> ShopDocument:
    """Return the document of a row. ``kept`` is what the reader holds of it.

    Raises:
        Unreadable: the row names no document of this kind.
    """
    read = read_row(row, entity)
    shown: Mapping[str, Any] = row
    name = shown.get("customer")
    party = lenient_text(name.get("name")) if isinstance(name, Mapping) else None
    balance = _sum(shown, ("total_transactions",)) if entity == "invoice" else None
    known = kept.known if kept is not None else None
    assert known is None or isinstance(known, KnownDocument)
    paid, refunded = held_money(known, balance)
    return ShopDocument(
        entity=entity,
        id=read.id,
        number=_word(code(shown.get("document_number"))),
        party_id=_word(identifier(shown.get("customer_id"))),
        party=" ".join((party or lenient_text(shown.get("cache__customer_name")) or "").split()),
        day=_day(shown.get("issue_date")),
        created=read.created,
        status=read.status,
        currency=_word(text(shown.get("currency"))).upper(),
        net=_net(shown, entity),
        tax=_sum(shown, ("total_tax", "total_tax2")),
        balance=balance,
        paid=paid,
        refunded=refunded,
        received=read.received,
        is_told=_is_told(row, read, kept),
    )


def _is_told(row: Any, read: Any, kept: Kept | None) -> bool:
    if kept is None or kept.history:
        return False
    if kept.fingerprint and kept.fingerprint == fingerprint(row):
        return True
    same = (read.mark, row_rest(read.lines, read.receipts)) == (kept.mark, kept.rest)
    return same or signature(read) == kept.excused


def held_money(known: KnownDocument | None, balance: Decimal | None) -> tuple[Decimal | None, Decimal | None]:
    """Return what was paid and what was refunded, as the reader holds it from the last detail; none if it
    does not come to the row's sum.
    """
    if balance is None:
        return None, None
    if not balance and (known is None or not known.transactions):
        return _NOTHING, _NOTHING
    if known is None:
        return None, None
    amounts = [each.amount for each in known.transactions.values()]
    return _apart(amounts, balance)


def money_of(rows: Sequence[Transaction], balance: Decimal) -> tuple[Decimal | None, Decimal | None]:
    """Return the same of a detail's transactions that count."""
    return _apart([row.amount for row in rows], balance)


def _apart(amounts: Sequence[Decimal], balance: Decimal) -> tuple[Decimal | None, Decimal | None]:
    paid = sum((each for each in amounts if each > 0), Decimal(0))
    refunded = -sum((each for each in amounts if each < 0), Decimal(0))
    if abs(paid - refunded - balance) >= HALF_A_CENT:
        return None, None
    return to_cents(paid), to_cents(refunded)


def _net(row: Mapping[str, Any], entity: DocumentEntity) -> Decimal | None:
    """Return the sum of the lines before tax: of an order its cost, or its price where that is 0."""
    if entity == "purchase_order":
        cost = _amount(row, "total_cost")
        if cost is None or cost:
            return cost
    return None if is_blank(row.get("total_price")) else _amount(row, "total_price")


def _sum(row: Mapping[str, Any], names: Sequence[str]) -> Decimal | None:
    found = [_amount(row, name) for name in names]
    return None if None in found else sum((each for each in found if each is not None), _NOTHING)


def _amount(row: Mapping[str, Any], name: str) -> Decimal | None:
    """Return an amount in cents; 0 if it is absent, none if it cannot be read."""
    if is_blank(row.get(name)):
        return _NOTHING
    try:
        amount = amount_of(row.get(name), name)
    except Unreadable:
        return None
    return to_cents(clean_amount(amount))


def _day(value: Any) -> date | None:
    found = moment(value)
    try:
        return None if found is None else date.fromordinal(Day.read(found).toordinal())
    except NotADate:
        return None


def _word(value: Any) -> str:
    return value.strip() if isinstance(value, str) else ""
