"""Losses on the way, as ``sbx status`` reports them."""

from collections.abc import Mapping, Sequence
from typing import Any

from log_projection.losses import replays_of
from sbx.cli.terminal import plural

SHOWN = 1000
"""How many lost commands are named; a lost topic may have taken any number with it."""
_COMMANDS_NAMED = 5


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
