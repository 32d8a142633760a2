"""How many calls an account may make: 40 a minute and 12 in ten seconds. Pure.

SalesBinder allows 50 and 15 and then blocks for a minute, longer when that is repeated. It promises no
``Retry-After``, and a call within a block may prolong it: a block is waited out.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

WINDOWS: Final[tuple[tuple[timedelta, int], ...]] = ((timedelta(seconds=10), 12), (timedelta(minutes=1), 40))
"""Length of a window, and calls within any window of that length."""
ALL: Final = (0, 0)
HINTS: Final = (2, 4)
"""Calls of each window that are left for the details that hints name, once an account has had a hint: these
are to be published within seconds, whatever else is being read.
"""
LIVE: Final = (7, 12)
"""Those that sweeps, comparisons and all else that can wait a little leave for changes and hints."""
BACKGROUND: Final[tuple[tuple[timedelta, int], ...]] = (
    (timedelta(seconds=10), 4),
    (timedelta(minutes=1), 20),
)
"""The same for ``all``, deep reads, history and comparisons together: a quiet hour stays below 30 a minute,
and no burst of theirs is in the way of anything.
"""
BLOCK: Final = timedelta(seconds=75)
"""A block lasts a minute; what is more is for clocks."""
LONGEST_BLOCK: Final = timedelta(hours=1)


def free_at(sent: Sequence[datetime], now: datetime, spared: tuple[int, int] = ALL) -> datetime:
    """Return from when a call may be made, ``now`` if at once. ``sent`` are the times of the latest calls,
    in any order, of all processes; ``spared`` are calls of each window that are left for others.
    """
    windows = [(length, most - less) for (length, most), less in zip(WINDOWS, spared, strict=False)]
    return _after(windows, sent, now)


def background_free_at(background: Sequence[datetime], now: datetime) -> datetime:
    """Return from when their share lets a call be made that can wait; ``background`` are the latest ones."""
    return _after(BACKGROUND, background, now)


def _after(windows: Sequence[tuple[timedelta, int]], sent: Sequence[datetime], now: datetime) -> datetime:
    latest = sorted(sent)
    found = [latest[-most] + length for length, most in windows if len(latest) >= most]
    return max(now, *found) if found else now


def blocked_until(now: datetime, blocks: int, retry_after: timedelta | None) -> datetime:
    """Return until when nothing is asked after the answer 429. ``blocks`` is how many came in a row, this one
    included; ``retry_after`` is what the answer says, if it does.
    """
    wait = min(BLOCK * (1 << min(blocks - 1, 10)), LONGEST_BLOCK)
    return now + max(wait, retry_after or timedelta(0))
