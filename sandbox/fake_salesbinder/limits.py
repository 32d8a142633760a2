"""SalesBinder's limits: by minute and by ten seconds, then a block that grows (reference §0, §8)."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from .switches import Switches

BLOCK = 60.0
"""Seconds of a first block."""
REPEATED_WITHIN = 3600.0
"""Seconds in which blocks count as repeated."""
BLOCKS_UNTIL_LOST = 10
_RATES = {"2026": (50, 15), "older": (60, 18)}


@dataclass(slots=True)
class Usage:
    """The calls and blocks of one key, account or address, in the clock's seconds."""

    calls: deque[float] = field(default_factory=deque)
    blocked_until: float = 0.0
    length: float = 0.0
    blocks: list[float] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Blocked:
    """Why a call is refused: seconds left, and whether access is lost for good."""

    seconds: float
    lost: bool


class Limiter:
    """Counts calls in sliding windows; the call too many begins the block. `seconds` is the fake's clock."""

    def __init__(self, seconds: Callable[[], float]) -> None:
        self._seconds = seconds
        self.usage: dict[str, Usage] = {}
        self.minute: int | None = None
        self.burst: int | None = None
        """Other figures than the switch's, for tests that are not about limits."""

    def enter(self, who: str, switches: Switches) -> Blocked | None:
        """Count a call, or say why it is refused."""
        now, usage = self._seconds(), self.usage.setdefault(who, Usage())
        if now < usage.blocked_until:
            if switches.calls_in_block == "prolong":
                usage.blocked_until = now + usage.length
            return Blocked(usage.blocked_until - now, False)
        while usage.calls and usage.calls[0] <= now - 60:
            usage.calls.popleft()
        minute, burst = _RATES[switches.rates]
        recent = sum(moment > now - 10 for moment in usage.calls)
        if len(usage.calls) >= (self.minute or minute) or recent >= (self.burst or burst):
            return self.block(who, switches)
        usage.calls.append(now)
        return None

    def block(self, who: str, switches: Switches, seconds: float | None = None) -> Blocked:
        """Begin a block: of a minute, longer when repeated by the switch, or of these seconds."""
        now, usage = self._seconds(), self.usage.setdefault(who, Usage())
        usage.blocks = [moment for moment in usage.blocks if moment > now - REPEATED_WITHIN] + [now]
        doubled = len(usage.blocks) - 1 if switches.block_growth == "doubles" else 0
        usage.length = seconds or BLOCK * 2 ** min(doubled, 6)
        usage.blocked_until = now + usage.length
        usage.calls.clear()
        lost = switches.access_lost == "ten_blocks" and len(usage.blocks) >= BLOCKS_UNTIL_LOST
        return Blocked(usage.length, lost)
