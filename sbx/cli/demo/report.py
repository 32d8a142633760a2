"""The report of ``sbx demo --publish``: the log in numbers, what failed and why, and both sets of books."""

import statistics
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any, TypeVar

from rich.console import Console
from rich.table import Table
from rich.text import Text

from sandbox.shop import ShopDocument, ShopInvoice, ShopOrder
from sbx.cli.demo.comparison import Compared, Comparison
from sbx.cli.terminal import STATE_COLOURS, plural

Entries = Sequence[Mapping[str, Any]]
Paper = TypeVar("Paper", ShopInvoice, ShopOrder)
_GONE = ("VOIDED", "DELETED")


def show(console: Console, entries: Entries, result: Comparison, calls: int) -> None:
    """Print the report."""
    console.print(log_table(entries))
    seconds = [entry["seconds"] for entry in entries if entry["state"] == "completed" and entry["seconds"]]
    if seconds:
        slow = statistics.quantiles(seconds, n=20)[-1] if len(seconds) > 1 else seconds[0]
        console.print(
            f"{plural(len(seconds), 'action')} done with {plural(calls, 'call')} to Xero; half of them "
            f"within {statistics.median(seconds):.1f} s, 95 % within {slow:.1f} s\n"
        )
    for table in (
        failed_table(entries),
        _invoices_table(result),
        _orders_table(result),
        _totals_table(result),
    ):
        console.print(table)
        console.print()
    for surprise in result.surprises:
        console.print(f"NOT AS IT SHOULD BE: {surprise}", style="bold red", markup=False)
    if result.agreed:
        console.print("The books agree, and the log explains every difference.", style="bold green")


def to_json(entries: Entries, result: Comparison, calls: int) -> dict[str, Any]:
    """Return the report for scripts."""
    documents: list[Compared[ShopDocument]] = [*result.invoices, *result.orders]
    return {
        "agreed": result.agreed,
        "surprises": list(result.surprises),
        "invoices": len(result.invoices),
        "purchase_orders": len(result.orders),
        "contacts": len(result.contacts),
        "agreeing": sum(one.agrees for one in documents),
        "explained": sum(one.explained for one in documents),
        "entries": dict(Counter(str(entry["state"]) for entry in entries)),
        "completed": dict(_count(entries, lambda e: e["state"] == "completed", lambda e: e["event_type"])),
        "failures": dict(_count(entries, lambda e: e["state"] == "failed", lambda e: e["reason_code"])),
        "xero_calls": calls,
    }


def _count(
    entries: Entries, wanted: Callable[[Mapping[str, Any]], bool], name: Callable[[Mapping[str, Any]], Any]
) -> Counter[str]:
    return Counter(str(name(entry)) for entry in entries if wanted(entry))


def _table(title: str) -> Table:
    return Table(title=title, title_justify="left", title_style="bold", box=None)


def log_table(entries: Entries) -> Table:
    """Return one row per kind of action, with its states."""
    table = _table("The Integrations Log")
    table.add_column("action")
    for state, colour in STATE_COLOURS.items():
        table.add_column(state, justify="right", style=colour)
    table.add_column("warnings", justify="right", style="yellow")
    table.add_column("of which")
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    outcomes: dict[str, Counter[str]] = defaultdict(Counter)
    for entry in entries:
        name = f"{entry['entity']} {entry['action']}".replace("_", " ").strip() or "unreadable"
        counts[name][entry["state"]] += 1
        counts[name]["warnings"] += bool(entry["warnings"])
        if entry["outcome"] not in (None, "posted"):
            outcomes[name][str(entry["outcome"]).replace("_", " ")] += 1
    for name in sorted(counts):
        cells = (str(counts[name][state] or "") for state in (*STATE_COLOURS, "warnings"))
        details = ", ".join(f"{count} {outcome}" for outcome, count in outcomes[name].items())
        table.add_row(name, *cells, Text(details, "dim"))
    return table


def failed_table(entries: Entries) -> Table:
    """Return one row per cause."""
    table = _table("What failed, why, and what to do")
    table.add_column("reason", no_wrap=True, style="red")
    table.add_column("records")
    table.add_column("for example", ratio=1, overflow="fold")
    groups: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for entry in entries:
        if entry["state"] == "failed":
            groups[entry["reason_code"]].append(entry)
    for code, group in sorted(groups.items()):
        numbers = list(dict.fromkeys(entry["record_number"] or entry["record_id"][:8] for entry in group))
        shown = ", ".join(numbers[:5]) + (" …" if len(numbers) > 5 else "")
        table.add_row(code, shown, Text(f"{group[0]['reason']}\n{group[0]['remedy']}"))
    return table


def _invoices_table(result: Comparison) -> Table:
    """Show one of each story, and all that are wrong."""
    amounts = ("SalesBinder\ntotal", "\npaid", "\nrefunded", "Xero\ntotal", "\npaid", "\nrefunded")
    table = _books_table("Invoices", "invoice", amounts)
    shown = _one_of_each(result.invoices)
    for one in shown:
        figures, held = one.shop.figures, one.xero
        table.add_row(
            str(one.shop.number),
            *(_amount(amount) for amount in (figures.total, figures.paid, figures.refunded)),
            *(_amount(held and held[name]) for name in ("total", "amount_paid")),
            _amount(_sum(one.more)),
            str(held["status"]) if held else "",
            *_verdict(one),
        )
    return _with_rest(table, len(result.invoices) - len(shown))


def _orders_table(result: Comparison) -> Table:
    table = _books_table("Purchase orders", "order", ("SalesBinder\ntotal", "Xero\ntotal", "\nbill"))
    shown = _one_of_each(result.orders)
    for one in shown:
        table.add_row(
            str(one.shop.number),
            _amount(one.shop.figures.total),
            _amount(one.xero and one.xero["total"]),
            _amount(_sum(one.more)),
            str(one.xero["status"]) if one.xero else "",
            *_verdict(one),
        )
    return _with_rest(table, len(result.orders) - len(shown))


def _books_table(title: str, what: str, amounts: Iterable[str]) -> Table:
    table = _table(title)
    table.collapse_padding = True
    table.add_column(f"\n{what}", no_wrap=True)
    for name in amounts:
        table.add_column(name, justify="right", no_wrap=True)
    table.add_column("\nstatus", no_wrap=True)
    table.add_column("", no_wrap=True)
    table.add_column("\nwhat happened", overflow="fold")
    return table


def _with_rest(table: Table, more: int) -> Table:
    if more:
        table.caption = f"and {more} more like these"
        table.caption_justify = "left"
    return table


def _one_of_each(compared: Iterable[Compared[Paper]]) -> list[Compared[Paper]]:
    """Return the first of each story, and all that are wrong, ordered by number."""
    shown: list[Compared[Paper]] = []
    told: set[str] = set()
    for one in compared:
        if one.surprises or one.shop.story not in told:
            shown.append(one)
        told.add(one.shop.story)
    return sorted(shown, key=lambda one: one.shop.number)


def _totals_table(result: Comparison) -> Table:
    """Return everything that was compared."""
    table = _table("Everything that was compared")
    table.add_column("")
    for name in ("SalesBinder", "Xero", "agree", "differ, as the log says", "wrong"):
        table.add_column(name, justify="right")
    wrong = sum(bool(one.surprises) for one in result.contacts)
    sides = sum(len(one.sides) for one in result.contacts)
    contacts = len(result.contacts)
    table.add_row(
        "customers and suppliers", str(sides), str(contacts), str(contacts - wrong), "", str(wrong or "")
    )
    _add_documents(table, "invoices", result.invoices)
    shops = [one.shop for one in result.invoices if one.shop.stands]
    books = [one.shop.held for one in result.invoices if one.shop.held is not None]
    held = [one.xero for one in result.invoices if one.xero is not None]
    _add_money(
        table,
        "  their payments",
        sum(len(one.figures.payments) for one in shops),
        sum(len(one["payments"]) for one in held),
        sum(len(one.payments) for one in books),
    )
    _add_money(
        table,
        "  their refunds, as credit notes",
        sum(len(one.figures.refunds) for one in shops),
        sum(len(one.more) for one in result.invoices),
        sum(len(one.refunds) for one in books),
    )
    _add_documents(table, "purchase orders", result.orders)
    received = sum(one.shop.stands and one.shop.received_on is not None for one in result.orders)
    bills = sum(len(one.more) for one in result.orders)
    _add_money(table, "  what was received, as bills", received, bills, received)
    return table


def _add_documents(table: Table, name: str, compared: Sequence[Compared[Paper]]) -> None:
    for title, group in (
        (name, [one for one in compared if one.shop.stands]),
        (f"{name} not synced", [one for one in compared if not one.shop.stands]),
    ):
        there = sum(one.xero is not None and one.xero["status"] not in _GONE for one in group)
        explained = sum(one.explained for one in group)
        wrong = sum(bool(one.surprises) for one in group)
        agree = len(group) - explained - wrong
        cells = (len(group), there, agree, explained or "", wrong or "")
        table.add_row(title, *(str(cell) for cell in cells))


def _add_money(table: Table, name: str, shop: int, xero: int, wanted: int) -> None:
    """Add payments or refunds; ``wanted`` is how many should be in Xero."""
    cells = (shop, xero, min(xero, wanted), (shop - wanted) or "", abs(xero - wanted) or "")
    table.add_row(name, *(str(cell) for cell in cells))


def _verdict(one: Compared[ShopDocument]) -> tuple[Text, Text]:
    """Say whether the books agree, what happened, and the reason that the log gives if they differ."""
    if one.surprises:
        return Text("!", "bold red"), Text("\n".join((one.shop.story, *one.surprises)), "bold red")
    if one.explained:
        reasons = ", ".join(dict.fromkeys(refusal.reason for refusal in one.shop.refusals))
        return Text("≠", "yellow"), Text.assemble(f"{one.shop.story}\n", (reasons, "yellow"))
    return Text("=", "green"), Text(one.shop.story)


def _sum(documents: Iterable[Mapping[str, Any]]) -> Decimal:
    return sum((Decimal(one["total"]) for one in documents), Decimal(0))


def _amount(amount: Any) -> str:
    """Return blank for None and for 0."""
    return f"{Decimal(amount):,.2f}" if amount and Decimal(amount) else ""
