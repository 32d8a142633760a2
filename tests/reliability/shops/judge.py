"""What the shop truly holds, against the books in the fake Xero. Nothing here asks the product."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sandbox.fake_salesbinder.truth import TrueDocument, TrueParty
from tests.reliability.shops.shop import ReadShop

Held = Mapping[str, Any]
_GONE = ("VOIDED", "DELETED")
_CENT = Decimal("0.01")


@dataclass(frozen=True)
class Difference:
    """Something that is not in Xero as it is in the shop."""

    record_id: str
    what: str
    """``total``, ``money``, ``status``, ``party``, ``fields`` or ``stranger``."""
    text: str


def differences(shop: ReadShop, books: Held) -> list[Difference]:
    """Return everything in which the books are not the shop."""
    return [*_documents(shop, books), *_parties(shop, books), *_strangers(shop, books)]


def _documents(shop: ReadShop, books: Held) -> Iterator[Difference]:
    sales = _by_number(books["invoices"], "ACCREC")
    bills = _by_number(books["invoices"], "ACCPAY")
    orders = _by_number(books["purchase_orders"], None)
    contacts = {each["id"]: each for each in books["contacts"]}
    for paper in shop.shop.truth.documents.values():
        if paper.kind == "estimate" or paper.archived:
            continue
        found = (sales if paper.kind == "invoice" else orders).get(str(paper.number), [])
        for what, text in _document(paper, found, bills, books, shop.settings):
            yield Difference(paper.id, what, f"{paper.kind} {paper.number} {text}")
        standing = _standing(found)
        if not standing:
            continue
        party = contacts[standing[0]["contact_id"]]
        if party["contact_number"] not in shop.namesakes(paper.party_id):
            yield Difference(
                paper.id, "party", f"{paper.kind} {paper.number} is of {party['name']}, not {paper.party_id}"
            )


def _document(
    paper: TrueDocument,
    found: Sequence[Held],
    bills: Mapping[str, Sequence[Held]],
    books: Held,
    settings: Mapping[str, str],
) -> Iterator[tuple[str, str]]:
    standing = _standing(found)
    if paper.cancelled or paper.deleted:
        if standing:
            yield "status", f"stands in Xero ({standing[0]['status']})"
        return
    if len(standing) != 1:
        yield "status", f"stands {len(standing)} times in Xero"
        return
    [held] = standing
    if _sum(held["total"]) != (total := _cents(paper.net) + _cents(paper.tax)):
        yield "total", f"total {held['total']} instead of {total}"
    if paper.kind == "invoice":
        paid, refunded = _money(held, books)
        if paid - refunded != _cents(paper.net_paid):
            yield "money", f"paid {paid} less {refunded} instead of {paper.paid} less {paper.refunded}"
        return
    billed = _standing(bills.get(str(paper.number), []))
    if paper.received != (held["status"] == "BILLED"):
        yield "status", f"is {held['status']}, received {paper.received}"
    if len(billed) != int(paper.received and settings["received_as"] == "bill"):
        yield "status", f"has {len(billed)} bills"
    elif billed and _sum(billed[0]["total"]) != total:
        yield "total", f"has a bill of {billed[0]['total']} instead of {total}"


def _money(held: Held, books: Held) -> tuple[Decimal, Decimal]:
    """Return what was paid, and what standing credit notes have paid out."""
    notes = [
        note
        for note in _standing(books["credit_notes"])
        if note["number"].partition("-")[0] == held["number"]
    ]
    return _paid(held), sum((_paid(note) for note in notes), Decimal(0))


def _paid(held: Held) -> Decimal:
    return sum((_sum(each["amount"]) for each in held["payments"] if each["status"] != "DELETED"), Decimal(0))


def _parties(shop: ReadShop, books: Held) -> Iterator[Difference]:
    by_record: dict[str, list[Held]] = {}
    for contact in books["contacts"]:
        by_record.setdefault(contact["contact_number"], []).append(contact)
    for party in shop.shop.truth.parties.values():
        if party.kind == "prospect" or party.archived:
            continue
        namesakes = shop.namesakes(party.id) - {
            each.id for each in shop.shop.truth.parties.values() if each.kind == "prospect"
        }
        if namesakes != {party.id}:
            if not any(
                each["status"] == "ACTIVE" for other in namesakes for each in by_record.get(other, [])
            ):
                yield Difference(party.id, "fields", f"{party.kind} {party.fields['name']} is not in Xero")
            continue
        for text in _party(party, by_record.get(party.id, [])):
            yield Difference(party.id, "fields", f"{party.kind} {party.fields['name']} {text}")


def _party(party: TrueParty, found: Sequence[Held]) -> Iterator[str]:
    active = [each for each in found if each["status"] == "ACTIVE"]
    if party.deleted:
        return  # its contact stays in Xero, by the contract
    if len(active) != 1:
        yield f"is in Xero {len(active)} times"
        return
    [held] = active
    city = held["addresses"].get("POBOX", {}).get("City")
    phone = held["phones"].get("DEFAULT", {}).get("PhoneNumber")
    shown = {
        "name": held["name"],
        "office_email": held["email"],
        "office_phone": phone,
        "billing_city": city,
    }
    for name, value in shown.items():
        if (value or "") != (party.fields.get(name) or ""):
            yield f"shows {name} {value!r} instead of {party.fields.get(name)!r}"


def _strangers(shop: ReadShop, books: Held) -> Iterator[Difference]:
    truth = shop.shop.truth
    for kind, held in (("invoice", "invoices"), ("purchase_order", "purchase_orders")):
        numbers = {str(paper.number) for paper in truth.documents.values() if paper.kind == kind}
        orders = {str(paper.number) for paper in truth.documents.values() if paper.kind == "purchase_order"}
        for each in _standing(books[held]):
            if each["number"] not in (orders if each["type"] == "ACCPAY" else numbers):
                yield Difference("", "stranger", f"Xero has {each['type']} {each['number']}")
    for what, found in (
        ("credit notes", books["credit_notes"]),
        ("contacts", [each for each in books["contacts"] if each["status"] == "ACTIVE"]),
    ):
        name = "number" if what == "credit notes" else "name"
        counts = Counter(each[name] for each in found)
        yield from (
            Difference("", "stranger", f"Xero has {count} {what} {text}")
            for text, count in counts.items()
            if count > 1
        )
    known = {party.id for party in truth.parties.values() if party.kind != "prospect"}
    for contact in books["contacts"]:
        if contact["contact_number"] not in known:
            yield Difference("", "stranger", f"Xero has the contact {contact['name']}")


def uncalled_for(shop: ReadShop) -> list[str]:
    """Return what was told more often than it has happened.

    Kinds of money are left to the sums: between two looks a refund and a payment may come to a correction.
    """
    told, true = shop.told(), shop.visible()
    found = []
    for record_id, story in told.items():
        happened = Counter(kind for kind, _ in true.get(record_id, []))
        for kind, count in Counter(kind for kind, _ in story).items():
            is_money = kind.rpartition(".")[2] in ("payment_applied", "refund_applied", "reset")
            if count > happened[kind] and not is_money:
                found.append(
                    f"{record_id}: {kind} is told {count} times, and happened {happened[kind]} times"
                )
    return found


def as_it_happened(shop: ReadShop) -> tuple[int, int]:
    """Return of how many records each change was told, and how many there are."""
    told, true = shop.told(), shop.visible()
    return sum(told.get(record_id) == story for record_id, story in true.items()), len(true)


def _by_number(found: Sequence[Held], kind: str | None) -> dict[str, list[Held]]:
    by_number: dict[str, list[Held]] = {}
    for each in found:
        if kind is None or each["type"] == kind:
            by_number.setdefault(each["number"], []).append(each)
    return by_number


def _standing(found: Sequence[Held]) -> list[Held]:
    return [each for each in found if each["status"] not in _GONE]


def _sum(text: Any) -> Decimal:
    return Decimal(text or 0)


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(_CENT)
