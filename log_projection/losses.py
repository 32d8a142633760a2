"""Messages that were lost on the way: commands that no stage brought to the ledger, messages that were
removed before anybody had read them.

``streams/losses.py`` finds them; status, page and metrics read the findings here.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import psycopg

from contracts.reasons import render
from runtime.database import fetch_all
from runtime.sql import load_queries

Connection = psycopg.AsyncConnection[Any]
Row = dict[str, Any]

_SQL = load_queries(__file__)
_COUNTED = 10_000
"""How many lost commands are counted at most; a lost topic may take any number with it."""

_REMEDIES = {
    "transform": "these events are nowhere any more: have their changes published again with the ids that "
    "they had, and keep the topics of events for ever (retention.ms=-1)",
    "deliver": "their events are still there: 'sbx replay' plans to take up again what the ledger lacks, and "
    "'sbx replay --yes' does it",
    "project": "what they told is told to the log again by itself, out of the ledger, once this stage and "
    "deliver work; the calls to Xero that they listed are not",
}


@dataclass(frozen=True, slots=True, order=True)
class Removed:
    """Offsets ``first`` to ``last`` of a partition, removed before the stage's group had read them."""

    stage: str
    topic: str
    partition: int
    first: int
    last: int

    @property
    def count(self) -> int:
        """How many offsets."""
        return self.last - self.first + 1

    def in_words(self) -> str:
        """Return in words which messages were removed, and what to do."""
        were = f"{self.count:,} offsets ({self.first} to {self.last}) were"
        if self.count == 1:
            were = f"1 offset ({self.first}) was"
        return (
            f"{self.topic}, partition {self.partition}: {were} removed before {self.stage} had read "
            f"{'it' if self.count == 1 else 'them'}; {_REMEDIES[self.stage]}"
        )


async def lost_commands(
    connection: Connection,
    *,
    limit: int,
    accounts: tuple[str, ...] | None = None,
    entry_id: str | None = None,
) -> list[Row]:
    """Return entries that have been queued in the log for five minutes and that the ledger does not know, the
    oldest
    first: the columns of the view ``lost_commands``, and ``replay``, the command that brings the one back.

    Args:
        accounts: only those of these accounts.
        entry_id: only this entry.
    """
    listed = None if accounts is None else list(accounts)
    parameters = {"accounts": listed, "entry_id": entry_id, "limit": limit}
    rows = await fetch_all(connection, _SQL["lost_commands"], parameters)
    return [{**row, "replay": replay_of(row)} for row in rows]


async def lost_by_account(connection: Connection) -> dict[str, int]:
    """Return how many lost commands each account has; all together are counted up to 10,000."""
    rows = await fetch_all(connection, _SQL["lost_by_account"], {"limit": _COUNTED})
    return {row["account"]: row["entries"] for row in rows}


async def removed_unread(connection: Connection) -> list[Removed]:
    """Return the messages that were removed before a stage had read them, found in the last seven days."""
    rows = await fetch_all(connection, _SQL["removed_unread"], {})
    return [Removed(*row.values()) for row in rows]


def replay_of(row: Mapping[str, Any]) -> str:
    """Return the command that brings a lost command back from its event."""
    return f"sbx replay --topic {row['topic']} --partition {row['partition']} --offset {row['offset']} --yes"


def explained(row: Mapping[str, Any]) -> tuple[str, str]:
    """Return the sentence and the remedy of ``command_lost`` for a row of ``lost_commands``."""
    details = {"since": f"{row['queued_at']:%Y-%m-%d %H:%M}", "replay": row["replay"]}
    return render("command_lost", details)


def replays_of(lost: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return the fewest commands that bring all of these back: one per partition, since a replay leaves
    completed actions alone.
    """
    offsets: dict[tuple[str, int], list[int]] = {}
    for row in lost:
        offsets.setdefault((row["topic"], row["partition"]), []).append(row["offset"])
    return [
        replay_of({"topic": topic, "partition": partition, "offset": _span(found)})
        for (topic, partition), found in sorted(offsets.items())
    ]


def _span(offsets: Sequence[int]) -> str:
    first, last = min(offsets), max(offsets)
    return str(first) if first == last else f"{first}-{last}"


async def fetch(connection: Connection, name: str, parameters: Mapping[str, Any]) -> list[Row]:
    """Return the rows of a statement of ``losses.sql``."""
    return await fetch_all(connection, _SQL[name], parameters)


async def run(connection: Connection, name: str, parameters: Mapping[str, Any]) -> None:
    """Run a statement of ``losses.sql`` that changes something."""
    await connection.execute(_SQL[name], parameters)
