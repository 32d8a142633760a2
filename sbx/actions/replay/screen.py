"""Where the actor sees the progress of a long-running action."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from typing import Protocol

from sbx.actions.replay.force import Following


class Bar(Protocol):
    """Shows how far something has come."""

    def at(self, done: int) -> None:
        """Show how much of the total is done."""


Bars = Callable[[str, int | None], AbstractContextManager[Bar]]
"""Shows a bar of this name and length for as long as a block runs."""


@dataclass(frozen=True)
class Screen:
    """The callbacks that show a replay."""

    bar: Bars
    following: Following
    began: Callable[[int], None]
    """Called with the number of the replay."""
