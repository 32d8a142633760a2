"""Reset, cancel and delete take our credit notes and what they paid out, too; each in its position."""

import pytest

from tests.integration.sinks.refunds import live, number_of, paid_invoice
from tests.integration.sinks.shops import Maker, Shop

REMOVALS = ["cancelled", "deleted"]


@pytest.mark.parametrize("kind", REMOVALS)
async def test_removal_takes_refunds_and_credit_notes_too(books: Shop, make: Maker, kind: str) -> None:
    document = await paid_invoice(books, make, "108.00")
    assert await books.run(*(make.refunded(document, "50.00") for _ in range(2))) == ["posted", "posted"]
    assert await books.run(make.act(kind, document)) == ["posted"]
    assert (books.invoice("1")["status"], live(books)) == ("VOIDED", [])
    assert [note["status"] for note in books.books["credit_notes"]] == ["VOIDED", "VOIDED"]


async def test_reset_takes_ours_and_leaves_others(books: Shop, make: Maker) -> None:
    document = await paid_invoice(books, make, "50.00")
    theirs = {"Invoice": {"InvoiceID": books.invoice("1")["id"]}, "Account": {"Code": "090"}, "Amount": 8}
    books.by_hand("PUT", "Payments", {"Payments": [theirs]})
    refund = make.refunded(document, "58.00")
    assert await books.run(refund, make.act("reset", document)) == ["posted", "posted"]
    assert live(books) == [("ACCREC", "8.00")]
    assert books.credit_note(number_of(refund))["status"] == "VOIDED"
    assert await books.run(make.act("reset", document)) == ["already_there"]
    assert await books.run(make.paid(document, "100.00")) == ["posted"]


@pytest.mark.parametrize("kind", ["reset", *REMOVALS])
async def test_allocation_of_others_stops_everything(books: Shop, make: Maker, kind: str) -> None:
    document = await paid_invoice(books, make, "108.00")
    refund = make.refunded(document, "50.00")
    assert await books.run(refund) == ["posted"]
    note = books.credit_note(number_of(refund))
    books.by_hand("POST", f"Payments/{note['payments'][0]['id']}", {"Status": "DELETED"})
    other = make.document(document["customer"], 2)
    assert await books.run(make.created(other)) == ["posted"]
    part = {"Amount": 5, "Invoice": {"InvoiceID": books.invoice("2")["id"]}, "Date": "2026-03-03"}
    with pytest.raises(KeyError):  # the answer is the allocation alone
        books.by_hand("PUT", f"CreditNotes/{note['id']}/Allocations", {"Allocations": [part]})
    event = make.act(kind, document)
    assert await books.run(event) == ["foreign_payments"]
    args = (await books.entry(event))["reason_args"]
    assert args["document"] == f"credit note {note['number']}"
    assert args["list"].endswith("put on invoice 2")
    assert live(books) == [("ACCREC", "108.00")]


@pytest.mark.parametrize("kind", ["reset", *REMOVALS])
@pytest.mark.parametrize("fixed", ["payment_reconciled", "period_locked"])
async def test_refund_that_cannot_be_taken_off_stops_everything(
    books: Shop, make: Maker, kind: str, fixed: str
) -> None:
    document = await paid_invoice(books, make, "108.00", issue_date="2026-04-10")
    early = make.refunded(document, "50.00", transaction_date="2026-03-01")
    assert await books.run(early) == ["posted"]
    if fixed == "payment_reconciled":
        books.seed(reconcile=[books.credit_note(number_of(early))["payments"][0]["id"]])
    else:
        books.seed(period_lock_date="2026-03-01")
    assert await books.run(make.act(kind, document)) == [fixed]
    assert len(live(books)) == 2


@pytest.mark.parametrize("kind", ["reset", *REMOVALS])
async def test_what_was_taken_off_by_hand_is_no_obstacle(books: Shop, make: Maker, kind: str) -> None:
    document = await paid_invoice(books, make, "108.00")
    refunds = [make.refunded(document, "20.00") for _ in range(2)]
    assert await books.run(*refunds) == ["posted", "posted"]
    for refund in refunds:
        payment = books.credit_note(number_of(refund))["payments"][0]
        books.by_hand("POST", f"Payments/{payment['id']}", {"Status": "DELETED"})
    voided = {"CreditNoteID": books.credit_note(number_of(refunds[0]))["id"], "Status": "VOIDED"}
    books.by_hand("POST", "CreditNotes", {"CreditNotes": [voided]})
    assert await books.run(make.act(kind, document)) == ["posted"]
    assert live(books) == []
    assert [note["status"] for note in books.books["credit_notes"]] == ["VOIDED", "VOIDED"]


async def test_invoice_voided_by_hand_and_then_deleted_leaves_no_credit_note(
    books: Shop, make: Maker
) -> None:
    document = await paid_invoice(books, make, "108.00")
    assert await books.run(make.refunded(document, "50.00")) == ["posted"]
    invoice = books.invoice("1")
    books.by_hand("POST", f"Payments/{invoice['payments'][0]['id']}", {"Status": "DELETED"})
    books.by_hand("POST", "Invoices", {"Invoices": [{"InvoiceID": invoice["id"], "Status": "VOIDED"}]})
    assert await books.run(make.act("deleted", document)) == ["already_there"]
    assert live(books) == []
    assert [note["status"] for note in books.books["credit_notes"]] == ["VOIDED"]


async def test_cancel_ends_failed_refunds_before_it(books: Shop, make: Maker) -> None:
    document = await paid_invoice(books, make, "50.00")
    refund = make.refunded(document, "60.00")
    assert await books.run(refund, make.act("cancelled", document)) == ["superseded", "posted"]
    assert await books.run({**refund, "id": "another-event"}) == ["document_removed"]


async def test_reset_retried_leaves_refunds_that_came_after_it(books: Shop, make: Maker) -> None:
    document = await paid_invoice(books, make, "50.00")
    early = make.refunded(document, "20.00")
    assert await books.run(early) == ["posted"]
    books.seed(period_lock_date="2026-03-31")
    reset = make.act("reset", document)
    paid = make.paid(document, "58.00", transaction_date="2026-04-02")
    late = make.refunded(document, "30.00", transaction_date="2026-04-02")
    assert await books.run(reset, paid, late) == ["period_locked", "posted", "posted"]
    books.seed(period_lock_date=None)
    assert await books.retry(reset) == ["posted"]
    assert live(books) == [("ACCREC", "58.00"), ("ACCRECCREDIT", "30.00")]
    assert books.credit_note(number_of(early))["status"] == "VOIDED"
    assert books.credit_note(number_of(late))["status"] == "PAID"


async def test_payment_and_refund_retried_from_before_a_reset_are_taken_off_by_it(
    books: Shop, make: Maker
) -> None:
    document = await paid_invoice(books, make, "50.00")
    await books.settings(payment_account="999")
    paid, refund = make.paid(document, "8.00"), make.refunded(document, "20.00")
    assert await books.run(paid, refund) == ["payment_account_unknown"] * 2
    books.seed(period_lock_date="2026-03-31")
    reset = make.act("reset", document)
    assert await books.run(reset) == ["period_locked"]
    await books.settings(payment_account="090")
    later = make.paid(document, "10.00", transaction_date="2026-04-02")
    assert await books.run(later) == ["posted"]
    books.seed(period_lock_date=None)
    assert await books.retry(paid, refund) == ["posted", "posted"]
    assert await books.retry(reset) == ["posted"]
    assert live(books) == [("ACCREC", "10.00")]
    assert books.credit_note(number_of(refund))["status"] == "VOIDED"


@pytest.mark.parametrize("later", ["edited", "refunded"])
async def test_cancel_retried_after_a_later_action_is_overtaken(books: Shop, make: Maker, later: str) -> None:
    await books.settings(edit_authorised="push")
    document = await paid_invoice(books, make, "50.00")
    theirs = {"Invoice": {"InvoiceID": books.invoice("1")["id"]}, "Account": {"Code": "090"}, "Amount": 8}
    payment = books.by_hand("PUT", "Payments", {"Payments": [theirs]})
    cancel = make.act("cancelled", document)
    event = make.edited(document, name="New") if later == "edited" else make.refunded(document, "20.00")
    assert await books.run(cancel, event) == ["foreign_payments", "posted"]
    books.by_hand("POST", f"Payments/{payment['PaymentID']}", {"Status": "DELETED"})
    assert await books.retry(cancel) == ["overtaken"]
    assert books.invoice("1")["status"] == "AUTHORISED"
