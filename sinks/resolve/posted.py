"""How a document's amounts were made when it was posted, which it keeps while they are unchanged."""

import hashlib
from collections.abc import Iterable, Mapping

import msgspec

from contracts.commands import DocumentSnapshot, Line
from contracts.money import plain
from sinks.resolve.rates import Inferred

AS_BEFORE = "as_before"
"""Stands for a reading on documents that were posted before readings were kept: all cents went on the tax."""


class Posted(msgspec.Struct, frozen=True, omit_defaults=True):
    """Among the facts of a document's link, under ``money``."""

    basis: str = ""
    """``basis_of`` the numbers of which the amounts were made."""
    reading: str = ""
    """``sinks.resolve.readings.Name``, or ``AS_BEFORE``."""
    rate: str = ""
    """Key of the inferred rate; ``""`` if none was inferred."""
    tax_type: str = ""
    replaced: tuple[str, ...] = ()
    """The rates for which it stands."""
    rounding_line: str = ""
    """Line id of the line with the cents of net; ``""`` if there is none."""
    rounding_account: str = ""
    rounding_tax: str = ""

    @property
    def inferred(self) -> Inferred | None:
        """The rate that was inferred."""
        return Inferred(self.rate, self.tax_type, self.replaced) if self.rate else None


def posted_of(facts: Mapping[str, object] | None) -> Posted:
    """Return the posted amounts that a document's link keeps."""
    return msgspec.convert((facts or {}).get("money") or {}, Posted)


def basis_of(lines: Iterable[Line], document: DocumentSnapshot) -> str:
    """Return the SHA-256 of the numbers from which a document's amounts are made: its lines, and its own
    totals.
    """
    own = [
        [line.line_id, *map(plain, (line.quantity, line.unit_amount, line.discount_percent)), *_rates(line)]
        for line in lines
    ]
    totals = [None if one is None else plain(one) for one in (document.subtotal, document.tax, document.tax2)]
    return hashlib.sha256(msgspec.json.encode([own, totals])).hexdigest()


def _rates(line: Line) -> tuple[str, str]:
    return plain(line.tax_rate), plain(line.tax2_rate)
