"""Answers that nobody saw, taken up again sooner or later: whatever Xero made of it, all comes once.

Times are told by the ledger and by the fake's clock, which the tests move; nobody waits for them.
"""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from sandbox.fake_xero.server import FakeXeroServer
from sinks.lanes import runner
from sinks.lanes.account_state import AccountState
from tests.integration.sinks.purchases import bills_in, happened, order
from tests.integration.sinks.shops import PATIENCE, Maker, Shop, connect, delivering, environment_of

pytestmark = pytest.mark.reliability

KEY_LIFE = 240
"""Seconds for which a call may go out again under its key."""
AGES = {"1 s": 1, "2:00": 120, "3:59": 239, "4:01": 241, "6:01": 361, "a day": 86_400}
WRITTEN = "^(Contacts|Invoices|CreditNotes|Payments|PurchaseOrders)$"
KINDS = ["bill", "contact", "credit_note", "invoice", "payment", "purchase_order", "refund"]
RATE = 5.0


@pytest.fixture(scope="module")
def all_xero() -> Iterator[FakeXeroServer]:
    """One fake for the module: every test has an organisation of its own in it."""
    with FakeXeroServer(subprocess=True) as server:
        server.admin.limits(minute=1000)
        yield server


@pytest.fixture
async def shop(
    module_database_url: str,
    all_xero: FakeXeroServer,
    tmp_path: Path,
    unique: str,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Shop]:
    """A connected account. A worker that is stopped lets its calls go at once, as one that was killed."""
    monkeypatch.setattr(runner, "_ENDING", 0.0)
    account = f"shop-{unique}"
    environment = environment_of(module_database_url, all_xero, tmp_path)
    shop = Shop(account, environment, all_xero, tenant_id=all_xero.admin.add_tenant(account))
    await connect(shop)
    yield shop
    all_xero.admin.clear_faults()
    all_xero.admin.set_clock(rate=1.0)


@pytest.fixture
def fast_shop(shop: Shop) -> Shop:
    """The same in a world whose clock runs ten times as fast."""
    shop.environment = replace(shop.environment, clock_rate=RATE)
    shop.xero.admin.set_clock(rate=RATE)
    return shop


@pytest.fixture
def maker(shop: Shop) -> Maker:
    return Maker(shop.account)


@dataclass
class Trade:
    """What is in Xero before, and the events whose calls are to be lost, by what they make."""

    before: list[dict[str, Any]]
    refund: dict[str, Any]
    """Its credit note comes through; the payment that pays it out does not."""
    others: dict[str, dict[str, Any]]

    @property
    def events(self) -> list[dict[str, Any]]:
        return [self.refund, *self.others.values()]


def trade(maker: Maker) -> Trade:
    customer, supplier = maker.customer(), maker.customer("Northern Parts")
    unpaid, paid, paid_too, new = (maker.document(customer, number) for number in (1, 2, 3, 4))
    received, ordered = (order(maker, number, customer=supplier) for number in (701, 702))
    before = [maker.created(each) for each in (unpaid, paid, paid_too)]
    before += [maker.paid(paid, "108.00"), maker.paid(paid_too, "108.00")]
    before += [happened(maker, "created", received)]
    others = {
        "contact": maker.contact("created", maker.customer("New & Co")),
        "invoice": maker.created(new),
        "payment": maker.paid(unpaid, "20.00"),
        "credit_note": maker.refunded(paid, "30.00"),
        "purchase_order": happened(maker, "created", ordered),
        "bill": happened(maker, "received", received),
    }
    return Trade(before, maker.refunded(paid_too, "40.00"), others)


async def lose(shop: Shop, done: Trade, fault: dict[str, Any]) -> None:
    """Every call that makes something is under way, its answer never comes, and then the worker dies.

    An account whose answers are lost would rest before it makes more calls; here all are wanted at once.
    """
    admin = shop.xero.admin
    with patch.object(AccountState, "back_off"):
        await _lose(shop, done, fault, admin)


async def _lose(shop: Shop, done: Trade, fault: dict[str, Any], admin: Any) -> None:
    async with delivering(shop):
        assert set(await shop.run(*done.before)) == {"posted"}
        admin.fault(**fault, method="PUT", path="^Payments$", times=None)
        await shop.send(done.refund)
        await under_way(shop, ["refund"])
        admin.fault(**fault, method="PUT", path=WRITTEN.replace("|Payments", ""), times=None)
        await shop.send(*done.others.values())
        await under_way(shop, KINDS)
    admin.clear_faults()


async def under_way(shop: Shop, kinds: list[str]) -> None:
    """Until calls that make these are written down and have reached Xero."""
    async with asyncio.timeout(PATIENCE):
        while not await all_sent(shop, kinds):  # noqa: ASYNC110 - the ledger is a table
            await asyncio.sleep(0.05)


async def all_sent(shop: Shop, kinds: list[str]) -> bool:
    rows = await shop.rows(
        "SELECT DISTINCT kind FROM ledger.elements WHERE account = %s AND result = 'open' ORDER BY kind",
        shop.account,
    )
    reached = len(puts(shop, answered=False))
    return [row["kind"] for row in rows] == kinds and reached == len(await intents(shop))


async def intents(shop: Shop) -> list[dict[str, Any]]:
    return await shop.rows(
        "SELECT * FROM ledger.intents WHERE account = %s AND answered_at IS NULL", shop.account
    )


def puts(shop: Shop, *, answered: bool | None = None) -> set[str]:
    """Keys under which something was to be made."""
    return {
        call["idempotency_key"]
        for call in shop.xero.admin.calls()
        if call["tenant_id"] == shop.tenant_id
        and call["method"] == "PUT"
        and (answered is None or answered == (call["status"] is not None))
    }


async def grow_old(shop: Shop, seconds: float, *, sent_until_now: bool = False) -> None:
    """Let the calls under way be so old; ``sent_until_now``: sent again up to this moment."""
    async with await shop.connect() as connection:
        await connection.execute(
            "UPDATE ledger.intents SET created_at = clock_timestamp() - make_interval(secs => %(age)s), "
            "send_by = CASE WHEN %(until_now)s THEN clock_timestamp() "
            "ELSE clock_timestamp() - make_interval(secs => %(age)s) + (send_by - created_at) END "
            "WHERE account = %(account)s AND answered_at IS NULL",
            {"age": seconds, "until_now": sent_until_now, "account": shop.account},
        )


def assert_once(shop: Shop) -> None:
    """The books hold what the events of ``trade`` say, each thing once."""
    books = shop.books
    payments = [(p["document_type"], p["amount"]) for p in books["payments"] if p["status"] != "DELETED"]
    assert sorted(payments) == sorted(
        [("ACCRECCREDIT", "30.00"), ("ACCRECCREDIT", "40.00"), ("ACCREC", "20.00")]
        + [("ACCREC", "108.00")] * 2
    )
    sales = [i["number"] for i in books["invoices"] if i["type"] == "ACCREC"]
    assert sorted(sales) == ["1", "2", "3", "4"]
    assert [bill["number"] for bill in bills_in(shop)] == ["701"]
    assert sorted((o["number"], o["status"]) for o in books["purchase_orders"]) == [
        ("701", "BILLED"),
        ("702", "AUTHORISED"),
    ]
    assert sorted((n["total"], n["status"]) for n in books["credit_notes"]) == [
        ("30.00", "PAID"),
        ("40.00", "PAID"),
    ]
    assert sorted(c["name"] for c in books["contacts"]) == ["New & Co", "Northern Parts", "Widgets & Co"]


async def recovered(shop: Shop, done: Trade) -> dict[str, str]:
    """How each event ended after a new worker took up what the dead one left, by what was lost."""
    async with delivering(shop):
        await shop.idle()
    ends = {kind: await shop.end(event) for kind, event in done.others.items()}
    return ends | {"refund": await shop.end(done.refund)}


@pytest.mark.parametrize("age", AGES.values(), ids=AGES.keys())
@pytest.mark.parametrize("applied", [True, False], ids=["applied", "not applied"])
async def test_each_thing_is_made_once(applied: bool, age: int, shop: Shop, maker: Maker) -> None:
    """Under its key while that is young; then what is there is adopted, and what is not is sent anew."""
    done = trade(maker)
    await lose(shop, done, {"kind": "drop_after" if applied else "drop_before"})
    lost = puts(shop, answered=False)
    assert len(lost) == len(await intents(shop)) >= 6
    await grow_old(shop, age)
    shop.xero.admin.advance(age)
    seen = len(shop.xero.admin.calls())
    ends = await recovered(shop, done)
    assert_once(shop)
    again = {c["idempotency_key"] for c in shop.xero.admin.calls()[seen:] if c["method"] == "PUT"}
    if age <= 120:  # a busy machine may take a minute until all are sent
        assert lost <= again
    if age > KEY_LIFE:
        assert not lost & again
    # what is found was made by an earlier call of the command itself
    assert set(ends.values()) == {"posted"}, ends


async def test_what_arrives_late_is_waited_for(fast_shop: Shop, maker: Maker) -> None:
    """The worker has sent again until the key was old. Xero takes the calls in a minute later."""
    done = trade(maker)
    await lose(fast_shop, done, {"kind": "late_apply", "seconds": 60})
    await grow_old(fast_shop, 241 / RATE, sent_until_now=True)
    await recovered(fast_shop, done)
    assert_once(fast_shop)


async def test_what_arrives_after_a_server_error_is_waited_for(fast_shop: Shop, maker: Maker) -> None:
    """A gateway has given up; behind it Xero has not."""
    done = trade(maker)
    async with delivering(fast_shop):
        assert set(await fast_shop.run(*done.before)) == {"posted"}
        fault: dict[str, Any] = {"kind": "late_apply", "status": 504, "seconds": 10, "times": 2}
        for path in ("^Contacts$", "^Invoices$", "^CreditNotes$", "^Payments$", "^PurchaseOrders$"):
            fast_shop.xero.admin.fault(**fault, method="PUT", path=path)
        assert set(await fast_shop.run(*done.events)) <= {"posted", "already_there"}
        late = sum(fault["hits"] for fault in fast_shop.xero.admin.faults())
        async with asyncio.timeout(PATIENCE):
            while arrived(fast_shop) < late:  # noqa: ASYNC110 - the fake is another process
                await asyncio.sleep(0.05)
    assert all(fault["hits"] for fault in fast_shop.xero.admin.faults())
    assert_once(fast_shop)


def arrived(shop: Shop) -> int:
    """How many calls Xero has taken in late."""
    calls = [call for call in shop.xero.admin.calls() if call["tenant_id"] == shop.tenant_id]
    return sum("late_arrival" in call["faults"] and call["answered_at"] is not None for call in calls)


@pytest.mark.parametrize("age", [1, 241, 361])
async def test_a_batch_is_resolved_element_by_element(age: int, shop: Shop, maker: Maker) -> None:
    """Of three payments in one call Xero took two: the third was more than was due at that moment."""
    documents = [maker.document(maker.customer(), number) for number in (1, 2, 3)]
    payments = [maker.paid(document, "100.00") for document in documents]
    async with delivering(shop):
        await shop.run(*(maker.created(document) for document in documents))
        body = {
            "Invoice": {"InvoiceID": shop.invoice("2")["id"]},
            "Account": {"Code": "090"},
            "Date": "2026-03-02",
            "Amount": 50,
        }
        theirs = shop.by_hand("PUT", "Payments", {"Payments": [body]})
        shop.xero.admin.fault("drop_after", method="PUT", path="^Payments$", times=None)
        await shop.send(*payments)
        await under_way(shop, ["payment"])
        async with asyncio.timeout(PATIENCE):
            while not shop.invoice("3")["payments"]:  # noqa: ASYNC110 - the fake's books are another process's
                await asyncio.sleep(0.05)
    assert len(await intents(shop)) == 1
    shop.xero.admin.clear_faults()
    shop.by_hand("POST", f"Payments/{theirs['PaymentID']}", {"Status": "DELETED"})
    await grow_old(shop, age)
    shop.xero.admin.advance(age)
    async with delivering(shop):
        await shop.idle()
    ends = [await shop.end(event) for event in payments]
    if age < KEY_LIFE:
        assert ends == ["posted", "exceeds_amount_due", "posted"]
        async with delivering(shop):
            await shop.retry(payments[1])
    else:
        assert ends == ["posted", "posted", "posted"]
    for number in ("1", "2", "3"):
        paid = [p["amount"] for p in shop.invoice(number)["payments"] if p["status"] != "DELETED"]
        assert paid == ["100.00"]
