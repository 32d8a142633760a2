"""Payments: on the right account, with the transaction's date and mark, once."""

from typing import Any

import pytest

from tests.integration.sinks.shops import Maker, Shop


async def sold(books: Shop, make: Maker, **settings: str) -> dict[str, Any]:
    """An invoice of 108.00 that stands in Xero."""
    if settings:
        await books.settings(**settings)
    document = make.document(make.customer(), 1)
    assert await books.run(make.created(document)) == ["posted"]
    return document


async def test_payment_has_account_date_amount_and_mark(books: Shop, make: Maker) -> None:
    document = await sold(books, make)
    paid = make.paid(document, "50.00", transaction_date="2026-03-07")
    assert await books.run(paid) == ["posted"]
    [payment] = books.invoice("1")["payments"]
    transaction_id = paid["data"]["transaction"]["id"]
    assert payment["reference"] == f"Cash #{transaction_id[:8]}"
    assert (payment["account_code"], payment["date"], payment["amount"]) == ("090", "2026-03-07", "50.00")
    entry = await books.entry(paid)
    assert (entry["xero_type"], entry["xero_id"], entry["xero_number"]) == ("payment", payment["id"], "1")


async def test_account_by_reference_in_any_case(books: Shop, make: Maker) -> None:
    document = await sold(books, make)
    assert await books.run(make.paid(document, "50.00", "credit CARD 9008")) == ["posted"]
    assert books.invoice("1")["payments"][0]["account_code"] == "091"


async def test_draft_is_authorised_first(books: Shop, make: Maker) -> None:
    document = await sold(books, make, invoice_status="draft")
    assert await books.run(make.paid(document, "108.00")) == ["posted"]
    assert books.invoice("1")["status"] == "PAID"


async def test_draft_is_not_authorised_for_a_payment_that_cannot_be(books: Shop, make: Maker) -> None:
    document = await sold(books, make, invoice_status="draft")
    assert await books.run(make.paid(document, "108.01")) == ["exceeds_amount_due"]
    await books.settings(payment_account="777")
    assert await books.run(make.paid(document, "8.00")) == ["payment_account_unknown"]
    assert books.invoice("1")["status"] == "DRAFT"


async def test_draft_approved_and_paid_by_hand(books: Shop, make: Maker) -> None:
    document = await sold(books, make, invoice_status="draft")
    invoice_id = books.invoice("1")["id"]
    approved = {"InvoiceID": invoice_id, "Status": "AUTHORISED"}
    books.by_hand("POST", "Invoices", {"Invoices": [approved]})
    paid = make.paid(document, "8.00")
    assert await books.run(paid) == ["posted"]
    theirs = {"Invoice": {"InvoiceID": invoice_id}, "Account": {"Code": "090"}, "Amount": 100}
    books.by_hand("PUT", "Payments", {"Payments": [theirs]})
    late = make.paid(document, "100.00")
    assert await books.run(late) == ["exceeds_amount_due"]
    assert (await books.entry(late))["reason_args"]["due"] == "0.00"


async def test_payment_brings_a_document_that_never_came(books: Shop, make: Maker) -> None:
    document = make.document(make.customer(), 1)
    assert await books.run(make.paid(document, "108.00")) == ["posted"]
    assert books.invoice("1")["status"] == "PAID"
    assert books.calls().count("PUT Invoices") == 1


async def test_payment_that_brings_the_document_ends_its_failed_create(books: Shop, make: Maker) -> None:
    line = {"id": "l1", "name": "Thing", "quantity": 1, "price": "100.00", "tax": 15}
    document = make.document(make.customer(), 1, document_items=[line])
    created = make.created(document)
    assert await books.run(created) == ["tax_rate_unmapped"]
    await books.settings(sales_tax__15="OUTPUT2")
    assert await books.run(make.paid(document, "115.00")) == ["posted"]
    assert await books.end(created) == "superseded"


async def test_one_transaction_under_two_event_ids_is_paid_once(books: Shop, make: Maker) -> None:
    document = await sold(books, make)
    first = make.paid(document, "50.00")
    second = {**first, "id": "another-event"}
    assert await books.run(first, second) == ["posted", "already_there"]
    assert len(books.invoice("1")["payments"]) == 1


@pytest.mark.parametrize(
    ("amount", "end"),
    [
        ("0.00", "not_needed"),
        ("0.004", "not_needed"),
        ("-5.00", "amount_not_positive"),
        ("108.01", "exceeds_amount_due"),
    ],
)
async def test_amounts_that_are_no_payment(books: Shop, make: Maker, amount: str, end: str) -> None:
    document = await sold(books, make)
    assert await books.run(make.paid(document, amount)) == [end]
    assert books.invoice("1")["payments"] == []


async def test_more_than_is_left_names_what_xero_counts_as_due(books: Shop, make: Maker) -> None:
    document = await sold(books, make)
    theirs = {"Invoice": {"InvoiceID": books.invoice("1")["id"]}, "Account": {"Code": "090"}, "Amount": 60}
    books.by_hand("PUT", "Payments", {"Payments": [theirs]})
    paid = make.paid(document, "108.00")
    assert await books.run(paid) == ["exceeds_amount_due"]
    assert (await books.entry(paid))["reason_args"]["due"] == "48.00"


async def test_account_without_a_code_is_named_by_its_id(books: Shop, make: Maker) -> None:
    bank = {"Name": "Till", "Type": "BANK", "BankAccountNumber": "12-3456-7890123-00"}
    [account_id] = books.seed(accounts=[bank])["accounts"]
    document = await sold(books, make, payment_account=account_id)
    assert await books.run(make.paid(document, "8.00")) == ["posted"]
    assert books.invoice("1")["payments"][0]["account_id"] == account_id


async def test_foreign_currency_and_the_warning_of_the_payment(books: Shop, make: Maker) -> None:
    document = make.document(make.customer(), 1, currency="EUR", currency_rate="0.9")
    paid = make.paid(document, "108.00")
    assert await books.run(make.created(document), paid) == ["posted", "posted"]
    assert (books.invoice("1")["currency"], books.invoice("1")["status"]) == ("EUR", "PAID")
    assert await books.warnings(paid) == ["bank_currency_differs"]


async def test_payment_on_an_archived_contact_goes_through(books: Shop, make: Maker) -> None:
    document = await sold(books, make)
    archived = {"ContactID": books.contact("Widgets & Co")["id"], "ContactStatus": "ARCHIVED"}
    books.by_hand("POST", "Contacts", {"Contacts": [archived]})
    assert await books.run(make.paid(document, "8.00")) == ["posted"]


async def test_batch_that_hides_which_payment_was_refused_pays_nothing_twice(
    books: Shop, make: Maker
) -> None:
    documents = [make.document(make.customer(), number) for number in (1, 2, 3)]
    assert await books.run(*map(make.created, documents)) == ["posted"] * 3
    books.xero.admin.fault("unnamed", method="PUT", path="Payments", times=None)
    try:
        amounts = ("8.00", "108.01", "9.00")
        ends = await books.run(*map(make.paid, documents, amounts))
    finally:
        books.xero.admin.clear_faults()
    assert ends[1] == "exceeds_amount_due"
    assert [[p["amount"] for p in books.invoice(n)["payments"]] for n in "123"] == [["8.00"], [], ["9.00"]]
