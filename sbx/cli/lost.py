"""What was lost along the way, as ``sbx status`` reports it."""

from collections.abc import Mapping, Sequence
from typing import Any

from log_projection.losses import Removed, replays_of
from sbx.cli.terminal import plural
from streams import StageName
from streams.broker import Offsets

SHOWN = 1000
"""How many lost commands are named; a lost topic may have taken any number with it."""
_COMMANDS_NAMED = 5


def removed_unread(stage: StageName, committed: Offsets, starts: Offsets) -> list[Removed]:
    """Return what was removed before a group had read it; partitions without a commit cannot tell."""
    return [
        Removed(stage, partition.topic, partition.partition, offset, starts[partition] - 1)
        for partition, offset in sorted(committed.items())
        if starts.get(partition, 0) > offset
    ]


def in_words(lost: Sequence[Mapping[str, Any]]) -> str:
    """Say that commands were lost, and what to run."""
    count = f"{len(lost):,} or more entries" if len(lost) == SHOWN else plural(len(lost), "entry", "entries")
    commands = replays_of(lost)
    named = "; ".join(f"'{command}'" for command in commands[:_COMMANDS_NAMED])
    rest = "; and 'sbx replay --yes' for all the others" if len(commands) > _COMMANDS_NAMED else ""
    again = "; then check again, because there may be more" if len(lost) == SHOWN else ""
    return (
        f"{count} have been queued in the log for more than five minutes, and the ledger does not know them "
        f"(command_lost): their commands were lost. Bring them back with {named}{rest}{again}"
    )
