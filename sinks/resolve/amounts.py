"""Make a document's lines so that net, tax and total in Xero equal SalesBinder's, all three."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

import msgspec

from connections.facts import OrganisationFacts
from connections.settings import Settings
from contracts.commands import DocumentSnapshot
from contracts.money import CENT, comes_to, plain
from contracts.reasons import Refused, warning
from contracts.results import Warning
from mappers.totals import EXACT, Totals, clean, net, totals
from sinks.resolve.before import lines_as_before
from sinks.resolve.cents import tolerance, with_tax_cents, xero_net, xero_tax, xero_total
from sinks.resolve.chart import Side, account_code, no_tax, rounding_tax
from sinks.resolve.lines import XeroLine, extra_line, xero_line
from sinks.resolve.posted import AS_BEFORE, Posted, basis_of, posted_of
from sinks.resolve.rates import Inferred, taxes
from sinks.resolve.readings import READINGS, Reading, reading_of, readings

ROUNDING_LINE_ID = "rounding"
"""In place of a SalesBinder line id, for the line that holds the cents of net."""
EMPTY_LINE_ID = "empty"
"""In place of a SalesBinder line id, for the line of a document that has none."""
LARGEST_LINE = Decimal("9999999999.99")
"""The largest amount that Xero takes for a line. Source: Xero's page on invoices."""
LARGEST_TOTAL = Decimal("9999999999999.99")
"""15 digits: more do not survive the floating-point numbers between programs and Xero."""


@dataclass(frozen=True, slots=True)
class Amounts:
    """The lines, and the data that the document keeps about how they were made."""

    lines: list[XeroLine]
    posted: Posted


@dataclass(frozen=True, slots=True)
class _Try:
    """A document under one reading, as Xero would have it before any cents are moved."""

    reading: Reading
    lines: list[XeroLine]
    nets: list[Decimal]
    """Of the lines, unrounded."""
    wanted: Totals
    inferred: Inferred | None
    warnings: list[Warning]
    unit: Decimal

    @property
    def net_cents(self) -> Decimal:
        return self.wanted.subtotal - xero_net(self.lines)

    @property
    def tax_cents(self) -> Decimal:
        return self.wanted.tax + self.wanted.tax2 - xero_tax(self.lines)

    def told(self) -> str:
        return f"{self.reading.words} gives {xero_net(self.lines)} and {xero_tax(self.lines)} of tax"


@dataclass(frozen=True, slots=True)
class Pricing:
    """The settings and facts with which a document's lines are made."""

    side: Side
    settings: Settings
    facts: OrganisationFacts
    discounts: bool
    """Whether this type of document takes a DiscountRate."""
    unit: Decimal = CENT
    """The smallest amount of the document's currency: publishers round to it."""


def amounts(
    document: DocumentSnapshot,
    pricing: Pricing,
    facts_of_link: Mapping[str, object] | None,
    warnings: list[Warning],
) -> Amounts:
    """Return all lines, with the cents put where they belong.

    A document without lines whose totals are 0 has one line of 0, since Xero needs one.

    Args:
        facts_of_link: the facts kept of the document as it was posted, if it was.

    Raises:
        Refused: an account or tax is missing, the amounts are too large for Xero, or the totals differ by
            more than rounding.
    """
    posted = posted_of(facts_of_link)
    if posted.reading == AS_BEFORE and posted.basis == basis_of(document.lines, document):
        return as_before(document, pricing, warnings)
    cleaned = clean(document)
    kept = posted
    found = None
    if (reading := _kept(cleaned, posted)) is not None:
        found = _try(cleaned, reading, pricing, posted.inferred)
    if found is None or not (_is_near(found) or _is_exact(found)):
        found, kept = _choose(cleaned, pricing), Posted()
    _refuse_too_large(found)
    warnings += found.warnings
    _tell(cleaned, found, warnings)
    return _with_cents(cleaned, found, pricing, kept, warnings)


def as_before(document: DocumentSnapshot, pricing: Pricing, warnings: list[Warning]) -> Amounts:
    """Return the lines as documents were made that were posted before net and tax were kept apart.

    Raises:
        Refused: they cannot be made so.
    """
    code = _account(pricing)
    lines = lines_as_before(
        document,
        pricing.side,
        code,
        pricing.settings,
        pricing.facts,
        warnings,
        discounts=pricing.discounts,
        rounding_line=ROUNDING_LINE_ID,
    )
    rounding = lines[-1].line_id if len(lines) > len(document.lines) else ""
    lines = with_unique_ids(lines or [_empty_line(code, pricing)])
    return Amounts(lines, Posted(basis_of(document.lines, document), AS_BEFORE, rounding_line=rounding))


def _kept(document: DocumentSnapshot, posted: Posted) -> Reading | None:
    """Return the reading with which the document was posted, while its own numbers are the same;
    else none.
    """
    if posted.reading not in READINGS:
        return None
    reading = reading_of(document, posted.reading)
    return reading if posted.basis == basis_of(reading.lines, document) else None


def _choose(document: DocumentSnapshot, pricing: Pricing) -> _Try:
    """Return the first reading that gives the document's own net and tax exactly, else the first within
    tolerance.

    Raises:
        Refused: ``total_negative``, ``total_mismatch``; ``tax_rate_unmapped`` if that rules out every
            reading.
    """
    tried: list[_Try] = []
    unmapped: Refused | None = None
    for reading in readings(document):
        try:
            found = _try(document, reading, pricing, None)
        except Refused as refusal:
            if refusal.code != "tax_rate_unmapped":
                raise
            unmapped = unmapped or refusal
            continue
        if _is_exact(found):
            return _not_negative(found)
        tried.append(found)
    near = next((one for one in tried if _is_near(one)), None)
    if near is not None:
        return _not_negative(near)
    if unmapped is not None:
        raise unmapped
    first = _not_negative(tried[0])
    _refuse_too_large(first)
    raise Refused(
        "total_mismatch",
        total=first.wanted.total,
        xero_total=xero_total(first.lines),
        tried="; ".join(one.told() for one in tried),
    )


def _try(document: DocumentSnapshot, reading: Reading, pricing: Pricing, kept: Inferred | None) -> _Try:
    warnings: list[Warning] = []
    code = _account(pricing)
    found = taxes(reading.lines, document, pricing.side, pricing.facts, kept, pricing.unit)
    item = pricing.settings.item_code
    lines = [
        xero_line(line, item, code, tax, warnings, discounts=pricing.discounts)
        for line, tax in zip(reading.lines, found.of_lines, strict=True)
    ]
    nets = [net(line) for line in reading.lines]
    wanted = totals(msgspec.structs.replace(document, lines=reading.lines))
    return _Try(reading, lines, nets, wanted, found.inferred, warnings, pricing.unit)


def _account(pricing: Pricing) -> str:
    return account_code(pricing.side.account, pricing.side.account_setting, pricing.facts)


def _not_negative(found: _Try) -> _Try:
    if found.wanted.total < 0:
        raise Refused("total_negative", total=found.wanted.total)
    return found


def _refuse_too_large(found: _Try) -> None:
    wanted = found.wanted
    sums = (wanted.subtotal, wanted.tax + wanted.tax2, wanted.total, xero_total(found.lines))
    if (largest := max(one.copy_abs() for one in sums)) > LARGEST_TOTAL:
        raise Refused("amount_too_large", what="its total", amount=plain(largest), limit=LARGEST_TOTAL)
    for place, line in enumerate(found.lines, 1):
        if line.amount.copy_abs() > LARGEST_LINE:
            what = f"line {place}"
            raise Refused("amount_too_large", what=what, amount=plain(line.amount), limit=LARGEST_LINE)


def _is_placed(found: _Try) -> bool:
    """Return True if there is a line for the cents: of tax a taxed one, of net any at all."""
    taxed = any(line.rate for line in found.lines)
    return (taxed or not found.tax_cents) and (bool(found.lines) or not found.net_cents)


def _is_near(found: _Try) -> bool:
    most = tolerance(found.lines, found.unit)
    return _is_placed(found) and abs(found.net_cents) <= most and abs(found.tax_cents) <= most


def _is_exact(found: _Try) -> bool:
    """Return True if net and tax are the document's own, whether lines or only sums are rounded."""
    if not _is_placed(found):
        return False
    if found.net_cents and not comes_to(_sum(found.nets), found.wanted.subtotal, found.unit):
        return False
    return not found.tax_cents or _is_exact_tax(found)


def _is_exact_tax(found: _Try) -> bool:
    """Return True if the taxes, rounded once, are the document's: both together at Xero's rates, or each."""
    wanted, lines, unit = found.wanted, found.reading.lines, found.unit
    at_xeros = _taxed(found.nets, [line.rate for line in found.lines])
    if comes_to(at_xeros, wanted.tax + wanted.tax2, unit):
        return True
    own = all(
        one.rate == line.tax_rate + line.tax2_rate for one, line in zip(found.lines, lines, strict=True)
    )
    return (
        own
        and comes_to(_taxed(found.nets, [line.tax_rate for line in lines]), wanted.tax, unit)
        and comes_to(_taxed(found.nets, [line.tax2_rate for line in lines]), wanted.tax2, unit)
    )


def _taxed(nets: list[Decimal], rates: list[Decimal]) -> Decimal:
    parts = [EXACT.multiply(one, rate) for one, rate in zip(nets, rates, strict=True) if rate]
    return _sum(parts).scaleb(-2, EXACT)


def _sum(numbers: list[Decimal]) -> Decimal:
    whole = Decimal(0)
    for number in numbers:
        whole = EXACT.add(whole, number)
    return whole


def _tell(document: DocumentSnapshot, found: _Try, warnings: list[Warning]) -> None:
    """Warn about which numbers were used."""
    if found.inferred is not None:
        told = {"rate": ", ".join(found.inferred.replaced), "mapped": found.inferred.key}
        warnings.append(warning("tax_rate_inferred", **told, tax_type=found.inferred.tax_type))
    uncosted = [line for line in document.lines if line.price is not None and not line.unit_amount]
    if document.kind == "purchase_order" and found.reading.name != "cost" and uncosted:
        warnings.append(warning("amount_from_price", lines=len(uncosted)))


def _with_cents(
    document: DocumentSnapshot, found: _Try, pricing: Pricing, kept: Posted, warnings: list[Warning]
) -> Amounts:
    lines = found.lines
    posted = Posted(basis_of(found.reading.lines, document), found.reading.name)
    if (inferred := found.inferred) is not None:
        posted = msgspec.structs.replace(
            posted, rate=inferred.key, tax_type=inferred.tax_type, replaced=inferred.replaced
        )
    if found.tax_cents:
        place = "the tax of the largest lines"
        warnings.append(warning("cents_moved", cents=found.tax_cents, place=place))
        lines = with_tax_cents(lines, found.nets, found.tax_cents)
    if found.net_cents:
        warnings.append(warning("cents_moved", cents=found.net_cents, place="a rounding line"))
        rounding = _rounding_line(found.net_cents, pricing, kept)
        lines = with_unique_ids([*lines, rounding])
        posted = msgspec.structs.replace(
            posted,
            rounding_line=lines[-1].line_id,
            rounding_account=rounding.account_code,
            rounding_tax=rounding.tax_type,
        )
        return Amounts(lines, posted)
    return Amounts(with_unique_ids(lines or [_empty_line(_account(pricing), pricing)]), posted)


def _rounding_line(cents: Decimal, pricing: Pricing, kept: Posted) -> XeroLine:
    """Build the rounding line, with the account and tax type that the document was posted with,
    else today's.
    """
    settings = pricing.settings
    named = (settings.rounding_account, settings.rounding_tax)
    if kept.rounding_line:
        named = (kept.rounding_account, kept.rounding_tax)
    account = account_code(named[0], "rounding_account", pricing.facts)
    tax = rounding_tax(named[1], account, pricing.facts)
    return extra_line(ROUNDING_LINE_ID, "Rounding", cents, "", account, tax)


def _empty_line(code: str, pricing: Pricing) -> XeroLine:
    tax = no_tax(pricing.side, pricing.facts)
    return extra_line(EMPTY_LINE_ID, "-", Decimal(0), pricing.settings.item_code, code, tax)


def with_unique_ids(lines: list[XeroLine]) -> list[XeroLine]:
    """Number repeated line ids, because ids tell lines apart between edits."""
    if len({line.line_id for line in lines}) == len(lines):
        return lines
    seen: dict[str, int] = {}
    unique = []
    for line in lines:
        count = seen[line.line_id] = seen.get(line.line_id, 0) + 1
        unique.append(
            line if count == 1 else msgspec.structs.replace(line, line_id=f"{line.line_id}#{count}")
        )
    return unique
