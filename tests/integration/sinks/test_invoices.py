"""Invoices created: contact first, then the invoice, once, with the totals of SalesBinder."""

import asyncio
from decimal import Decimal

import pytest

from tests.integration.sinks.shops import ENABLED_AT, Maker, Shop


@pytest.mark.parametrize("status", ["authorised", "draft"])
async def test_created_by_setting(books: Shop, make: Maker, status: str) -> None:
    await books.settings(invoice_status=status)
    document = make.document(make.customer(), 5001, name="Order 9", due_date="2026-04-15")
    created = make.created(document)
    assert await books.run(created) == ["posted"]
    invoice = books.invoice("5001")
    assert (invoice["type"], invoice["status"], invoice["total"]) == ("ACCREC", status.upper(), "108.00")
    assert (invoice["date"], invoice["due_date"]) == ("2026-03-02", "2026-04-15")
    assert invoice["reference"] == "Order 9"
    assert invoice["url"] == f"https://{books.account}.salesbinder.com/documents/view/{document['id']}"
    [line] = invoice["lines"]
    assert (line["item_code"], line["account_code"], line["tax_type"]) == ("SB-ITEM", "200", "OUTPUT")
    assert books.contact("Widgets & Co")["contact_number"] == document["customer_id"]
    entry = await books.entry(created)
    assert (entry["xero_type"], entry["xero_id"], entry["xero_number"]) == ("invoice", invoice["id"], "5001")
    results = await books.told()
    [posted] = [r for r in results if r.outcome == "posted"]
    steps = [a.step for r in results for a in r.made]
    assert steps == ["item", "contact", "invoice"]
    assert posted.xero_url.startswith("https://go.xero.com/app/!")
    assert posted.xero_url.endswith(f"/invoicing/view/{invoice['id']}")
    assert (posted.salesbinder_url, posted.attempts) == (invoice["url"], len(steps))


async def test_number_format(books: Shop, make: Maker) -> None:
    await books.settings(invoice_number_format="SB-{number}")
    assert await books.run(make.created(make.document(make.customer(), 7))) == ["posted"]
    assert books.invoice("SB-7")["due_date"] == "2026-04-01"


async def test_newest_customer_data_goes_along(books: Shop, make: Maker) -> None:
    customer = make.customer("Widgets & Co", office_phone="1")
    await books.run(make.created(make.document(customer, 1)))
    make.changed(customer, office_phone="2")
    await books.run(make.created(make.document(dict(customer), 2)))
    contact = books.contact("Widgets & Co")
    assert contact["phones"]["DEFAULT"]["PhoneNumber"] == "2"
    assert {i["contact_id"] for i in books.books["invoices"]} == {contact["id"]}


@pytest.mark.parametrize("kind", ["created", "edited", "payment_applied", "reset", "cancelled", "deleted"])
async def test_before_the_cut_off_nothing_is_done(books: Shop, make: Maker, kind: str) -> None:
    document = make.document(make.customer(), 1, created="2025-12-31T23:59:59+00:00")
    if kind == "payment_applied":
        event = make.paid(document, "108.00")
    else:
        event = make.created(document) if kind == "created" else make.act(kind, document)
    before = [make.created(document)] if kind == "deleted" else []
    assert (await books.run(*before, event))[-1] == "before_cutoff"
    assert (books.books["invoices"], books.books["contacts"]) == ([], [])


async def test_before_the_cut_off_stays_so_after_a_deletion_that_told_no_date(
    books: Shop, make: Maker
) -> None:
    document = make.document(make.customer(), 1, created="2025-12-31T23:59:59+00:00")
    assert await books.run(make.act("deleted", document)) == ["not_needed"]
    events = [make.edited(document), make.paid(document, "5.00"), make.refunded(document, "5.00")]
    events += [make.act(kind, document) for kind in ("reset", "cancelled", "deleted")]
    assert await books.run(*events) == ["before_cutoff"] * 6
    assert (books.books["invoices"], books.books["contacts"]) == ([], [])


async def test_created_exactly_at_the_cut_off_is_in(books: Shop, make: Maker) -> None:
    document = make.document(make.customer(), 1, created=ENABLED_AT.isoformat())
    assert await books.run(make.created(document)) == ["posted"]


async def test_linked_document_is_in_whatever_the_cut_off_becomes(books: Shop, make: Maker) -> None:
    document = make.document(make.customer(), 1)
    await books.run(make.created(document))
    await books.settings(enabled_at="2026-06-01T00:00:00Z")
    assert await books.run(make.paid(document, "108.00")) == ["posted"]


async def test_item_is_made_once(books: Shop, make: Maker) -> None:
    customer = make.customer()
    events = [make.created(make.document(customer, number)) for number in range(1, 4)]
    assert await books.run(*events) == ["posted"] * 3
    assert [item["code"] for item in books.books["items"]] == ["SB-ITEM"]
    assert books.calls().count("PUT Items") == 1
    assert books.calls().count("PUT Invoices") == 1


async def test_number_of_somebody_elses_invoice_is_never_overwritten(books: Shop, make: Maker) -> None:
    line = {"Description": "By hand", "Quantity": 1, "UnitAmount": 5, "AccountCode": "200"}
    theirs = {
        "Type": "ACCREC",
        "InvoiceNumber": "A,5001",
        "Contact": {"Name": "Someone Else"},
        "LineItems": [line],
    }
    books.by_hand("PUT", "Invoices", {"Invoices": [theirs]})
    created = make.created(make.document(make.customer(), 1, document_number="A,5001"))
    assert await books.run(created) == ["number_taken"]
    assert (await books.entry(created))["reason_args"]["contact"] == "Someone Else"
    assert books.invoice("A,5001")["total"] == "5.40"
    await books.settings(invoice_number_format="SB-{number}")
    assert await books.retry(created) == ["posted"]
    assert books.invoice("SB-A,5001")["total"] == "108.00"


async def test_two_documents_of_one_number_are_not_taken_for_one(books: Shop, make: Maker) -> None:
    customer = make.customer()
    await books.run(make.contact("created", customer))
    one, two = (make.created(make.document(customer, 5001, price)) for price in ("10.00", "20.00"))
    ends = dict(zip(await books.run(one, two), (one, two), strict=True))
    assert set(ends) == {"posted", "number_taken"}
    entry = await books.entry(ends["posted"])
    assert entry["xero_id"] == books.invoice("5001")["id"]
    assert (await books.entry(ends["number_taken"]))["reason_args"]["contact"] == "Widgets & Co"


async def test_replay_of_all_that_is_done_costs_no_call(books: Shop, make: Maker) -> None:
    document = make.document(make.customer(), 1)
    events = [make.created(document), make.paid(document, "100.00"), make.edited(document)]
    await books.run(*events)
    before, log = books.calls(), await books.log()
    await books.send(*events)
    await asyncio.sleep(0.2)
    assert (books.calls(), await books.log()) == (before, log)


async def test_other_rates_cents_and_untaxed_lines(books: Shop, make: Maker) -> None:
    await books.settings(**{"sales_tax__12.5": "TAX005", "sales_tax__8+5": "TAX001"})
    lines = [
        {"id": f"l{i}", "name": "Thing", "quantity": 3, "price": "33.33", "tax": tax, "tax2": tax2}
        for i, (tax, tax2) in enumerate([("12.5", 0), (8, 5), (0, 0), (8, 0)])
    ]
    document = make.document(make.customer(), 1, document_items=lines)
    assert await books.run(make.created(document)) == ["posted"]
    exact = sum(Decimal("99.99") * (100 + t) / 100 for t in map(Decimal, ("12.5", "13", "0", "8")))
    assert abs(Decimal(books.invoice("1")["total"]) - exact) < Decimal("0.02")


async def test_merged_contact_is_followed_by_the_next_invoice(books: Shop, make: Maker) -> None:
    customer = make.customer("Widgets & Co")
    await books.run(make.created(make.document(customer, 1)))
    other = books.by_hand("PUT", "Contacts", {"Contacts": [{"Name": "Widgets Inc"}]})
    books.seed(merge={"source": books.contact("Widgets & Co")["id"], "into": other["ContactID"]})
    assert await books.run(make.created(make.document(customer, 2))) == ["posted"]
    assert books.invoice("2")["contact_id"] == other["ContactID"]


async def test_warnings_of_document_and_contact_are_on_the_entry(books: Shop, make: Maker) -> None:
    customer = make.customer("Widgets & Co", office_email="nobody")
    line = {"id": "l1", "name": "Thing", "quantity": 7, "price": "1.23456", "tax": 0}
    created = make.created(make.document(customer, 1, document_items=[line]))
    assert await books.run(created) == ["posted"]
    assert await books.warnings(created) == ["line_as_one", "email_left_out"]
