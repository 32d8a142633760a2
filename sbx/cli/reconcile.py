"""``sbx reconcile``: SalesBinder, the settings and Xero side by side."""

import asyncio
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from decimal import Decimal
from itertools import groupby
from pathlib import Path
from typing import Any, TextIO

import msgspec
import typer
from rich.text import Text

from log_projection.queries import Row
from sbx.actions import reconcile as actions
from sbx.actions.actors import Connection
from sbx.cli.acting import actor, connected
from sbx.cli.errors import BadUsage
from sbx.cli.terminal import new_table, plural, print_json, say, stdout_console, steps
from sbx.cli.times import day
from sources.reconcile.months import Month
from sources.reconcile.why import TITLES

_CHUNK = 500
_LISTS = {"refused": "the key's user may not see them", "odd": "the list contradicted itself"}


def reconcile(
    account: str,
    since: str | None,
    until: str | None,
    *,
    last: bool,
    csv: Path | None,
    check: bool,
    as_json: bool,
) -> None:
    """Run ``sbx reconcile``."""
    first, final = day("--from", since), day("--to", until)
    if first is not None and final is not None and final < first:
        raise BadUsage(f"--to {final} is before --from {first}", "exchange them")
    with _written(csv) as file:
        unknown = asyncio.run(_run(account, first, final, last, file, as_json))
    if csv is not None:
        say(f"all documents are in {csv}")
    if check and unknown:
        raise typer.Exit(1)


@contextmanager
def _written(path: Path | None) -> Iterator[TextIO | None]:
    if path is None:
        yield None
        return
    try:
        # With a byte order mark: spreadsheets take a file without one for another encoding than UTF-8.
        with path.open("w", encoding="utf-8-sig", newline="") as file:
            yield file
    except OSError as error:
        raise BadUsage(f"--csv {path}: {error}", "name a file that can be written") from error


async def _run(
    account: str,
    since: date | None,
    until: date | None,
    last: bool,
    file: TextIO | None,
    as_json: bool,
) -> int:
    """Compare, and show the result; return how many differences have no known reason."""
    async with connected("sbx reconcile") as (database, connection):
        if not last:
            run_id = await actions.ask(database, actor(), account)
            with steps() as shown:
                await actions.until_compared(connection, run_id, lambda run: shown(_progress(run)))
        report = await actions.load(connection, actor(), account)
        if report.last is None:
            if as_json:
                print_json(_summary(account, None, [], Counter()))
            else:
                print(f"{account}: SalesBinder and Xero were never compared")
            return 0
        if file is not None:
            await _write(connection, account, since, until, file)
        months = report.months
        if since is not None or until is not None:
            months = await actions.months_of(connection, actor(), account, since, until)
        found = actions.results(connection, actor(), account, since, until, only_differing=True)
        counted: Counter[str] = Counter()
        rows: list[Row] = []
        async for row in found:
            counted[row["reason"]] += 1
            if as_json:
                print_json(_as_object(row))
            elif row["reason"] != "before_cutoff":
                rows.append(row)
    if as_json:
        print_json(_summary(account, report.last, months, counted))
    else:
        _show(report.last, months, rows)
    return counted["unknown"]


def _progress(run: Row) -> str:
    what = {
        "rows": f"reads SalesBinder: {plural(run['rows'], 'document')}",
        "details": f"reads documents whose payments changed: {run['details']:,}",
        "xero": "reads what was changed in Xero",
    }.get(run["phase"], "compares")
    said = f"{what}, {plural(run['calls'], 'call')}"
    return f"{said}; {run['waits_for']}" if run["waits_for"] else said


async def _write(
    connection: Connection, account: str, since: date | None, until: date | None, file: TextIO
) -> None:
    """Write all documents, not only those that differ."""
    file.write(actions.csv_lines([]))
    rows: list[Row] = []
    async for row in actions.results(connection, actor(), account, since, until):
        rows.append(row)
        if len(rows) >= _CHUNK:
            file.write(actions.csv_lines(rows, head=False))
            rows = []
    file.write(actions.csv_lines(rows, head=False))


def _show(last: Row, months: Sequence[Month], rows: Sequence[Row]) -> None:
    say(
        f"compared {last['finished_at']:%Y-%m-%d %H:%M} UTC with {plural(last['calls'], 'call')} to "
        f"SalesBinder and {plural(last['xero_calls'], 'call')} to Xero"
    )
    for listing, state in last["lists"].items():
        if state in _LISTS:
            say(f"{listing} may be missing: {_LISTS[state]}", "yellow")
        if listing in last["unread"]:
            unread = f"{last['unread'][listing]} of {listing}"
            say(f"{unread} could not be compared: SalesBinder fails to show them", "yellow")
    of_month = {month: list(found) for month, found in groupby(rows, key=lambda row: row["month"])}
    for line, agrees in actions.lines_of(months):
        print(line)
        name = line.partition(":")[0]
        if not agrees:
            _show_month([each for each in months if each.month == name], of_month.get(name, []))
    if not months:
        print("there are no documents to compare")


def _show_month(months: Sequence[Month], rows: Sequence[Row]) -> None:
    for each in (each for each in months if not each.agrees):
        sums = ", ".join(
            f"{name} {side.total:,} (paid {side.paid:,}, refunded {side.refunded:,})"
            for name, side in (("SalesBinder", each.shop), ("should be", each.expected), ("Xero", each.xero))
        )
        print(f"  {each.kind.replace('_', ' ')}s in {each.currency}: {sums}")
    table = new_table(
        "", "what", "number", "party", "differs in", "should be", "in Xero", "why", "what to do"
    )
    for row in rows:
        cells = (
            row["kind"].replace("_", " "),
            row["number"],
            row["party"],
            *_values(row),
            f"{TITLES[row['reason']]}: {row['text']}"
            + (f" (entry {row['entry_id']})" if row["entry_id"] else ""),
            row["remedy"],
        )
        table.add_row("", *map(Text, cells), style="" if row["known"] else "red")
    stdout_console().print(table)


def _values(row: Row) -> tuple[str, str, str]:
    fields = row["fields"]
    expected, xero = ("\n".join(_value(row[side], name) for name in fields) for side in ("expected", "xero"))
    return "\n".join(fields), expected, xero


def _value(side: Row | None, name: str) -> str:
    if side is None:
        return "not there"
    value = side.get("status" if name == "document" else name)
    return f"{value:,}" if isinstance(value, Decimal) else str(value or "")


def _as_object(row: Row) -> dict[str, Any]:
    shown = {name: value for name, value in row.items() if name not in ("agrees", "title")}
    return shown | {"date": row["date"].isoformat() if row["date"] is not None else None}


def _summary(
    account: str, last: Row | None, months: Sequence[Month], counted: Counter[str]
) -> dict[str, Any]:
    run = None
    if last is not None:
        names = (
            "actor",
            "asked_at",
            "finished_at",
            "calls",
            "details",
            "xero_calls",
            "lists",
            "unread",
            "news",
        )
        run = {name: last[name] for name in names}
    return {
        "kind": "summary",
        "account": account,
        "comparison": run,
        "documents": sum(each.agreeing + each.differing + each.before_cutoff for each in months),
        "agreeing": sum(each.agreeing for each in months),
        "differences": sum(counted.values()),
        "reasons": dict(sorted(counted.items())),
        "unknown": counted["unknown"],
        "months": [msgspec.to_builtins(each, builtin_types=(Decimal,)) for each in months],
    }
