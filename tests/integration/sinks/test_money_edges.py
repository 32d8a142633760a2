"""Corners of payments, refunds and removals that a bookkeeper comes to once in a while."""

from typing import Any

import pytest

from tests.integration.sinks.refunds import paid_invoice
from tests.integration.sinks.shops import Maker, Shop


async def reason_of(books: Shop, event: dict[str, Any]) -> str:
    """The sentence of the event's last failure as the log shows it."""
    own = books.command_id(event)
    results = [r for r in await books.told() if r.entry_id == own]
    return max(results, key=lambda result: result.version).reason


@pytest.mark.parametrize("kind", ["cancelled", "deleted"])
async def test_removal_whose_answer_was_an_error_is_not_taken_for_somebody_elses(
    books: Shop, make: Maker, kind: str
) -> None:
    document = await paid_invoice(books, make)
    fault = books.xero.admin.fault("error_after", method="POST", path="^Invoices")
    assert await books.run(make.act(kind, document)) == ["posted"]
    books.xero.admin.clear_faults(fault)
    assert books.invoice("1")["status"] == "VOIDED"


async def test_cancel_that_xero_refused_is_overtaken_all_the_same(books: Shop, make: Maker) -> None:
    """It had set out to remove the invoice; what was done meanwhile counts more."""
    await books.settings(edit_authorised="push")
    document = await paid_invoice(books, make)
    books.seed(period_lock_date="2026-03-31")
    cancel = make.act("cancelled", document)
    assert await books.run(cancel) == ["period_locked"]
    books.seed(period_lock_date=None)
    edit = make.edited(document, name="Kept")
    await books.run(edit)
    assert await books.retry(edit) == ["posted"]
    assert await books.retry(cancel) == ["overtaken"]
    assert books.invoice("1")["status"] == "AUTHORISED"


@pytest.mark.parametrize("kind", ["cancelled", "reset"])
async def test_voided_by_hand(books: Shop, make: Maker, kind: str) -> None:
    document = await paid_invoice(books, make)
    voided = {"InvoiceID": books.invoice("1")["id"], "Status": "VOIDED"}
    books.by_hand("POST", "Invoices", {"Invoices": [voided]})
    assert await books.run(make.act(kind, document)) == ["document_removed"]


@pytest.mark.parametrize("first", ["cancelled", "deleted"])
async def test_what_never_came_and_is_gone_needs_nothing_again(books: Shop, make: Maker, first: str) -> None:
    document = make.document(make.customer(), 1)
    kinds = [first, "cancelled", "reset", "deleted", "deleted"]
    assert await books.run(*(make.act(kind, document) for kind in kinds)) == ["not_needed"] * 5
    late = make.created(document)
    assert await books.run(late) == ["document_removed"]
    assert (await reason_of(books, late)).startswith("Invoice 1 was voided, deleted or cancelled earlier")
    assert books.books["invoices"] == []


async def test_transactions_that_share_their_first_eight_without_being_listed_together(
    books: Shop, make: Maker
) -> None:
    document = make.document(make.customer(), 1)
    events = [make.created(document)]
    for amount, make_event, start in (("8.00", make.paid, "a"), ("2.00", make.refunded, "c")):
        for number in (1, 2):
            transaction_id = f"{start}bcdef01-0000-4000-8000-00000000000{number}"
            events.append(make_event(document, amount, id=transaction_id))
            document["transactions"] = []
    assert await books.run(*events) == ["posted"] * 5
    references = [p["reference"] for p in books.invoice("1")["payments"]]
    assert references == ["Cash #abcdef01", "Cash #abcdef01-0000-4000-8000-000000000002"]
    numbers = [note["number"] for note in books.books["credit_notes"]]
    assert numbers == ["1-cbcdef01", "1-cbcdef01-0000-4000-8000-000000000002"]


@pytest.mark.parametrize("status", ["draft", "authorised"])
async def test_edit_to_a_number_that_is_taken_names_its_holder(books: Shop, make: Maker, status: str) -> None:
    await books.settings(edit_authorised="push", invoice_status=status)
    first = make.document(make.customer("First"), 1)
    second = make.document(make.customer("Second"), 2)
    assert await books.run(make.created(first), make.created(second)) == ["posted", "posted"]
    edit = make.edited(second, document_number=1)
    assert await books.run(edit) == ["number_taken"]
    assert "number 1 (contact: First)" in await reason_of(books, edit)


async def test_draft_whose_day_was_locked_since(books: Shop, make: Maker) -> None:
    await books.settings(invoice_status="draft")
    document = await paid_invoice(books, make)
    books.seed(period_lock_date="2026-03-31")
    paid = make.paid(document, "8.00", transaction_date="2026-04-02")
    assert await books.run(paid) == ["period_locked"]
    assert books.invoice("1")["status"] == "DRAFT"
    await books.settings(locked_period="first_open_day")
    assert await books.retry(paid) == ["posted"]
    invoice = books.invoice("1")
    assert (invoice["status"], invoice["date"], invoice["due_date"]) == (
        "AUTHORISED",
        "2026-04-01",
        "2026-05-01",
    )
    assert await books.warnings(paid) == ["date_moved"]


async def test_locked_period_names_what_lies_in_it(books: Shop, make: Maker) -> None:
    document = await paid_invoice(books, make, "8.00", issue_date="2026-04-10")
    books.seed(period_lock_date="2026-03-31")
    paid, reset = make.paid(document, "5.00"), make.act("reset", document)
    refund = make.refunded(document, "2.00")
    assert await books.run(paid, refund, reset) == ["period_locked"] * 3
    assert (await reason_of(books, paid)).startswith("The payment of 5.00 on invoice 1 is dated 2026-03-02")
    assert (await reason_of(books, refund)).startswith("The refund of 2.00 on invoice 1 is dated 2026-03-02")
    assert (await reason_of(books, reset)).startswith("The payment of 8.00 on invoice 1 is dated 2026-03-02")


async def test_reversal_of_more_than_was_paid(books: Shop, make: Maker) -> None:
    await books.settings(refund_as="reverse_payment")
    document = await paid_invoice(books, make, "50.00")
    refund = make.refunded(document, "60.00")
    assert await books.run(refund) == ["refund_exceeds_paid"]
    assert "60.00" in await reason_of(books, refund)
    assert "(50.00)" in await reason_of(books, refund)


async def test_retry_looks_again_whether_the_invoice_is_gone(books: Shop, make: Maker) -> None:
    """A page that is not found may come from something on the way to Xero."""
    document = await paid_invoice(books, make)
    fault = books.xero.admin.fault("not_json", method="GET", path="^Invoices/", status=404)
    reset = make.act("reset", document)
    assert await books.run(reset) == ["document_removed"]
    books.xero.admin.clear_faults(fault)
    assert await books.retry(reset) == ["already_there"]
    assert await books.run(make.paid(document, "8.00")) == ["posted"]
    cancel = make.act("cancelled", document)
    assert await books.run(cancel) == ["posted"]
    late = make.paid(document, "8.00")
    assert await books.run(late) == ["document_removed"]
    assert await books.retry(late) == ["document_removed"]
