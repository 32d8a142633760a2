"""Which request is next. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from sources.schedule.budget import ALL, HINTS, LIVE, background_free_at, free_at
from sources.schedule.layers import LISTINGS, PACES, PAGE_LIMIT, Layer, Listing, period
from sources.schedule.scans import SIZES, Finished, Scan, scan_key
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
"""Calls of a minute made because of hints up to which they come first: however many come, the others are for
all else. What else is read, be it a comparison or all rows, delays no hint.
"""
_MAY_WAIT: Final = timedelta(seconds=15)
"""So long sweeps, and calls of a comparison, wait for a moment in which little is asked."""
_AFTER_SWEEPS: Final = 8.5
_DOUBTED: Final = 5
"""Details refused in a row after which a list says whether it is the key, or the records."""
_EVER: Final = datetime.min.replace(tzinfo=UTC)
_BACKGROUND: Final = frozenset({"all", "deep", "history"})


@dataclass(frozen=True, slots=True)
class ListRequest:
    """A page of a list."""

    scan: Scan
    is_hinted: bool = False
    """Whether it is read now because of a hint."""

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
    is_hinted: bool = False
    """Whether it comes before all else because of a hint."""


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
    """Those of them that could have waited: of ``all``, deep reads, history and comparisons."""
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
    sent_for_hints: Sequence[datetime] = ()
    """Those of the calls that were made because of hints."""

    refused_details: int = 0
    """Details in a row that were refused."""

    @property
    def is_key_doubted(self) -> bool:
        """Return True if a list is asked before any other detail: it may be the key that is refused."""
        return self.refused_details >= _DOUBTED

    def untaken(self, now: datetime) -> frozenset[Listing]:
        """Return the lists of which stock is still to be taken: until then nothing else is read."""
        return untaken(self.finished, self.held, now)


@dataclass(frozen=True, slots=True)
class Pause:
    """Nothing may or need be asked before."""

    until: datetime


def background_at(standing: Standing, now: datetime) -> datetime:
    """Return from when a call may be made that can wait, beside the reader's own; ``now`` if at once."""
    free_for, last = _free_for(standing, now), max(standing.background, default=_EVER)
    return max(
        min(free_for[LIVE], max(free_for[HINTS], last + _MAY_WAIT)),
        background_free_at(standing.background, now),
        standing.blocked_until or now,
    )


def next_request(standing: Standing, now: datetime) -> Request | Pause:
    """Return the request to make now, or until when to wait: for the budget, a block, or for what is due."""
    free = max(free_at(standing.sent, now), standing.blocked_until or now)
    if free > now:
        return Pause(free)
    due: list[tuple[float, datetime, str, Request]] = []
    later: list[datetime] = []
    free_for = _free_for(standing, now)
    for request, at, priority in _candidates(standing, now):
        at = _paced(request, at, standing, now)
        free = free_for[ALL if priority == _DETAILS["hint"] else HINTS]
        if priority > _DETAILS["again"]:
            free = max(free, min(free_for[LIVE], at + _MAY_WAIT))
        at = max(at, free) if free > now else at
        if at > now:
            later.append(at)
        else:
            due.append((priority, at, _name(request), request))
    if due:
        return min(due, key=lambda each: each[:3])[3]
    return Pause(min(later, default=now + timedelta(seconds=60)))


def _free_for(standing: Standing, now: datetime) -> Mapping[tuple[int, int], datetime]:
    """Return from when a call may be made that leaves so many for hints. None is left while there was no hint
    ever, while stock is taken, and once hints have had theirs.
    """
    has_hints = standing.hinted is not None and _hints_first(standing.sent_for_hints, now) <= now
    is_spared = has_hints and not standing.untaken(now)
    return {each: free_at(standing.sent, now, each if is_spared else ALL) for each in (ALL, HINTS, LIVE)}


def _candidates(standing: Standing, now: datetime) -> list[tuple[Request, datetime, float]]:
    found: list[tuple[Request, datetime, float]] = []
    stock, hints_first = standing.untaken(now), _hints_first(standing.sent_for_hints, now)
    for layer, listings in LISTINGS.items():
        for listing in listings:
            if stock and not (layer == "all" and listing in stock):
                continue
            for status in _statuses(layer, listing, standing):
                scan, at, is_hinted = _scan_of(layer, listing, status, standing, now, hints_first)
                if standing.is_key_doubted:
                    at = min(at, now)
                at = max(at, standing.held.get(scan.key, at))
                late = now - at > period(layer, standing.trust) and layer != "all"
                found.append(
                    (ListRequest(scan, is_hinted), at, min(_LAYERS[layer], _OVERDUE if late else 99))
                )
    for each in () if standing.is_key_doubted else standing.wanted:
        is_late_hint = each.why == "hint" and hints_first > now
        priority = _AFTER_SWEEPS if is_late_hint else _DETAILS[each.why]
        request = DetailRequest(each.record_id, each.why, each.of_account, priority == _DETAILS["hint"])
        found.append((request, each.since, priority))
    return found


def _hints_first(sent: Sequence[datetime], now: datetime) -> datetime:
    """Return from when hints come before all else; ``now`` unless many calls were made for them of late."""
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
) -> tuple[Scan, datetime, bool]:
    """Return the scan that goes on or begins, from when it is due, and whether because of a hint."""
    key = scan_key(layer, listing, status)
    last, overlap, since = standing.finished.get(key), PACES[layer].overlap, None
    if (scan := standing.scans.get(key)) is not None:
        early = last is not None and scan.started < last.started + period(layer, standing.trust)
        return scan, scan.started, early and layer == "delta"
    if overlap is not None:
        since = (last.asked if last is not None else now - _CLOCKS) - overlap
        if layer == "delta":
            since -= standing.widened
    # Of each list the first page is asked first: it says how many rows there are, and how long all will take.
    never = _EVER if layer == "all" else now
    at = last.started + period(layer, standing.trust) if last is not None else never
    is_hinted = False
    if layer == "delta" and last is not None and standing.hinted and standing.hinted > last.started:
        hinted = max(standing.hinted, last.started + _HINTED, hints_first)
        is_hinted, at = hinted < at and at > now, min(at, hinted)
    sizes = [size for size in SIZES if last is not None and last.limit < size < PAGE_LIMIT]
    limit = min(sizes, default=PAGE_LIMIT)
    scan = Scan(
        layer=layer,
        listing=listing,
        started=now,
        since=since,
        status=status,
        limit=limit,
        widest=PAGE_LIMIT,
    )
    return scan, at, is_hinted


def _paced(request: Request, at: datetime, standing: Standing, now: datetime) -> datetime:
    """Return from when a request may be made that could wait: a quiet hour is to stay quiet."""
    if not is_background(request) or (request.why == "all" and standing.untaken(now)):
        return at
    free = background_free_at(standing.background, now)
    return max(at, free) if free > now else at


def is_background(request: Request) -> bool:
    """Return True for a request that can wait."""
    return request.why in _BACKGROUND


def _name(request: Request) -> str:
    return request.scan.key if isinstance(request, ListRequest) else request.record_id
