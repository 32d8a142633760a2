"""How long a change in SalesBinder takes until it is published: found by looking, and told by a webhook."""

import asyncio
import json
import random
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer

from bench.figures import Figure, at_most, percentile
from bench.page import served
from bench.rig import TooSlow
from bench.salesbinder import SourceRig
from sandbox.fake_salesbinder.admin_client import FakeSalesBinderAdmin
from sources.schedule.layers import PACES
from streams.topics import SOURCES

SHOPS = tuple(f"shop-{number}" for number in range(12))
_ANSWER_SECONDS = 0.2
CYCLE = PACES["delta"].period.total_seconds()
_SPREAD = 3 * CYCLE
"""The changes come at any moment of it."""
HOOKS = 36
_PAUSE = (1.5, 3.5)
"""Seconds between two webhooks, each of the next shop."""
_GOAL, _HOOK_GOAL = CYCLE + 2.0, 3.0
_PATIENCE = 150.0
_LINES = [{"name": "Fitting", "quantity": 2, "price": "12.50", "tax": 8}]
Key = tuple[str, str]
"""Type of an event, and its record's id."""


@dataclass(frozen=True, slots=True)
class _Shop:
    """A connected shop, with a customer and an open invoice from before."""

    name: str
    customer: str
    invoice: str


class _Seen:
    """When each event came out of Kafka first."""

    def __init__(self) -> None:
        self._at: dict[Key, float] = {}
        self._came = asyncio.Condition()

    async def listen(self, consumer: AIOKafkaConsumer) -> None:
        async for message in consumer:
            event = json.loads(message.value)
            async with self._came:
                self._at.setdefault((event["type"], event["subject"]), time.monotonic())
                self._came.notify_all()

    async def at(self, key: Key) -> float:
        """Return when it came. Raises TooSlow if it does not."""
        try:
            async with asyncio.timeout(_PATIENCE), self._came:
                await self._came.wait_for(lambda: key in self._at)
        except TimeoutError as error:
            raise TooSlow(f"not in {_PATIENCE:.0f} s: {key}; came: {sorted(self._at)}") from error
        return self._at[key]


def run() -> list[Figure]:
    """Measure p50 and p95 in seconds, from the act in the shop until a consumer has the event."""
    with SourceRig() as rig:
        admin = rig.salesbinder.admin
        shops = [_made(admin, name) for name in SHOPS]
        tokens = rig.connect_sources(SHOPS)
        rig.start_source()
        rig.wait_for_stock(len(SHOPS), 120)
        rig.wait(lambda: _cycles(rig) >= len(SHOPS), "each shop's first cycle", 120)
        admin.fault("slow", times=None, seconds=_ANSWER_SECONDS)
        alone = asyncio.run(_measured(rig, shops, None))
        with served(rig.environ) as url:
            for shop in SHOPS:
                admin.webhook(f"{url}/hooks/{tokens[shop]}", shop=shop)
            hooked = asyncio.run(_measured(rig, shops, random.Random(2)))
    return [
        *_figures("change → published", alone, "one cycle", CYCLE, _GOAL),
        *_figures("change → webhook → published", hooked, "one answer", _ANSWER_SECONDS, _HOOK_GOAL),
    ]


def _made(admin: FakeSalesBinderAdmin, name: str) -> _Shop:
    admin.add_shop(name)
    customer = admin.act("create_party", shop=name, kind="customer", name="Bolt & Co")
    return _Shop(name, customer, _invoice(admin, name, customer))


def _invoice(admin: FakeSalesBinderAdmin, shop: str, customer: str) -> str:
    return str(admin.act("create_document", shop=shop, kind="invoice", party_id=customer, lines=_LINES))


def _cycles(rig: SourceRig) -> int:
    """Return how many shops have had their first whole cycle."""
    done = "SELECT count(*) FROM source.scans WHERE key = 'newest/orders' AND finished IS NOT NULL"
    return int(rig.query(done)[0][0])


async def _measured(rig: SourceRig, shops: Sequence[_Shop], hooks: random.Random | None) -> list[float]:
    consumer = AIOKafkaConsumer(*SOURCES, bootstrap_servers=rig.servers, auto_offset_reset="latest")
    seen = _Seen()
    async with consumer:
        await consumer.seek_to_end()
        listening = asyncio.create_task(seen.listen(consumer))
        try:
            if hooks is None:
                return await _spread(rig.salesbinder.admin, shops, seen)
            return await _one_by_one(rig.salesbinder.admin, shops, seen, hooks)
        finally:
            listening.cancel()


async def _spread(admin: FakeSalesBinderAdmin, shops: Sequence[_Shop], seen: _Seen) -> list[float]:
    """Make three changes of each shop, each at a moment of its own; nothing tells the reader."""
    chance = random.Random(1)
    planned = [
        (chance.uniform(0, _SPREAD), shop, what)
        for shop in shops
        for what in ("created", "payment_applied", "edited")
    ]
    began = time.monotonic()
    waiting: list[asyncio.Task[float]] = []
    for at, shop, what in sorted(planned, key=lambda each: each[0]):
        await asyncio.sleep(max(0.0, began + at - time.monotonic()))
        made = time.monotonic()
        key = await asyncio.to_thread(_change, admin, shop, what)
        waiting.append(asyncio.create_task(_took(seen, key, made)))
    return await asyncio.gather(*waiting)


async def _one_by_one(
    admin: FakeSalesBinderAdmin, shops: Sequence[_Shop], seen: _Seen, chance: random.Random
) -> list[float]:
    """Create an invoice in one shop after the other; its webhook is sent at once."""
    waiting: list[asyncio.Task[float]] = []
    for number in range(HOOKS):
        made = time.monotonic()
        key = await asyncio.to_thread(_change, admin, shops[number % len(shops)], "created")
        waiting.append(asyncio.create_task(_took(seen, key, made)))
        await asyncio.sleep(chance.uniform(*_PAUSE))
    return await asyncio.gather(*waiting)


async def _took(seen: _Seen, key: Key, made: float) -> float:
    return await seen.at(key) - made


def _change(admin: FakeSalesBinderAdmin, shop: _Shop, what: str) -> Key:
    if what == "created":
        return "salesbinder.invoice.created", _invoice(admin, shop.name, shop.customer)
    if what == "payment_applied":
        admin.act("pay", shop=shop.name, document_id=shop.invoice, paid="5.00")
        return "salesbinder.invoice.payment_applied", shop.invoice
    changed: dict[str, Any] = {"party_id": shop.customer, "office_email": "bolt@shop.example"}
    admin.act("edit_party", shop=shop.name, **changed)
    return "salesbinder.customer.edited", shop.customer


def _figures(what: str, seconds: Sequence[float], base: str, base_value: float, limit: float) -> list[Figure]:
    return [
        Figure(
            what=f"{what}, p{share * 100:.0f} of {len(seconds)}",
            value=percentile(seconds, share),
            unit="s",
            base=base,
            base_value=base_value,
            goal=at_most(limit) if share == 0.95 else None,
        )
        for share in (0.5, 0.95)
    ]
