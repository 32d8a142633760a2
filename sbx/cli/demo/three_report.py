"""The report of ``sbx demo``: the log in numbers, and shop, comparison and books side by side."""

from collections import Counter
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text

from sbx.actions.reconcile import lines_of
from sbx.cli.demo.report import failed_table, log_table
from sbx.cli.demo.three import Document, Three
from sbx.cli.terminal import plural
from sources.reconcile.months import Month

_SHOWN = 12
"""Documents that agree, as examples."""


def show(
    console: Console,
    entries: Sequence[Mapping[str, Any]],
    result: Three,
    run: Mapping[str, Any],
    numbers: Mapping[str, int],
) -> None:
    """Print the report."""
    console.print(log_table(entries))
    console.print(
        f"{plural(numbers['changes'], 'change')} seen with {plural(numbers['salesbinder_calls'], 'call')} to "
        f"SalesBinder, and brought with {plural(numbers['xero_calls'], 'call')} to Xero\n"
    )
    console.print(failed_table(entries))
    console.print()
    console.print(_table(result.documents))
    console.print()
    console.print("What 'sbx reconcile' says:", style="bold")
    for line, _ in lines_of(msgspec.convert(run["months"], list[Month], strict=False)):
        console.print(f"  {line}", markup=False)
    for surprise in result.surprises:
        console.print(f"NOT AS IT SHOULD BE: {surprise}", style="bold red", markup=False)
    if result.agreed:
        console.print(
            "The shop, SalesBinder's API and Xero agree, and every difference has its reason.",
            style="bold green",
        )


def to_json(
    entries: Sequence[Mapping[str, Any]], result: Three, numbers: Mapping[str, int]
) -> dict[str, Any]:
    """Return the report for scripts."""
    return {
        "agreed": result.agreed,
        "surprises": result.surprises,
        "documents": len(result.documents),
        "agreeing": sum(not one.reason and not one.wrong for one in result.documents),
        "differing": dict(sorted(result.reasons.items())),
        "entries": dict(Counter(str(entry["state"]) for entry in entries)),
        "failures": dict(Counter(str(e["reason_code"]) for e in entries if e["state"] == "failed")),
        **numbers,
    }


def _table(documents: Sequence[Document]) -> Table:
    table = Table(title="Shop and Xero", title_justify="left", title_style="bold", box=None)
    for name in ("document", "in the shop", "total", "paid", "Xero total", "paid", "", "why"):
        table.add_column(name, justify="right" if name in ("total", "paid", "Xero total") else "left")
    right = [one for one in documents if not one.reason and not one.surprise]
    told = [one for one in documents if one.reason not in ("", "before_cutoff") or one.surprise]
    shown = [*right[:_SHOWN], *told]
    for one in sorted(shown, key=lambda one: (one.kind, int(one.number))):
        mark, style = ("!", "bold red") if one.surprise else ("≠", "yellow") if one.reason else ("=", "green")
        why = one.surprise or (f"{one.reason.replace('_', ' ')}: {one.text}" if one.reason else "")
        table.add_row(
            f"{one.kind.replace('_', ' ')} {one.number}",
            one.state,
            f"{one.true_total:,}",
            _amount(one.true_paid),
            _amount(one.xero_total),
            _amount(one.xero_paid),
            Text(mark, style),
            Text(why, style),
        )
    more = len(right) - len(right[:_SHOWN])
    early = sum(one.reason == "before_cutoff" for one in documents)
    table.caption = f"and {more} more that agree; {early} from before the connection, not meant to be in Xero"
    table.caption_justify = "left"
    return table


def _amount(amount: Decimal | None) -> str:
    return f"{amount:,}" if amount else ""
