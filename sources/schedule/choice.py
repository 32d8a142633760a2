"""Which request is next. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from sources.schedule.budget import free_at
from sources.schedule.layers import BACKGROUND_PER_MINUTE, LISTINGS, PACES, Layer, Listing, period
from sources.schedule.scans import Finished, Scan, scan_key
from sources.schedule.stock import untaken
from sources.schedule.trust import Trust

Why = Literal["hint", "changed", "again", "deep", "history"]

_LAYERS: Final[Mapping[Layer, int]] = {"delta": 1, "log": 2, "newest": 5, "open": 6, "wide": 7, "all": 8}
_DETAILS: Final[Mapping[Why, int]] = {"hint": 0, "changed": 3, "again": 4, "deep": 9, "history": 10}
_OVERDUE: Final = 2.5
"""Between lists of changes and details: a layer that is late by a whole period comes before details, or a
thousand changed documents would hide everything that only sweeps find.
"""
_CLOCKS: Final = timedelta(days=1)
"""By how much SalesBinder's clock may differ from ours before an answer has told it."""
_HINTED: Final = timedelta(seconds=5)
"""From one ``delta`` to the next that a hint asks for."""
HINTED_PER_MINUTE: Final = 24
"""Calls of a minute up to which hints come first: however many come, the others are for all else."""
_AFTER_SWEEPS: Final = 8.5
_EVER: Final = datetime.min.replace(tzinfo=UTC)
_BACKGROUND: Final = frozenset({"all", "deep", "history"})


@dataclass(frozen=True, slots=True)
class ListRequest:
    """A page of a list."""

    scan: Scan

    @property
    def why(self) -> str:
        """Return the layer."""
        return self.scan.layer


@dataclass(frozen=True, slots=True)
class DetailRequest:
    """A detail of a document, or of an account."""

    record_id: str
    why: Why
    of_account: bool = False


Request = ListRequest | DetailRequest


@dataclass(frozen=True, slots=True)
class Wanted:
    """A detail that is to be read."""

    record_id: str
    why: Why
    since: datetime
    """From when it is due."""
    of_account: bool = False


@dataclass(frozen=True, slots=True)
class Standing:
    """How far an account's reading has come, as the database has it."""

    sent: Sequence[datetime]
    """Times of the calls of the last minute, of all processes."""
    background: Sequence[datetime]
    """Those of them that could have waited: of ``all``, deep reads and history."""
    finished: Mapping[str, Finished]
    """The last whole scan of each kind (``scan_key``)."""
    scans: Mapping[str, Scan]
    """The scans under way, one per kind."""
    wanted: Sequence[Wanted]
    """Some of the details that are due, of each ``why`` the oldest."""
    trust: Trust
    blocked_until: datetime | None = None
    open_statuses: Mapping[Listing, frozenset[str]] = field(default_factory=dict)
    """Ids of statuses of documents that are not settled, as rows showed them."""
    held: Mapping[str, datetime] = field(default_factory=dict)
    """Until when a kind of scan (``scan_key``) is left alone, because SalesBinder refuses it."""
    widened: timedelta = timedelta(0)
    """By how much more the delta asks back, since sweeps found what it should have."""
    hinted: datetime | None = None
    """When a hint said last that something changed."""

    def untaken(self, now: datetime) -> frozenset[Listing]:
        """Return the lists of which stock is still to be taken: until then nothing else is read."""
        return untaken(self.finished, self.held, now)


@dataclass(frozen=True, slots=True)
class Pause:
    """Nothing may or need be asked before."""

    until: datetime


def next_request(standing: Standing, now: datetime) -> Request | Pause:
    """Return the request to make now, or until when to wait: for the budget, a block, or for what is due."""
    free = max(free_at(standing.sent, now), standing.blocked_until or now)
    if free > now:
        return Pause(free)
    due: list[tuple[float, datetime, str, Request]] = []
    later: list[datetime] = []
    for request, at, priority in _candidates(standing, now):
        at = _paced(request.why, at, standing, now)
        if at > now:
            later.append(at)
        else:
            due.append((priority, at, _name(request), request))
    if due:
        return min(due, key=lambda each: each[:3])[3]
    return Pause(min(later, default=now + timedelta(seconds=60)))


def _candidates(standing: Standing, now: datetime) -> list[tuple[Request, datetime, float]]:
    found: list[tuple[Request, datetime, float]] = []
    stock, hints_first = standing.untaken(now), _hints_first(standing.sent, now)
    for layer, listings in LISTINGS.items():
        for listing in listings:
            if stock and not (layer == "all" and listing in stock):
                continue
            for status in _statuses(layer, listing, standing):
                scan, at = _scan_of(layer, listing, status, standing, now, hints_first)
                at = max(at, standing.held.get(scan.key, at))
                late = now - at > period(layer, standing.trust) and layer != "all"
                found.append((ListRequest(scan), at, min(_LAYERS[layer], _OVERDUE if late else 99)))
    for each in standing.wanted:
        is_late_hint = each.why == "hint" and hints_first > now
        priority = _AFTER_SWEEPS if is_late_hint else _DETAILS[each.why]
        found.append((DetailRequest(each.record_id, each.why, each.of_account), each.since, priority))
    return found


def _hints_first(sent: Sequence[datetime], now: datetime) -> datetime:
    """Return from when hints come before all else; ``now`` unless many calls were made of late."""
    latest = sorted(sent)
    if len(latest) < HINTED_PER_MINUTE:
        return now
    return max(now, latest[-HINTED_PER_MINUTE] + timedelta(minutes=1))


def _statuses(layer: Layer, listing: Listing, standing: Standing) -> Sequence[str | None]:
    return sorted(standing.open_statuses.get(listing, frozenset())) if layer == "open" else [None]


def _scan_of(
    layer: Layer,
    listing: Listing,
    status: str | None,
    standing: Standing,
    now: datetime,
    hints_first: datetime,
) -> tuple[Scan, datetime]:
    """Return the scan that goes on or begins, and from when it is due."""
    key = scan_key(layer, listing, status)
    if (scan := standing.scans.get(key)) is not None:
        return scan, scan.started
    last, overlap, since = standing.finished.get(key), PACES[layer].overlap, None
    if overlap is not None:
        since = (last.asked if last is not None else now - _CLOCKS) - overlap
        if layer == "delta":
            since -= standing.widened
    # Of each list the first page is asked first: it says how many rows there are, and how long all will take.
    never = _EVER if layer == "all" else now
    at = last.started + period(layer, standing.trust) if last is not None else never
    if layer == "delta" and last is not None and standing.hinted and standing.hinted > last.started:
        at = min(at, max(standing.hinted, last.started + _HINTED, hints_first))
    return Scan(layer=layer, listing=listing, started=now, since=since, status=status), at


def _paced(why: str, at: datetime, standing: Standing, now: datetime) -> datetime:
    """Return from when a request may be made that could wait: a quiet hour is to stay quiet."""
    if why == "all" and standing.untaken(now):
        return at
    if why not in _BACKGROUND or len(standing.background) < BACKGROUND_PER_MINUTE:
        return at
    return max(at, sorted(standing.background)[-BACKGROUND_PER_MINUTE] + timedelta(minutes=1))


def _name(request: Request) -> str:
    return request.scan.key if isinstance(request, ListRequest) else request.record_id
