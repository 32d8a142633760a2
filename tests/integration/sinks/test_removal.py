"""Reset, cancel, delete: what is ours comes off, what is not ours stops it before anything was touched."""

from typing import Any

import pytest

from tests.integration.sinks.shops import Maker, Shop
from tests.integration.sinks.test_corrections import again

REMOVALS = ["cancelled", "deleted"]


async def paid_invoice(books: Shop, make: Maker, *amounts: str) -> dict[str, Any]:
    document = make.document(make.customer(), 1)
    payments = [make.paid(document, amount) for amount in amounts]
    assert await books.run(make.created(document), *payments) == ["posted"] * (1 + len(amounts))
    return document


def pay_by_hand(books: Shop, amount: int, **more: Any) -> str:
    theirs = {
        "Invoice": {"InvoiceID": books.invoice("1")["id"]},
        "Account": {"Code": "090"},
        "Amount": amount,
        **more,
    }
    return str(books.by_hand("PUT", "Payments", {"Payments": [theirs]})["PaymentID"])


@pytest.mark.parametrize("kind", REMOVALS)
async def test_payments_come_off_and_the_invoice_is_voided(books: Shop, make: Maker, kind: str) -> None:
    document = await paid_invoice(books, make, "100.00", "8.00")
    assert await books.run(make.act(kind, document)) == ["posted"]
    invoice = books.invoice("1")
    assert (invoice["status"], invoice["payments"]) == ("VOIDED", [])
    assert {payment["status"] for payment in books.books["payments"]} == {"DELETED"}


@pytest.mark.parametrize("kind", REMOVALS)
async def test_draft_is_deleted(books: Shop, make: Maker, kind: str) -> None:
    await books.settings(invoice_status="draft")
    document = await paid_invoice(books, make)
    assert await books.run(make.act(kind, document)) == ["posted"]
    assert books.invoice("1")["status"] == "DELETED"


@pytest.mark.parametrize("kind", REMOVALS)
async def test_draft_approved_by_hand_is_voided(books: Shop, make: Maker, kind: str) -> None:
    await books.settings(invoice_status="draft")
    document = await paid_invoice(books, make)
    approved = {"InvoiceID": books.invoice("1")["id"], "Status": "AUTHORISED"}
    books.by_hand("POST", "Invoices", {"Invoices": [approved]})
    assert await books.run(make.act(kind, document)) == ["posted"]
    assert books.invoice("1")["status"] == "VOIDED"


async def test_reset_takes_our_payments_off_and_leaves_the_invoice(books: Shop, make: Maker) -> None:
    document = await paid_invoice(books, make, "50.00", "8.00")
    theirs = pay_by_hand(books, 50)
    assert await books.run(make.act("reset", document)) == ["posted"]
    invoice = books.invoice("1")
    assert (invoice["status"], [p["id"] for p in invoice["payments"]]) == ("AUTHORISED", [theirs])
    assert await books.run(make.act("reset", document)) == ["already_there"]
    assert await books.run(make.paid(document, "58.00")) == ["posted"]


async def test_payment_taken_off_by_hand_is_no_obstacle(books: Shop, make: Maker) -> None:
    document = await paid_invoice(books, make, "50.00", "8.00")
    payment_id = books.invoice("1")["payments"][0]["id"]
    books.by_hand("POST", f"Payments/{payment_id}", {"Status": "DELETED"})
    assert await books.run(make.act("reset", document)) == ["posted"]
    assert books.invoice("1")["payments"] == []


@pytest.mark.parametrize("kind", REMOVALS)
async def test_payments_of_others_stop_a_removal(books: Shop, make: Maker, kind: str) -> None:
    document = await paid_invoice(books, make, "50.00")
    theirs = pay_by_hand(books, 8)
    event = make.act(kind, document)
    assert await books.run(event) == ["foreign_payments"]
    assert len(books.invoice("1")["payments"]) == 2
    books.by_hand("POST", f"Payments/{theirs}", {"Status": "DELETED"})
    assert await books.retry(event) == ["posted"]
    assert books.invoice("1")["status"] == "VOIDED"


async def test_credit_of_others_stops_a_removal(books: Shop, make: Maker) -> None:
    document = await paid_invoice(books, make)
    invoice = books.invoice("1")
    line = {"Description": "Credit", "Quantity": 1, "UnitAmount": 5, "AccountCode": "200", "TaxType": "NONE"}
    note = {
        "Type": "ACCRECCREDIT",
        "Status": "AUTHORISED",
        "Contact": {"ContactID": invoice["contact_id"]},
        "LineItems": [line],
    }
    made = books.by_hand("PUT", "CreditNotes", {"CreditNotes": [note]})
    part = {"Amount": 5, "Invoice": {"InvoiceID": invoice["id"]}, "Date": "2026-03-03"}
    path = f"CreditNotes/{made['CreditNoteID']}/Allocations"
    with pytest.raises(KeyError):  # the answer is the allocation alone
        books.by_hand("PUT", path, {"Allocations": [part]})
    cancel = make.act("cancelled", document)
    assert await books.run(cancel) == ["foreign_payments"]
    assert made["CreditNoteNumber"] in (await books.entry(cancel))["reason_args"]["list"]


@pytest.mark.parametrize("kind", ["reset", *REMOVALS])
async def test_reconciled_payment_stops_everything(books: Shop, make: Maker, kind: str) -> None:
    document = await paid_invoice(books, make, "50.00", "8.00")
    reconciled = [books.invoice("1")["payments"][1]["id"]]
    books.seed(reconcile=reconciled)
    event = make.act(kind, document)
    assert await books.run(event) == ["payment_reconciled"]
    assert len(books.invoice("1")["payments"]) == 2
    books.seed(unreconcile=reconciled)
    assert await books.retry(event) == ["posted"]
    assert {payment["status"] for payment in books.books["payments"]} == {"DELETED"}


@pytest.mark.parametrize("kind", ["reset", *REMOVALS])
async def test_locked_period_stops_everything(books: Shop, make: Maker, kind: str) -> None:
    document = await paid_invoice(books, make, "50.00", "8.00")
    books.seed(period_lock_date="2026-03-31")
    event = make.act(kind, document)
    assert await books.run(event) == ["period_locked"]
    assert len(books.invoice("1")["payments"]) == 2
    books.seed(period_lock_date=None)
    assert await books.retry(event) == ["posted"]


@pytest.mark.parametrize("kind", ["reset", *REMOVALS])
async def test_what_never_came_needs_nothing(books: Shop, make: Maker, kind: str) -> None:
    document = make.document(make.customer(), 1)
    assert await books.run(make.act(kind, document)) == ["not_needed"]
    assert books.books["invoices"] == []


async def test_after_a_removal_only_a_delete_passes(books: Shop, make: Maker) -> None:
    document = await paid_invoice(books, make, "50.00")
    events = [
        make.act("cancelled", document),
        make.edited(document),
        make.paid(document, "8.00"),
        make.act("reset", document),
        make.act("cancelled", document),
        make.act("deleted", document),
    ]
    ends = await books.run(*events)
    removed = "document_removed"
    assert ends == ["posted", removed, "superseded", removed, removed, "already_there"]
    refused = [r.action for r in await books.told() if r.reason_code == removed]
    assert refused == ["edited", "payment_applied", "reset", "cancelled"]


@pytest.mark.parametrize("amount", ["0", "-5.00"])
@pytest.mark.parametrize("sent", [True, False], ids=["removed", "never sent"])
async def test_after_a_removal_money_is_told_so_whatever_its_amount(
    books: Shop, make: Maker, amount: str, sent: bool
) -> None:
    document = make.document(make.customer(), 1)
    paid, taken = make.paid(document, "20.00"), make.refunded(document, "5.00")
    if sent:
        assert await books.run(make.created(document), paid, taken) == ["posted"] * 3
    assert await books.run(make.act("cancelled", document)) == ["posted" if sent else "not_needed"]
    later = [make.paid(document, amount), make.refunded(document, amount)]
    later += [again(make, event, amount) for event in (paid, taken)]
    assert await books.run(*later) == ["document_removed"] * 4


async def test_after_a_removal_a_refund_that_took_a_payment_back_is_told_so(books: Shop, make: Maker) -> None:
    await books.settings(refund_as="reverse_payment")
    document = await paid_invoice(books, make)
    paid, taken = make.paid(document, "20.00"), make.refunded(document, "20.00")
    assert await books.run(paid, taken, make.act("cancelled", document)) == ["posted"] * 3
    told = [again(make, paid), again(make, paid, "30.00"), again(make, taken), again(make, taken, "30.00")]
    assert await books.run(*told) == ["document_removed"] * 4


async def test_create_retried_after_a_cancel_brings_nothing_back(books: Shop, make: Maker) -> None:
    line = {"id": "l1", "name": "Thing", "quantity": 1, "price": "100.00", "tax": 15}
    document = make.document(make.customer(), 1, document_items=[line])
    created = make.created(document)
    ends = await books.run(created, make.act("cancelled", document))
    assert ends == ["tax_rate_unmapped", "not_needed"]
    await books.settings(sales_tax__15="OUTPUT2")
    assert await books.retry(created) == ["document_removed"]
    assert books.books["invoices"] == []


async def test_completed_removal_ends_failed_payments_before_it(books: Shop, make: Maker) -> None:
    document = await paid_invoice(books, make)
    failed = make.paid(document, "500.00")
    assert await books.run(failed) == ["exceeds_amount_due"]
    assert await books.run(make.act("reset", document)) == ["already_there"]
    assert await books.end(failed) == "superseded"


async def test_cancel_retried_after_a_later_action_is_overtaken(books: Shop, make: Maker) -> None:
    document = await paid_invoice(books, make)
    theirs = pay_by_hand(books, 8)
    cancel = make.act("cancelled", document)
    assert await books.run(cancel, make.paid(document, "50.00")) == ["foreign_payments", "posted"]
    books.by_hand("POST", f"Payments/{theirs}", {"Status": "DELETED"})
    assert await books.retry(cancel) == ["overtaken"]
    assert books.invoice("1")["status"] == "AUTHORISED"


async def test_reset_retried_leaves_what_came_after_it(books: Shop, make: Maker) -> None:
    document = await paid_invoice(books, make, "50.00")
    books.seed(period_lock_date="2026-03-31")
    reset = make.act("reset", document)
    later = make.paid(document, "8.00", transaction_date="2026-04-02")
    assert await books.run(reset, later) == ["period_locked", "posted"]
    books.seed(period_lock_date=None)
    assert await books.retry(reset) == ["posted"]
    assert [p["amount"] for p in books.invoice("1")["payments"]] == ["8.00"]


async def test_unlinked_payment_that_bears_our_mark_is_ours(books: Shop, make: Maker) -> None:
    """Its answer was lost for good and an operator left it: nobody else put it there."""
    document = await paid_invoice(books, make)
    asked = make.paid(document, "500.00")
    assert await books.run(asked) == ["exceeds_amount_due"]
    await books.skip(asked, "it is in Xero")
    pay_by_hand(books, 8, Reference=f"Cash #{asked['data']['transaction']['id'][:8]}")
    assert await books.run(make.act("cancelled", document)) == ["posted"]
    assert books.invoice("1")["status"] == "VOIDED"


async def test_deleted_event_without_a_number_is_explained(books: Shop, make: Maker) -> None:
    document = await paid_invoice(books, make)
    pay_by_hand(books, 8)
    delete = make.act("deleted", document)
    await books.run(delete)
    [failed] = [r for r in await books.told() if r.reason_code == "foreign_payments"]
    assert failed.reason.startswith("Invoice 1 cannot be removed")
