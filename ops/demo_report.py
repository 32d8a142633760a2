"""What ``sbx demo`` shows in the end: the log in numbers, what failed and why, and both books."""

import statistics
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from ops.comparison import Compared, Comparison
from ops.terminal import STATE_COLOURS, plural

_SHOWN = 10
"""Invoices that agree, as a sample; those that differ are all shown."""

Entries = Sequence[Mapping[str, Any]]


def show(console: Console, entries: Entries, result: Comparison, calls: int) -> None:
    """Print the report."""
    console.print(_log_table(entries))
    seconds = [entry["seconds"] for entry in entries if entry["state"] == "completed" and entry["seconds"]]
    if seconds:
        slow = statistics.quantiles(seconds, n=20)[-1] if len(seconds) > 1 else seconds[0]
        console.print(
            f"{plural(len(seconds), 'action')} in Xero with {plural(calls, 'call')}; half of them within "
            f"{statistics.median(seconds):.1f} s, 95 % within {slow:.1f} s\n"
        )
    console.print(_failed_table(entries))
    console.print()
    console.print(_books_table(result))
    agreeing = sum(not one.difference for one in result.invoices)
    explained = sum(one.explained for one in result.invoices)
    console.print(
        f"{agreeing} of {len(result.invoices)} invoices agree to the cent; "
        f"{explained} differ for the reasons above, which were put in on purpose\n"
    )
    for surprise in result.surprises:
        console.print(f"NOT AS IT SHOULD BE: {surprise}", style="bold red", markup=False)
    if result.agreed:
        console.print("The books agree, and the log explains every difference.", style="bold green")


def to_json(entries: Entries, result: Comparison, calls: int) -> dict[str, Any]:
    """The report for scripts."""
    return {
        "agreed": result.agreed,
        "surprises": list(result.surprises),
        "invoices": len(result.invoices),
        "agreeing": sum(not one.difference for one in result.invoices),
        "explained": sum(one.explained for one in result.invoices),
        "entries": dict(Counter(str(entry["state"]) for entry in entries)),
        "failures": dict(Counter(str(e["reason_code"]) for e in entries if e["state"] == "failed")),
        "xero_calls": calls,
    }


def _log_table(entries: Entries) -> Table:
    table = Table(title="The Integrations Log", title_justify="left", title_style="bold", box=None)
    table.add_column("action")
    for state, colour in STATE_COLOURS.items():
        table.add_column(state, justify="right", style=colour)
    table.add_column("of which")
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    outcomes: dict[str, Counter[str]] = defaultdict(Counter)
    for entry in entries:
        name = f"{entry['entity']} {entry['action']}".replace("_", " ").strip() or "unreadable"
        counts[name][entry["state"]] += 1
        if entry["outcome"] not in (None, "posted"):
            outcomes[name][str(entry["outcome"]).replace("_", " ")] += 1
    for name in sorted(counts):
        cells = (str(counts[name][state] or "") for state in STATE_COLOURS)
        details = ", ".join(f"{count} {outcome}" for outcome, count in outcomes[name].items())
        table.add_row(name, *cells, Text(details, "dim"))
    return table


def _failed_table(entries: Entries) -> Table:
    """One row a cause."""
    table = Table(
        title="What failed, why, and what to do", title_justify="left", title_style="bold", box=None
    )
    table.add_column("reason", no_wrap=True, style="red")
    table.add_column("invoices")
    table.add_column("for example", ratio=1, overflow="fold")
    groups: dict[str, list[Mapping[str, Any]]] = defaultdict(list)
    for entry in entries:
        if entry["state"] == "failed":
            groups[entry["reason_code"]].append(entry)
    for code, group in sorted(groups.items()):
        numbers = ", ".join(entry["record_number"] or entry["record_id"][:8] for entry in group[:5])
        words = Text(f"{group[0]['reason']}\n{group[0]['remedy']}")
        table.add_row(code, numbers + (" …" if len(group) > 5 else ""), words)
    return table


def _books_table(result: Comparison) -> Table:
    table = Table(title="SalesBinder and Xero", title_justify="left", title_style="bold", box=None)
    table.add_column("invoice")
    table.add_column("customer")
    for name in ("total", "paid", "Xero total", "Xero paid"):
        table.add_column(name, justify="right")
    table.add_column("Xero status")
    table.add_column("")
    agreeing = [one for one in result.invoices if not one.difference]
    # From all over the day, and of every kind.
    sample = [one for one in agreeing if one.shop.status == "cancelled"][:2]
    sample += [one for one in agreeing if one.shop.status == "old"]
    plain = [one for one in agreeing if one.shop.status == "open"]
    sample += plain[:: max(1, len(plain) // (_SHOWN - len(sample)))][: _SHOWN - len(sample)]
    for one in sorted(sample, key=lambda one: one.shop.number):
        _add_row(table, one)
    if len(agreeing) > len(sample):
        table.add_row("…", Text(f"and {len(agreeing) - len(sample)} more that agree", "dim"))
    for one in result.invoices:
        if one.difference:
            _add_row(table, one)
    table.add_section()
    held = [one.xero for one in result.invoices if one.xero is not None]
    active = [one for one in held if one["status"] in ("PAID", "AUTHORISED")]
    shop = [one.shop for one in result.invoices if one.shop.status == "open"]
    table.add_row(
        "all",
        "",
        f"{sum((one.total for one in shop), Decimal(0)):,}",
        f"{sum((one.paid for one in shop), Decimal(0)):,}",
        f"{sum((Decimal(one['total']) for one in active), Decimal(0)):,}",
        f"{sum((Decimal(one['amount_paid']) for one in active), Decimal(0)):,}",
        style="bold",
    )
    return table


def _add_row(table: Table, one: Compared) -> None:
    xero = one.xero
    if not one.difference:
        verdict = Text(_why_agrees(one), "green")
    else:
        cause = f" ({one.shop.trouble})" if one.explained else ""
        verdict = Text(one.difference + cause, "yellow" if one.explained else "bold red")
    table.add_row(
        str(one.shop.number),
        Text(one.shop.customer),
        f"{one.shop.total:,}",
        f"{one.shop.paid:,}",
        f"{Decimal(xero['total']):,}" if xero else "",
        f"{Decimal(xero['amount_paid']):,}" if xero else "",
        str(xero["status"]) if xero else "",
        verdict,
    )


def _why_agrees(one: Compared) -> str:
    return {"open": "agrees", "cancelled": "agrees: cancelled", "old": "agrees: from before the cut-off"}[
        one.shop.status
    ]
