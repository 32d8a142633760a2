"""Read files of change events: every line is checked before any is published."""

import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from hashlib import blake2b
from pathlib import Path
from typing import IO

from contracts.events.reader import InvalidEvent, event_to_kafka, read_event
from sbx.cli.event_faults import all_faults, blank_name

STDIN = "-"
_SEARCHED = 1000
"""Bad lines of which every fault is looked for; of those behind them the first is told."""


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that holds no valid event."""

    file: str
    line: int
    field: str
    value: str
    problem: str
    remedy: str
    others: tuple["BadLine", ...] = ()
    """Further faults of the line."""

    def __str__(self) -> str:
        first = f"{self.file}:{self.line}: {self.field} is {self.value}: {self.problem}; {self.remedy}"
        return "\n".join((first, *map(str, self.others)))


@dataclass
class Checked:
    """Valid events, kept on disk, and the lines that are not valid."""

    spool: IO[bytes]
    events: int = 0
    bad: list[BadLine] = field(default_factory=list)

    def records(self) -> Iterator[tuple[str, bytes, bytes]]:
        """Yield topic, key and value of every valid event, in the order of the files."""
        for _, topic, key, value in self.numbered():
            yield topic, key, value

    def numbered(self) -> Iterator[tuple[int, str, bytes, bytes]]:
        """Yield the same, each after the number of its line in its file."""
        self.spool.seek(0)
        for line in self.spool:
            number, topic, key, value = line.rstrip(b"\n").split(b"\t", 3)
            yield int(number), topic.decode(), key, value


class _SeenIds:
    """Finds an event id used for two different events: consumers would refuse the second one."""

    def __init__(self) -> None:
        self._seen: dict[bytes, tuple[bytes, str]] = {}

    def clash(self, identity: str, content: str, place: str) -> str | None:
        """Return where the identity occurs with different content; None if it is new or repeated."""
        key = blake2b(identity.encode(), digest_size=16).digest()
        value = blake2b(content.encode(), digest_size=16).digest()
        known, where = self._seen.setdefault(key, (value, place))
        return None if known == value else where


@contextmanager
def checked(files: Sequence[str]) -> Iterator[Checked]:
    """Check all lines of all files (``-`` is standard input), ignoring blank lines.

    Raises:
        OSError: a file cannot be read, or the disk for temporary files is full.
    """
    seen = _SeenIds()
    with tempfile.TemporaryFile() as spool:
        result = Checked(spool)
        for file in files:
            with _opened(file) as opened:
                name = "stdin" if file == STDIN else file
                for number, line in enumerate(opened, 1):
                    if line.strip():
                        _check(result, seen, name, number, line)
        yield result


@contextmanager
def _opened(file: str) -> Iterator[IO[bytes]]:
    if file == STDIN:
        yield sys.stdin.buffer
    else:
        with Path(file).open("rb") as opened:
            yield opened


def _check(result: Checked, seen: _SeenIds, file: str, number: int, line: bytes) -> None:
    try:
        topic, key, value, headers = event_to_kafka(line)
        event = read_event(topic, key, value, headers)
        if fault := blank_name(event):
            raise fault
    except InvalidEvent as error:
        faults = all_faults(line, error) if len(result.bad) < _SEARCHED else [error]
        first, *others = (
            BadLine(file, number, one.field, one.value, one.problem, one.remedy) for one in faults
        )
        result.bad.append(replace(first, others=tuple(others)))
        return
    other = seen.clash(f"{event.source} {event.id}", event.content_hash, f"{file}:{number}")
    if other is not None:
        result.bad.append(
            BadLine(
                file,
                number,
                "id",
                event.id,
                f"the event at {other} has the same id but different content",
                "Give each change its own id.",
            )
        )
        return
    result.events += 1
    result.spool.write(b"\t".join((str(number).encode(), topic.encode(), key, value)) + b"\n")
