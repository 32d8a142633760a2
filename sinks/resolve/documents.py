"""What invoices, bills and purchase orders have in common: lines, totals to the cent, fingerprints."""

import hashlib
from dataclasses import dataclass
from decimal import Decimal
from functools import cached_property
from typing import Any
from urllib.parse import quote

import msgspec

from connections.facts import OrganisationFacts
from connections.settings import Settings
from contracts.commands import DocumentSnapshot
from contracts.reasons import Refused, warning
from contracts.results import Warning
from mappers.totals import totals
from sinks.resolve.cents import check_difference, move_cents, xero_total
from sinks.resolve.chart import Side, Tax, account_code, no_tax, tax
from sinks.resolve.lines import XeroLine, xero_line

ROUNDING_LINE_ID = "rounding"
"""Stands for a SalesBinder line id on the line that holds the cents of an untaxed document."""
EMPTY_LINE_ID = "empty"
"""The same on the line of a document that has none."""
REFERENCE_LIMIT = 255
_AMOUNTS = ("Quantity", "UnitAmount", "DiscountRate", "TaxType", "TaxAmount")

_encoder = msgspec.json.Encoder(decimal_format="string", order="deterministic")


@dataclass(frozen=True)
class ResolvedDocument:
    """A document ready to be sent, but for contact, status and the ids that Xero gave."""

    body: dict[str, Any]
    line_ids: tuple[str, ...]
    """SalesBinder line ids in the order of the body's LineItems, each once."""
    total: Decimal
    """With tax, as Xero will compute it."""
    total_tax: Decimal
    number: str
    currency: str
    warnings: tuple[Warning, ...]

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the body."""
        return _hash(self.body)

    @cached_property
    def amounts_fingerprint(self) -> str:
        """SHA-256 of what makes the amounts: currency, and of each line quantity, price, discount and tax."""
        return _hash(
            [self.currency, [[item.get(name) for name in _AMOUNTS] for item in self.body["LineItems"]]]
        )


def document_url(record_id: str, account: str, settings: Settings) -> str:
    """Where the document is shown in SalesBinder."""
    url = settings.document_url.replace("{account}", account)
    return url.replace("{id}", quote(record_id, safe=""))


def resolved_document(
    body: dict[str, Any], lines: list[XeroLine], number: str, code: str, warnings: list[Warning]
) -> ResolvedDocument:
    """The document, complete with totals."""
    return ResolvedDocument(
        body=body,
        line_ids=tuple(line.line_id for line in lines),
        total=xero_total(lines),
        total_tax=sum((line.tax for line in lines), Decimal("0.00")),
        number=number,
        currency=code,
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _hash(content: object) -> str:
    return hashlib.sha256(_encoder.encode(content)).hexdigest()


def xero_lines(
    document: DocumentSnapshot,
    side: Side,
    settings: Settings,
    facts: OrganisationFacts,
    warnings: list[Warning],
    *,
    discounts: bool,
) -> list[XeroLine]:
    """All lines, with the cents put where they belong, so that Xero's total is SalesBinder's.

    A document without lines whose total is 0 has one line of 0, since Xero needs one. ``discounts`` says
    whether this type of document takes a DiscountRate.

    Raises:
        Refused: an account or tax is missing, or the totals differ by more than rounding.
    """
    code = account_code(side.account, side.account_setting, facts)
    taxes: dict[tuple[Decimal, Decimal], Tax] = {}
    lines = []
    for line in document.lines:
        pair = (line.tax_rate, line.tax2_rate)
        if pair not in taxes:
            taxes[pair] = tax(line, side, facts)
        lines.append(xero_line(line, settings.item_code, code, taxes[pair], warnings, discounts=discounts))
    total = totals(document).total
    difference = check_difference(lines, total)
    if difference and not lines:
        raise Refused("total_mismatch", total=total, xero_total=xero_total(lines))
    if difference:
        moved = move_cents(lines, difference, warnings)
        if moved is None:
            warnings.append(warning("cents_moved", cents=difference, place="a rounding line"))
            rounding = account_code(settings.rounding_account, "rounding_account", facts)
            moved = [*lines, _extra_line(ROUNDING_LINE_ID, "Rounding", difference, "", rounding, side, facts)]
        lines = moved
    if not lines:
        lines = [_extra_line(EMPTY_LINE_ID, "-", Decimal(0), settings.item_code, code, side, facts)]
    return _with_unique_ids(lines)


def _extra_line(
    line_id: str,
    text: str,
    amount: Decimal,
    item_code: str,
    code: str,
    side: Side,
    facts: OrganisationFacts,
) -> XeroLine:
    """A line that SalesBinder does not have. A rounding line carries no item code."""
    untaxed = no_tax(side, facts)
    return XeroLine(
        line_id=line_id,
        description=text,
        quantity=Decimal(1),
        unit_amount=amount,
        discount_rate=None,
        item_code=item_code,
        account_code=code,
        tax_type=untaxed.tax_type,
        rate=Decimal(0),
        amount=amount,
        tax=Decimal("0.00"),
    )


def _with_unique_ids(lines: list[XeroLine]) -> list[XeroLine]:
    """Line ids tell lines apart between edits; where one is repeated, the later ones are numbered."""
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
