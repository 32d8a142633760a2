"""Rules of the contract that no other test states by themselves."""

from datetime import datetime, timedelta
from typing import Any

import pytest

from tests.integration.sinks.purchases import bills_in, happened, order, order_in
from tests.integration.sinks.shops import Maker, Shop


def with_price(document: dict[str, Any], price: str) -> dict[str, Any]:
    """Changes that give the document's one line another price."""
    return {"document_items": [{**document["document_items"][0], "price": price}]}


@pytest.mark.parametrize("status", ["authorised", "draft"])
async def test_only_created_and_edited_change_lines(books: Shop, make: Maker, status: str) -> None:
    """The snapshots of a payment, a refund and a reset are newer and say other things: they are not sent."""
    await books.settings(invoice_status=status)
    document = make.document(make.customer(), 1)
    assert await books.run(make.created(document)) == ["posted"]
    other = {**document, **with_price(document, "70.00"), "name": "Other"}
    events = [make.paid(other, "108.00"), make.refunded(other, "10.80"), make.act("reset", other)]
    for event in events:
        assert await books.run(event) == ["posted"]
    invoice = books.invoice("1")
    assert (invoice["status"], invoice["total"], invoice["reference"]) == ("AUTHORISED", "108.00", "")
    assert [line["unit_amount"] for line in invoice["lines"]] == ["100.0000"]


async def test_among_snapshots_of_one_modified_the_events_time_decides(books: Shop, make: Maker) -> None:
    await books.settings(invoice_status="draft")
    document = make.document(make.customer(), 1)
    assert await books.run(make.created(document)) == ["posted"]
    edit = make.edited(document, **with_price(document, "50.00"))
    moment = datetime.fromisoformat(edit["time"])
    earlier, later = (make.edited(document, **with_price(document, price)) for price in ("60.00", "70.00"))
    for event, step in ((earlier, -1), (later, 1)):
        event["data"]["document"]["modified"] = edit["data"]["document"]["modified"]
        event["time"] = (moment + timedelta(seconds=step)).isoformat()
    assert await books.run(edit) == ["posted"]
    assert await books.run(earlier) == ["superseded"]
    assert books.invoice("1")["sub_total"] == "50.00"
    assert await books.run(later) == ["posted"]
    assert books.invoice("1")["sub_total"] == "70.00"


async def test_settings_of_sales_are_in_the_invoice(books: Shop, make: Maker) -> None:
    await books.settings(
        item_code="GOODS",
        sales_account="260",
        sales_tax__8="TAX007",
        sales_tax__0="EXEMPTOUTPUT",
        due_days="10",
        currency="EUR",
        document_url="https://shop.example/{account}/{id}",
        rounding_account="200",
        rounding_tax="EXEMPTOUTPUT",
    )
    books.seed(tax_rates=[{"tax_type": "TAX007", "rate": "8"}])
    taxed = make.document(make.customer(), 1)
    line = {"name": "Bolt", "quantity": 1, "price": "0.335", "tax": 0}
    lines = [{**line, "id": name} for name in ("a", "b", "c")]
    untaxed = make.document(make.customer("Elan"), 2, document_items=lines)
    assert await books.run(make.created(taxed), make.created(untaxed)) == ["posted", "posted"]

    invoice = books.invoice("1")
    assert (invoice["due_date"], invoice["currency"]) == ("2026-03-12", "EUR")
    assert invoice["url"] == f"https://shop.example/{books.account}/{taxed['id']}"
    (only,) = invoice["lines"]
    assert (only["item_code"], only["account_code"], only["tax_type"]) == ("GOODS", "260", "TAX007")
    first, *_, rounding = books.invoice("2")["lines"]
    assert first["tax_type"] == "EXEMPTOUTPUT"
    assert (rounding["item_code"], rounding["account_code"], rounding["tax_type"]) == (
        None,
        "200",
        "EXEMPTOUTPUT",
    )
    assert [item["code"] for item in books.books["items"]] == ["GOODS"]


async def test_settings_of_purchases_are_in_order_and_bill(books: Shop, make: Maker) -> None:
    await books.settings(
        item_code="GOODS",
        purchases_account="310",
        purchase_tax__8="TAX008",
        due_days="10",
        document_url="https://shop.example/{id}",
    )
    books.seed(tax_rates=[{"tax_type": "TAX008", "rate": "8"}])
    document = order(make, name="Spring stock")
    events = [happened(make, "created", document), happened(make, "received", document)]
    assert await books.run(*events) == ["posted", "posted"]
    [bill] = bills_in(books)
    for found in (order_in(books), bill):
        (only,) = found["lines"]
        assert (only["item_code"], only["account_code"], only["tax_type"]) == ("GOODS", "310", "TAX008")
    assert order_in(books)["reference"] == f"Spring stock #{document['id'][:8]}"
    assert (bill["number"], bill["date"], bill["due_date"]) == ("701", "2026-03-02", "2026-03-12")
    assert bill["url"] == f"https://shop.example/{document['id']}"


async def test_deletions_are_found_by_number_and_party(books: Shop, make: Maker) -> None:
    """Their events bring no more than an id."""
    customer = make.customer(customer_number=101)
    document = make.document(customer, 5001)
    created, deleted = make.created(document), make.act("deleted", document)
    assert await books.run(make.contact("created", customer), created, deleted) == [
        "posted",
        "posted",
        "posted",
    ]
    gone = make.contact("deleted", customer)
    assert await books.run(gone) == ["not_needed"]
    named = {r.event_id: (r.record_number, r.party_name) for r in await books.told()}
    assert named[deleted["id"]] == ("5001", "Widgets & Co")
    assert named[gone["id"]] == ("", "Widgets & Co")


async def test_draft_is_not_authorised_for_a_payment_in_a_locked_period(books: Shop, make: Maker) -> None:
    await books.settings(invoice_status="draft")
    books.seed(period_lock_date="2026-03-31")
    document = make.document(make.customer(), 1, issue_date="2026-04-10")
    assert await books.run(make.created(document)) == ["posted"]
    assert await books.run(make.paid(document, "8.00", transaction_date="2026-03-31")) == ["period_locked"]
    assert books.invoice("1")["status"] == "DRAFT"
    assert await books.run(make.paid(document, "8.00", transaction_date="2026-04-01")) == ["posted"]
    assert books.invoice("1")["amount_due"] == "100.00"


@pytest.mark.parametrize(("amount", "end"), [("0", "not_needed"), ("-8.00", "amount_not_positive")])
async def test_draft_is_not_authorised_for_a_payment_of_nothing(
    amount: str, end: str, books: Shop, make: Maker
) -> None:
    await books.settings(invoice_status="draft")
    document = make.document(make.customer(), 1)
    assert await books.run(make.created(document)) == ["posted"]
    assert await books.run(make.paid(document, amount)) == [end]
    assert books.invoice("1")["status"] == "DRAFT"


@pytest.mark.parametrize("kind", ["cancelled", "deleted"])
async def test_draft_with_a_payment_was_authorised_and_is_voided(kind: str, books: Shop, make: Maker) -> None:
    await books.settings(invoice_status="draft")
    document = make.document(make.customer(), 1)
    events = [make.created(document), make.paid(document, "8.00"), make.act(kind, document)]
    assert await books.run(*events) == ["posted"] * 3
    invoice = books.invoice("1")
    assert (invoice["status"], invoice["payments"]) == ("VOIDED", [])
    assert [payment["status"] for payment in books.books["payments"]] == ["DELETED"]
