"""A worker dies at every step of a correction: the books and the log are what they would have been."""

import pytest

from runtime.environment import Environment
from sandbox.fake_xero.server import FakeXeroServer
from tests.integration.sinks.shops import Maker, Shop
from tests.integration.sinks.test_corrections import again
from tests.reliability.crashing import assert_log_agrees, new_shop, summary, survive

pytestmark = pytest.mark.reliability

_CRASHES = (
    *(f"http.after_send:{number}" for number in range(1, 10)),
    *(f"landing.before_commit:{number}" for number in (2, 4, 6, 8)),
    *(f"intent.after_commit:{number}" for number in (3, 5)),
    "plan.before_commit",
    "facts.after_commit",
)


@pytest.fixture
async def shop(environment: Environment, fake: FakeXeroServer) -> Shop:
    """A connected account of the one database."""
    return await new_shop(environment, fake)


@pytest.mark.parametrize("crash", _CRASHES)
async def test_a_correction_of_a_payment_and_a_refund(crash: str, shop: Shop) -> None:
    make = Maker(shop.account)
    document = make.document(make.customer("Alice"), 1)
    paid, refund = make.paid(document, "50.00"), make.refunded(document, "20.00")
    await shop.send(make.created(document), paid, refund)
    await survive(shop, ())
    await shop.send(again(make, paid, "60.00"), again(make, refund, "30.00"))
    await survive(shop, (crash,))
    books = summary(shop.books)
    assert books["payments"] == sorted(
        ["50.00 DELETED", "60.00 AUTHORISED", "20.00 DELETED", "30.00 AUTHORISED"]
    )
    assert sorted(books["credit_notes"]) == [
        ("1", "PAID", "30.00", ["30.00 AUTHORISED"]),
        ("1", "VOIDED", "20.00", []),
    ]
    assert books["invoices"][0][4] == ["60.00 AUTHORISED"]
    assert await assert_log_agrees(shop, {"posted"}) == 5


@pytest.mark.parametrize("crash", ["http.after_send:4", "http.after_send:5", "landing.before_commit:5"])
async def test_a_second_correction_and_a_reset_behind_it(crash: str, shop: Shop) -> None:
    make = Maker(shop.account)
    document = make.document(make.customer("Alice"), 1)
    paid = make.paid(document, "50.00")
    await shop.send(make.created(document), paid)
    await survive(shop, ())
    first, second = again(make, paid, "60.00"), again(make, paid, "70.00")
    await shop.send(first, second, make.act("reset", document), again(make, paid))
    await survive(shop, (crash,))
    assert summary(shop.books)["payments"] == sorted(
        ["50.00 DELETED", "60.00 DELETED", "70.00 DELETED", "50.00 AUTHORISED"]
    )
    assert await assert_log_agrees(shop, {"posted"}) == 6
