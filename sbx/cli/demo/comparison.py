"""Compare SalesBinder's books with Xero's, and check that the log explains every difference. Pure.

The shop's own record of its day says what should be in Xero; nothing here asks the pipeline.
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
    """One document in both sets of books. ``xero`` is None if Xero has none with that number."""

    shop: Paper
    xero: Held | None
    more: Sequence[Held]
    """The objects in Xero that follow from it: an invoice's credit notes, a purchase order's bills."""
    surprises: Sequence[str]
    """Unexpected differences, and differences that the log does not explain."""

    @property
    def explained(self) -> bool:
        """True if the books differ on purpose and the log has the failed entries that explain it."""
        return bool(self.shop.refusals) and not self.surprises

    @property
    def agrees(self) -> bool:
        """True if the books do not differ."""
        return not self.shop.refusals and not self.surprises


@dataclass(frozen=True)
class ComparedContact:
    """A contact name in both sets of books."""

    name: str
    sides: Sequence[ShopContact]
    surprises: Sequence[str]


@dataclass(frozen=True)
class Comparison:
    """Both sets of books as a whole. ``surprises`` lists everything that is not as it should be."""

    invoices: Sequence[Compared[ShopInvoice]]
    orders: Sequence[Compared[ShopOrder]]
    contacts: Sequence[ComparedContact]
    surprises: Sequence[str]

    @property
    def agreed(self) -> bool:
        """True if every record agrees, or differs for a reason that the log gives."""
        return not self.surprises


def compare(day: ShopDay, entries: Entries, books: Held, unreadable: int) -> Comparison:
    """Compare the two sets of books.

    Args:
        day: what the shop did.
        entries: all entries of the log.
        books: the fake Xero's state of the organisation.
        unreadable: how many unreadable events were published.
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
    return [f"the log has no failed '{one.action}' entry with {one.reason}" for one in missing]


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
    """Return the failures that were not made on purpose."""
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
    """Check that there is one entry per event, and none left open."""
    problems = []
    events = len({event["id"] for event in day.events}) + unreadable
    if len(entries) != events:
        problems.append(f"the log has {len(entries)} entries for {events} events")
    states = Counter(entry["state"] for entry in entries)
    if left := states["queued"] + states["running"]:
        problems.append(f"{left} entries are still open")
    return problems


def _unknown(day: ShopDay, xero: XeroBooks) -> list[str]:
    """Return the objects that Xero has and SalesBinder does not."""
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
