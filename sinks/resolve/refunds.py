"""Refunds as credit notes: the amount split over the invoice's taxes, to the cent."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from decimal import Decimal

from connections.facts import OrganisationFacts
from contracts.json import Body, JsonObject
from contracts.money import CENT, to_cents
from contracts.reasons import warning
from contracts.results import Warning
from sinks.resolve.payments import ResolvedPayment

_NO_TAX = "NoTax"


@dataclass(frozen=True, slots=True)
class _Group:
    """All lines of an invoice that have one TaxType, in cents."""

    tax_type: str
    net: Decimal
    tax: Decimal
    largest: JsonObject
    """The line whose account and item are used for all: the largest by absolute net; of equal ones, the
    first.
    """
    text: str = ""
    """The text of the credit note's line; ``""`` for the usual one."""

    @property
    def gross(self) -> Decimal:
        return self.net + self.tax


@dataclass(frozen=True, slots=True)
class Part:
    """The credit note's amounts for one TaxType, in cents."""

    tax_type: str
    net: Decimal
    tax: Decimal


def resolve_refund(
    invoice: JsonObject,
    payment: ResolvedPayment,
    number: str,
    facts: OrganisationFacts,
    *,
    rounding: str = "",
    earlier: Sequence[Part] = (),
) -> Body:
    """Return the credit note that Xero should hold for a refund: CreditNote's body, complete and approved.

    One line per tax type, in proportion to the total of the invoice's own lines of it with tax; the refund
    that completes the invoice's total takes the rest of net and tax, the rounding line included. Tax amounts
    are always included, so that Xero's total is the refund's amount, however Xero would round.

    Args:
        invoice: as Xero returned it, with its lines; its total is above zero.
        payment: the money paid out: its amount, day and reference are the credit note's, too.
        number: of the credit note.
        rounding: LineItemID of the invoice's line with the cents of net; ``""`` if it has none.
        earlier: the shares of the invoice's other credit notes.
    """
    untaxed = invoice.get("LineAmountTypes") == _NO_TAX
    text = f"Refund of invoice {invoice.get('InvoiceNumber') or ''}".strip()
    lines = [
        _line(group, net, tax, group.text or text, untaxed)
        for group, net, tax in _shares(invoice, payment.amount, rounding, earlier)
        if net or tax
    ]
    currency = str(invoice.get("CurrencyCode") or facts.base_currency)
    body: Body = {
        "Type": "ACCRECCREDIT",
        "Status": "AUTHORISED",
        "CreditNoteNumber": number,
        "Reference": payment.reference,
        "Date": payment.date.isoformat(),
        "Contact": {"ContactID": contact_of(invoice)},
        "CurrencyCode": currency,
        "LineAmountTypes": _NO_TAX if untaxed else "Exclusive",
        "LineItems": lines,
    }
    if currency != facts.base_currency and invoice.get("CurrencyRate"):
        body["CurrencyRate"] = invoice["CurrencyRate"]
    return body


def refund_warnings(note: JsonObject, payment: ResolvedPayment) -> tuple[Warning, ...]:
    """Return the warnings for a bookkeeper about a refund that is booked as this credit note."""
    amount = payment.amount
    several = len({line.get("TaxType") for line in note.get("LineItems") or ()}) > 1
    split_over = [warning("refund_tax_by_proportion", amount=amount)] if several else []
    return (warning("invoice_stays_paid", amount=amount), *split_over, *payment.warnings)


def contact_of(document: JsonObject) -> str:
    """Return the ContactID of a document that was read from Xero."""
    return str((document.get("Contact") or {}).get("ContactID") or "")


def split(amount: Decimal, weights: Sequence[Decimal]) -> list[Decimal]:
    """Return ``amount`` in proportion to ``weights``, each part in cents, all parts together exactly
    ``amount``.

    The cents left by rounding down go one by one to the parts that lost most by it. Weights may be below
    zero; their sum must be above.
    """
    cents, parts = int(amount / CENT), [int(weight / CENT) for weight in weights]
    whole = sum(parts)
    if whole <= 0:
        raise ValueError(f"weights {weights} come to {whole}: nothing can be split in proportion to them")
    divided = [divmod(cents * part, whole) for part in parts]
    left = cents - sum(quotient for quotient, _ in divided)
    by_loss = sorted(range(len(parts)), key=lambda index: (-divided[index][1], -abs(parts[index]), index))
    extra = set(by_loss[:left])
    return [(quotient + (index in extra)) * CENT for index, (quotient, _) in enumerate(divided)]


def completes(invoice: JsonObject, amount: Decimal, refunded: Decimal) -> bool:
    """Return True if a refund of ``amount`` takes the last of an invoice of which ``refunded``
    has gone back.
    """
    lines = [line for line in invoice.get("LineItems") or () if line.get("LineAmount") is not None]
    return sum((group.gross for group in _groups(invoice, lines)), Decimal(0)) == amount + refunded


def parts_of(note: JsonObject) -> list[Part]:
    """Return a credit note's amounts for each TaxType, from its body as we send it, or as Xero returned
    it.
    """
    inclusive = note.get("LineAmountTypes") == "Inclusive"
    return [
        Part(
            str(line.get("TaxType") or ""),
            _cents(line, "LineAmount" if "LineAmount" in line else "UnitAmount")
            - (_cents(line, "TaxAmount") if inclusive else 0),
            _cents(line, "TaxAmount"),
        )
        for line in note.get("LineItems") or ()
    ]


def _shares(
    invoice: JsonObject, amount: Decimal, rounding: str, earlier: Sequence[Part]
) -> list[tuple[_Group, Decimal, Decimal]]:
    """Return net and tax of each line of the credit note."""
    lines = [line for line in invoice.get("LineItems") or () if line.get("LineAmount") is not None]
    own = [line for line in lines if not rounding or str(line.get("LineItemID")) != rounding]
    groups = _groups(invoice, own)
    rest = _groups(invoice, [line for line in lines if line not in own], "Rounding")
    whole = sum((group.gross for group in (*groups, *rest)), Decimal(0))
    refunded = sum((part.net + part.tax for part in earlier), Decimal(0))
    if whole == amount + refunded:
        left = [*(_left(group, earlier) for group in groups), *((one, one.net, one.tax) for one in rest)]
        if sum((net + tax for _, net, tax in left), Decimal(0)) == amount:  # else it was changed in between
            return left
    if sum((group.gross for group in groups), Decimal(0)) <= 0:
        groups = [*groups, *rest]
    shares = split(amount, [group.gross for group in groups])
    taxes = [
        to_cents(share * group.tax / group.gross) if group.gross else Decimal("0.00")
        for group, share in zip(groups, shares, strict=True)
    ]
    return [
        (group, share - tax, tax) for group, share, tax in zip(groups, shares, taxes, strict=True) if share
    ]


def _left(group: _Group, earlier: Sequence[Part]) -> tuple[_Group, Decimal, Decimal]:
    taken = [part for part in earlier if part.tax_type == group.tax_type]
    net = sum((part.net for part in taken), Decimal("0.00"))
    return group, group.net - net, group.tax - sum((part.tax for part in taken), Decimal("0.00"))


def _groups(invoice: JsonObject, lines: Iterable[JsonObject], text: str = "") -> list[_Group]:
    """Return lines of the invoice by TaxType, in the order in which each comes first."""
    inclusive = invoice.get("LineAmountTypes") == "Inclusive"
    by_type: dict[str, list[JsonObject]] = {}
    for line in lines:
        by_type.setdefault(str(line.get("TaxType") or ""), []).append(line)
    return [
        _Group(
            tax_type=tax_type,
            net=_sum(lines, "LineAmount") - (_sum(lines, "TaxAmount") if inclusive else 0),
            tax=Decimal("0.00") if invoice.get("LineAmountTypes") == _NO_TAX else _sum(lines, "TaxAmount"),
            largest=max(lines, key=lambda line: abs(_cents(line, "LineAmount"))),
            text=text,
        )
        for tax_type, lines in by_type.items()
    ]


def _line(group: _Group, net: Decimal, tax: Decimal, text: str, untaxed: bool) -> Body:
    line: Body = {"Description": text, "Quantity": Decimal(1), "UnitAmount": net}
    for name in ("ItemCode", "AccountCode"):
        if group.largest.get(name):
            line[name] = group.largest[name]
    if group.tax_type:
        line["TaxType"] = group.tax_type
    return line if untaxed else {**line, "TaxAmount": tax}


def _sum(lines: Iterable[JsonObject], name: str) -> Decimal:
    return sum((_cents(line, name) for line in lines), Decimal(0))


def _cents(line: JsonObject, name: str) -> Decimal:
    return to_cents(Decimal(str(line.get(name) or 0)))
