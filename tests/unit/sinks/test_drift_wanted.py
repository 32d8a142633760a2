"""What Xero should have by the known history of a record."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from connections.facts import Account, OrganisationFacts, TaxRate
from connections.settings import Settings
from contracts.commands import (
    Action,
    Command,
    ContactSnapshot,
    DocumentSnapshot,
    EventRef,
    Line,
    TransactionSnapshot,
)
from sinks.drift.compare import CompareContext, Difference, Sent
from sinks.drift.judge import judge
from sinks.drift.record import Record, Said
from sinks.drift.wanted import Given, wanted
from sinks.xero.elements import Link, StepKey

DAY = datetime(2026, 3, 2, 9, tzinfo=UTC)
FACTS = OrganisationFacts(
    name="Demo",
    base_currency="USD",
    fetched_at=DAY,
    lock_date=date(2026, 12, 31),
    accounts=(
        Account(account_id="s", code="200", name="Sales", type="REVENUE", status="ACTIVE"),
        Account(account_id="b", code="090", name="Bank", type="BANK", status="ACTIVE"),
    ),
    tax_rates={
        "OUTPUT": TaxRate(
            tax_type="OUTPUT", name="8%", status="ACTIVE", can_apply_to_revenue=True,
            can_apply_to_expenses=False, rate=Decimal(8),
        )
    },
)  # fmt: skip
SHOWN = {
    "InvoiceNumber": "1", "Status": "AUTHORISED", "Date": "2026-03-02", "DueDate": "2026-04-01",
    "CurrencyCode": "USD", "Total": 108, "SubTotal": 100, "TotalTax": 8, "AmountDue": 108,
}  # fmt: skip
PARTY = ContactSnapshot(side="customer", record_id="c", name="Widgets", version=DAY, event_time=DAY)


def settings() -> Settings:
    return Settings(enabled_at=DAY, payment_account="090", sales_tax={"8": "OUTPUT", "0": "NONE"})


def said(
    seq: int,
    action: Action,
    *,
    state: str = "completed",
    outcome: str = "posted",
    price: str = "100.00",
    amount: str = "",
    transaction: str = "t",
    minute: int | None = None,
    reason: str = "",
) -> Said:
    time = DAY + timedelta(minutes=seq if minute is None else minute)
    document = DocumentSnapshot(
        kind="invoice", record_id="r", number="1", contact=PARTY, issue_date=date(2026, 3, 2), created=DAY,
        version=time, event_time=time, subtotal=Decimal(price), tax=Decimal(price) * 8 / 100,
        lines=(Line(line_id="l", description="Thing", quantity=Decimal(1), unit_amount=Decimal(price),
                    tax_rate=Decimal(8)),),
    )  # fmt: skip
    told = (
        TransactionSnapshot(transaction_id=transaction, amount=Decimal(amount), date=date(2026, 3, 2))
        if amount
        else None
    )
    command = Command(
        command_id=f"{seq}", account="acme", entity="invoice", record_id="r", action=action,
        event=EventRef(id=str(seq), type="", source="", time=time, content_hash=""),
        document=document, transaction=told if amount else None,
    )  # fmt: skip
    done = outcome if state == "completed" else ""
    return Said(seq, str(seq), state, done, reason, command)


def asked(actions: Sequence[Said], *puts: Sent) -> dict[str, Any]:
    given = Given("acme", settings(), FACTS, {"customer/c": "c-1"})
    found = wanted(Record("invoice", "r", actions, {put.link.target: put for put in puts}), given)
    return {" ".join(target).strip().replace(" r", ""): one for target, one in found.items()}


def invoice(action: Said, **facts: Any) -> Sent:
    document = action.command.document
    assert document is not None
    kept = {
        "version": document.version.isoformat(), "event_time": document.event_time.isoformat(),
        "position": str(action.seq), "content": document.digest, "party": "customer/c",
        "currency": "USD", **facts,
    }  # fmt: skip
    return Sent(Link(StepKey("invoice", "r"), "i-1", "1", action.seq, facts=kept), {"Status": "AUTHORISED"})


def payment(*, removed: bool = False, **facts: Any) -> Sent:
    target = StepKey("payment", "r", "t")
    return Sent(Link(target, "p-1", "1", 2, removed, {"amount": "50.00", **facts}), {"Amount": "50.00"})


def test_the_newest_snapshot_that_is_done_counts() -> None:
    first, second = said(1, "created"), said(2, "edited", price="120.00")
    one = asked([first, second], invoice(first))["invoice"]
    assert one.put.link.facts["expected_total"] == Decimal("129.60")
    assert (one.behind, one.mends, one.said) == (True, True, second)


def test_of_equal_stamps_the_later_position_counts() -> None:
    first, second = said(1, "created", minute=0), said(2, "edited", price="120.00", minute=0)
    assert asked([first, second], invoice(first))["invoice"].said is second


def test_an_older_snapshot_that_came_later_does_not_count() -> None:
    first, second = (
        said(1, "created", minute=5),
        said(2, "edited", price="120.00", minute=1, outcome="superseded"),
    )
    one = asked([first, second], invoice(first))["invoice"]
    assert (one.said, one.behind) == (first, False)


@pytest.mark.parametrize("state", ["failed", "queued", "running"])
def test_what_failed_or_waits_is_told_with_its_entry(state: str) -> None:
    first, second = said(1, "created"), said(2, "edited", price="120.00", state=state, reason="period_locked")
    one = asked([first, second], invoice(first))["invoice"]
    assert one.said is first
    put = invoice(first, expected_total="108.00")
    told = judge(put, one, SHOWN, CompareContext(FACTS), CompareContext(FACTS))
    assert {f.difference.field for f in told} == {"total", "net", "tax"}
    assert all(f.difference.information and "'edited' of 2026-03-02 09:02" in f.why for f in told)


def test_snapshot_that_was_sent_though_its_own_entry_failed_counts() -> None:
    first = said(1, "created", state="failed", reason="authorised_not_editable")
    assert asked([first], invoice(first))["invoice"].said is first
    assert "invoice" not in asked([said(1, "created", state="failed")])


def test_create_that_is_done_and_is_not_there_is_missing() -> None:
    assert asked([said(1, "created")])["invoice"].is_missing
    assert asked([said(1, "created", outcome="before_cutoff")]) == {}


def test_removal_takes_everything_out() -> None:
    actions = [said(1, "created"), said(2, "payment_applied", amount="50.00"), said(3, "cancelled")]
    found = asked(actions, invoice(actions[0]), payment())
    assert not found["invoice"].put.stands
    assert not found["payment t"].put.stands


def test_payment_told_again_with_another_amount() -> None:
    actions = [said(1, "created"), said(2, "payment_applied", amount="50.00")]
    again = said(3, "payment_applied", amount="60.00")
    one = asked([*actions, again], invoice(actions[0]), payment())["payment t"]
    assert (one.put.body["Amount"], one.said) == (Decimal("60.00"), again)
    older = said(3, "payment_applied", amount="60.00", minute=1)
    one = asked([*actions, older], invoice(actions[0]), payment())["payment t"]
    assert one.put.body["Amount"] == Decimal("50.00")


@pytest.mark.parametrize(("minute", "stands"), [(5, True), (1, False)])
def test_payment_told_again_after_a_reset(minute: int, stands: bool) -> None:
    actions = [
        said(1, "created"),
        said(2, "payment_applied", amount="50.00"),
        said(3, "reset"),
        said(4, "payment_applied", amount="50.00", minute=minute, outcome="posted"),
    ]
    one = asked(actions, invoice(actions[0]), payment(removed=True))["payment t"]
    assert (one.put.stands, one.behind) == (stands, stands)


def test_payment_that_a_refund_took_back_is_gone() -> None:
    actions = [
        said(1, "created"),
        said(2, "payment_applied", amount="50.00"),
        said(3, "refund_applied", amount="50.00", transaction="u"),
    ]
    found = asked(actions, invoice(actions[0]), payment(removed=True, reversed_by="u"))
    assert not found["payment t"].put.stands
    assert "credit_note u" not in found


def test_finer_amounts_come_to_shares() -> None:
    actions = [said(1, "created")]
    actions += [said(n, "payment_applied", amount="33.333", transaction=f"t{n}") for n in (2, 3, 4)]
    found = asked(actions, invoice(actions[0]))
    amounts = [found[f"payment t{n}"].put.body["Amount"] for n in (2, 3, 4)]
    assert amounts == [Decimal("33.33"), Decimal("33.34"), Decimal("33.33")]


def test_days_in_a_period_that_was_locked_since_are_as_sent() -> None:
    first = said(1, "created")
    moved = asked([first], invoice(first, warnings=[{"code": "date_moved"}]))["invoice"]
    assert "Date" not in moved.put.body
    assert asked([first], invoice(first))["invoice"].put.body["Date"] == "2026-03-02"


def test_what_differs_from_what_was_sent_alone_is_as_wanted() -> None:
    first = said(1, "created")
    put = invoice(first, expected_total="100.00")
    one = asked([first], put)["invoice"]
    found = judge(put, one, SHOWN, CompareContext(FACTS), CompareContext(FACTS))
    assert [f.difference for f in found if f.difference.field != "amount_due"] == []
    found = judge(
        put,
        one,
        {**SHOWN, "Total": 100, "SubTotal": 92, "AmountDue": 100},
        CompareContext(FACTS),
        CompareContext(FACTS),
    )
    assert [f.difference for f in found if f.difference.field == "total"] == [
        Difference("total", "108.00", "100.00")
    ]
