"""Refunds that take the matching payment back."""

from tests.integration.sinks.refunds import paid_invoice, reference_of
from tests.integration.sinks.shops import Maker, Shop


async def test_newest_payment_of_that_amount_is_taken_back(books: Shop, make: Maker) -> None:
    await books.settings(refund_as="reverse_payment")
    document = make.document(make.customer(), 1)
    payments = [make.paid(document, amount) for amount in ("20.00", "20.00", "30.00")]
    refund = make.refunded(document, "20.00")
    assert await books.run(make.created(document), *payments, refund) == ["posted"] * 5
    left = [p["reference"] for p in books.invoice("1")["payments"]]
    assert left == [reference_of(payments[0]), reference_of(payments[2])]
    assert books.books["credit_notes"] == []
    entry = await books.entry(refund)
    assert (entry["xero_type"], entry["warnings"]) == ("payment", [])


async def test_reference_chooses_among_payments_of_one_amount(books: Shop, make: Maker) -> None:
    await books.settings(refund_as="reverse_payment")
    document = make.document(make.customer(), 1)
    payments = [make.paid(document, "20.00", "Card"), make.paid(document, "20.00", "Cash")]
    assert await books.run(make.created(document), *payments) == ["posted"] * 3
    assert await books.run(make.refunded(document, "20.00", "Cheque")) == ["no_matching_payment"]
    assert await books.run(make.refunded(document, "20.00", " CARD ")) == ["posted"]
    assert [p["reference"] for p in books.invoice("1")["payments"]] == [reference_of(payments[1])]
    assert await books.run(make.refunded(document, "20.00", "")) == ["posted"]
    assert books.invoice("1")["payments"] == []


async def test_no_payment_of_ours_matches(books: Shop, make: Maker) -> None:
    await books.settings(refund_as="reverse_payment")
    document = await paid_invoice(books, make, "50.00")
    theirs = {"Invoice": {"InvoiceID": books.invoice("1")["id"]}, "Account": {"Code": "090"}, "Amount": 20}
    books.by_hand("PUT", "Payments", {"Payments": [theirs]})
    refund = make.refunded(document, "20.00")
    assert await books.run(refund) == ["no_matching_payment"]
    assert len(books.invoice("1")["payments"]) == 2
    await books.settings(refund_as="credit_note")
    assert await books.retry(refund) == ["posted"]


async def test_payment_corrected_as_refund_and_payment(books: Shop, make: Maker) -> None:
    await books.settings(refund_as="reverse_payment")
    document = await paid_invoice(books, make, "108.00")
    events = [make.refunded(document, "108.00"), make.paid(document, "80.00")]
    assert await books.run(*events) == ["posted", "posted"]
    invoice = books.invoice("1")
    assert ([p["amount"] for p in invoice["payments"]], invoice["amount_due"]) == (["80.00"], "28.00")


async def test_retried_refund_leaves_what_was_paid_after_it(books: Shop, make: Maker) -> None:
    await books.settings(refund_as="reverse_payment")
    document = await paid_invoice(books, make, "50.00")
    [first] = books.invoice("1")["payments"]
    books.seed(reconcile=[first["id"]])
    refund, later = make.refunded(document, "50.00"), make.paid(document, "50.00")
    assert await books.run(refund, later) == ["payment_reconciled", "posted"]
    assert await books.retry(refund) == ["payment_reconciled"]
    assert len(books.invoice("1")["payments"]) == 2


async def test_reversal_in_a_locked_period(books: Shop, make: Maker) -> None:
    await books.settings(refund_as="reverse_payment", locked_period="first_open_day")
    document = await paid_invoice(books, make, "50.00")
    books.seed(period_lock_date="2026-03-31")
    refund = make.refunded(document, "50.00", transaction_date="2026-04-05")
    assert await books.run(refund) == ["period_locked"]
    books.seed(period_lock_date=None)
    assert await books.retry(refund) == ["posted"]


async def test_reversed_once_under_two_event_ids(books: Shop, make: Maker) -> None:
    await books.settings(refund_as="reverse_payment")
    document = await paid_invoice(books, make, "50.00", "50.00")
    first = make.refunded(document, "50.00")
    assert await books.run(first, {**first, "id": "another-event"}) == ["posted", "already_there"]
    assert len(books.invoice("1")["payments"]) == 1
