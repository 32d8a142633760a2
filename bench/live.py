"""From Xero's answer to an open page that shows the entry as completed."""

import itertools
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

from bench.figures import Figure, at_most, percentile
from bench.page import OpenPage, in_chromium, served, shown_in, signed_in
from bench.rig import STAGES, Rig
from bench.sales import EVENTS_A_SALE, Message, sales

SALES = 30
"""One after the other, of an idle system."""
_IDLE = 0.5
"""Seconds between two of them."""
_SHOPS = tuple(f"shop-{number}" for number in range(10))
_BUSY_SALES = 12
"""Of each shop."""
_EVERY = 0.25
"""Seconds between two sales of any shop: 4 sales or 12 events a second."""
_PAGES = 10
_GOAL = 1000.0
_PATIENCE = 60.0


def run() -> list[Figure]:
    """Measure p50 and p95 in ms; the fake knows when it answered."""
    with Rig() as rig, ExitStack() as ending:
        rig.xero.admin.limits(minute=1_000_000, day=1_000_000)
        rig.connect(["idle", *_SHOPS])
        rig.start(*STAGES)
        rig.warm_up(["idle", *_SHOPS])
        url = ending.enter_context(served(rig.environ))
        page = ending.enter_context(OpenPage(url, signed_in(rig.database_url, "first")))
        found = _figures(
            "one page, idle", _measured(rig, [page], [list(sales("idle", SALES, first=2))], _IDLE)
        )
        found += _figures("one page in Chromium, idle", _in_browser(rig, url))
        others = [signed_in(rig.database_url, f"another-{number}") for number in range(_PAGES - 1)]
        pages = [page, *(ending.enter_context(OpenPage(url, session)) for session in others)]
        found += _figures(f"{_PAGES} pages, 12 events a second", _measured(rig, pages, _busy(), _EVERY))
        lost = sum(one.reloads + one.again for one in pages)
        return [*found, Figure(what="reloads and streams opened again", value=lost, unit="")]


def _busy() -> list[list[Message]]:
    """Return a list of each shop's messages."""
    return [list(sales(shop, _BUSY_SALES, first=2)) for shop in _SHOPS]


def _measured(
    rig: Rig, pages: Sequence[OpenPage], shops: Sequence[Sequence[Message]], every: float
) -> list[float]:
    """Return seconds from Xero's answer to each page, for all entries that Xero was asked for."""
    sent = _publish(rig, shops, every)
    rig.wait(lambda: all(sent <= page.seen.keys() for page in pages), "all entries on all pages", _PATIENCE)
    answered = _answers(rig)
    return [page.seen[entry_id] - answered[entry_id] for page in pages for entry_id in sent & answered.keys()]


def _in_browser(rig: Rig, url: str) -> list[float]:
    """Return the same for a browser's document; nothing if there is no browser."""
    with in_chromium(url, signed_in(rig.database_url, "browser")) as page:
        if page is None:
            return []
        with ThreadPoolExecutor(1) as thread:  # the browser's loop runs in this one
            sent = thread.submit(_publish, rig, [list(sales("idle", SALES, first=2 + SALES))], _IDLE).result()
        give_up = time.monotonic() + _PATIENCE
        while not sent <= (seen := shown_in(page)).keys():
            if time.monotonic() > give_up:
                raise RuntimeError(f"{len(sent - seen.keys())} entries did not come into the browser")
            page.wait_for_timeout(200)
    answered = _answers(rig)
    return [seen[entry_id] - answered[entry_id] for entry_id in sent & answered.keys()]


def _publish(rig: Rig, shops: Sequence[Sequence[Message]], every: float) -> set[str]:
    """Publish, a sale every so often, of each shop in turn. The ids of the entries."""
    in_turn = [
        shop[at : at + EVENTS_A_SALE] for at in range(0, len(shops[0]), EVENTS_A_SALE) for shop in shops
    ]
    began = time.monotonic()
    for number, sale in enumerate(in_turn):
        time.sleep(max(0.0, began + number * every - time.monotonic()))
        rig.publish(sale)
    return {message.entry_id for message in itertools.chain.from_iterable(in_turn)}


def _answers(rig: Rig) -> Mapping[str, float]:
    """Return when Xero answered the last call that was made for an entry, by the entry's id.

    An edited customer has none if its invoice was quicker and has brought it.
    """
    offset = rig.clock_offset()
    answered: dict[str, float] = {
        call["idempotency_key"]: call["answered_at"] + offset
        for call in rig.xero.admin.calls()
        if call["idempotency_key"] and call["status"] == 200
    }
    rows: list[tuple[Any, ...]] = rig.query(
        "SELECT DISTINCT unnest(e.members)::text, i.idempotency_key FROM ledger.elements e "
        "JOIN ledger.intents i USING (intent_id) WHERE i.idempotency_key IS NOT NULL"
    )
    found: dict[str, float] = {}
    for entry_id, key in rows:
        if key in answered:
            found[entry_id] = max(answered[key], found.get(entry_id, 0.0))
    return found


def _figures(what: str, seconds: Sequence[float]) -> list[Figure]:
    return [
        Figure(
            what=f"{what}, p{share:.0%}".rstrip("%"),
            value=percentile(seconds, share) * 1000,
            unit="ms",
            goal=at_most(_GOAL) if share == 0.95 else None,
        )
        for share in (0.5, 0.95)
        if seconds
    ]
