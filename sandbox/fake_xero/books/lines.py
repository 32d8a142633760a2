"""Line items: defaults from item and account, amounts, tax per line, and the totals they add up to."""

import copy
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from . import errors as e
from .errors import BadBody, Refused
from .ledger import Books, new_id
from .model import ZERO, Account, Document, Line
from .reading import number, record_id, round_to, text

_HUNDRED = Decimal(100)
_MAX_LINE_AMOUNT = Decimal("9999999999.99")
_QUANTITY_DIGITS = 13
_DESCRIPTION_LIMIT = 4000
_TRACKING_LIMIT = 2
_SYSTEM_ACCOUNTS = frozenset({"DEBTORS", "CREDITORS", "GST"})


@dataclass(frozen=True, slots=True)
class LineRules:
    """The rules for lines by a document's type and status."""

    unit_places: int  # decimals that unit amounts are rounded to
    is_sale: bool  # item defaults come from the sales or the purchase side
    discount_rate: bool
    discount_amount: bool
    accounts_required: bool
    amounts_are: str  # Exclusive, Inclusive, NoTax


def read_lines(
    books: Books, elements: Any, existing: list[Line], rules: LineRules, problems: list[str]
) -> list[Line]:
    """Return the document's lines after a write: those with a LineItemID are updated, those without are new,
    and existing ones that are not listed are gone. Xero's texts for errors are added to `problems`.
    """
    if not isinstance(elements, list) or not all(isinstance(element, dict) for element in elements):
        raise BadBody("LineItems must be a list of objects")
    known = {line.line_item_id: line for line in existing}
    lines = []
    for element in elements:
        try:
            lines.append(_read_line(books, element, known, rules))
        except Refused as refused:
            problems.extend(refused.messages)
    return lines


def recheck(books: Books, lines: list[Line], rules: LineRules, problems: list[str]) -> list[Line]:
    """Check stored lines again, after the status or LineAmountTypes changed without new lines."""
    result = []
    for line in lines:
        again = copy.copy(line)
        try:
            _check_account_and_tax(books, again, rules)
            _set_tax(books, again, rules, override=again.tax_amount if again.tax_overridden else None)
        except Refused as refused:
            problems.extend(refused.messages)
        result.append(again)
    return result


def set_totals(document: Document) -> None:
    """Set SubTotal, TotalTax and Total: Xero rounds each line and its tax, then adds up."""
    tax = sum((line.tax_amount for line in document.lines), ZERO)
    lines = sum((line.line_amount for line in document.lines), ZERO)
    document.total_tax = tax
    document.sub_total = lines - tax if document.line_amount_types == "Inclusive" else lines
    document.total = document.sub_total + tax


def _read_line(books: Books, element: dict[str, Any], known: dict[str, Line], rules: LineRules) -> Line:
    line_id = record_id(element.get("LineItemID"))
    if line_id and known:
        if line_id not in known:
            raise Refused(f"The line item with LineItemID {line_id} does not belong to this document")
        line = copy.copy(known[line_id])
    else:
        line = Line(new_id())
    before = (line.line_amount, line.tax_type, line.tax_amount, line.tax_overridden)
    _fill_texts(element, line)
    is_text_only = _fill_amounts(books, element, line, rules)
    if is_text_only:
        line.item_code = line.account_code = line.tax_type = None
        line.line_amount = line.tax_amount = ZERO
    else:
        _fill_from_item(books, line, rules)
        _check_account_and_tax(books, line, rules)
        override = number(element, "TaxAmount")
        if override is None and before[3] and before[:2] == (line.line_amount, line.tax_type):
            override = before[2]
        _set_tax(books, line, rules, override)
    if not line.description:
        raise Refused("Description must be specified on every line item")
    return line


def _fill_texts(element: dict[str, Any], line: Line) -> None:
    description = text(element, "Description", _DESCRIPTION_LIMIT)
    if description is not None:
        line.description = description
    for name, attribute in (
        ("ItemCode", "item_code"),
        ("AccountCode", "account_code"),
        ("TaxType", "tax_type"),
    ):
        value = text(element, name)
        if value is not None:
            setattr(line, attribute, value or None)
    tracking = element.get("Tracking")
    if tracking is not None:
        if not isinstance(tracking, list) or len(tracking) > _TRACKING_LIMIT:
            raise Refused(f"A line item can have at most {_TRACKING_LIMIT} tracking categories")
        line.tracking = tracking


def _fill_amounts(books: Books, element: dict[str, Any], line: Line, rules: LineRules) -> bool:
    """Set quantity, unit amount, discount and line amount. Return True if the line is nothing but text."""
    quantity = number(element, "Quantity")
    if quantity is not None:
        if quantity < 0:
            raise Refused(e.QUANTITY_NEGATIVE.format(quantity))
        if len(str(quantity.normalize().to_integral_value())) > _QUANTITY_DIGITS:
            raise Refused(f"The quantity value '{quantity}' is too long")
        line.quantity = round_to(quantity, 4)
    unit = number(element, "UnitAmount")
    if unit is not None:
        line.unit_amount = round_to(unit, rules.unit_places)
    sent = number(element, "LineAmount")
    if line.quantity is None and line.unit_amount is None and sent is None:
        return True
    _fill_discount(element, line, rules)
    if line.unit_amount is None and sent is None and line.item_code:
        line.unit_amount = _item_price(books, line.item_code, rules)
    _complete(line, sent, rules)
    gross = (line.quantity or ZERO) * (line.unit_amount or ZERO)
    expected = _after_discount(line, gross)
    if sent is not None and round_to(sent, 2) != expected:
        raise Refused(e.LINE_TOTAL_WRONG.format(round_to(sent, 2), expected))
    if abs(expected) > _MAX_LINE_AMOUNT:
        raise Refused(f"The line total {expected} is too large")
    line.line_amount = expected
    return False


def _complete(line: Line, sent: Decimal | None, rules: LineRules) -> None:
    """Work out quantity or unit amount where only one of them came, with LineAmount's help."""
    if line.quantity is None:
        line.quantity = Decimal("1.0000")
    if line.unit_amount is None and sent is not None and line.quantity:
        line.unit_amount = round_to(sent / line.quantity, rules.unit_places)
    if line.unit_amount is None:
        line.unit_amount = ZERO


def _fill_discount(element: dict[str, Any], line: Line, rules: LineRules) -> None:
    rate, amount = number(element, "DiscountRate"), number(element, "DiscountAmount")
    if (rate and not rules.discount_rate) or (amount and not rules.discount_amount):
        raise Refused("Discounts are not supported on this type of document")
    if rate is not None:
        line.discount_rate, line.discount_amount = rate or None, None
    elif amount is not None:
        line.discount_amount, line.discount_rate = round_to(amount, 2) or None, None


def _after_discount(line: Line, gross: Decimal) -> Decimal:
    if line.discount_rate is not None:
        if not 0 <= line.discount_rate <= _HUNDRED:
            raise Refused(e.DISCOUNT_TOO_LARGE.format(line.discount_rate))
        return round_to(gross * (_HUNDRED - line.discount_rate) / _HUNDRED, 2)
    if line.discount_amount is not None:
        if line.discount_amount < 0 or line.discount_amount > gross:
            raise Refused(e.DISCOUNT_TOO_LARGE.format(line.discount_amount))
        return round_to(gross - line.discount_amount, 2)
    return round_to(gross, 2)


def _item_price(books: Books, code: str, rules: LineRules) -> Decimal | None:
    item = books.item_with_code(code)
    if item is None:
        return None
    return (item.sales if rules.is_sale else item.purchase).unit_price


def _fill_from_item(books: Books, line: Line, rules: LineRules) -> None:
    if line.item_code is None:
        return
    item = books.item_with_code(line.item_code)
    if item is None:
        raise Refused(e.ITEM_INVALID.format(line.item_code))
    details = item.sales if rules.is_sale else item.purchase
    line.item_code = item.code
    line.account_code = line.account_code or details.account_code
    line.tax_type = line.tax_type or details.tax_type
    line.description = line.description or (item.description if rules.is_sale else item.purchase_description)


def _check_account_and_tax(books: Books, line: Line, rules: LineRules) -> None:
    if line.quantity is None:
        return
    account = _line_account(books, line, rules)
    if account is not None and line.tax_type is None and rules.amounts_are != "NoTax":
        line.tax_type = account.tax_type
    if line.tax_type is None:
        return
    rate = books.tax_rates.get(line.tax_type)
    if rate is None or rate.status != "ACTIVE":
        raise Refused(e.TAX_UNKNOWN.format(line.tax_type))
    if account is not None and account.account_class not in rate.applies_to:
        raise Refused(e.TAX_MISMATCH.format(line.tax_type, account.code))


def _line_account(books: Books, line: Line, rules: LineRules) -> Account | None:
    if line.account_code is None:
        if rules.accounts_required:
            raise Refused(e.ACCOUNT_MISSING)
        return None
    account = books.account_with_code(line.account_code)
    if account is None or account.type == "BANK" or account.system_account in _SYSTEM_ACCOUNTS:
        raise Refused(e.ACCOUNT_INVALID.format(line.account_code))
    if account.status != "ACTIVE":
        raise Refused(e.ACCOUNT_ARCHIVED.format(line.account_code))
    return account


def _set_tax(books: Books, line: Line, rules: LineRules, override: Decimal | None) -> None:
    """Set the line's tax: calculated and rounded, or as sent if the rate is not zero."""
    rate = books.tax_rates[line.tax_type].rate if line.tax_type else ZERO
    line.tax_overridden = False
    if rate == 0 or rules.amounts_are == "NoTax":
        line.tax_amount = ZERO
        return
    if rules.amounts_are == "Inclusive":
        worked_out = round_to(line.line_amount * rate / (_HUNDRED + rate), 2)
    else:
        worked_out = round_to(line.line_amount * rate / _HUNDRED, 2)
    line.tax_amount = worked_out if override is None else round_to(override, 2)
    line.tax_overridden = line.tax_amount != worked_out
