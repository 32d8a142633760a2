"""Compare Xero's objects with what we sent for them, field by field. Pure.

What was last synced is the sum of the bodies that Xero took, a later one over an earlier one, as Xero itself
takes them: a field that a body does not name stays. So settings that were changed since make no difference.
The same comparison serves for the state that the history of a record asks for, see ``sinks.drift.wanted``.
"""

import re
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from connections.facts import OrganisationFacts, day
from contracts.json import Body, JsonObject
from contracts.money import plain, to_cents
from sinks.planner.amounts import amount_in, shown
from sinks.planner.documents import GONE, UNAPPROVED
from sinks.xero.elements import Link
from sinks.xero.facts import AmountFact

NOT_THERE = "not in Xero"
_Found = JsonObject
NUMBERS = {
    "invoice": "InvoiceNumber",
    "bill": "InvoiceNumber",
    "credit_note": "CreditNoteNumber",
    "purchase_order": "PurchaseOrderNumber",
}
CLEARED: Final = "cleared"
"""Fact of a contact as it should be: fields that must be blank."""
_RATE_PLACES = Decimal("0.000001")
"""Xero keeps 6 decimals of an exchange rate."""
_APPROVED = ("AUTHORISED", "PAID")
_ON = ("Invoice", "CreditNote")
_TEXTS = {"name": "Name", "email": "EmailAddress"}
_PHONES = {"phone": "DEFAULT", "fax": "FAX"}
_ADDRESSES = {"billing": "POBOX", "shipping": "STREET"}
_ADDRESS_PARTS = (
    *("AddressLine1", "AddressLine2", "AddressLine3", "AddressLine4"),
    *("City", "Region", "PostalCode", "Country"),
)
_UPDATED = re.compile(r"/Date\((-?\d+)([+-]\d{4})?\)/")


@dataclass(frozen=True, slots=True)
class Difference:
    """One field in which Xero differs from what was last synced."""

    field: str
    ours: str
    xeros: str
    information: bool = False
    """Worth knowing, but nothing that we sent was changed: others' money on our document, an approval."""


@dataclass(frozen=True, slots=True)
class Sent:
    """One of our objects in Xero."""

    link: Link
    body: JsonObject
    """Everything that Xero was sent for it and took, see ``merged``. For contacts, whose link has it all, the
    names of the ``fields`` that the linked contact itself was sent.
    """
    ended: bool = False
    """SalesBinder has taken it back since, so it may be gone in Xero, no matter who removed it."""
    busy: bool = False
    """One of our calls was changing it when Xero was asked, so Xero may have shown an old state."""

    @property
    def stands(self) -> bool:
        """True if it should be in Xero. That includes a document that we found removed by hand."""
        taken_off = self.link.removed and (self.link.target.kind in ("payment", "refund") or not self.body)
        return not (self.ended or taken_off or self.body.get("Status") in GONE)


@dataclass(frozen=True, slots=True)
class CompareContext:
    """Everything else that must be known to compare an object."""

    facts: OrganisationFacts
    payments: Sequence[Sent] = ()
    """For a document: the payments that we put on it, including those taken off again."""
    contacts: Collection[str] = ()
    """For a document: the ContactIDs that are right: the one sent, and the one it was merged into."""
    rivals: Sequence[Link] = field(default=())
    """For a contact: other SalesBinder records that are linked to it, too, of any account."""


_MAKES_MONEY = {"Invoice", "CreditNote", "CreditNoteNumber"}
"""A body that names one of these makes a payment or a credit note; a body that changes one does not."""


def merged(bodies: Iterable[JsonObject | None]) -> Body:
    """Return the state that Xero holds after it accepted these bodies one after the other. Of money that was
    taken off and put there again, only the latest counts.
    """
    whole: Body = {}
    for body in bodies:
        if body and _MAKES_MONEY & body.keys():
            whole = {}
        whole |= body or {}
    return whole


def fields_of(bodies: Iterable[JsonObject | None]) -> set[str]:
    """Return the fields of a contact that these bodies set, by the names under which its link keeps them."""
    found: set[str] = set()
    for body in bodies:
        for name, wire in _TEXTS.items():
            found |= {name} if wire in (body or {}) else set()
        for names, wire, kind in ((_PHONES, "Phones", "PhoneType"), (_ADDRESSES, "Addresses", "AddressType")):
            named = {one.get(kind) for one in (body or {}).get(wire) or ()}
            found |= {name for name, own in names.items() if own in named}
    return found


def compare(put: Sent, found: _Found | None, context: CompareContext) -> list[Difference]:
    """Return the differences. ``found`` is the object as Xero shows it, or None if Xero does not know it."""
    kind = put.link.target.kind
    if kind == "contact":
        return [Difference("status", "ACTIVE", NOT_THERE)] if found is None else _contact(put, found, context)
    if found is None:
        return [Difference("status", _status(put), NOT_THERE)] if put.stands else []
    gone = str(found.get("Status") or "") in GONE
    if not put.stands:
        return [] if gone or put.ended else [Difference("status", "DELETED", str(found.get("Status")))]
    if gone:
        return [Difference("status", _status(put), str(found["Status"]))]
    if kind in ("payment", "refund"):
        return _payment(put, found, context)
    return _document(put, found, context)


def updated(found: _Found | None) -> datetime | None:
    """Return when Xero says that it was last changed; None if it does not say."""
    return moment_of((found or {}).get("UpdatedDateUTC"))


def moment_of(value: Any) -> datetime | None:
    """Return a time as Xero writes it: ``/Date(ms+0000)/`` or ISO 8601, UTC if no zone is named; otherwise
    None.
    """
    text = str(value or "")
    written = _UPDATED.fullmatch(text)
    if written:
        return datetime.fromtimestamp(int(written[1]) / 1000, UTC)
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _status(put: Sent) -> str:
    return str(put.body.get("Status") or put.link.text("status") or "AUTHORISED")


# Documents


def _document(put: Sent, found: _Found, context: CompareContext) -> list[Difference]:
    link, body = put.link, put.body
    return [
        *_state(put, found),
        *_text("number", body.get(NUMBERS[link.target.kind]), found.get(NUMBERS[link.target.kind])),
        *_text("reference", body.get("Reference"), found.get("Reference")),
        *_text("currency", body.get("CurrencyCode"), found.get("CurrencyCode")),
        *_rate(body.get("CurrencyRate"), found.get("CurrencyRate")),
        *_day("date", body, found, "Date"),
        *_day("due_date", body, found, "DueDate"),
        *_party(body, found, context),
        *_sums(put, found),
        *_money(put, found, context),
    ]


def _state(put: Sent, found: _Found) -> list[Difference]:
    """Compare the status. PAID follows from payments, and an approved draft is only information."""
    ours, xeros = _status(put), str(found.get("Status") or "")
    same = ours == xeros or (ours in _APPROVED and xeros in _APPROVED)
    if same or (ours in UNAPPROVED and xeros in UNAPPROVED):
        return []
    return [Difference("status", ours, xeros, information=ours in UNAPPROVED and xeros in _APPROVED)]


def _text(name: str, ours: Any, xeros: Any) -> list[Difference]:
    """Compare a text that was sent; blanks around and repeated ones aside, which Xero may take out."""
    if ours is None or " ".join(str(ours).split()) == " ".join(str(xeros or "").split()):
        return []
    return [Difference(name, str(ours), str(xeros or ""))]


def _day(name: str, body: JsonObject, found: _Found, wire: str) -> list[Difference]:
    written = str(found.get(f"{wire}String") or found.get(wire) or "")
    xeros = day(written).isoformat() if written else ""
    return _text(name, body.get(wire), xeros)


def _party(body: JsonObject, found: _Found, context: CompareContext) -> list[Difference]:
    ours = str((body.get("Contact") or {}).get("ContactID") or "")
    contact = found.get("Contact") or {}
    xeros = str(contact.get("ContactID") or "")
    if not ours or xeros == ours or xeros in context.contacts:
        return []
    return [Difference("contact", ours, f"{xeros} {contact.get('Name') or ''}".strip())]


def _sums(put: Sent, found: _Found) -> list[Difference]:
    """Compare total, net and tax, and the number of lines."""
    total = _total(put)
    lines = put.body.get("LineItems")
    differences = _amount("total", total, amount_in(found, "Total"))
    if lines is None or total is None:
        return differences
    tax = sum((_decimal(line.get("TaxAmount")) for line in lines), Decimal("0.00"))
    differences += _amount("net", total - tax, amount_in(found, "SubTotal"))
    differences += _amount("tax", tax, amount_in(found, "TotalTax"))
    shown_lines = found.get("LineItems") or ()
    if shown_lines and len(shown_lines) != len(lines):  # a list may leave the lines out
        differences.append(Difference("lines", str(len(lines)), str(len(shown_lines))))
    return differences or _line_amounts(lines, found)


def _line_amounts(lines: Sequence[JsonObject], found: _Found) -> list[Difference]:
    """Compare net and tax of single lines, in any order, if the sums are right."""
    if found.get("LineAmountTypes", "Exclusive") != "Exclusive":
        return []
    ours = [_amounts_of(line) for line in lines]
    xeros = [_amounts_of(line) for line in found.get("LineItems") or ()]
    if None in (*ours, *xeros) or not xeros:
        return []
    only_ours, only_xeros = Counter(ours) - Counter(xeros), Counter(xeros) - Counter(ours)
    if not only_ours and not only_xeros:
        return []
    ours_named, xeros_named = (", ".join(sorted(map(str, one.elements()))) for one in (only_ours, only_xeros))
    return [Difference("line_amounts", ours_named, xeros_named)]


def _amounts_of(line: JsonObject) -> str | None:
    """Return net and tax of a line as it was sent or as Xero shows it; None if it does not contain them."""
    if "LineAmount" in line:
        net = _decimal(line["LineAmount"])
    elif "Quantity" in line:
        discount = (100 - _decimal(line.get("DiscountRate"))) / 100
        net = _decimal(line["Quantity"]) * _decimal(line.get("UnitAmount")) * discount
    else:
        return None
    if "LineAmount" in line and "TaxAmount" not in line:
        return None
    return f"{to_cents(net)} + {to_cents(_decimal(line.get('TaxAmount')))} tax"


def _rate(ours: Any, xeros: Any) -> list[Difference]:
    """Compare the exchange rate, if one was sent."""
    if ours is None or xeros is None:
        return []
    wanted, shown_rate = (plain(_decimal(one).quantize(_RATE_PLACES)) for one in (ours, xeros))
    return [] if wanted == shown_rate else [Difference("currency_rate", wanted, shown_rate)]


def _total(put: Sent) -> Decimal | None:
    names: tuple[AmountFact, ...] = ("expected_total", "amount", "total")
    for name in names:
        if put.link.facts.get(name) is not None:
            return to_cents(_decimal(put.link.facts[name]))
    return None


def _money(put: Sent, found: _Found, context: CompareContext) -> list[Difference]:
    """Compare the amount due, and show others' payments on our document, which explain themselves and are not
    a difference.
    """
    kind = put.link.target.kind
    if kind == "purchase_order":
        return []
    ours = {payment.link.xero_id for payment in context.payments}
    listed = [p for p in found.get("Payments") or () if p.get("Status") != "DELETED"]
    foreign = [p for p in listed if str(p.get("PaymentID")) not in ours]
    differences = [
        Difference(f"payment {str(p.get('PaymentID'))[:8]}", "", shown(p), information=True) for p in foreign
    ]
    if kind == "credit_note":
        credit = sum((amount_in(a, "Amount") for a in found.get("Allocations") or ()), Decimal("0.00"))
        due = amount_in(found, "RemainingCredit")
    else:
        credit = amount_in(found, "AmountCredited")
        due = amount_in(found, "AmountDue")
    if credit:
        differences.append(Difference("credit", "0.00", str(credit), information=True))
    total = _total(put)
    if total is not None:
        paid = sum((_paid(payment) for payment in context.payments if payment.stands), Decimal("0.00"))
        others = sum((amount_in(p, "Amount") for p in foreign), Decimal("0.00"))
        differences += _amount("amount_due", total - paid - others - credit, due)
    return differences


def _paid(payment: Sent) -> Decimal:
    return to_cents(_decimal(payment.body.get("Amount") or payment.link.facts.get("amount")))


# Payments


def _payment(put: Sent, found: _Found, context: CompareContext) -> list[Difference]:
    body = put.body
    differences = _text("reference", body.get("Reference"), found.get("Reference"))
    differences += _day("date", body, found, "Date")
    if body.get("Amount") is not None:
        differences += _amount("amount", to_cents(_decimal(body["Amount"])), amount_in(found, "Amount"))
    return differences + _document_of(body, found) + _account(body, found, context.facts)


def _document_of(body: JsonObject, found: _Found) -> list[Difference]:
    """Compare the document that it is on. Xero shows the credit note of a payment under ``Invoice``, too, or
    only there.
    """
    ours = [str(body[name].get(f"{name}ID") or "") for name in _ON if body.get(name)]
    xeros = [str((found.get(name) or {}).get(f"{name}ID") or "") for name in _ON]
    others = str((found.get("Invoice") or {}).get("InvoiceNumber") or next(filter(None, xeros), ""))
    if not any(ours) or not any(xeros) or set(ours) & set(xeros):
        return []
    return [Difference("document", ours[0], others)]


def _account(body: JsonObject, found: _Found, facts: OrganisationFacts) -> list[Difference]:
    """Compare by AccountID, since a list may leave the code out. An account that is no longer known is not
    compared.
    """
    sent, there = body.get("Account") or {}, found.get("Account") or {}
    wanted = str(sent.get("AccountID") or sent.get("Code") or "")
    account = facts.account(wanted) if wanted else None
    xeros = str(there.get("AccountID") or there.get("Code") or "")
    if account is None or not xeros or xeros in (account.account_id, account.code):
        return []
    other = facts.account(xeros)
    return [Difference("account", wanted, (other.code or other.name) if other else xeros)]


# Contacts


def _contact(put: Sent, found: _Found, context: CompareContext) -> list[Difference]:
    """Compare the fields that we sent. One that is blank in SalesBinder is Xero's own. The website is left
    out: Xero takes it and does not show it. Of a record whose contact was merged into another one they are
    information: that one has a name and fields of its own.
    """
    if merged_to := found.get("MergedToContactID"):
        return [Difference("merged", put.link.xero_id, str(merged_to), information=True)]
    status = str(found.get("ContactStatus") or "ACTIVE")
    if status != "ACTIVE":
        return [Difference("status", "ACTIVE", status)]
    sent = put.link.contact.get("sent") or {}
    cleared = put.link.contact.get(CLEARED) or ()
    differences = []
    for name, ours in sent.items():
        # A field sent only to the contact that was merged away is the remaining contact's own.
        followed = bool(put.link.contact.get("merged")) and name not in put.body.get("fields", ())
        xeros = contact_field(name, found)
        if name in cleared and xeros:
            differences.append(Difference(name, "", _readable(xeros)))
        rivals = [(rival.contact.get("sent") or {}).get(name) for rival in context.rivals]
        if ours and xeros is not None and all(not same_field(one, xeros) for one in (ours, *rivals)):
            differences.append(Difference(name, _readable(ours), _readable(xeros), information=followed))
    return differences


def contact_field(name: str, found: _Found) -> str | dict[str, str] | None:
    """Return a contact's field in the form in which sent fields are stored; None for fields that are not
    compared.
    """
    if name in _TEXTS:
        return str(found.get(_TEXTS[name]) or "")
    if name in _PHONES:
        phone = _of_type(found.get("Phones"), "PhoneType", _PHONES[name])
        parts = ("PhoneCountryCode", "PhoneAreaCode", "PhoneNumber")
        return " ".join(str(phone[part]) for part in parts if phone.get(part))
    if name in _ADDRESSES:
        address = _of_type(found.get("Addresses"), "AddressType", _ADDRESSES[name])
        return {part: str(address[part]) for part in _ADDRESS_PARTS if address.get(part)}
    return None


def _of_type(several: Any, name: str, kind: str) -> JsonObject:
    return next((one for one in several or () if one.get(name) == kind), {})


def same_field(ours: Any, xeros: Any) -> bool:
    """Return True if two values of a contact's field are one, blanks aside."""
    if isinstance(ours, Mapping) and isinstance(xeros, Mapping):
        filled = {name: text for name, text in ours.items() if text}
        return filled.keys() == xeros.keys() and all(same_field(filled[name], xeros[name]) for name in filled)
    return " ".join(str(ours or "").split()) == " ".join(str(xeros or "").split())


def _readable(value: Any) -> str:
    return ", ".join(str(part) for part in value.values()) if isinstance(value, Mapping) else str(value)


def _amount(name: str, ours: Decimal | None, xeros: Decimal) -> list[Difference]:
    return [] if ours is None or ours == xeros else [Difference(name, str(ours), str(xeros))]


def _decimal(value: Any) -> Decimal:
    return Decimal(str(value or 0))
