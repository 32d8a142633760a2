"""A worker dies while records of one name are being linked: they make one contact all the same."""

import pytest

from runtime.environment import Environment
from sandbox.fake_xero.server import FakeXeroServer
from tests.integration.sinks.shops import Maker, Shop
from tests.reliability.crashing import assert_log_agrees, new_shop, survive

pytestmark = pytest.mark.reliability


@pytest.fixture
async def shop(environment: Environment, fake: FakeXeroServer) -> Shop:
    """A connected account of the one database."""
    return await new_shop(environment, fake)


@pytest.mark.parametrize(
    "crash",
    [
        "http.after_send:8",  # of the call that makes the contact, behind token, facts and item
        "landing.before_commit:2",
        "landing.after_commit:2",
        "landing.before_commit:3",
        "intent.after_commit:3",
    ],
)
async def test_a_burst_of_one_name(crash: str, shop: Shop) -> None:
    """What the lane remembered of the name is lost with it: it is found again."""
    make = Maker(shop.account)
    await shop.send(*(make.created(make.document(make.customer("Cash Sale"), n)) for n in range(1, 13)))
    await survive(shop, (crash,))
    [contact] = shop.books["contacts"]
    assert {i["contact_id"] for i in shop.books["invoices"]} == {contact["id"]}
    assert len(shop.books["invoices"]) == 12
    assert await assert_log_agrees(shop, {"posted"}) == 12
