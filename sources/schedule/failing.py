"""How a scan goes on when a page of its list cannot be shown: in smaller pages, and behind what still cannot.
Pure.

One record that SalesBinder fails at, or one that this program does, must neither hide all rows behind it nor
keep the stock from being taken. Nothing is concluded about rows that are skipped, for which each later scan
asks again.
"""

from typing import Final

import msgspec

from sources.schedule.scans import SIZES, Scan, Step, at_row, ended, is_enough

_TRIES: Final = 2
"""Of a page with as many rows as were shown before, and of the smallest one."""
_ONE_BY_ONE: Final = 4
"""Pages in a row that are skipped one by one; then twice as many each time, or a list of which SalesBinder
shows only the beginning would take days.
"""
_AT_SIGHT: Final = 3
"""Pages at its beginning after which it is the list that cannot be shown, if none of it ever was."""


def after_failure(scan: Scan, last_count: int | None) -> Step:
    """Return how the scan goes on after its page could not be shown once more, while other lists were.

    ``last_count`` is how many rows the list had when it was last whole.
    """
    scan = msgspec.structs.replace(scan, failed=scan.failed + 1, good=0)
    if scan.failed < _TRIES:
        return Step(state="going", scan=scan)
    fewer = [] if scan.is_fixed else [size for size in SIZES if size < scan.limit]
    if not fewer:
        return _behind(scan, last_count)
    smaller = msgspec.structs.replace(scan, failed=1 if len(fewer) > 1 else 0, shrunk=scan.shrunk + 1)
    return Step(state="going", scan=at_row(smaller, scan.offset, fewer[0]))


def _behind(scan: Scan, last_count: int | None) -> Step:
    """Return the scan behind its page, as far as the list is known to go on there."""
    if scan.asked is None and scan.blind == _AT_SIGHT:
        return Step(state="going", scan=_from_its_beginning(scan))
    count = scan.latest if scan.latest is not None else scan.count
    before, rows = scan.offset, scan.limit << max(0, scan.blind - _ONE_BY_ONE + 1)
    behind = before + rows
    if count is not None:
        rows = max(min(rows, count - before), 1)
    now = msgspec.structs.replace(
        scan, failed=0, shrunk=0, blind=scan.blind + 1, skipped=_joined(scan.skipped, before, rows)
    )
    now = at_row(now, behind, scan.limit)
    if is_enough(now) or (count is not None and behind >= count):
        return ended(now, None, last_count)
    return Step(state="going", scan=now)


def _joined(skipped: tuple[tuple[int, int], ...], before: int, rows: int) -> tuple[tuple[int, int], ...]:
    if skipped and sum(skipped[-1]) == before:
        return (*skipped[:-1], (skipped[-1][0], skipped[-1][1] + rows))
    return (*skipped, (before, rows))


def _from_its_beginning(scan: Scan) -> Scan:
    return Scan(
        layer=scan.layer,
        listing=scan.listing,
        started=scan.started,
        since=scan.since,
        status=scan.status,
        repeats=scan.repeats,
        limit=scan.widest,
        widest=scan.widest,
    )
