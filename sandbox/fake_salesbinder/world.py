"""All that a running fake knows: shops, limits, faults, calls. In memory only."""

from collections import Counter, deque
from dataclasses import asdict, dataclass, field
from datetime import datetime
from typing import Any

from sandbox.clock import Clock

from .access import User
from .faults import FaultPlan
from .limits import Limiter
from .shop import Shop
from .switches import Switches

DEFAULT_SHOP = "demo"
_LOG_LENGTH = 200_000


@dataclass(slots=True)
class Call:
    """A line of the call log, without the key. `at` is the fake's time in seconds since its start."""

    number: int
    at: float
    method: str
    path: str
    query: str
    shop: str | None
    status: int | None = None  # None: the connection was dropped
    faults: list[str] = field(default_factory=list)


class World:
    """The one mutable state of a running fake. The clock runs, stands still at `now`, or is one of several
    worlds."""

    def __init__(self, seed: int = 0, now: datetime | None = None, clock: Clock | None = None) -> None:
        self.seed = seed
        self.clock = clock or Clock(now)
        self.limiter = Limiter(self.clock.seconds)
        self.faults = FaultPlan()
        self.shops: dict[str, Shop] = {}
        self.keepers: dict[str, object] = {}
        """Shopkeepers by name, for the admin interface."""
        self.reset()

    def reset(self) -> None:
        """Go back to the start: one empty shop called `demo`, no faults, usual limits. The clock runs on."""
        self.shops.clear()
        self.keepers.clear()
        self.faults.clear()
        self.limiter = Limiter(self.clock.seconds)
        self.forget_calls()
        self.add_shop(DEFAULT_SHOP)

    def add_shop(self, name: str, switches: Switches | None = None, seed: int | None = None) -> Shop:
        """Add a shop, or begin it again empty with other switches."""
        shop = Shop(name, self.clock, switches, self.seed if seed is None else seed)
        self.shops[name] = shop
        return shop

    def whose(self, key: str, name: str | None) -> tuple[Shop, User] | None:
        """Return the shop and user of an API key; `name` is the sub-domain asked for, if any."""
        for shop in self.shops.values():
            if (name is None or shop.name == name) and (user := shop.users.get(key)):
                return shop, user
        return None

    def forget_calls(self) -> None:
        """Empty the call log and the counters."""
        self.calls: deque[Call] = deque(maxlen=_LOG_LENGTH)
        self.call_count = 0
        self.by_endpoint: Counter[str] = Counter()
        self.by_status: Counter[str] = Counter()
        self.by_shop: Counter[str] = Counter()

    def begin_call(self, method: str, path: str, query: str, shop: str | None) -> Call:
        """Put a call into the log as it arrives."""
        self.call_count += 1
        call = Call(self.call_count, round(self.clock.seconds(), 3), method, path, query, shop)
        self.calls.append(call)
        return call

    def end_call(self, call: Call) -> None:
        """Count a call by its result."""
        resource, _, record_id = call.path.removesuffix(".json").rpartition("2.0/")[2].partition("/")
        self.by_endpoint[f"{call.method} {resource}{'/id' if record_id else ''}"] += 1
        self.by_status[str(call.status or "dropped")] += 1
        if call.shop:
            self.by_shop[call.shop] += 1

    def counters(self) -> dict[str, Any]:
        """Return all counts since the start or their last reset."""
        return {
            "calls": self.call_count,
            "by_endpoint": dict(self.by_endpoint),
            "by_status": dict(self.by_status),
            "by_shop": dict(self.by_shop),
        }

    def call_log(self, since: int = 0) -> list[dict[str, Any]]:
        """Return logged calls with a number above `since`, oldest first."""
        return [asdict(call) for call in self.calls if call.number > since]
