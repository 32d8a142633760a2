"""What cannot be undone rests on fresh facts, and what is refused half-way says so."""

from typing import Any

import pytest

from tests.integration.sinks import purchases
from tests.integration.sinks.refunds import paid_invoice
from tests.integration.sinks.shops import Maker, Shop

REFUSAL = '{"ErrorNumber": 10, "Type": "ValidationException", "Message": "Something nobody foresaw"}'


def facts_calls(books: Shop) -> int:
    return books.calls().count("GET Organisation")


async def test_books_closed_meanwhile_stop_a_reset_untouched(books: Shop, make: Maker) -> None:
    document = make.document(make.customer(), 1)
    payments = [make.paid(document, "30.00"), make.paid(document, "20.00", transaction_date="2026-02-27")]
    assert await books.run(make.created(document), *payments) == ["posted"] * 3
    books.seed(period_lock_date="2026-02-28")
    reset = make.act("reset", document)
    assert await books.run(reset) == ["period_locked"]
    assert [p["status"] for p in books.books["payments"]] == ["AUTHORISED", "AUTHORISED"]
    cancelled = make.act("cancelled", document)
    assert await books.run(cancelled) == ["period_locked"]
    assert books.invoice("1")["amount_paid"] == "50.00"


async def test_a_locked_invoice_is_no_obstacle_to_a_reset(books: Shop, make: Maker) -> None:
    document = make.document(make.customer(), 1, issue_date="2026-02-10")
    paid = make.paid(document, "30.00")
    assert await books.run(make.created(document), paid) == ["posted", "posted"]
    books.seed(period_lock_date="2026-02-28")
    assert await books.run(make.act("reset", document)) == ["posted"]
    assert books.invoice("1")["amount_paid"] == "0"


@pytest.mark.parametrize("closed", ["period", "account"])
async def test_a_draft_is_not_authorised_for_a_payment_that_would_be_refused(
    books: Shop, make: Maker, closed: str
) -> None:
    await books.settings(invoice_status="draft")
    document = make.document(make.customer(), 1)
    assert await books.run(make.created(document)) == ["posted"]
    if closed == "period":
        books.seed(period_lock_date="2026-02-28")
    else:
        books.seed(accounts=[{"Code": "090", "Status": "ARCHIVED"}])
    paid = make.paid(document, "30.00", transaction_date="2026-02-27")
    end = "period_locked" if closed == "period" else "account_code_archived"
    assert await books.run(paid) == [end]
    assert books.invoice("1")["status"] == "DRAFT"


async def test_a_payment_of_nothing_leaves_a_draft_a_draft(books: Shop, make: Maker) -> None:
    await books.settings(invoice_status="draft")
    document = make.document(make.customer(), 1)
    ends = await books.run(make.created(document), make.paid(document, "0"), make.paid(document, "0.001"))
    assert ends == ["posted", "not_needed", "not_needed"]
    assert books.invoice("1")["status"] == "DRAFT"


async def test_a_bill_in_a_period_closed_meanwhile_is_not_sent(books: Shop, make: Maker) -> None:
    document = await purchases.ordered(books, make, purchase_order_status="draft")
    books.seed(period_lock_date="2026-03-31")
    assert await books.run(purchases.happened(make, "received", document)) == ["period_locked"]
    assert purchases.order_in(books)["status"] == "DRAFT"


async def test_facts_are_asked_for_once_a_batch(books: Shop, make: Maker) -> None:
    customer = make.customer()
    documents = [make.document(customer, number) for number in range(1, 21)]
    await books.run(*(make.created(document) for document in documents))
    before = facts_calls(books)
    ends = await books.run(*(make.act("cancelled", document) for document in documents))
    assert ends == ["posted"] * 20
    assert facts_calls(books) - before <= 2


async def test_what_is_refused_half_way_says_what_it_has_done(books: Shop, make: Maker) -> None:
    document = await paid_invoice(books, make, "30.00", "20.00")
    books.xero.admin.fault("answer", method="POST", path="^Payments/", times=1, skip=1, value=REFUSAL)
    cancel = make.act("cancelled", document)
    assert await books.run(cancel) == ["xero_refused"]
    [told] = [r for r in await books.told() if r.event_id == cancel["id"] and r.state == "failed"]
    assert "Taken off already: the payment of 30.00; still there: the payment of 20.00." in told.reason
    assert await books.retry(cancel) == ["posted"]


async def test_a_removal_that_arrived_late_is_done(books: Shop, make: Maker) -> None:
    document = make.document(make.customer(), 1)
    assert await books.run(make.created(document)) == ["posted"]
    invoice_id = books.invoice("1")["id"]
    books.xero.admin.fault("error_after", method="POST", path="^Invoices", times=1, status=400)
    assert await books.run(make.act("cancelled", document)) == ["posted"]
    assert books.invoice("1")["status"] == "VOIDED"
    assert books.invoice("1")["id"] == invoice_id


# Merged snapshots of which the newest is refused


def taxed(document: dict[str, Any], tax: int, price: str) -> dict[str, Any]:
    return {"document_items": [{**document["document_items"][0], "tax": tax, "price": price}]}


@pytest.mark.parametrize(
    "settings", [{"invoice_status": "draft"}, {"edit_authorised": "push"}], ids=["draft", "push"]
)
async def test_what_can_be_changed_later_is_sent_without_the_refused_one(
    books: Shop, make: Maker, settings: dict[str, str]
) -> None:
    await books.settings(**settings)
    document = make.document(make.customer(), 1)
    events = [make.created(document), make.edited(document, **taxed(document, 8, "50.00"))]
    events.append(make.edited(document, **taxed(document, 15, "60.00")))
    ends = await books.run(*events)
    assert ends[2] == "tax_rate_unmapped"
    assert set(ends[:2]) <= {"posted", "superseded"} and "posted" in ends
    assert books.invoice("1")["total"] == "54.00"
    await books.settings(sales_tax__15="OUTPUT2")
    assert await books.retry(events[2]) == ["posted"]
    assert books.invoice("1")["total"] == "69.00"


async def test_what_could_never_be_changed_is_not_sent(books: Shop, make: Maker) -> None:
    document = make.document(make.customer(), 1)
    events = [make.created(document), make.edited(document, **taxed(document, 8, "50.00"))]
    events.append(make.edited(document, **taxed(document, 15, "60.00")))
    ends = ["newer_version_refused", "tax_rate_unmapped", "tax_rate_unmapped"]
    assert await books.run(*events) == ends
    assert books.books["invoices"] == []
    await books.settings(sales_tax__15="OUTPUT2")
    assert await books.retry(events[0]) == ["posted"]
    assert books.invoice("1")["total"] == "69.00"


async def test_a_contact_keeps_what_was_good(books: Shop, make: Maker) -> None:
    customer = make.customer("Alice", office_phone="1")
    created = make.contact("created", customer)
    good, bad = make.changed(customer, office_phone="2"), make.changed(customer, name="")
    ends = await books.run(created, good, bad)
    assert ends[2] == "contact_name_invalid"
    assert books.contact("Alice")["phones"]["DEFAULT"]["PhoneNumber"] == "2"


# Errors of Xero's own


async def test_a_document_that_xero_alone_stumbles_over_fails_by_itself(books: Shop, make: Maker) -> None:
    customer = make.customer()
    bad = make.created(make.document(customer, 1, name="TROUBLE-7"))
    good = [make.created(make.document(customer, number)) for number in range(2, 8)]
    books.xero.admin.fault("stumble", method="PUT", path="^Invoices", times=None, value="TROUBLE-7")
    try:
        ends = await books.run(bad, *good)
    finally:
        books.xero.admin.clear_faults()
    assert ends == ["xero_stumbles", *["posted"] * 6]
    assert await books.retry(bad) == ["posted"]
