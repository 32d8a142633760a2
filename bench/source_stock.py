"""Stock of 20,000 customers and 100,000 invoices, taken by a real worker: calls, and its memory."""

import time
from urllib.parse import parse_qs

from bench.figures import Figure, at_most
from bench.processes import StageProcess
from bench.salesbinder import PAGES, SourceRig, fill

SHOP = "large"
_LOOK_EVERY = 0.1
_PATIENCE = 900.0
_CALM = 3.0


def run() -> list[Figure]:
    """Measure with limits that do not bind: neither the worker nor SalesBinder counts calls."""
    with SourceRig() as rig:
        fill(rig.salesbinder.admin, SHOP)
        rig.lift_source_limits()
        worker = rig.start_source()
        time.sleep(_CALM)
        idle, used = worker.memory(), worker.cpu()
        rig.connect_sources([SHOP])
        began = time.monotonic()
        largest = _largest_memory(rig, worker)
        seconds, used = time.monotonic() - began, worker.cpu() - used
        calls = _calls(rig)
    return [
        Figure(
            what="calls of the stock-taking",
            value=calls,
            unit="",
            base="pages of its lists",
            base_value=PAGES,
            goal=at_most(620),
        ),
        Figure(
            what="memory of the worker, at most",
            value=largest,
            unit="MB",
            base="before the account was connected",
            base_value=idle,
            goal=at_most(200),
        ),
        Figure(
            what="stock-taking, without limits",
            value=seconds,
            unit="s",
            base="of it the worker's processor time",
            base_value=used,
        ),
    ]


def _largest_memory(rig: SourceRig, worker: StageProcess) -> float:
    """Return the most memory that was seen until stock was taken."""
    largest = 0.0

    def look() -> None:
        nonlocal largest
        largest = max(largest, worker.memory())

    rig.wait_for_stock(1, _PATIENCE, _LOOK_EVERY, look)
    return largest


def _calls(rig: SourceRig) -> int:
    """Return the calls that SalesBinder saw before the first one that asks for changes."""
    made = [call for call in rig.salesbinder.admin.calls() if call["shop"] == SHOP]
    asks_for_changes = (
        number
        for number, call in enumerate(made)
        if parse_qs(call["query"]).keys() & {"modifiedSince", "deletedSince"}
    )
    return next(asks_for_changes, len(made))
