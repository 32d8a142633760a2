"""Told again: what is a correction, what it comes to, and what is looked up when an answer was lost."""

from dataclasses import replace
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from contracts.commands import Command, TransactionSnapshot
from contracts.money import rounded
from sinks.ledger.jobs import Job
from sinks.planner import Done, Fail, Learn, Send, Sent, Situation, plan
from sinks.planner.payments import payment_target
from sinks.planner.shares import MoneyEvent, shares
from sinks.planner.told import Told, differs, over
from tests.unit.planner.pure import Books, command, entry
from tests.unit.resolve.books import NOW, invoice, line

PAYMENT = payment_target("d1", "t1")
DAY = date(2026, 3, 2)


def told(amount: str = "50", day: date | None = DAY, reference: str | None = "Cash", minute: int = 0) -> Told:
    return Told(Decimal(amount), day, reference, NOW + timedelta(minutes=minute), minute)


@pytest.mark.parametrize(
    ("now", "before", "dated", "changed"),
    [
        (told(), told(), True, False),
        (told("60"), told(), True, True),
        (told(day=DAY + timedelta(days=1)), told(), True, True),
        (told(day=DAY + timedelta(days=1)), told(), False, False),
        (told(reference="Card"), told(), True, True),
        (told(reference=""), told(), True, False),
        (told(reference="Card"), told(reference=""), True, True),
        (told(), told(day=None, reference=None), True, False),
    ],
)
def test_what_is_another_content(now: Told, before: Told, dated: bool, changed: bool) -> None:
    assert differs(now, before, dated=dated) is changed


def test_what_is_not_said_stays() -> None:
    assert over(told("60", DAY + timedelta(days=9), "", 5), told(), dated=False) == told("60", minute=5)


def test_later_is_by_time_then_by_position() -> None:
    assert told(minute=2).is_later(told(minute=1))
    assert replace(told(), seq=7).is_later(told())
    assert not replace(told(), seq=7).is_later(told(minute=1))


def paid(amount: str, transaction: str = "t1", action: str = "payment_applied") -> MoneyEvent:
    return MoneyEvent(0, action, NOW, transaction, Decimal(amount))


def in_order(*events: MoneyEvent) -> tuple[MoneyEvent, ...]:
    return tuple(replace(event, seq=place) for place, event in enumerate(events, 1))


RESET = MoneyEvent(0, "reset", NOW)


@pytest.mark.parametrize(
    ("events", "currency", "come_to"),
    [
        ([paid("0.005", t) for t in "abcd"], "NZD", ["0.01", "0.00", "0.01", "0.00"]),
        ([paid("33.335", t) for t in "abc"], "NZD", ["33.34", "33.33", "33.34"]),
        ([paid("33.333333", t) for t in "abc"], "NZD", ["33.33", "33.34", "33.33"]),
        ([paid("0.004", t) for t in "abc"], "NZD", ["0.00", "0.01", "0.00"]),
        ([paid("10.5", "a"), paid("10.4", "b")], "JPY", ["11.00", "10.00"]),
        ([paid("10.125", "a")], "BHD", ["10.13"]),
        ([paid("1.005", "a"), paid("1.005", "b", "refund_applied")], "NZD", ["1.01", "1.01"]),
        ([paid("1.004", "a"), RESET, paid("1.004", "b")], "NZD", ["1.00", None, "1.00"]),
        ([paid("1.004", "a"), paid("1.004", "a"), paid("1.001", "b")], "NZD", ["1.00", "1.00", "1.01"]),
        ([paid("1.004", "a"), paid("2.004", "a"), paid("1.001", "b")], "NZD", ["1.00", "2.00", "1.01"]),
        ([paid("1.004", "a"), RESET, paid("2.004", "a")], "NZD", ["1.00", None, "2.00"]),
    ],
)
def test_shares(events: list[MoneyEvent], currency: str, come_to: list[str | None]) -> None:
    found = shares(in_order(*events), currency)
    assert [found.get(place) for place in range(1, len(events) + 1)] == [c and Decimal(c) for c in come_to]


@pytest.mark.parametrize(
    ("events", "currency", "total", "come_to"),
    [
        ([paid("359.64", "a")], "JPY", "359.64", ["359.64"]),
        ([paid("100.5", "a"), paid("259.14", "b")], "JPY", "359.64", ["101.00", "258.64"]),
        ([paid("360", "a")], "JPY", "359.64", ["360.00"]),
        ([paid("361", "a")], "JPY", "359.64", ["361.00"]),
        ([paid("359.64", "a")], "JPY", "360", ["360.00"]),
        ([paid("359.4", "a")], "JPY", "359.64", ["359.00"]),
        ([paid("1.296", "a")], "KWD", "1.29", ["1.29"]),
        ([paid("1.000", "a"), paid("0.296", "b")], "KWD", "1.29", ["1.00", "0.29"]),
        ([paid("1.301", "a")], "KWD", "1.29", ["1.30"]),
        ([paid("1.296", "a"), paid("1.296", "b", "refund_applied")], "KWD", "1.29", ["1.29", "1.29"]),
        ([paid("1.296", "a"), RESET, paid("1.296", "a")], "KWD", "1.29", ["1.29", None, "1.29"]),
        ([paid("2", "a"), paid("1.296", "a")], "KWD", "1.29", ["2.00", "1.29"]),
        ([paid("108.006", "a")], "NZD", "108.00", ["108.01"]),
    ],
)
def test_what_is_paid_in_full_is_what_the_invoice_has_in_xero(
    events: list[MoneyEvent], currency: str, total: str, come_to: list[str | None]
) -> None:
    """Where Xero's two decimals are more, or fewer, than those of the currency."""
    found = shares(in_order(*events), currency, Decimal(total))
    assert [found.get(place) for place in range(1, len(events) + 1)] == [c and Decimal(c) for c in come_to]


def test_what_was_fixed_stays() -> None:
    [first, second] = in_order(paid("0.005", "a"), paid("0.005", "b"))
    assert shares((replace(first, share=Decimal("0.00")), second), "NZD")[1] == 0


def test_halves_go_away_from_zero() -> None:
    assert [rounded(Decimal(x), "NZD") for x in ("0.005", "-0.005")] == [Decimal("0.01"), Decimal("-0.01")]


# Lost answers


def paying(amount: str, minute: int, **more: Any) -> Command:
    snapshot = TransactionSnapshot(
        transaction_id="t1", amount=Decimal(amount), date=DAY, reference="Cash", mark="#t1", **more
    )
    made = command("payment_applied", invoice(line("1", "500")), snapshot)
    return msgspec.structs.replace(
        made, event=msgspec.structs.replace(made.event, time=NOW + timedelta(minutes=minute))
    )


def sent_of(books: Books, step: str) -> Sent:
    element = next(e for e in reversed(books.sent) if e.step == step)
    return Sent(element.body or {}, element.link_facts)


def next_plan(books: Books, own: Command, seq: int, work: Job | None = None) -> Any:
    work = work or Job(entry(own, seq))
    situation: Situation = books.situation(work)
    lost = {PAYMENT: sent_of(books, "payment")} if PAYMENT in books.unknown else {}
    return plan(replace(situation, sent=lost))


def run_with_lost(books: Books, own: Command, seq: int) -> Any:
    work = Job(entry(own, seq))
    for _ in range(30):
        step = next_plan(books, own, seq, work)
        if isinstance(step, Send):
            books._accept(work, step.element)
        elif isinstance(step, Learn):
            books._remember(work, step)
        else:
            return step
    raise AssertionError("no end")


@pytest.mark.parametrize("there", [True, False], ids=["it is there", "it never came"])
def test_a_second_correction_while_the_answer_of_the_first_is_lost(there: bool) -> None:
    books = Books()
    assert isinstance(run_with_lost(books, command("created", invoice(line("1", "500"))), 1), Done)
    assert isinstance(run_with_lost(books, paying("50", 2), 2), Done)
    first = books.links[PAYMENT]
    assert isinstance(run_with_lost(books, paying("60", 3), 3), Done)
    made = books.links[PAYMENT].xero_id
    books.links[PAYMENT] = replace(first, removed=True, facts={**first.facts, "replacing": "3"})
    books.unknown[PAYMENT] = NOW
    if not there:
        del books.xero.payments[made]
    end = run_with_lost(books, paying("70", 4), 4)
    assert isinstance(end, Done) and end.outcome == "posted"
    assert [p["Amount"] for p in books.xero.live()] == [Decimal("70.00")]


def test_its_own_lost_answer_is_found_by_what_was_asked_for() -> None:
    books = Books()
    run_with_lost(books, command("created", invoice(line("1", "500"))), 1)
    run_with_lost(books, paying("50", 2), 2)
    first = books.links[PAYMENT]
    own = paying("60", 3)
    run_with_lost(books, own, 3)
    books.links[PAYMENT] = replace(first, removed=True, facts={**first.facts, "replacing": "3"})
    books.unknown[PAYMENT] = NOW
    end = run_with_lost(books, own, 3)
    assert isinstance(end, Done) and end.outcome == "posted"
    assert [p["Amount"] for p in books.xero.live()] == [Decimal("60.00")]


def test_the_same_amount_as_before_the_correction_is_not_the_one_taken_off() -> None:
    books = Books()
    run_with_lost(books, command("created", invoice(line("1", "500"))), 1)
    for minute, amount in ((2, "50"), (3, "60"), (4, "50")):
        assert isinstance(run_with_lost(books, paying(amount, minute), minute), Done)
    assert [p["Amount"] for p in books.xero.live()] == [Decimal("50.00")]
    assert len(books.xero.payments) == 3


def test_a_draft_is_not_authorised_on_old_facts() -> None:
    books = Books(settings=replace(Books().settings, invoice_status="draft"))
    run_with_lost(books, command("created", invoice(line("1", "500"))), 1)
    own = paying("50", 2)
    situation = replace(books.situation(Job(entry(own, 2))), facts_are_fresh=False)
    assert type(plan(situation)).__name__ == "AskFacts"
    assert not isinstance(plan(replace(situation, facts_are_fresh=True)), Fail)
