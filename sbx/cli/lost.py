"""What was lost on the way, as ``sbx status`` tells it."""

from collections.abc import Mapping, Sequence
from typing import Any

from log_projection.losses import Removed, replays_of
from sbx.cli.terminal import plural
from streams import StageName
from streams.broker import Offsets

SHOWN = 1000
"""Lost commands that are named; there is no end to what a lost topic takes with it."""
_COMMANDS_NAMED = 5


def removed_unread(stage: StageName, committed: Offsets, starts: Offsets) -> list[Removed]:
    """What was removed before a group had read it; partitions without a commit do not tell."""
    return [
        Removed(stage, partition.topic, partition.partition, offset, starts[partition] - 1)
        for partition, offset in sorted(committed.items())
        if starts.get(partition, 0) > offset
    ]


def in_words(lost: Sequence[Mapping[str, Any]]) -> str:
    """That commands were lost, and what to run."""
    count = f"{len(lost):,} or more entries" if len(lost) == SHOWN else plural(len(lost), "entry", "entries")
    commands = replays_of(lost)
    named = "; ".join(f"'{command}'" for command in commands[:_COMMANDS_NAMED])
    rest = "; and 'sbx replay --yes' for all the others" if len(commands) > _COMMANDS_NAMED else ""
    again = "; then look here again, for there may be more" if len(lost) == SHOWN else ""
    return (
        f"{count} stand as queued in the log for more than five minutes, and the ledger does not know them "
        f"(command_lost): their commands were lost. Bring them back with {named}{rest}{again}"
    )
