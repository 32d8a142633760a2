"""SalesBinder and Xero compared, from the shop's act to the books and back."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sandbox.fake_salesbinder import FakeSalesBinderServer, acts
from sandbox.fake_xero.server import FakeXeroServer
from sources import details
from sources.reconcile import compared, reconciler, runs, steps
from sources.store import history
from tests.integration.sinks.shops import connected_shop, delivering
from tests.integration.sources.reconciling import LINES, Source, invoice, lease_of

POINTS = (
    "reconcile_question.before_commit",
    "reconcile_question.after_commit",
    "reconcile_rows.before_commit",
    "reconcile_rows.after_commit",
    "reconcile_step.before_commit",
    "reconcile_step.after_commit",
    "reconcile_step.before_commit:3",
    "reconcile_step.after_commit:3",
)


@pytest.fixture
def salesbinder() -> Iterator[FakeSalesBinderServer]:
    with FakeSalesBinderServer(seed=3) as server:
        server.world.limiter.minute = server.world.limiter.burst = 10**9
        yield server


@pytest.fixture
def xero() -> Iterator[FakeXeroServer]:
    with FakeXeroServer() as server:
        yield server


@pytest.fixture
async def source(
    database_url: str, xero: FakeXeroServer, tmp_path: Path, salesbinder: FakeSalesBinderServer
) -> AsyncIterator[Source]:
    """A connected shop, its delivery at work."""
    shop = await connected_shop(database_url, xero, tmp_path)
    async with delivering(shop):
        source = Source(shop, salesbinder)
        await source.connect()
        yield source


def calls(source: Source) -> tuple[int, int]:
    """Calls made so far of SalesBinder's API and of Xero's."""
    return len(source.salesbinder.admin.calls()), len(source.shop.calls())


async def test_a_comparison_after_which_nothing_changed_costs_a_fiftieth_of_a_call_a_document(
    source: Source,
) -> None:
    source.salesbinder.world.limiter.minute = 10**9
    await source.read()
    shop, documents = source.fake, 300
    customers = [acts.create_party(shop, "customer", name=f"Customer {n}") for n in range(5)]
    for n in range(documents):
        document = invoice(shop, customers[n % 5])
        if n % 2:
            payment = acts.pay(shop, document, "108.00")
            if n % 10 == 1:
                acts.refund(shop, document, payment, "20.00")
    await source.read_changes()
    first = await source.reconcile()
    assert first["error"] is None
    assert await source.differing() == {}
    results = await source.results()
    assert len(results) == documents
    (month,) = first["months"]
    assert (month["xero"]["paid"], month["xero"]["refunded"]) == ("16200.00", "600.00")
    assert month["shop"] == month["expected"] == month["xero"]
    before = calls(source)
    second = await source.reconcile()
    assert await source.differing() == {}
    spent = tuple(now - then for now, then in zip(calls(source), before, strict=True))
    assert (second["calls"], second["xero_calls"]) == spent
    assert all(count <= 0.02 * documents for count in spent), spent
    assert second["details"] == 0


async def test_what_was_paid_before_the_connection_reaches_xero_though_a_later_payment_was_first(
    source: Source,
) -> None:
    """Between the connection and the history, somebody pays the rest."""
    shop = source.fake
    customer = acts.create_party(shop, "customer", name="Bolt & Co")
    made = datetime(2026, 6, 1, 9, tzinfo=UTC)
    document = acts.bring_old_invoice(shop, customer, LINES, created=made, paid="60.00")
    number = str(shop.truth.documents[document].number)
    await source.read()
    acts.pay(shop, document, "48.00", reference="Cash")
    await source.read_changes()
    assert source.shop.invoice(number)["amount_paid"] == "48.00"
    await source.reconcile()
    assert await source.differing() == {number: ("made_before_connection", ("paid",))}
    async with await source.session() as connection:
        planned = await history.plan(connection, source.shop.account, made)
        assert (planned.documents, planned.paid) == (1, 1)
        async with connection.transaction():
            assert await history.start(connection, source.shop.account, made) == 1
    await source.read()
    assert source.shop.invoice(number)["amount_paid"] == "108.00"
    assert len(source.shop.books["payments"]) == 2
    await source.reconcile()
    assert await source.differing() == {}


async def test_each_difference_is_found_with_its_reason(
    source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    shop, books = source.fake, source.shop
    customer = acts.create_party(shop, "customer", name="Bolt & Co")
    lines = [{"name": "Old", "quantity": 1, "price": "10.00", "tax": 8}]
    acts.bring_old_invoice(shop, customer, lines, created=datetime(2025, 6, 1, 9, tzinfo=UTC), paid=5)
    here_before = acts.bring_old_invoice(
        shop, customer, lines, created=datetime(2026, 6, 1, 9, tzinfo=UTC), paid=5
    )
    await source.read()
    numbers = {name: invoice(shop, customer) for name in ("right", "by hand", "unmapped", "gone", "untold")}
    acts.edit_document(
        shop,
        numbers["unmapped"],
        lines=[{"name": "A", "quantity": 1, "price": "10", "tax": 77}],
    )
    await source.read_changes()
    number = {name: str(shop.truth.documents[each].number) for name, each in numbers.items()}
    body = {"InvoiceID": books.invoice(number["by hand"])["id"], "Reference": "x", "Status": "VOIDED"}
    books.by_hand("POST", "Invoices", {"Invoices": [body]}, "Pat Bookkeeper")
    acts.archive(shop, numbers["gone"])
    acts.pay(shop, numbers["untold"], "108.00")
    run = await source.reconcile()
    assert run["error"] is None
    found = await source.differing()
    assert found[str(shop.truth.documents[here_before].number)][0] == "made_before_connection"
    assert found[number["by hand"]] == ("changed_in_xero", ("document",))
    assert found[number["unmapped"]] == ("failed", ("document",))
    assert found[number["untold"]] == ("not_seen_yet", ("paid",))
    assert found[number["gone"]] == ("not_seen_yet", ("document",)), "perhaps it was deleted"
    assert number["right"] not in found
    assert [code for code, _ in found.values()].count("before_cutoff") == 1
    assert len(found) == 6
    (hand,) = [each for each in await source.results(only_differing=True) if each.number == number["by hand"]]
    assert hand.reason is not None
    assert "Pat Bookkeeper" in hand.reason.text
    assert run["news"] == 3, "what passes and what is meant to be so is no news"
    assert run["details"] == 1
    await source.read_changes()
    monkeypatch.setattr(compared, "_read_since", lambda *_: True)
    again = await source.reconcile()
    found = await source.differing()
    assert number["untold"] not in found
    assert found[number["gone"]] == ("not_visible_in_salesbinder", ("document",))
    assert again["news"] == 1
    assert (await source.reconcile())["news"] == 0


async def test_what_is_deleted_on_both_sides_is_no_difference(
    source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(details, "SETTLED", timedelta(0))
    await source.read()
    shop = source.fake
    customer = acts.create_party(shop, "customer", name="Bolt & Co")
    documents = [invoice(shop, customer) for _ in range(3)]
    await source.read_changes()
    acts.delete_document(shop, documents[0])
    acts.cancel_document(shop, documents[1])
    async with await source.session() as connection:
        await connection.execute("DELETE FROM source.scans WHERE key = 'log/log'")
    await source.read_changes()
    await source.reconcile()
    assert await source.differing() == {}
    assert [each.compared.expected is None for each in await source.results()].count(True) == 1


@pytest.mark.parametrize("point", POINTS)
async def test_killed_anywhere_it_goes_on_and_finds_the_same(source: Source, point: str) -> None:
    await source.read()
    shop = source.fake
    customer = acts.create_party(shop, "customer", name="Bolt & Co")
    numbers = [invoice(shop, customer) for _ in range(3)]
    await source.read_changes()
    acts.pay(shop, numbers[0], "8.00")
    async with await source.session() as connection:
        run_id = await runs.ask(connection, source.shop.account, "ann")
    arguments = (str(source.shop.environment.database_url), source.address, source.shop.account)
    killed = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "tests.integration.sources.reconciling", *arguments),
        env={**os.environ, "SBX_CRASH_AT": point},
    )
    assert await killed.wait() == -signal.SIGKILL
    survivor = await asyncio.create_subprocess_exec(
        sys.executable, *("-m", "tests.integration.sources.reconciling", *arguments)
    )
    assert await survivor.wait() == 0
    async with await source.session() as connection:
        run = await runs.seen(connection, run_id)
    assert run["error"] is None
    assert [each.compared.agrees for each in await source.results()].count(False) == 1
    assert sum(month["agreeing"] + month["differing"] for month in run["months"]) == 3
    assert run["news"] == 0


async def test_it_is_asked_for_by_schedule_once_stock_is_taken(
    source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(reconciler, "_DUE_EVERY", 0.0)
    account = source.shop.account
    async with await source.session() as connection, lease_of(connection, account) as lease:
        turning = reconciler.Reconciler(connection, lease, _nobody())
        await turning.turn()
        assert await runs.last_asked(connection, account) is None, "its lists were not read yet"
    await source.read()
    async with await source.session() as connection, lease_of(connection, account) as lease:
        turning = reconciler.Reconciler(connection, lease, _nobody())
        await source.shop.settings(reconcile_every="off")
        await turning.turn()
        assert await runs.last_asked(connection, account) is None
        await source.shop.settings(reconcile_every="1d")
        waits = (
            "INSERT INTO source.wanted (account, record_id, why, due_at) VALUES (%s, 'x', 'history', now())"
        )
        await connection.execute(waits, [account])
        await turning.turn()
        assert await runs.last_asked(connection, account) is None, "its history is being sent"
        await connection.execute("DELETE FROM source.wanted")
        await turning.turn()
        (run,) = [await runs.under_way(connection, account)]
        assert run is not None
        assert run["actor"] == "reconcile_every"
        await connection.execute("UPDATE source.reconciliations SET finished_at = clock_timestamp()")
        await turning.turn()
        assert await runs.under_way(connection, account) is None
        await connection.execute("UPDATE source.reconciliations SET asked_at = asked_at - interval '1 day'")
        await turning.turn()
        assert await runs.under_way(connection, account) is not None


async def test_trouble_is_waited_for_and_ends_with_a_reason(
    source: Source, salesbinder: FakeSalesBinderServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steps, "_SHORTEST", timedelta(milliseconds=1))
    invoice(source.fake, acts.create_party(source.fake, "customer", name="Bolt & Co"))
    await source.read()
    salesbinder.admin.fault("html", path="^documents", times=2)
    assert (await source.reconcile())["error"] is None
    monkeypatch.setattr(steps, "_GIVE_UP", 3)
    fault = salesbinder.admin.fault("html", path="^documents", times=None)
    assert "no usable answer" in str((await source.reconcile())["error"])
    salesbinder.admin.clear_faults(fault)
    salesbinder.admin.user(source.shop.account, permissions=["View Customers"])
    seen = len(await source.results())
    refused = await source.reconcile()
    assert refused["lists"] == {"invoices": "refused", "orders": "refused"}
    assert "refuses the key" in str(refused["error"])
    assert len(await source.results()) == seen == 1, "what was found before stands"
    salesbinder.admin.user(source.shop.account, permissions=["Billing Management", "View Invoices"])
    partly = await source.reconcile()
    assert (partly["error"], partly["lists"]) == (None, {"invoices": "read", "orders": "refused"})


async def test_rows_that_always_fail_are_named_and_all_others_are_compared(
    source: Source, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steps, "_SHORTEST", timedelta(milliseconds=1))
    await source.read()  # what comes after it is told, whatever second it is of
    customer = acts.create_party(source.fake, "customer", name="Bolt & Co")
    invoices = [invoice(source.fake, customer) for _ in range(3)]
    await source.read_changes()
    run = await source.reconcile(bad=[invoices[1]])
    assert (run["error"], run["lists"]) == (None, {"invoices": "in_part", "orders": "read"})
    assert run["unread"] == {"invoices": "1 row (2 in the order of the API)"}
    assert len(await source.results()) == 2
    assert await source.differing() == {}, "nothing is said of what was not shown"
    assert (await source.reconcile())["lists"] == {"invoices": "read", "orders": "read"}


class _Nobody:
    async def ask(self, question: Any) -> Any:
        raise AssertionError(question)


def _nobody() -> Any:
    return _Nobody()
