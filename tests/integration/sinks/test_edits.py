"""Invoices edited: drafts are updated, approved ones are refused or pushed as far as Xero allows."""

from typing import Any

import pytest

from tests.integration.sinks.shops import Maker, Shop


def with_price(document: dict[str, Any], price: str) -> dict[str, Any]:
    return {"document_items": [{**document["document_items"][0], "price": price}]}


async def test_draft_is_updated_and_keeps_what_people_added(books: Shop, make: Maker) -> None:
    await books.settings(invoice_status="draft")
    document = make.document(make.customer(), 1)
    await books.run(make.created(document))
    invoice = books.invoice("1")
    tracking = [{"Name": "Region", "Option": "North"}]
    line = {"LineItemID": invoice["lines"][0]["id"], "Tracking": tracking}
    books.by_hand("POST", "Invoices", {"Invoices": [{"InvoiceID": invoice["id"], "LineItems": [line]}]})
    assert await books.run(make.edited(document, **with_price(document, "200.00"), name="New")) == ["posted"]
    after = books.invoice("1")
    assert (after["status"], after["total"], after["reference"]) == ("DRAFT", "216.00", "New")
    assert after["lines"][0]["tracking"] == tracking
    assert after["id"] == invoice["id"]


async def test_lines_come_and_go(books: Shop, make: Maker) -> None:
    await books.settings(invoice_status="draft")
    document = make.document(make.customer(), 1)
    await books.run(make.created(document))
    [first] = document["document_items"]
    second = {"id": "second", "name": "Other", "quantity": 2, "price": "10.00", "tax": 8}
    assert await books.run(make.edited(document, document_items=[first, second])) == ["posted"]
    kept = books.invoice("1")["lines"][1]["id"]
    assert await books.run(make.edited(document, document_items=[second])) == ["posted"]
    assert [line["id"] for line in books.invoice("1")["lines"]] == [kept]


async def test_authorised_is_refused_by_default(books: Shop, make: Maker) -> None:
    document = make.document(make.customer(), 1)
    await books.run(make.created(document))
    edit = make.edited(document, **with_price(document, "200.00"))
    assert await books.run(edit) == ["authorised_not_editable"]
    assert books.invoice("1")["total"] == "108.00"
    await books.settings(edit_authorised="push")
    assert await books.retry(edit) == ["posted"]
    assert books.invoice("1")["total"] == "216.00"


async def test_authorised_whose_contact_alone_changed_is_already_there(books: Shop, make: Maker) -> None:
    customer = make.customer("Widgets & Co", office_phone="1")
    document = make.document(customer, 1)
    await books.run(make.created(document))
    make.changed(customer, office_phone="2")
    assert await books.run(make.edited(document, customer=customer)) == ["already_there"]
    assert books.contact("Widgets & Co")["phones"]["DEFAULT"]["PhoneNumber"] == "2"


async def test_unpaid_is_pushed_with_lines_and_amounts(books: Shop, make: Maker) -> None:
    await books.settings(edit_authorised="push")
    document = make.document(make.customer(), 1)
    await books.run(make.created(document))
    line_id = books.invoice("1")["lines"][0]["id"]
    changes = {**with_price(document, "50.00"), "issue_date": "2026-03-05", "name": "PO 3"}
    assert await books.run(make.edited(document, **changes)) == ["posted"]
    invoice = books.invoice("1")
    assert (invoice["status"], invoice["total"], invoice["date"]) == ("AUTHORISED", "54.00", "2026-03-05")
    assert invoice["lines"][0]["id"] == line_id


@pytest.mark.parametrize("amount", ["8.00", "108.00"])
async def test_paid_takes_texts_due_date_and_contact(books: Shop, make: Maker, amount: str) -> None:
    await books.settings(edit_authorised="push")
    document = make.document(make.customer(), 1)
    await books.run(make.created(document), make.paid(document, amount))
    line = {**document["document_items"][0], "id": "another", "name": "Better text"}
    other = make.customer("Bolts Ltd")
    changes = {"document_items": [line], "due_date": "2026-05-01", "name": "PO 3"}
    edit = make.edited(document, **changes, customer=other, customer_id=other["id"])
    assert await books.run(edit) == ["posted"]
    invoice = books.invoice("1")
    assert (invoice["due_date"], invoice["reference"], invoice["total"]) == ("2026-05-01", "PO 3", "108.00")
    assert invoice["contact_name"] == "Bolts Ltd"
    assert invoice["lines"][0]["description"] == "Better text"
    assert invoice["amount_paid"] == amount


async def test_date_of_a_paid_one_stays_and_the_log_says_so(books: Shop, make: Maker) -> None:
    await books.settings(edit_authorised="push")
    document = make.document(make.customer(), 1)
    await books.run(make.created(document), make.paid(document, "8.00"))
    edit = make.edited(document, issue_date="2026-03-09", name="PO 3")
    assert await books.run(edit) == ["posted"]
    assert await books.warnings(edit) == ["date_kept"]
    assert (books.invoice("1")["date"], books.invoice("1")["reference"]) == ("2026-03-02", "PO 3")


async def test_amounts_of_a_paid_one_fail_and_nothing_is_pushed(books: Shop, make: Maker) -> None:
    await books.settings(edit_authorised="push")
    customer = make.customer("Widgets & Co", office_phone="1")
    document = make.document(customer, 1)
    await books.run(make.created(document), make.paid(document, "8.00"))
    make.changed(customer, office_phone="2")
    changes = {**with_price(document, "99.00"), "name": "New", "customer": customer}
    assert await books.run(make.edited(document, **changes)) == ["paid_not_editable"]
    assert (books.invoice("1")["total"], books.invoice("1")["reference"]) == ("108.00", "")
    assert books.contact("Widgets & Co")["phones"]["DEFAULT"]["PhoneNumber"] == "1"


async def test_other_customer_of_a_draft(books: Shop, make: Maker) -> None:
    await books.settings(invoice_status="draft")
    document = make.document(make.customer(), 1)
    await books.run(make.created(document))
    other = make.customer("Bolts Ltd")
    assert await books.run(make.edited(document, customer=other, customer_id=other["id"])) == ["posted"]
    assert books.invoice("1")["contact_name"] == "Bolts Ltd"


@pytest.mark.parametrize(("setting", "end"), [("refuse", "authorised_not_editable"), ("push", "posted")])
async def test_draft_approved_by_hand(books: Shop, make: Maker, setting: str, end: str) -> None:
    await books.settings(invoice_status="draft", edit_authorised=setting)
    document = make.document(make.customer(), 1)
    await books.run(make.created(document))
    approved = {"InvoiceID": books.invoice("1")["id"], "Status": "AUTHORISED"}
    books.by_hand("POST", "Invoices", {"Invoices": [approved]})
    assert await books.run(make.edited(document, **with_price(document, "50.00"))) == [end]
    assert books.invoice("1")["status"] == "AUTHORISED"
    assert books.invoice("1")["total"] == ("54.00" if end == "posted" else "108.00")


@pytest.mark.parametrize("status", ["authorised", "draft"])
async def test_removed_by_hand(books: Shop, make: Maker, status: str) -> None:
    await books.settings(invoice_status=status)
    document = make.document(make.customer(), 1)
    await books.run(make.created(document))
    gone = {"InvoiceID": books.invoice("1")["id"], "Status": "DELETED" if status == "draft" else "VOIDED"}
    books.by_hand("POST", "Invoices", {"Invoices": [gone]})
    assert await books.run(make.edited(document, **with_price(document, "50.00"))) == ["document_removed"]
    assert await books.run(make.paid(document, "54.00")) == ["document_removed"]
    assert await books.run(make.act("deleted", document)) == ["already_there"]


async def test_older_snapshot_changes_nothing(books: Shop, make: Maker) -> None:
    await books.settings(invoice_status="draft")
    document = make.document(make.customer(), 1)
    created = make.created(document)
    edit = make.edited(document, **with_price(document, "50.00"))
    assert await books.run(edit) == ["posted"]
    assert await books.run(created) == ["superseded"]
    assert books.invoice("1")["total"] == "54.00"


async def test_edit_of_a_document_that_never_came_creates_it(books: Shop, make: Maker) -> None:
    assert await books.run(make.edited(make.document(make.customer(), 1))) == ["posted"]
    assert books.invoice("1")["status"] == "AUTHORISED"
