"""Calls to Xero are counted by what came of them; gauges tell what is left, what waits and what is held."""

import asyncio

from runtime import metrics
from sandbox.fake_xero.server import FakeXeroServer
from tests.integration.sinks.shops import Maker, Shop, delivering


def value(name: str, **labels: str) -> float:
    return metrics.REGISTRY.get_sample_value(name, labels) or 0.0


async def test_calls_and_what_is_left_are_measured(shop: Shop, maker: Maker) -> None:
    calls = {"route": "contacts.create", "outcome": "2xx"}
    before = value("sbx_xero_calls_total", **calls)
    timed = value("sbx_xero_call_seconds_count", route="contacts.create")
    async with delivering(shop) as delivery:
        assert await shop.run(maker.contact("created", maker.customer())) == ["posted"]
        await asyncio.to_thread(delivery.measure)
        assert value("sbx_lanes") == 1
        assert 0 < value("sbx_xero_calls_left", account=shop.account, window="minute") < 60
        assert value("sbx_xero_calls_left", account=shop.account, window="day") > 0
        assert value("sbx_oldest_waiting_seconds", account=shop.account) == 0
    assert value("sbx_xero_calls_total", **calls) == before + 1
    assert value("sbx_xero_call_seconds_count", route="contacts.create") == timed + 1
    ended = value("sbx_lane_ends_total", how="idle")
    assert ended >= 1


async def test_a_call_without_an_answer_counts_as_one(shop: Shop, maker: Maker, xero: FakeXeroServer) -> None:
    lost = {"route": "contacts.create", "outcome": "no_answer"}
    before = value("sbx_xero_calls_total", **lost)
    xero.admin.fault("drop_after", method="PUT", path="Contacts", times=1)
    async with delivering(shop):
        assert await shop.run(maker.contact("created", maker.customer())) == ["posted"]
    assert value("sbx_xero_calls_total", **lost) == before + 1
