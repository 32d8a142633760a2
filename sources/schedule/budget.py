"""How many calls an account may make: 40 a minute and 12 in ten seconds. Pure.

SalesBinder allows 50 and 15 and then blocks for a minute, longer when that is repeated. It promises no
``Retry-After``, and a call within a block may prolong it: a block is waited out.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Final

WINDOWS: Final[tuple[tuple[timedelta, int], ...]] = ((timedelta(seconds=10), 12), (timedelta(minutes=1), 40))
"""Length of a window, and calls within any window of that length."""
BLOCK: Final = timedelta(seconds=75)
"""A block lasts a minute; what is more is for clocks."""
LONGEST_BLOCK: Final = timedelta(hours=1)


def free_at(sent: Sequence[datetime], now: datetime) -> datetime:
    """Return from when a call may be made, ``now`` if at once. ``sent`` are the times of the latest calls,
    in any order, of all processes.
    """
    latest = sorted(sent)
    free: datetime = now
    for length, most in WINDOWS:
        if len(latest) >= most:
            free = max(free, latest[-most] + length)
    return free


def blocked_until(now: datetime, blocks: int, retry_after: timedelta | None) -> datetime:
    """Return until when nothing is asked after the answer 429. ``blocks`` is how many came in a row, this one
    included; ``retry_after`` is what the answer says, if it does.
    """
    wait = min(BLOCK * (1 << min(blocks - 1, 10)), LONGEST_BLOCK)
    return now + max(wait, retry_after or timedelta(0))
