"""SalesBinder's books and Xero's side by side, and whether the log explains every difference. Pure.

What ought to be in Xero is the shop's own account of its day; nothing here asks the pipeline.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from sandbox.shop import Refusal, ShopContact, ShopDay, ShopDocument, ShopInvoice, ShopOrder
from sbx.cli.demo.differences import (
    Held,
    XeroBooks,
    contact_differences,
    invoice_differences,
    order_differences,
)

Entries = Sequence[Mapping[str, Any]]
Paper = TypeVar("Paper", bound=ShopDocument, covariant=True)


@dataclass(frozen=True)
class Compared(Generic[Paper]):
    """One document in both books. ``xero`` is none where Xero has none of that number."""

    shop: Paper
    xero: Held | None
    more: Sequence[Held]
    """What stands in Xero because of it: credit notes of an invoice, bills of a purchase order."""
    surprises: Sequence[str]
    """Where Xero differs from what it ought to hold, or the log does not say why the books differ."""

    @property
    def explained(self) -> bool:
        """The books differ on purpose, and the log has the failed entries that say so."""
        return bool(self.shop.refusals) and not self.surprises

    @property
    def agrees(self) -> bool:
        """The books do not differ."""
        return not self.shop.refusals and not self.surprises


@dataclass(frozen=True)
class ComparedContact:
    """A name in both books: whoever bears it."""

    name: str
    sides: Sequence[ShopContact]
    surprises: Sequence[str]


@dataclass(frozen=True)
class Comparison:
    """The whole of both books. ``surprises`` says everything that is not as it should be."""

    invoices: Sequence[Compared[ShopInvoice]]
    orders: Sequence[Compared[ShopOrder]]
    contacts: Sequence[ComparedContact]
    surprises: Sequence[str]

    @property
    def agreed(self) -> bool:
        """Every record agrees, or differs for a reason that the log gives."""
        return not self.surprises


def compare(day: ShopDay, entries: Entries, books: Held, unreadable: int) -> Comparison:
    """Compare.

    Args:
        day: what the shop did.
        entries: all entries of the log.
        books: the fake Xero's state of the organisation.
        unreadable: how many events were published that nobody can read.
    """
    xero = XeroBooks.read(books)
    logged = {_refusal(entry) for entry in entries if entry["state"] == "failed"}
    invoices = [_invoice(one, xero, logged) for one in day.invoices]
    orders = [_order(one, xero, logged) for one in day.orders]
    contacts = _contacts(day, xero)
    surprises = [f"invoice {one.shop.number}: {text}" for one in invoices for text in one.surprises]
    surprises += [f"purchase order {one.shop.number}: {text}" for one in orders for text in one.surprises]
    surprises += [f"contact '{one.name}': {text}" for one in contacts for text in one.surprises]
    surprises += _failures(day, entries, unreadable) + _counts(day, entries, unreadable)
    return Comparison(invoices, orders, contacts, surprises + _unknown(day, xero))


def _invoice(invoice: ShopInvoice, xero: XeroBooks, logged: set[Refusal]) -> Compared[ShopInvoice]:
    number = str(invoice.number)
    surprises = invoice_differences(invoice, xero) + _unsaid(invoice, logged)
    return Compared(invoice, xero.invoices.get(number), xero.credit_notes.get(number, ()), surprises)


def _order(order: ShopOrder, xero: XeroBooks, logged: set[Refusal]) -> Compared[ShopOrder]:
    number = str(order.number)
    surprises = order_differences(order, xero) + _unsaid(order, logged)
    return Compared(order, xero.orders.get(number), xero.bills.get(number, ()), surprises)


def _unsaid(paper: ShopDocument, logged: set[Refusal]) -> list[str]:
    missing = [one for one in paper.refusals if one not in logged]
    return [f"the log has no failed '{one.action}' with {one.reason}" for one in missing]


def _contacts(day: ShopDay, xero: XeroBooks) -> list[ComparedContact]:
    names: dict[str, list[ShopContact]] = {}
    for contact in day.contacts:
        names.setdefault(contact.name, []).append(contact)
    return [
        ComparedContact(name, sides, contact_differences(sides, xero.contacts.get(name, ())))
        for name, sides in names.items()
    ]


def _refusal(entry: Mapping[str, Any]) -> Refusal:
    return Refusal(str(entry["record_id"]), str(entry["action"]), str(entry["reason_code"]))


def _failures(day: ShopDay, entries: Entries, unreadable: int) -> list[str]:
    """Failures that nobody made on purpose."""
    meant = set(day.refusals)
    surprising = [
        entry
        for entry in entries
        if entry["state"] == "failed"
        and entry["triggered_by"] != "dead_letter"
        and _refusal(entry) not in meant
    ]
    letters = sum(entry["triggered_by"] == "dead_letter" for entry in entries)
    wrong_letters = [f"{letters} dead letters instead of {unreadable}"] if letters != unreadable else []
    return wrong_letters + [
        f"{entry['entity']} {entry['record_number']} {entry['action']} failed: {entry['reason']}"
        for entry in surprising
    ]


def _counts(day: ShopDay, entries: Entries, unreadable: int) -> list[str]:
    """One entry an event, and none left open."""
    problems = []
    events = len({event["id"] for event in day.events}) + unreadable
    if len(entries) != events:
        problems.append(f"the log has {len(entries)} entries for {events} events")
    states = Counter(entry["state"] for entry in entries)
    if left := states["queued"] + states["running"]:
        problems.append(f"{left} entries have not ended")
    return problems


def _unknown(day: ShopDay, xero: XeroBooks) -> list[str]:
    """What Xero has and SalesBinder does not."""
    invoices = {str(one.number) for one in day.invoices}
    orders = {str(one.number) for one in day.orders}
    kinds: list[tuple[str, set[str]]] = [
        ("the invoice", xero.invoices.keys() - invoices),
        ("a credit note for", xero.credit_notes.keys() - invoices),
        ("the purchase order", xero.orders.keys() - orders),
        ("the bill", xero.bills.keys() - orders),
        ("the contact", xero.contacts.keys() - {one.name for one in day.contacts}),
    ]
    return [
        f"Xero has {kind} {name} that SalesBinder does not have"
        for kind, names in kinds
        for name in sorted(names)
    ]
