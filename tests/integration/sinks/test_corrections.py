"""Transactions that are told again: with other content they are corrected, with the same they are there."""

from typing import Any

import pytest

from tests.integration.sinks.refunds import live, paid_invoice
from tests.integration.sinks.shops import Maker, Shop


def again(
    make: Maker, event: dict[str, Any], amount: str | None = None, at: str | None = None, **changes: Any
) -> dict[str, Any]:
    """The same transaction in an event of its own, a minute later unless ``at`` says when."""
    data = event["data"]
    transaction = {**data["transaction"], **changes}
    if amount is not None:
        transaction["amount"] = amount
    transaction = {name: value for name, value in transaction.items() if value is not None}
    kind = event["type"].removeprefix("salesbinder.")
    told = make.event(kind, event["subject"], {**data, "transaction": transaction})
    return told | ({"time": at} if at else {})


async def invoiced(books: Shop, make: Maker, **more: Any) -> dict[str, Any]:
    document = make.document(make.customer(), 1, **more)
    assert await books.run(make.created(document)) == ["posted"]
    return document


def payments(books: Shop) -> list[tuple[str, str, str]]:
    """Amount, day and status of all payments, oldest first."""
    return [(p["amount"], p["date"], p["status"]) for p in books.books["payments"]]


async def shown(books: Shop, event: dict[str, Any]) -> str:
    """The amount that the log shows for the event."""
    newest = max((r for r in await books.told() if r.event_id == event["id"]), key=lambda r: r.version)
    return str(newest.amount)


# Payments


async def test_another_amount_takes_the_payment_off_and_makes_it_again(books: Shop, make: Maker) -> None:
    document = await invoiced(books, make)
    paid = make.paid(document, "50.00")
    assert await books.run(paid) == ["posted"]
    corrected = again(make, paid, "60.00")
    assert await books.run(corrected) == ["posted"]
    assert await books.warnings(corrected) == ["payment_replaced"]
    assert payments(books) == [("50.00", "2026-03-02", "DELETED"), ("60.00", "2026-03-02", "AUTHORISED")]
    assert books.invoice("1")["amount_due"] == "48.00"


@pytest.mark.parametrize(
    "changes", [{"transaction_date": "2026-03-04"}, {"reference": "Credit Card 9008"}], ids=["day", "method"]
)
async def test_another_day_or_method_is_a_correction(
    books: Shop, make: Maker, changes: dict[str, str]
) -> None:
    document = await invoiced(books, make)
    paid = make.paid(document, "50.00")
    assert await books.run(paid) == ["posted"]
    assert await books.run(again(make, paid, **changes)) == ["posted"]
    [standing] = [p for p in books.books["payments"] if p["status"] != "DELETED"]
    assert standing["date"] == changes.get("transaction_date", "2026-03-02")
    assert standing["account_code"] == ("091" if "reference" in changes else "090")


@pytest.mark.parametrize(
    "changes",
    [{}, {"transaction_date": None}, {"reference": None}, {"reference": "", "transaction_date": ""}],
    ids=["all", "no day", "no method", "blank"],
)
async def test_the_same_content_is_there_already(books: Shop, make: Maker, changes: dict[str, None]) -> None:
    document = await invoiced(books, make)
    paid = make.paid(document, "50.004")
    assert await books.run(paid) == ["posted"]
    calls = len(books.calls())
    told = again(make, paid, "50.00", **changes)
    assert await books.run(told) == ["already_there"]
    assert len(books.calls()) == calls
    assert await shown(books, told) == "50.00"


async def test_settings_and_moved_dates_are_no_difference(books: Shop, make: Maker) -> None:
    await books.settings(locked_period="first_open_day")
    document = await invoiced(books, make)
    books.seed(period_lock_date="2026-03-03")
    paid = make.paid(document, "50.00")
    assert await books.run(paid) == ["posted"]
    books.seed(period_lock_date=None)
    await books.settings(payment_account="091")
    assert await books.run(again(make, paid)) == ["already_there"]
    assert payments(books) == [("50.00", "2026-03-04", "AUTHORISED")]


async def test_what_happened_before_touches_nothing(books: Shop, make: Maker) -> None:
    document = await invoiced(books, make)
    paid = make.paid(document, "50.00")
    corrected = again(make, paid, "60.00")
    assert await books.run(paid, corrected) == ["posted", "posted"]
    older = again(make, paid, "70.00", at=paid["time"])
    assert await books.run(older) == ["superseded"]
    assert books.invoice("1")["amount_paid"] == "60.00"


async def test_of_equal_times_the_later_position_counts(books: Shop, make: Maker) -> None:
    document = await invoiced(books, make)
    paid = make.paid(document, "50.00")
    assert await books.run(paid) == ["posted"]
    assert await books.run(again(make, paid, "60.00", at=paid["time"])) == ["posted"]
    assert books.invoice("1")["amount_paid"] == "60.00"


async def test_back_to_what_it_was(books: Shop, make: Maker) -> None:
    document = await invoiced(books, make)
    paid = make.paid(document, "50.00")
    events = [paid, again(make, paid, "60.00"), again(make, paid, "50.00"), again(make, paid, "50.00")]
    assert await books.run(*events) == ["posted", "posted", "posted", "already_there"]
    assert books.invoice("1")["amount_paid"] == "50.00"
    assert len(payments(books)) == 3


async def test_to_nothing_only_takes_off_and_below_nothing_fails(books: Shop, make: Maker) -> None:
    document = await invoiced(books, make)
    paid = make.paid(document, "50.00")
    below, nothing = again(make, paid, "-1.00"), again(make, paid, "0")
    assert await books.run(paid, below) == ["posted", "amount_not_positive"]
    assert books.invoice("1")["amount_paid"] == "50.00"
    assert await books.run(nothing) == ["posted"]
    assert await books.end(below) == "superseded"
    assert (books.invoice("1")["amount_paid"], len(payments(books))) == ("0", 1)
    assert await books.run(again(make, paid, "0")) == ["not_needed"]
    assert await books.run(again(make, paid, "20.00")) == ["posted"]
    assert books.invoice("1")["amount_paid"] == "20.00"


async def test_more_than_fits_fails_untouched(books: Shop, make: Maker) -> None:
    document = await invoiced(books, make)
    paid, other = make.paid(document, "50.00"), make.paid(document, "40.00")
    assert await books.run(paid, other) == ["posted", "posted"]
    much = again(make, paid, "68.01")
    assert await books.run(much) == ["exceeds_amount_due"]
    assert (await books.entry(much))["reason_args"]["due"] == "68.00"
    assert books.invoice("1")["amount_paid"] == "90.00"
    assert await books.run(again(make, paid, "68.00")) == ["posted"]
    assert books.invoice("1")["amount_due"] == "0.00"


async def test_reconciled_or_locked_fails_untouched(books: Shop, make: Maker) -> None:
    document = await invoiced(books, make)
    paid = make.paid(document, "50.00", transaction_date="2026-02-20")
    assert await books.run(paid) == ["posted"]
    books.seed(period_lock_date="2026-02-28")
    locked = again(make, paid, "60.00", transaction_date="2026-03-02")
    assert await books.run(locked) == ["period_locked"]
    books.seed(period_lock_date=None)
    books.seed(reconcile=[books.books["payments"][0]["id"]])
    assert await books.retry(locked) == ["payment_reconciled"]
    assert payments(books) == [("50.00", "2026-02-20", "AUTHORISED")]


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"transaction_date": "2026-02-20"}, "period_locked"),
        ({"reference": "Card"}, "payment_account_unknown"),
        ({"reference": "Till"}, "payment_account_not_payable"),
        ({"reference": "Old bank"}, "account_code_archived"),
    ],
)
async def test_the_new_one_is_checked_before_the_old_one_is_touched(
    books: Shop, make: Maker, changes: dict[str, str], code: str
) -> None:
    """Day and account of the payment that would be made; the one that stands is in an open month."""
    accounts = {
        "payment_account.Card": "999",
        "payment_account.Till": "200",
        "payment_account.Old bank": "091",
    }
    await books.settings(**accounts)
    document = await invoiced(books, make)
    paid = make.paid(document, "50.00")
    assert await books.run(paid) == ["posted"]
    books.seed(period_lock_date="2026-02-28", accounts=[{"Code": "091", "Status": "ARCHIVED"}])
    assert await books.run(again(make, paid, "60.00", **changes)) == [code]
    assert payments(books) == [("50.00", "2026-03-02", "AUTHORISED")]
    assert "DELETED" not in [p["status"] for p in books.books["payments"]]


async def test_less_than_our_refunds_fails_untouched(books: Shop, make: Maker) -> None:
    document = await invoiced(books, make)
    paid = make.paid(document, "50.00")
    assert await books.run(paid, make.refunded(document, "30.00")) == ["posted", "posted"]
    assert await books.run(again(make, paid, "29.00")) == ["refund_exceeds_paid"]
    assert books.invoice("1")["amount_paid"] == "50.00"
    assert await books.run(again(make, paid, "31.00")) == ["posted"]
    assert books.invoice("1")["amount_paid"] == "31.00"


async def test_what_failed_before_ends_with_the_correction(books: Shop, make: Maker) -> None:
    document = await invoiced(books, make)
    paid = make.paid(document, "500.00")
    other = make.paid(document, "600.00")
    assert await books.run(paid, other) == ["exceeds_amount_due"] * 2
    assert await books.run(again(make, paid, "50.00")) == ["posted"]
    assert await books.end(paid) == "superseded"
    assert await books.end(other) == "exceeds_amount_due"


@pytest.mark.parametrize("nothing", ["0", "0.004"])
async def test_what_failed_before_ends_with_a_correction_to_nothing(
    books: Shop, make: Maker, nothing: str
) -> None:
    document = await invoiced(books, make)
    paid, other = make.paid(document, "500.00"), make.paid(document, "600.00")
    refund, absent = make.refunded(document, "20.00"), make.document(make.customer(), 2)
    early = make.refunded(absent, "20.00")
    failed = [paid, other, refund, early]
    ends = ["exceeds_amount_due", "exceeds_amount_due", "refund_exceeds_paid", "document_not_in_xero"]
    assert await books.run(*failed) == ends
    told = [again(make, event, nothing) for event in (paid, refund, early)]
    assert await books.run(*told) == ["not_needed"] * 3
    assert [await books.end(event) for event in failed] == [
        "superseded",
        "exceeds_amount_due",
        "superseded",
        "superseded",
    ]


async def test_a_correction_of_what_was_made_meanwhile_by_hand_taken_off(books: Shop, make: Maker) -> None:
    document = await invoiced(books, make)
    paid = make.paid(document, "50.00")
    assert await books.run(paid) == ["posted"]
    payment_id = books.books["payments"][0]["id"]
    books.by_hand("POST", f"Payments/{payment_id}", {"Status": "DELETED"})
    assert await books.run(again(make, paid, "60.00")) == ["posted"]
    assert books.invoice("1")["amount_paid"] == "60.00"


# After a reset


@pytest.mark.parametrize("amount", ["50.00", "60.00"])
async def test_after_a_reset_it_is_applied_again(books: Shop, make: Maker, amount: str) -> None:
    document = await invoiced(books, make)
    paid = make.paid(document, "50.00")
    reset = make.act("reset", document)
    told = again(make, paid, amount)
    assert await books.run(paid, reset, told) == ["posted", "posted", "posted"]
    assert books.invoice("1")["amount_paid"] == amount
    assert await books.warnings(told) == []


async def test_what_happened_before_the_reset_stays_off(books: Shop, make: Maker) -> None:
    document = await invoiced(books, make)
    paid = make.paid(document, "50.00")
    late = again(make, paid, "60.00")
    reset = make.act("reset", document)
    assert await books.run(paid, reset) == ["posted", "posted"]
    assert await books.run(late) == ["superseded"]
    assert books.invoice("1")["amount_paid"] == "0"


async def test_a_reset_that_is_retried_leaves_what_was_told_again_since(books: Shop, make: Maker) -> None:
    document = await invoiced(books, make)
    paid = make.paid(document, "50.00", transaction_date="2026-02-20")
    assert await books.run(paid) == ["posted"]
    books.seed(period_lock_date="2026-02-28")
    reset = make.act("reset", document)
    assert await books.run(reset) == ["period_locked"]
    assert await books.run(again(make, paid)) == ["already_there"]
    books.seed(period_lock_date=None)
    await books.retry(reset)
    assert books.invoice("1")["amount_paid"] == "50.00"


# Refunds


async def test_another_amount_of_a_refund_is_a_credit_note_of_the_next_number(
    books: Shop, make: Maker
) -> None:
    document = await paid_invoice(books, make, "108.00")
    refund = make.refunded(document, "20.00")
    events = [refund, again(make, refund, "30.00"), again(make, refund, "10.00")]
    assert await books.run(*events) == ["posted"] * 3
    number = f"1-{refund['data']['transaction']['id'][:8]}"
    notes = {n["number"]: (n["status"], n["total"]) for n in books.books["credit_notes"]}
    assert notes == {
        number: ("VOIDED", "20.00"),
        f"{number}-2": ("VOIDED", "30.00"),
        f"{number}-3": ("PAID", "10.00"),
    }
    assert [amount for _, amount in live(books)] == ["108.00", "10.00"]
    assert "payment_replaced" in await books.warnings(events[-1])


async def test_a_refund_of_the_same_content_is_there_already(books: Shop, make: Maker) -> None:
    document = await paid_invoice(books, make, "108.00")
    refund = make.refunded(document, "20.00")
    assert await books.run(refund) == ["posted"]
    told = again(make, refund, "-20.001", reference=None)
    assert await books.run(told) == ["already_there"]
    assert len(books.books["credit_notes"]) == 1
    assert await shown(books, told) == "20.00"


async def test_a_refund_of_more_than_was_paid_fails_untouched(books: Shop, make: Maker) -> None:
    document = await paid_invoice(books, make, "50.00")
    refund = make.refunded(document, "20.00")
    assert await books.run(refund, again(make, refund, "50.01")) == ["posted", "refund_exceeds_paid"]
    assert [n["status"] for n in books.books["credit_notes"]] == ["PAID"]


async def test_a_refund_to_nothing_is_taken_out(books: Shop, make: Maker) -> None:
    document = await paid_invoice(books, make, "50.00")
    refund = make.refunded(document, "20.00")
    assert await books.run(refund, again(make, refund, "0")) == ["posted", "posted"]
    assert [n["status"] for n in books.books["credit_notes"]] == ["VOIDED"]


async def test_after_a_reset_a_refund_has_the_next_number(books: Shop, make: Maker) -> None:
    document = await paid_invoice(books, make, "50.00")
    refund = make.refunded(document, "20.00")
    assert await books.run(refund, make.act("reset", document)) == ["posted", "posted"]
    paid_again = make.paid(document, "50.00")
    assert await books.run(paid_again, again(make, refund)) == ["posted", "posted"]
    numbers = [(n["number"][-2:], n["status"]) for n in books.books["credit_notes"]]
    assert numbers[1] == ("-2", "PAID")
    assert numbers[0][1] == "VOIDED"


async def test_a_changed_refund_that_took_a_payment_back_fails(books: Shop, make: Maker) -> None:
    await books.settings(refund_as="reverse_payment")
    document = await paid_invoice(books, make, "20.00", "30.00")
    refund = make.refunded(document, "20.00")
    assert await books.run(refund, again(make, refund)) == ["posted", "already_there"]
    changed = again(make, refund, "30.00")
    assert await books.run(changed) == ["refund_changed"]
    args = (await books.entry(changed))["reason_args"]
    assert (args["before"], args["amount"]) == ("20.00", "30.00")
    [standing] = [p["id"] for p in books.books["payments"] if p["status"] != "DELETED"]
    assert books.invoice("1")["amount_paid"] == "30.00"
    books.by_hand("POST", f"Payments/{standing}", {"Status": "DELETED"})  # the remedy, to the letter
    await books.skip(changed, "put right by hand")
    assert await books.end(changed) == "skipped_by_operator"


async def test_a_payment_that_a_refund_took_back_is_not_made_again(books: Shop, make: Maker) -> None:
    await books.settings(refund_as="reverse_payment")
    document = await invoiced(books, make)
    paid = make.paid(document, "20.00")
    assert await books.run(paid, make.refunded(document, "20.00")) == ["posted", "posted"]
    assert await books.run(again(make, paid)) == ["superseded"]
    changed = again(make, paid, "30.00")
    assert await books.run(changed) == ["payment_refunded"]
    assert books.invoice("1")["amount_paid"] == "0"
    await books.skip(changed, "put right by hand")
    assert await books.end(changed) == "skipped_by_operator"


# Amounts with more decimals than money has


async def test_shares_of_running_sums(books: Shop, make: Maker) -> None:
    document = await invoiced(books, make)
    thirds = [make.paid(document, "35.003333") for _ in range(3)]
    assert await books.run(*thirds) == ["posted"] * 3
    assert [p[0] for p in payments(books)] == ["35.00", "35.01", "35.00"]


async def test_a_share_of_nothing_is_not_needed(books: Shop, make: Maker) -> None:
    document = await invoiced(books, make)
    parts = [make.paid(document, "0.004") for _ in range(3)]
    assert await books.run(*parts) == ["not_needed", "posted", "not_needed"]
    assert [p[0] for p in payments(books)] == ["0.01"]


async def test_a_share_counts_whatever_became_of_what_came_before(books: Shop, make: Maker) -> None:
    document = await invoiced(books, make)
    first = make.paid(document, "0.005", "Cheque")
    await books.settings(payment_account__Cheque="nowhere")
    second = make.paid(document, "0.005")
    assert (await books.run(first, second))[1] == "not_needed"


async def test_a_correction_is_rounded_by_itself_and_a_reset_begins_again(books: Shop, make: Maker) -> None:
    document = await invoiced(books, make)
    first, second = make.paid(document, "10.004"), make.paid(document, "10.004")
    assert await books.run(first, second) == ["posted", "posted"]
    assert [p[0] for p in payments(books)] == ["10.00", "10.01"]
    told = again(make, second)
    assert await books.run(told) == ["already_there"]
    assert await shown(books, told) == "10.01"
    assert await books.run(again(make, second, "20.004")) == ["posted"]
    assert payments(books)[-1][0] == "20.00"
    assert await books.run(make.act("reset", document), make.paid(document, "10.004")) == ["posted"] * 2
    assert payments(books)[-1][0] == "10.00"


async def test_the_payment_of_the_events_amount_is_taken_back(books: Shop, make: Maker) -> None:
    await books.settings(refund_as="reverse_payment")
    document = await invoiced(books, make)
    first, second = make.paid(document, "10.004"), make.paid(document, "10.004")
    assert await books.run(first, second) == ["posted", "posted"]
    assert await books.run(make.refunded(document, "10.004")) == ["posted"]
    assert [p[2] for p in payments(books)] == ["AUTHORISED", "DELETED"]
