"""The output of commands: data to stdout, everything else to stderr."""

import json
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from decimal import Decimal
from typing import Any, TypeVar

import typer
from rich.console import Console
from rich.markup import escape
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    SpinnerColumn,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table
from rich.text import Text

from sbx.actions.words import plural as plural

Row = TypeVar("Row")
_PIPE_WIDTH = 200
"""Width of a table that is not printed on a terminal: pipes are not wrapped."""

STATE_COLOURS = {"queued": "yellow", "running": "cyan", "completed": "green", "failed": "red"}


def _console(stderr: bool) -> Console:
    terminal = (sys.stderr if stderr else sys.stdout).isatty()
    return Console(stderr=stderr, highlight=False, width=None if terminal else _PIPE_WIDTH)


def say(text: str, style: str = "") -> None:
    """Print a line for people on stderr. ``text`` is printed unchanged, including brackets."""
    _console(stderr=True).print(text, style=style or None, markup=False, soft_wrap=True)


def ask_secret(question: str, *, twice: bool = False) -> str:
    """Return a secret from a prompt, or the next line of stdin; never from arguments, which others can see.

    Args:
        twice: it is a new one, to be typed the same again.
    """
    if sys.stdin.isatty():
        return str(typer.prompt(question, hide_input=True, confirmation_prompt=twice, err=True))
    return sys.stdin.readline().rstrip("\r\n")


def print_json(value: Any) -> None:
    """Print one JSON object as a line on stdout, flushed at once."""
    print(json.dumps(value, default=_plain, ensure_ascii=False), flush=True)


def stdout_console() -> Console:
    """Return the console for tables and other data that people read."""
    return _console(stderr=False)


def stderr_console() -> Console:
    """Return the console for live displays."""
    return _console(stderr=True)


class Steps:
    """Shows progress: a spinner on a terminal, elsewhere a line per new step."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._last = ""
        self._status = console.status("") if console.is_terminal else None

    def __call__(self, text: str, done: float | None = None) -> None:
        """Show progress, as a ``sandbox.Progress``."""
        if self._status is not None:
            self._status.start()
            self._status.update(escape(text if done is None else f"{text} {done:.0%}"))
        elif text != self._last:
            self._console.print(text, markup=False, soft_wrap=True)
        self._last = text

    def report(self, text: str, trouble: bool) -> None:
        """Print a line beside the spinner."""
        self._console.print(text, style="yellow" if trouble else None, markup=False, soft_wrap=True)

    def pause(self) -> None:
        """Hide the spinner until the next step."""
        if self._status is not None:
            self._status.stop()


def new_table(*names: str, right: Collection[str] = ()) -> Table:
    """Return a table with these columns, the ones in ``right`` aligned right; nothing is cut off."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in names:
        table.add_column(name, justify="right" if name in right else "left", overflow="fold")
    return table


def show_rows(
    rows: Sequence[Row],
    as_json: bool,
    names: Sequence[str],
    cells: Callable[[Row], Iterable[str]],
    nothing: str = "",
) -> None:
    """Print rows: one JSON object per line, or for people a table of these columns, or a remark if there are
    none.
    """
    if as_json:
        for row in rows:
            print_json(row)
    elif nothing and not rows:
        say(nothing)
    else:
        table = new_table(*names)
        for row in rows:
            table.add_row(*map(Text, cells(row)))
        stdout_console().print(table)


@contextmanager
def steps() -> Iterator[Steps]:
    """Show ``Steps`` on stderr while the block runs."""
    shown = Steps(stderr_console())
    try:
        yield shown
    finally:
        shown.pause()


@contextmanager
def bar(what: str, total: int | None) -> Iterator["Bar"]:
    """Show a progress bar on stderr, if that is a terminal."""
    console = stderr_console()
    progress = Progress(
        SpinnerColumn(),
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    with progress:
        yield Bar(progress, progress.add_task(what, total=total))


class Bar:
    """A running progress bar."""

    def __init__(self, progress: Progress, task: Any) -> None:
        self._progress = progress
        self._task = task

    def at(self, completed: int, what: str | None = None) -> None:
        """Show that this many are done."""
        self._progress.update(self._task, completed=completed, description=what)


def age(seconds: float | None) -> str:
    """Return a duration in words: ``45 s``, ``12 min``, ``3 h``, ``2 d``; blank for None."""
    if seconds is None:
        return ""
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= 2 * length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"


def _plain(value: object) -> Any:
    if isinstance(value, datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, Decimal):
        return str(value)
    raise TypeError(f"{type(value).__name__} is not a JSON value")
