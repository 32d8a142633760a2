"""SalesBinder's books and Xero's side by side, and whether the log explains every difference. Pure."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from sandbox.shop import ShopDay, ShopInvoice

_CANCELLED = ("VOIDED", "DELETED")


@dataclass(frozen=True)
class Compared:
    """One invoice in both books. ``xero`` is none where Xero has none of that number."""

    shop: ShopInvoice
    xero: Mapping[str, Any] | None
    difference: str
    """Blank where they agree."""
    explained: bool
    """The difference was made on purpose, and the log has the failed entry that says so."""


@dataclass(frozen=True)
class Comparison:
    """The whole of both books. ``surprises`` says everything that is not as it should be."""

    invoices: Sequence[Compared]
    surprises: Sequence[str]

    @property
    def agreed(self) -> bool:
        """Every invoice agrees, or differs for a reason that the log gives."""
        return not self.surprises


def compare(
    day: ShopDay, entries: Sequence[Mapping[str, Any]], books: Mapping[str, Any], unreadable: int
) -> Comparison:
    """Compare.

    Args:
        day: what the shop did.
        entries: all entries of the log.
        books: the fake Xero's state of the organisation.
        unreadable: how many events were published that nobody can read.
    """
    sales = {held["number"]: held for held in books["invoices"] if held["type"] == "ACCREC"}
    failed = {
        (entry["record_number"], entry["reason_code"]) for entry in entries if entry["state"] == "failed"
    }
    invoices = [_compared(invoice, sales.get(str(invoice.number)), failed) for invoice in day.invoices]
    surprises = [
        f"invoice {one.shop.number}: {one.difference}"
        for one in invoices
        if one.difference and not one.explained
    ]
    surprises += _failures(day, entries, unreadable)
    surprises += _counts(day, entries, books, unreadable)
    unknown = sales.keys() - {str(invoice.number) for invoice in day.invoices}
    surprises += [
        f"Xero has an invoice {number} that SalesBinder does not have" for number in sorted(unknown)
    ]
    return Comparison(invoices, surprises)


def _compared(invoice: ShopInvoice, xero: Mapping[str, Any] | None, failed: set[tuple[str, str]]) -> Compared:
    difference = _difference(invoice, xero)
    explained = invoice.trouble is not None and (str(invoice.number), invoice.trouble) in failed
    return Compared(invoice, xero, difference, bool(difference) and explained)


def _difference(invoice: ShopInvoice, xero: Mapping[str, Any] | None) -> str:
    if invoice.status == "old":
        return "is in Xero, though it is from before the cut-off" if xero else ""
    if invoice.status == "cancelled":
        # Created and cancelled before anything was sent may come to nothing at all.
        return "" if xero is None or xero["status"] in _CANCELLED else f"is {xero['status']}, not cancelled"
    if xero is None:
        return "not in Xero"
    parts = []
    if Decimal(xero["total"]) != invoice.total:
        parts.append(f"total {xero['total']} instead of {invoice.total}")
    if Decimal(xero["amount_paid"]) != invoice.paid:
        parts.append(f"paid {xero['amount_paid']} instead of {invoice.paid}")
    status = "PAID" if invoice.paid and invoice.paid >= invoice.total else "AUTHORISED"
    if not parts and xero["status"] != status:
        parts.append(f"is {xero['status']} instead of {status}")
    return ", ".join(parts)


def _failures(day: ShopDay, entries: Sequence[Mapping[str, Any]], unreadable: int) -> list[str]:
    """Failures that nobody made on purpose."""
    meant = {(str(one.number), one.trouble) for one in day.invoices if one.trouble}
    surprising = [
        entry
        for entry in entries
        if entry["state"] == "failed"
        and entry["triggered_by"] != "dead_letter"
        and (entry["record_number"], entry["reason_code"]) not in meant
    ]
    letters = sum(entry["triggered_by"] == "dead_letter" for entry in entries)
    wrong_letters = [f"{letters} dead letters instead of {unreadable}"] if letters != unreadable else []
    return wrong_letters + [
        f"{entry['entity']} {entry['record_number']} {entry['action']} failed: {entry['reason']}"
        for entry in surprising
    ]


def _counts(
    day: ShopDay, entries: Sequence[Mapping[str, Any]], books: Mapping[str, Any], unreadable: int
) -> list[str]:
    """One entry an event, none left open, and one contact a customer that did something."""
    problems = []
    events = len({event["id"] for event in day.events}) + unreadable
    if len(entries) != events:
        problems.append(f"the log has {len(entries)} entries for {events} events")
    states = Counter(entry["state"] for entry in entries)
    if left := states["queued"] + states["running"]:
        problems.append(f"{left} entries have not ended")
    doubled = [name for name, count in Counter(one["name"] for one in books["contacts"]).items() if count > 1]
    problems += [f"Xero has the contact '{name}' more than once" for name in doubled]
    missing = set(day.customers) - {one["name"] for one in books["contacts"]}
    problems += [f"Xero lacks the contact '{name}'" for name in sorted(missing)]
    return problems
