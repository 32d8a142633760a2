"""An answer is lost, and what comes of sending the same call again says nothing about the first."""

import pytest

from sandbox.fake_xero.server import FakeXeroServer
from tests.integration.sinks.shops import Maker, Shop, delivering

pytestmark = pytest.mark.reliability


@pytest.mark.parametrize("second", ["rate_limit", "expired_token", "unavailable"])
async def test_a_payment_is_made_once(
    second: str, fast_shop: Shop, xero: FakeXeroServer, maker: Maker
) -> None:
    shop = fast_shop
    document = maker.document(maker.customer(), 1)
    async with delivering(shop):
        await shop.run(maker.created(document))
        xero.admin.fault("drop_after", method="PUT", path="^Payments", times=1)
        more = {"retry_after": 2} if second == "rate_limit" else {}
        xero.admin.fault(second, method="PUT", path="^Payments", times=1, skip=1, **more)
        await shop.run(maker.paid(document, "20.00"))
    assert all(fault["hits"] == 1 for fault in xero.admin.faults())
    assert [payment["amount"] for payment in shop.invoice("1")["payments"]] == ["20.00"]
