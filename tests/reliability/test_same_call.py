"""A call whose answer nobody has seen: the very same again while its key lives, then a look-up; of every
route. What is found was made by the command itself, so the log says ``posted``.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest

from runtime.environment import Environment
from sandbox.fake_xero.server import FakeXeroServer
from tests.integration.sinks.purchases import happened, order
from tests.integration.sinks.shops import Maker, Shop, delivering
from tests.reliability.crashing import PATIENCE, Worker, new_shop, survive

pytestmark = pytest.mark.reliability

Event = dict[str, Any]
Prepared = Callable[[Shop, Maker], Awaitable[Event]]


async def _contact(shop: Shop, maker: Maker) -> Event:
    await _sold(shop, maker, 1)
    return maker.contact("created", maker.customer("Bea"))


async def _item(shop: Shop, maker: Maker) -> Event:
    customer = maker.customer()
    await shop.run(maker.contact("created", customer))
    return maker.created(maker.document(customer, 2))


async def _invoice(shop: Shop, maker: Maker) -> Event:
    first = await _sold(shop, maker, 1)
    return maker.created(maker.document(first["customer"], 2))


async def _order(shop: Shop, maker: Maker) -> Event:
    first = order(maker, 77)
    await shop.run(happened(maker, "created", first))
    return happened(maker, "created", order(maker, 78, customer=first["customer"]))


async def _bill(shop: Shop, maker: Maker) -> Event:
    bought = order(maker, 77)
    await shop.run(happened(maker, "created", bought))
    return happened(maker, "received", bought)


async def _payment(shop: Shop, maker: Maker) -> Event:
    return maker.paid(await _sold(shop, maker, 1), "20.00")


async def _refund(shop: Shop, maker: Maker) -> Event:
    document = await _sold(shop, maker, 1)
    await shop.run(maker.paid(document, "108.00"))
    return maker.refunded(document, "20.00")


async def _removal(shop: Shop, maker: Maker) -> Event:
    document = await _sold(shop, maker, 1)
    await shop.run(maker.paid(document, "20.00"))
    return maker.act("reset", document)


async def _void(shop: Shop, maker: Maker) -> Event:
    return maker.act("cancelled", await _sold(shop, maker, 1))


async def _sold(shop: Shop, maker: Maker, number: int) -> Event:
    document = maker.document(maker.customer(), number)
    assert await shop.run(maker.created(document)) == ["posted"]
    return document


@dataclass(frozen=True)
class Route:
    """One kind of call, and the event that brings it about once the account is prepared."""

    name: str
    method: str
    path: str
    prepared: Prepared

    def __str__(self) -> str:
        return self.name


ROUTES = (
    Route("contact", "PUT", "Contacts", _contact),
    Route("item", "PUT", "Items", _item),
    Route("invoice", "PUT", "Invoices", _invoice),
    Route("order", "PUT", "PurchaseOrders", _order),
    Route("bill", "PUT", "Invoices", _bill),
    Route("payment", "PUT", "Payments", _payment),
    Route("credit note", "PUT", "CreditNotes", _refund),
    Route("refund", "PUT", "Payments", _refund),
    Route("removal", "POST", "Payments", _removal),
    Route("void", "POST", "Invoices", _void),
)


@pytest.fixture
async def shop(environment: Environment, fake: FakeXeroServer) -> AsyncIterator[Shop]:
    yield await new_shop(environment, fake)
    fake.admin.clear_faults()


@pytest.fixture
def maker(shop: Shop) -> Maker:
    return Maker(shop.account)


@pytest.mark.parametrize("when", ["latency", "latency_after"], ids=["before", "after"])
@pytest.mark.parametrize("route", ROUTES, ids=str)
async def test_killed_while_xero_is_at_work(
    route: Route, when: str, shop: Shop, fake: FakeXeroServer, maker: Maker
) -> None:
    """``before`` and ``after`` Xero has done it."""
    event = await _killed_at_work(route, when, shop, fake, maker)
    await survive(shop, ())
    first, again = _calls(shop, route)[:2]
    same = ("method", "path", "query", "idempotency_key", "headers_digest", "body_bytes")
    assert {name: first[name] for name in same} == {name: again[name] for name in same}
    assert again["replayed"]
    await _assert_done_once(shop, event)


@pytest.mark.parametrize("route", ROUTES, ids=str)
async def test_killed_for_longer_than_a_key_lives(
    route: Route, shop: Shop, fake: FakeXeroServer, maker: Maker
) -> None:
    event = await _killed_at_work(route, "latency_after", shop, fake, maker)
    async with await shop.connect() as connection:
        await connection.execute(
            "UPDATE ledger.intents SET created_at = created_at - interval '5 minutes', "
            "send_by = send_by - interval '5 minutes' WHERE account = %s AND answered_at IS NULL",
            [shop.account],
        )
    await survive(shop, ())
    keys = [call["idempotency_key"] for call in _calls(shop, route)]
    assert len(set(keys)) == len(keys)
    await _assert_done_once(shop, event)


@pytest.mark.parametrize("kind", ["error_after", "error_before"])
@pytest.mark.parametrize("route", ROUTES, ids=str)
async def test_an_error_of_xeros_own(
    route: Route, kind: str, fast_account: Shop, fake: FakeXeroServer
) -> None:
    """Looked up, and sent under a new key where it was not done."""
    shop = fast_account
    maker = Maker(shop.account)
    async with delivering(shop):
        event = await route.prepared(shop, maker)
        before = len(_all_calls(shop))
        fake.admin.fault(kind, method=route.method, path=f"^{route.path}", times=1)
        await shop.run(event)
    assert [fault["hits"] for fault in fake.admin.faults()] == [1]
    after = _all_calls(shop)[before:]
    sent = [n for n, call in enumerate(after) if _is(call, route)]
    assert len({after[n]["idempotency_key"] for n in sent}) == len(sent)
    if len(sent) > 1 and route.method == "PUT" and route.name != "item":
        assert "GET" in [call["method"] for call in after[sent[0] : sent[1]]], after
    await _assert_done_once(shop, event)


@pytest.fixture
async def fast_account(shop: Shop, fake: FakeXeroServer) -> AsyncIterator[Shop]:
    """In a world whose clock runs twenty times as fast: waits of seconds pass in tenths."""
    from dataclasses import replace

    shop.environment = replace(shop.environment, clock_rate=20.0)
    fake.admin.set_clock(rate=20.0)
    yield shop
    fake.admin.set_clock(rate=1.0)


async def _killed_at_work(route: Route, when: str, shop: Shop, fake: FakeXeroServer, maker: Maker) -> Event:
    async with delivering(shop):
        event = await route.prepared(shop, maker)
    before = len(_all_calls(shop))
    fake.admin.reset_counters()
    await shop.send(event)
    rule = fake.admin.fault(when, method=route.method, path=f"^{route.path}", times=1, seconds=600)
    worker = Worker(shop.environment)
    try:
        worker.go()
        async with asyncio.timeout(PATIENCE):
            while not _calls(shop, route):  # noqa: ASYNC110 - the fake is another process
                await asyncio.sleep(0.02)
    finally:
        worker.kill()
        fake.admin.clear_faults(rule)  # Xero goes on with it, and nobody is there any more
    assert before > 0
    async with asyncio.timeout(PATIENCE):
        while _calls(shop, route)[0]["answered_at"] is None:  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    return event


async def _assert_done_once(shop: Shop, event: Event) -> None:
    entry = await shop.entry(event)
    assert (entry["state"], entry["outcome"]) == ("completed", "posted"), entry
    books = shop.books
    for kind in ("contacts", "items", "invoices", "purchase_orders", "credit_notes"):
        keys = [str(each.get("number") or each.get("name") or each.get("code")) for each in books[kind]]
        assert len(set(keys)) == len(keys), (kind, keys)
    live = [p for p in books["payments"] if p["status"] != "DELETED"]
    amounts = sorted(p["amount"] for p in live)
    assert len(set(amounts)) == len(amounts), live


def _all_calls(shop: Shop) -> list[dict[str, Any]]:
    own = (shop.tenant_id, shop.xero.client_id)
    return [c for c in shop.xero.admin.calls() if (c["tenant_id"], c["client_id"]) == own]


def _calls(shop: Shop, route: Route) -> list[dict[str, Any]]:
    return [call for call in _all_calls(shop) if _is(call, route)]


def _is(call: dict[str, Any], route: Route) -> bool:
    method, path = call["method"], str(call["path"])
    return bool(method == route.method and path.partition("/")[0] == route.path)
