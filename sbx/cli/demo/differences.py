"""Find the differences between one record of the shop's books and Xero's. Pure."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from sandbox.shop import Figures, Money, ShopContact, ShopDocument, ShopInvoice, ShopOrder

Held = Mapping[str, Any]
"""A record as the fake Xero dumps it."""

DUE_DAYS = 30
"""As in the demo's connection: a bill is due this long after the goods arrived."""
BASE_CURRENCY = "USD"
_GONE = ("VOIDED", "DELETED")
_CENT = Decimal("0.01")
_ADDRESS = {
    "AddressLine1": "address_1",
    "AddressLine2": "address_2",
    "City": "city",
    "Region": "region",
    "PostalCode": "postal_code",
    "Country": "country",
}


@dataclass(frozen=True)
class XeroBooks:
    """Xero's records, indexed as the shop knows them."""

    invoices: Mapping[str, Held]
    """Sales invoices by number."""
    orders: Mapping[str, Held]
    """Purchase orders by number."""
    bills: Mapping[str, Sequence[Held]]
    """Open bills by number: Xero allows the same number twice."""
    credit_notes: Mapping[str, Sequence[Held]]
    """Credit notes by the invoice number that their own number begins with."""
    contacts: Mapping[str, Sequence[Held]]
    """Active contacts by name."""

    @classmethod
    def read(cls, state: Held) -> "XeroBooks":
        """Build it from the fake Xero's state of an organisation."""
        standing = [one for one in state["invoices"] if one["status"] not in _GONE]
        notes = [one for one in state["credit_notes"] if one["status"] not in _GONE]
        return cls(
            invoices={one["number"]: one for one in state["invoices"] if one["type"] == "ACCREC"},
            orders={one["number"]: one for one in state["purchase_orders"]},
            bills=_grouped((one["number"], one) for one in standing if one["type"] == "ACCPAY"),
            credit_notes=_grouped((one["number"].rpartition("-")[0], one) for one in notes),
            contacts=_grouped((one["name"], one) for one in state["contacts"] if one["status"] == "ACTIVE"),
        )


def _grouped(pairs: Iterable[tuple[str, Held]]) -> dict[str, list[Held]]:
    groups: dict[str, list[Held]] = {}
    for name, one in pairs:
        groups.setdefault(name, []).append(one)
    return groups


def invoice_differences(invoice: ShopInvoice, xero: XeroBooks) -> list[str]:
    """List the faults of Xero's invoice, its payments and its credit notes."""
    wanted = invoice.held
    held = xero.invoices.get(str(invoice.number))
    notes = xero.credit_notes.get(str(invoice.number), ())
    if wanted is None:
        found = _standing(held)
        return found + [f"credit note {note['number']} stands" for note in notes]
    if held is None:
        return ["not in Xero"]
    due = wanted.total - wanted.paid
    found = _document(invoice, wanted, held, "PAID" if due <= 0 else "AUTHORISED")
    if Decimal(held["amount_due"]) != due and "total" not in " ".join(found):
        found.append(f"due {held['amount_due']} instead of {due}")
    found += _money("payment", wanted.payments, held["payments"])
    return found + _refunds(invoice, wanted, notes)


def order_differences(order: ShopOrder, xero: XeroBooks) -> list[str]:
    """List the faults of Xero's purchase order and its bill."""
    wanted = order.held
    held = xero.orders.get(str(order.number))
    bills = xero.bills.get(str(order.number), ())
    if wanted is None:
        return _standing(held) + ["has a bill" for _ in bills]
    if held is None:
        return ["not in Xero"]
    received = order.received_on
    found = _document(order, wanted, held, "BILLED" if received else "AUTHORISED")
    if len(bills) != int(received is not None):
        return [*found, f"{len(bills)} bills instead of {int(received is not None)}"]
    for bill in bills:
        dates = {"date": received, "due_date": received + timedelta(DUE_DAYS)} if received else {}
        wrong = _document(order, wanted, bill, "AUTHORISED")
        wrong += _dates(bill, dates)
        found += [f"bill: {one}" for one in wrong]
    return found


def contact_differences(sides: Sequence[ShopContact], held: Sequence[Held]) -> list[str]:
    """List where a contact in Xero differs from the shop's.

    Args:
        sides: all customers and suppliers with the name; if they differ in a field, either value is right.
        held: Xero's contacts with that name.
    """
    if len(held) != 1:
        return [f"is in Xero {len(held)} times" if held else "not in Xero"]
    found = held[0]
    numbers = {side.id for side in sides}
    wrong = [] if found["contact_number"] in numbers else [f"contact number {found['contact_number']}"]
    pairs = [_fields(side) for side in sides]
    for name, given in _xero_fields(found).items():
        right = {fields[name] for fields in pairs}
        right = right - {""} or right
        if given not in right:
            wrong.append(f"{name} '{given}' instead of '{min(right)}'")
    return wrong


def _standing(held: Held | None) -> list[str]:
    """Return the differences in existence: a document created and removed before anything was sent need not
    be in Xero at all.
    """
    if held is None:
        return []
    found = [] if held["status"] in _GONE else [f"is {held['status']} in Xero"]
    return found + [f"payment of {one['amount']} stands" for one in held["payments"]]


def _document(paper: ShopDocument, wanted: Figures, held: Held, status: str) -> list[str]:
    """Compare total, tax, currency, contact and texts; the status only if nothing else differs."""
    currency = paper.currency or BASE_CURRENCY
    pairs = [
        ("total", Decimal(held["total"]), wanted.total),
        ("currency", held["currency"], currency),
        ("contact", held["contact_name"], paper.party.name),
    ]
    found = [f"{name} {given} instead of {right}" for name, given, right in pairs if given != right]
    found += _tax(wanted.tax, held)
    said = "\n".join(str(line["description"]) for line in held["lines"])
    found += [f"no line says '{text}'" for text in sorted(paper.texts) if text not in said]
    if not found and held["status"] != status:
        found.append(f"is {held['status']} instead of {status}")
    return found


def _tax(wanted: Decimal, held: Held) -> list[str]:
    """Compare tax. Xero rounds the tax of each line, SalesBinder that of their sum; cents of tax keep the
    totals equal.
    """
    given = Decimal(held["total_tax"])
    close = abs(given - wanted) <= _CENT * (len(held["lines"]) + 2)
    return [] if close else [f"tax {given} instead of {wanted:.2f}"]


def _dates(held: Held, wanted: Mapping[str, date]) -> list[str]:
    return [
        f"{name.replace('_', ' ')} {held[name]} instead of {day}"
        for name, day in wanted.items()
        if str(held[name])[:10] != day.isoformat()
    ]


def _money(what: str, wanted: Collection[Money], held: Collection[Held]) -> list[str]:
    """Compare payments, which are found by their mark: their reference ends with the beginning of their
    id.
    """
    given = {
        (one["reference"], Decimal(one["amount"]), str(one["date"])[:10], one["account_code"]) for one in held
    }
    right = {
        (f"{one.reference} #{one.id[:8]}", one.amount, one.day.isoformat(), one.account) for one in wanted
    }
    found = [f"lacks {what} {_payment(one)}" for one in sorted(right - given)]
    found += [f"has {what} {_payment(one)}" for one in sorted(given - right)]
    if len(held) > len(given):
        found.append(f"{len(held)} {what}s instead of {len(wanted)}")
    return found


def _payment(one: tuple[str, Decimal, str, str]) -> str:
    reference, amount, day, account = one
    return f"{amount} of {day} on {account} ({reference})"


def _refunds(invoice: ShopInvoice, wanted: Figures, notes: Collection[Held]) -> list[str]:
    """Return one credit note per refund, paid out, with tax in proportion to the invoice's."""
    by_number = {note["number"]: note for note in notes}
    found = []
    for refund in wanted.refunds:
        number = f"{invoice.number}-{refund.id[:8]}"
        note = by_number.pop(number, None)
        if note is None:
            found.append(f"lacks credit note {number} of {refund.amount}")
            continue
        right = Figures(refund.amount, wanted.tax * refund.amount / wanted.total)
        wrong = _document(replace(invoice, texts=set()), right, note, "PAID")
        wrong += _dates(note, {"date": refund.day}) + _money("payment", [refund], note["payments"])
        found += [f"credit note {number}: {one}" for one in wrong]
    return found + [f"has credit note {number}" for number in by_number]


def _fields(side: ShopContact) -> dict[str, str]:
    record = side.latest
    fields = {
        "e-mail": record.get("office_email"),
        "phone": record.get("office_phone"),
        "fax": record.get("office_fax"),
    }
    for kind in ("billing", "shipping"):
        fields |= {f"{kind} {part}": record.get(f"{kind}_{part}") for part in _ADDRESS.values()}
    return {name: str(value or "") for name, value in fields.items()}


def _xero_fields(held: Held) -> dict[str, str]:
    fields = {"e-mail": held["email"]}
    for name, kind in (("phone", "DEFAULT"), ("fax", "FAX")):
        fields[name] = held["phones"].get(kind, {}).get("PhoneNumber")
    for name, kind in (("billing", "POBOX"), ("shipping", "STREET")):
        address = held["addresses"].get(kind, {})
        fields |= {f"{name} {part}": address.get(key) for key, part in _ADDRESS.items()}
    return {name: str(value or "") for name, value in fields.items()}
