"""``sbx archive``: list the files of the archive, show what is in them, check them."""

import asyncio
import json
import re
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from runtime.archive import Archive, ArchiveProblem, Part
from runtime.environment import Environment
from sbx.cli import environment
from sbx.cli.acting import connected
from sbx.cli.errors import BadUsage, OperationFailed
from sbx.cli.terminal import plural, say, show_rows
from sinks.archive.bite import noted

_MONTH = re.compile(r"\d{4}-(0[1-9]|1[0-2])")
_NAMES = ("record_id", "record_number", "command_id", "entry_id", "event_id", "xero_id", "xero_number")
"""Fields of a row by which somebody may look for it."""

Row = dict[str, Any]


def archive(
    *, account: str | None, month: str | None, show: bool, record: str | None, check: bool, as_json: bool
) -> None:
    """Run ``sbx archive``."""
    if month is not None and not _MONTH.fullmatch(month):
        raise BadUsage(f"--month {month} is not a month", "write it as 2025-06")
    if record is not None and not show:
        raise BadUsage("--record without --show", "add --show")
    if show and check:
        raise BadUsage("--show and --check are two questions", "ask one after the other")
    used = environment.read()
    kept = archive_of(used)
    if show:
        _show(rows_of(kept, kept.parts(account, month), record), as_json)
    elif check:
        _check(used, kept, account, month)
    else:
        names = ("account", "month", "files", "rows", "MB")
        show_rows(listed(kept.parts(account, month)), as_json, names, _cells, f"no files in {kept.directory}")


def archive_of(used: Environment) -> Archive:
    """Return the archive: where the environment says, else where ``sbx up`` keeps it."""
    return Archive(used.archive_dir or used.data_dir / "archive")


def listed(parts: Iterable[Part]) -> list[Row]:
    """Return one row per account and month."""
    by_month: defaultdict[tuple[str, str], list[Part]] = defaultdict(list)
    for part in parts:
        by_month[part.account, part.month].append(part)
    return [
        {
            "account": account,
            "month": month,
            "files": len(several),
            "rows": sum(part.lines for part in several),
            "bytes": sum(part.bytes for part in several),
        }
        for (account, month), several in sorted(by_month.items())
    ]


def rows_of(kept: Archive, parts: Iterable[Part], record: str | None) -> Iterator[Row]:
    """Yield the rows in these files, all or those that ``record`` names. A row that a crash or a restored
    database has brought to two files is yielded once, as the last of them has it.

    Raises:
        ArchiveProblem: a file is gone or damaged.
    """
    parts = list(parts)
    last = {_identity(row): part for part in parts for row in _rows(kept, part)}
    for part in parts:
        rows = list(_rows(kept, part))
        wanted = rows if record is None else _about(rows, record)
        yield from (row for row in wanted if last[_identity(row)] == part)


def problems_of(kept: Archive, present: Sequence[Part], known: Sequence[Part]) -> list[str]:
    """Return what is wrong with the files: those that the database knows and that are not there, and damaged
    ones.
    """
    there = {part.path: part for part in present}
    found = [
        f"{kept.directory / part.path} is gone: {plural(part.lines, 'row')} of {part.account}, {part.month}"
        for part in known
        if there.get(part.path) != part
    ]
    for part in present:
        try:
            for _ in kept.lines(part):
                continue
        except ArchiveProblem as problem:
            found.append(str(problem))
    return found


def _rows(kept: Archive, part: Part) -> Iterator[Row]:
    return (json.loads(line) for line in kept.lines(part))


def _about(rows: Sequence[Row], record: str) -> list[Row]:
    """Return the rows of a file that belong to what has this id or number."""
    named = [row for row in rows if record in (row.get(name) for name in _NAMES)]
    actions = {row.get("command_id") or row.get("entry_id") for row in named} - {None}
    records = {row["record_id"] for row in named if row["row"] in ("command", "entry")}
    return [
        row
        for row in rows
        if (row.get("command_id") or row.get("entry_id")) in actions
        or (row["row"] == "element" and row["record_id"].rpartition("/")[2] in records)
        or row in named
    ]


def _identity(row: Row) -> tuple[str, ...]:
    names = {
        "command": ("command_id",),
        "entry": ("entry_id",),
        "step": ("entry_id", "version"),
        "attempt": ("attempt_id",),
        "call": ("intent_id",),
        "element": ("intent_id", "position"),
    }
    return row["row"], *(str(row[name]) for name in names[row["row"]])


def _show(rows: Iterator[Row], as_json: bool) -> None:
    for row in rows:
        text = json.dumps(row, ensure_ascii=False) if as_json else in_words(row)
        if text:
            print(text)


def in_words(row: Row) -> str:
    """Return a row for people; blank for those that others tell already."""
    match row["row"]:
        case "entry":
            number = row["record_number"] or row["record_id"]
            what = f"{row['entity']} {number} {row['action']}".replace("_", " ")
            amount = f"{row['amount']} {row['currency']}".strip() if row["amount"] is not None else ""
            how = " ".join(filter(None, (row["state"], row["outcome"], row["xero_number"], row["xero_id"])))
            told = [row["finished_at"], row["account"], what, row["party_name"], amount, how]
            return "  ".join(text for text in told if text)
        case "attempt":
            came = row["status"] if row["status"] is not None else row["error"]
            return f"    {row['started_at']}  {row['method']} {row['path']}: {came}"
        case _:
            return ""


def _check(used: Environment, kept: Archive, account: str | None, month: str | None) -> None:
    known = [part for part in asyncio.run(_noted(account)) if month in (None, part.month)]
    present = kept.parts(account, month)
    problems = problems_of(kept, present, known)
    for problem in problems:
        say(problem, "red")
    if problems:
        raise OperationFailed(
            f"{plural(len(problems), 'file')} of the archive cannot be used",
            "put them back from a copy of it",
        )
    say(f"{plural(len(present), 'file')} in {kept.directory}, all whole")
    sys.stdout.flush()


async def _noted(account: str | None) -> list[Part]:
    async with connected("sbx archive") as (_, connection):
        return await noted(connection, account)


def _cells(row: Row) -> tuple[str, ...]:
    size = f"{row['bytes'] / 1e6:,.1f}"
    return row["account"], row["month"], f"{row['files']:,}", f"{row['rows']:,}", size
