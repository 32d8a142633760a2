"""Tax types of a document's lines; a rate worked out from amounts takes the mapped rate that it is."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal

from connections.facts import OrganisationFacts
from connections.settings import tax_key
from contracts.commands import DocumentSnapshot, Line
from contracts.money import CENT, comes_to, to_cents, to_unit
from contracts.reasons import Refused
from mappers.totals import EXACT, clean_rate, net
from sinks.resolve.chart import Side, Tax, known_tax

Pair = tuple[Decimal, Decimal]
"""Rates of tax and tax2 in per cent."""

_HUNDRED = Decimal(100)
_QUARTER = Decimal("0.25")
_SLACK = Decimal("0.0001")
"""By which a rate may be off for having been rounded to 4 decimals."""


@dataclass(frozen=True, slots=True)
class Inferred:
    """The mapped rate that is used for all rates of a document that are not mapped."""

    key: str
    tax_type: str
    replaced: tuple[str, ...]
    """The rates for which it stands."""


@dataclass(frozen=True, slots=True)
class Taxes:
    """The tax of each line, and the rate that some of them took."""

    of_lines: tuple[Tax, ...]
    inferred: Inferred | None


def taxes(
    lines: Sequence[Line],
    document: DocumentSnapshot,
    side: Side,
    facts: OrganisationFacts,
    kept: Inferred | None = None,
    unit: Decimal = CENT,
) -> Taxes:
    """Return the taxes of the lines of ``document`` under one reading. All numbers must be clean.

    Args:
        kept: the inferred rate with which the document was posted, where it keeps that one.
        unit: the smallest amount of the document's currency.

    Raises:
        Refused: ``tax_rate_unmapped``, ``tax_type_unknown``, ``tax_type_unfit``.
    """
    mapped = _mapped(side)
    pairs = [(line.tax_rate, line.tax2_rate) for line in lines]
    replaced = kept.replaced if kept else ()
    odd = {pair for pair in pairs if pair not in mapped or tax_key(*pair) in replaced}
    inferred = kept or (_infer(lines, odd, mapped, document, side, unit) if odd else None)
    known: dict[Pair, Tax] = {}
    for pair in dict.fromkeys(pairs):
        key, tax_type = mapped.get(pair, ("", ""))
        if inferred is not None and pair in odd:
            key, tax_type = inferred.key, inferred.tax_type
        own = _pair(key)
        known[pair] = known_tax(tax_type, f"{side.tax_setting}.{key}", own[0] + own[1], side, facts)
    return Taxes(tuple(known[pair] for pair in pairs), inferred if odd else None)


def _mapped(side: Side) -> Mapping[Pair, tuple[str, str]]:
    """Return key and TaxType by rates to 4 decimals; of two keys that are the same then, the shorter."""
    by_length = sorted(side.tax_types.items(), key=lambda item: -len(item[0]))
    return {_clean(_pair(key)): (key, tax_type) for key, tax_type in by_length}


def _pair(key: str) -> Pair:
    first, _, second = key.partition("+")
    return Decimal(first or 0), Decimal(second or 0)


def _clean(pair: Pair) -> Pair:
    return clean_rate(pair[0]), clean_rate(pair[1])


def _infer(
    lines: Sequence[Line],
    odd: set[Pair],
    mapped: Mapping[Pair, tuple[str, str]],
    document: DocumentSnapshot,
    side: Side,
    unit: Decimal,
) -> Inferred:
    """Return the one mapped rate that all ``odd`` rates equal, apart from the noise of being worked out from
    amounts.

    Raises:
        Refused: ``tax_rate_unmapped``: none is, or several may be.
    """
    unmapped = [line for line in lines if (line.tax_rate, line.tax2_rate) in odd]
    if document.tax is not None and to_cents(document.tax):
        near = [
            pair for pair in mapped if any(pair) and all(_is_noise(line, pair, unit) for line in unmapped)
        ]
        for comes_out in (_rounded_once, _rounded_by_line):
            fits = [pair for pair in near if comes_out(lines, odd, pair, document, unit)]
            if len(fits) == 1:
                replaced = dict.fromkeys(tax_key(line.tax_rate, line.tax2_rate) for line in unmapped)
                return Inferred(*mapped[fits[0]], tuple(replaced))
            if fits:
                break
    line = next((line for line in unmapped if not _replaceable(line)), unmapped[0])
    key = tax_key(line.tax_rate, line.tax2_rate)
    raise Refused("tax_rate_unmapped", rate=key, setting=f"{side.tax_setting}.{key}")


def _is_noise(line: Line, pair: Pair, unit: Decimal) -> bool:
    """Return True if half of the smallest unit on the line explains how far its rates are from ``pair``."""
    size = net(line).copy_abs()
    for own, wanted in ((line.tax_rate, pair[0]), (line.tax2_rate, pair[1])):
        if own == wanted:
            continue
        off = EXACT.multiply(EXACT.subtract(own, wanted).copy_abs() - _SLACK, size)
        if not own % _QUARTER or off > unit / 2 * _HUNDRED:
            return False
    return True


def _replaceable(line: Line) -> bool:
    return bool(line.tax_rate % _QUARTER or line.tax2_rate % _QUARTER)


def _rounded_once(
    lines: Sequence[Line], odd: set[Pair], pair: Pair, document: DocumentSnapshot, unit: Decimal
) -> bool:
    """Return True if the document's own taxes come out, as SalesBinder rounds: the sums."""
    sums = [Decimal(0), Decimal(0)]
    for place, tax in _taxes_of(lines, odd, pair):
        sums[place] = EXACT.add(sums[place], tax)
    return _are(sums, document, unit)


def _rounded_by_line(
    lines: Sequence[Line], odd: set[Pair], pair: Pair, document: DocumentSnapshot, unit: Decimal
) -> bool:
    """Return True if the document's own taxes come out, as shops round that work rates out: line by line."""
    sums = [Decimal(0), Decimal(0)]
    for place, tax in _taxes_of(lines, odd, pair):
        sums[place] = EXACT.add(sums[place], to_unit(tax, unit))
    return _are(sums, document, unit)


def _taxes_of(lines: Sequence[Line], odd: set[Pair], pair: Pair) -> Iterator[tuple[int, Decimal]]:
    for line in lines:
        own = (line.tax_rate, line.tax2_rate)
        amount = net(line)
        for place, rate in enumerate(pair if own in odd else own):
            if rate:
                yield place, EXACT.multiply(amount, rate).scaleb(-2, EXACT)


def _are(sums: Sequence[Decimal], document: DocumentSnapshot, unit: Decimal) -> bool:
    given = (document.tax, document.tax2)
    return all(
        total is None or comes_to(found, to_cents(total), unit)
        for found, total in zip(sums, given, strict=True)
    )
