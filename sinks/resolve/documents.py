"""The common parts of invoices, bills and purchase orders: lines, totals to the cent, fingerprints."""

import hashlib
from dataclasses import dataclass, replace
from decimal import Decimal
from functools import cached_property

import msgspec

from connections.addresses import Addresses
from connections.settings import Settings
from contracts.commands import DocumentSnapshot
from contracts.json import Body, JsonObject
from contracts.money import unit_of
from contracts.reasons import Refused
from contracts.results import Warning
from sinks.resolve.amounts import Amounts, Pricing, amounts, as_before
from sinks.resolve.cents import xero_tax, xero_total
from sinks.resolve.posted import Posted

REFERENCE_LIMIT = 255
_AMOUNTS = ("Quantity", "UnitAmount", "DiscountRate", "TaxType", "TaxAmount")

_encoder = msgspec.json.Encoder(decimal_format="string", order="deterministic")


@dataclass(frozen=True)
class ResolvedDocument:
    """A document ready to be sent, except for contact, status and the ids that Xero gave."""

    body: Body
    line_ids: tuple[str, ...]
    """SalesBinder line ids in the order of the body's LineItems, each once."""
    total: Decimal
    """With tax, as Xero will compute it."""
    total_tax: Decimal
    number: str
    currency: str
    posted: Posted
    """How the amounts were made; the document keeps it while they are unchanged."""
    warnings: tuple[Warning, ...]

    @cached_property
    def fingerprint(self) -> str:
        """SHA-256 of the body."""
        return _hash(self.body)

    @cached_property
    def amounts_fingerprint(self) -> str:
        """SHA-256 of everything that determines the amounts: currency, and of each line quantity, price,
        discount and tax.
        """
        return _amounts_hash(self.currency, self.body["LineItems"])


def document_url(record_id: str, account: str, settings: Settings) -> str:
    """Return the address at which SalesBinder shows the document."""
    return Addresses.of(settings).record(account, "", record_id)


def document_amounts(
    document: DocumentSnapshot,
    pricing: Pricing,
    code: str,
    link: JsonObject | None,
    warnings: list[Warning],
) -> Amounts:
    """Return the document's lines to the cent, as it was posted while its own numbers are unchanged.

    Args:
        code: the document's currency.
        link: the facts of its link; None if it was not posted yet.

    Raises:
        Refused: Xero, or the settings, cannot hold them.
    """
    if link is not None and link.get("amounts") and not link.get("money"):
        said: list[Warning] = []
        try:
            before = as_before(document, pricing, said)
        except (Refused, ArithmeticError):
            before = None
        if before and _amounts_hash(code, [line.body() for line in before.lines]) == link["amounts"]:
            warnings += said
            return before
    return amounts(document, replace(pricing, unit=unit_of(code)), link, warnings)


def resolved_document(
    body: Body, made: Amounts, number: str, code: str, warnings: list[Warning]
) -> ResolvedDocument:
    """Return the document, complete with totals."""
    return ResolvedDocument(
        body=body,
        line_ids=tuple(line.line_id for line in made.lines),
        total=xero_total(made.lines),
        total_tax=xero_tax(made.lines),
        number=number,
        currency=code,
        posted=made.posted,
        warnings=tuple(dict.fromkeys(warnings)),
    )


def _amounts_hash(code: str, items: list[Body]) -> str:
    return _hash([code, [[item.get(name) for name in _AMOUNTS] for item in items]])


def _hash(content: object) -> str:
    return hashlib.sha256(_encoder.encode(content)).hexdigest()
