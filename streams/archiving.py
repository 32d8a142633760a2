"""Bring what ended long ago to the archive, beside the lanes of the deliver stage, in small bites.

A bite is one transaction: its rows are chosen and locked, written to files that are on the disk before
anything else happens, and taken out. After a crash before the commit, the rows are where they were, and in a
file as well, which the next bite leaves alone; after the commit, they are in the files alone. Between two
bites there is a rest several times as long as the bite.
"""

import asyncio
import secrets
import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

import psycopg
import structlog

from log_projection import archiving as log_rows
from runtime.archive import Archive, ArchiveProblem, Part
from runtime.crash_points import crash_point
from runtime.database import Connection, Row
from runtime.environment import Environment
from runtime.trouble import about_the_database
from sinks.archive import bite
from sinks.archive.bite import CallPlace, Chosen, Place
from sinks.archive.rows import line, lines_of_commands, month_of, months_of
from streams.batch_writer import Pool

FIRST_AFTER_SECONDS = 60.0
"""Seconds from a worker's start to its first round: the start is for the work that waits."""
ROUND_SECONDS = 6 * 3600.0
"""Seconds between rounds: each looks again at all that is old and has to stay."""
TROUBLE_SECONDS = 3600.0
"""Seconds until another try after trouble, or while another worker is at it."""
REST_SECONDS = 0.5
"""The least rest between two bites."""
RESTS_PER_BITE = 4
"""How many times as long as a bite the rest after it is."""
_IN_THE_WAY = (
    psycopg.errors.LockNotAvailable,
    psycopg.errors.QueryCanceled,
    psycopg.errors.DeadlockDetected,
)

log = structlog.stdlib.get_logger(__name__)


@dataclass(slots=True)
class _Round:
    """How far a round has come."""

    account: str = ""
    at: Place | None = None
    """None: with the actions of this account it is done."""
    calls_at: CallPlace | None = None
    lines: int = 0
    ended: bool = False
    done: bool = False
    """It has ended behind the last account."""

    def skip(self) -> None:
        """Go on with the next account, and come back to this one in the next round; end if it is the choice
        of the account that cannot be made.
        """
        self.ended = self.at is None and self.calls_at is None
        self.at = self.calls_at = None


@dataclass
class Archiving:
    """Brings old rows to the archive. Any number of workers may try; one is at it."""

    pool: Pool
    archive: Archive
    keep_days: int
    _worker: str = field(default_factory=lambda: secrets.token_hex(8))
    _problem: str = ""

    async def run(self, stop: asyncio.Event) -> None:
        """Go round until ``stop`` is set, through any trouble of database and disk."""
        await _rest(FIRST_AFTER_SECONDS, stop)
        while not stop.is_set():
            done = await self.go_round(stop)
            await _rest(ROUND_SECONDS if done else TROUBLE_SECONDS, stop)

    async def go_round(self, stop: asyncio.Event) -> bool:
        """Bring to the archive all that is due, account by account; end early, and return False, if another
        worker is at it, or if there is trouble.
        """
        round_ = _Round()
        while not stop.is_set() and not round_.ended:
            began = time.monotonic()
            try:
                await self._bite_or_tell(round_)
            except _IN_THE_WAY as error:
                log.warning("old rows are held by somebody", account=round_.account, error=_one_line(error))
                round_.skip()
            except Exception as error:
                if about_the_database(error):
                    log.warning("the archive cannot go on now", error=_one_line(error))
                else:
                    log.exception("bringing old rows to the archive broke")
                return False
            await _rest(max(REST_SECONDS, RESTS_PER_BITE * (time.monotonic() - began)), stop)
        if round_.lines:
            log.info("brought to the archive", lines=round_.lines, directory=str(self.archive.directory))
        return round_.done

    async def _bite_or_tell(self, round_: _Round) -> None:
        try:
            await self.bite(round_)
        except (ArchiveProblem, OSError) as error:
            round_.ended = True
            await self._tell(error)

    async def bite(self, round_: _Round) -> None:
        """Take one bite, and note in ``round_`` how far it has come.

        Raises:
            ArchiveProblem, OSError: nothing was taken out.
            psycopg.Error: the database is away, or somebody holds the rows; nothing was taken out.
        """
        async with self.pool.connection() as connection, connection.transaction():
            begun = await bite.begin(connection, self._worker, self.keep_days)
            if begun is None:
                round_.ended = True
                return
            await asyncio.to_thread(self.archive.claim, begun.archive_id, claimed=begun.claimed)
            if not begun.claimed:
                await bite.claimed(connection)
            self._problem = ""
            await self._next(connection, round_, begun.before)
            crash_point("archiving.before_commit")
        crash_point("archiving.after_commit")

    async def _next(self, connection: Connection, round_: _Round, before: datetime) -> None:
        if round_.at is not None:
            round_.at = await self._commands(connection, round_, before, round_.at)
        elif round_.calls_at is not None:
            round_.calls_at = await self._calls(connection, round_, before, round_.calls_at)
        else:
            account = await bite.account_after(connection, round_.account, before)
            if account is None:
                round_.ended = round_.done = True
            else:
                round_.account, round_.at, round_.calls_at = account, Place(), CallPlace()

    async def _commands(
        self, connection: Connection, round_: _Round, before: datetime, after: Place
    ) -> Place | None:
        chosen = await bite.choose(connection, round_.account, before, after)
        if chosen.commands:
            ids = [row["command_id"] for row in chosen.commands]
            entries = await log_rows.entries(connection, ids)
            attempts = await log_rows.attempts(connection, ids)
            steps = await log_rows.steps(connection, ids)
            await self._write(connection, round_, lines_of(chosen, entries, attempts, steps))
            await bite.take_out(connection, round_.account, chosen)
            await log_rows.forget(connection, ids)
        return chosen.next

    async def _calls(
        self, connection: Connection, round_: _Round, before: datetime, after: CallPlace
    ) -> CallPlace | None:
        chosen = await bite.choose_calls(connection, round_.account, before, after)
        by_month: defaultdict[str, list[bytes]] = defaultdict(list)
        for row in chosen.to_write:
            by_month[month_of(row["created_at"])].append(line("call", row))
        await self._write(connection, round_, by_month)
        await bite.take_out_calls(connection, chosen)
        return chosen.next

    async def _write(
        self, connection: Connection, round_: _Round, by_month: Mapping[str, Sequence[bytes]]
    ) -> None:
        """Write the files; they are on the disk when this returns."""
        for month, lines in sorted(by_month.items()):
            part: Part = await asyncio.to_thread(self.archive.add, round_.account, month, lines)
            await bite.note(connection, part)
            round_.lines += part.lines

    async def _tell(self, error: ArchiveProblem | OSError) -> None:
        """Tell a problem: in the worker's log once, until it is over; to ``sbx status`` each time."""
        remedy = error.remedy if isinstance(error, ArchiveProblem) else "free some space, or mount it again"
        if str(error) != self._problem:
            self._problem = str(error)
            log.error("nothing can go to the archive", problem=self._problem, remedy=remedy)
        async with self.pool.connection() as connection:
            await bite.tell(connection, self._problem, remedy)


def archiving_of(pool: Pool, environment: Environment) -> Archiving | None:
    """Return what brings old rows to the archive; None if they are to stay in the database."""
    if environment.keep_days is None:
        return None
    if environment.archive_dir is None:
        log.info("nothing goes to an archive", remedy="set SBX_ARCHIVE_DIR, or SBX_KEEP=forever to say so")
        return None
    return Archiving(pool, Archive(environment.archive_dir), environment.keep_days)


def lines_of(
    chosen: Chosen, entries: Sequence[Row], attempts: Sequence[Row], steps: Sequence[Row] = ()
) -> dict[str, list[bytes]]:
    """Return, by month, the lines of a bite: each action with its entry, its steps and its calls, then what
    was sent for them. A call of a contact goes with the month in which it was made.
    """
    entry_of = {row["entry_id"]: row for row in entries}
    made, taken = _by_entry(attempts), _by_entry(steps)
    months = months_of(chosen.commands)
    commands = lines_of_commands(chosen.commands)
    found: defaultdict[str, list[bytes]] = defaultdict(list)
    of_record: dict[str, str] = {}
    for row in chosen.commands:
        command_id = row["command_id"]
        of_record[row["record_id"]] = months[command_id]
        lines = found[months[command_id]]
        lines.append(commands[command_id])
        if command_id in entry_of:
            lines.append(line("entry", entry_of[command_id]))
        lines += [line("step", one) for one in taken[command_id]]
        lines += [line("attempt", one) for one in made[command_id]]
    for element in chosen.elements:
        month = of_record.get(element["record_id"]) or month_of(element["created_at"])
        found[month].append(line("element", element))
    return found


def _by_entry(rows: Sequence[Row]) -> defaultdict[str, list[Row]]:
    found: defaultdict[str, list[Row]] = defaultdict(list)
    for row in rows:
        found[row["entry_id"]].append(row)
    return found


def _one_line(error: Exception) -> str:
    return " ".join(str(error).split())


async def _rest(seconds: float, stop: asyncio.Event) -> None:
    try:
        await asyncio.wait_for(stop.wait(), seconds)
    except TimeoutError:
        return
