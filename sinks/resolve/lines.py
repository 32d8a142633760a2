"""A line as Xero holds it: quantity, price of up to four decimals, discount, amount and tax in cents."""

from decimal import Decimal

import msgspec

from contracts.commands import Line
from contracts.json import Body
from contracts.money import plain, to_cents
from contracts.reasons import warning
from contracts.results import Warning
from mappers.totals import EXACT, net
from sinks.resolve.chart import Tax
from sinks.resolve.texts import cut

DESCRIPTION_LIMIT = 4000
_QUANTITY_LENGTH = 13
"""Characters of a quantity. Source: Xero's page on invoices."""
_DECIMALS = 4
_LONG = Decimal(10_000_000)
"""Smaller quantities keep within that length with all four decimals."""
_HUNDRED = Decimal(100)
_NO_TEXT = "-"
_NO_AMOUNT = Decimal("0.00")
_NONE, _ONE = Decimal(0), Decimal(1)


class XeroLine(msgspec.Struct, frozen=True):
    """A line item with the amounts that Xero will calculate for it."""

    line_id: str
    description: str
    quantity: Decimal
    unit_amount: Decimal
    discount_rate: Decimal | None
    """None if the document type takes no discounts."""
    item_code: str
    """``""`` for none."""
    account_code: str
    tax_type: str
    rate: Decimal
    amount: Decimal
    """Net in cents."""
    tax: Decimal
    """In cents."""

    def with_tax(self, tax: Decimal) -> "XeroLine":
        """Return the same line with another tax amount."""
        return msgspec.structs.replace(self, tax=tax)

    def body(self) -> Body:
        """Return Xero's LineItem.

        Discount and tax amount are always included, because an updated line keeps fields that are missing: a
        discount that was removed, or cents that had to be moved before. The tax of an untaxed line is left
        out.
        """
        item: Body = {"ItemCode": self.item_code} if self.item_code else {}
        item |= {
            "Description": self.description,
            "Quantity": self.quantity,
            "UnitAmount": self.unit_amount,
            "AccountCode": self.account_code,
            "TaxType": self.tax_type,
        }
        if self.discount_rate is not None:
            item["DiscountRate"] = self.discount_rate
        if self.rate or self.tax:
            item["TaxAmount"] = self.tax
        return item


def extra_line(line_id: str, text: str, amount: Decimal, item_code: str, code: str, tax: Tax) -> XeroLine:
    """Return a line that SalesBinder does not have: of ``amount``, without tax. ``item_code``: ``""`` for
    none.
    """
    return XeroLine(
        line_id=line_id,
        description=text,
        quantity=_ONE,
        unit_amount=amount,
        discount_rate=None,
        item_code=item_code,
        account_code=code,
        tax_type=tax.tax_type,
        rate=tax.rate,
        amount=amount,
        tax=_NO_AMOUNT,
    )


_Price = tuple[Decimal, Decimal, Decimal]
"""Quantity, unit amount and discount."""


def xero_line(
    line: Line,
    item_code: str,
    account_code: str,
    tax: Tax,
    warnings: list[Warning],
    *,
    discounts: bool,
) -> XeroLine:
    """Return the line as Xero holds it. ``discounts`` says whether the document type takes a DiscountRate."""
    amount = to_cents(net(line))
    price = _price(line, discounts)
    text = line.description
    suffix = ""
    if price is None:
        price = (_ONE, Decimal(plain(amount)), _NONE)
        if line.quantity != 1:
            suffix = f"\nQuantity: {plain(line.quantity)}"
            warnings.append(warning("line_as_one", line=_short(text), quantity=plain(line.quantity)))
    quantity, unit_amount, discount = price
    text = cut(text, DESCRIPTION_LIMIT - len(suffix), "description", warnings)
    return XeroLine(
        line_id=line.line_id,
        description=(text + suffix).strip() or _NO_TEXT,
        quantity=quantity,
        unit_amount=unit_amount,
        discount_rate=discount if discounts else None,
        item_code=item_code,
        account_code=account_code,
        tax_type=tax.tax_type,
        rate=tax.rate,
        amount=amount,
        tax=to_cents(EXACT.multiply(amount, tax.rate).scaleb(-2, EXACT)) if tax.rate else _NO_AMOUNT,
    )


def _price(line: Line, discounts: bool) -> _Price | None:
    """Return quantity, price and discount that make the line's net; None if Xero has too few decimals for
    it.
    """
    quantity, unit_amount, discount = line.quantity, line.unit_amount, line.discount_percent
    if quantity < 0:
        quantity, unit_amount = EXACT.minus(quantity), EXACT.minus(unit_amount)
    held_quantity, held_amount = _held(quantity), _held(unit_amount)
    if held_quantity is None or (quantity >= _LONG and len(plain(quantity)) > _QUANTITY_LENGTH):
        return None
    if not discount:
        return None if held_amount is None else (held_quantity, held_amount, _NONE)
    if discounts and held_amount is not None and _is_rate(discount, unit_amount):
        return (held_quantity, held_amount, Decimal(plain(discount)))
    net_unit = _held(EXACT.multiply(unit_amount, EXACT.subtract(_HUNDRED, discount)).scaleb(-2, EXACT))
    return None if net_unit is None else (held_quantity, net_unit, _NONE)


def _held(number: Decimal) -> Decimal | None:
    """Return ``number`` without exponent and trailing zeros, so that equal lines have equal bytes; None if it
    has more than four decimals.
    """
    if str(number).isdecimal():
        return number
    text = plain(number)
    return Decimal(text) if len(text.partition(".")[2]) <= _DECIMALS else None


def _is_rate(discount: Decimal, unit_amount: Decimal) -> bool:
    """Return True if it can be a DiscountRate. Xero keeps two decimals of it, and rounds the line once, after
    the discount: 22.50 less 15 % is 19.13 (Xero staff, community.xero.com/developer/discussion/89760256).

    A discount above the whole price, or on a negative price, is better sent as a net price.
    """
    return 0 < discount <= _HUNDRED and unit_amount >= 0 and discount == to_cents(discount)


def _short(text: str) -> str:
    first = text.partition("\n")[0] or _NO_TEXT
    return first if len(first) <= 60 else first[:59] + "…"
