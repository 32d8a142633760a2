"""Xero compared with what we put there: nothing is told that did not change, and what did is."""

from pathlib import Path
from typing import Any

import pytest

from tests.integration.sinks.drifting import adopt, drift, read, resend, seen, standing
from tests.integration.sinks.purchases import happened, order
from tests.integration.sinks.shops import Maker, Shop, examples


@pytest.mark.parametrize("status", ["authorised", "draft"])
@pytest.mark.parametrize("refund_as", ["credit_note", "reverse_payment"])
async def test_nothing_differs_after_a_day_of_every_action(
    open_shop: Shop, shared_dir: Path, status: str, refund_as: str
) -> None:
    await open_shop.settings(
        invoice_status=status,
        purchase_order_status=status,
        edit_authorised="push",
        refund_as=refund_as,
        payment_account__cash="091",
    )
    events = examples(shared_dir)
    await open_shop.send(*events)
    await open_shop.idle()
    run = await read(open_shop)
    assert run["compared"] > 5
    assert seen(await standing(open_shop)) == []
    assert await open_shop.rows("SELECT * FROM ledger.drift_unread") == []


async def test_amounts_changed_by_hand_are_put_right(books: Shop, make: Maker) -> None:
    await books.settings(edit_authorised="push")
    document = make.document(make.customer(), 1)
    await books.run(make.created(document))
    assert await drift(books) == []
    change(
        books, "1", LineItems=[{"Description": "Less", "Quantity": 1, "UnitAmount": 50, "AccountCode": "200"}]
    )
    found = await drift(books)
    assert ("invoice", "total", "108.00", "54.00") in found
    assert {field for _, field, _, _ in found} == {"total", "net", "tax", "amount_due"}
    assert await resend(books) == ["posted"]
    assert await drift(books) == []
    assert books.invoice("1")["total"] == "108.00"


async def test_what_the_rules_do_not_let_us_change_fails_with_their_reason(books: Shop, make: Maker) -> None:
    await books.run(make.created(make.document(make.customer(), 1)))
    change(books, "1", Reference="By hand")
    assert await drift(books) == [("invoice", "reference", "", "By hand")]
    assert await resend(books) == ["authorised_not_editable"]
    assert await drift(books) == [("invoice", "reference", "", "By hand")]


async def test_payment_deleted_by_hand_is_paid_again(books: Shop, make: Maker) -> None:
    document = make.document(make.customer(), 1)
    await books.run(make.created(document), make.paid(document, "108.00"))
    [payment] = books.invoice("1")["payments"]
    books.by_hand("POST", f"Payments/{payment['id']}", {"Status": "DELETED"})
    assert ("payment", "status", "AUTHORISED", "DELETED") in await drift(books)
    assert await resend(books) == ["posted"]
    assert books.invoice("1")["amount_due"] == "0.00"
    assert await drift(books) == []


async def test_invoice_voided_by_hand_is_told_until_it_is_adopted(books: Shop, make: Maker) -> None:
    await books.run(make.created(make.document(make.customer(), 1)))
    change(books, "1", Status="VOIDED")
    assert await drift(books) == [("invoice", "status", "AUTHORISED", "VOIDED")]
    [row] = await standing(books)
    assert row["changed_at"] is not None
    assert await adopt(books) == 1
    assert await standing(books) == []
    assert await drift(books, full=True) == []


async def test_invoice_voided_by_hand_and_cancelled_in_salesbinder_is_as_it_should_be(
    books: Shop, make: Maker
) -> None:
    document = make.document(make.customer(), 1)
    await books.run(make.created(document))
    change(books, "1", Status="VOIDED")
    await books.run(make.act("cancelled", document))
    assert await drift(books) == []


async def test_contact_changed_by_hand_is_put_right(books: Shop, make: Maker) -> None:
    customer = make.customer(office_phone="123", office_email="a@example.com")
    await books.run(make.contact("created", customer))
    contact = books.contact(customer["name"])
    phones = [{"PhoneType": "DEFAULT", "PhoneNumber": "999"}]
    books.by_hand("POST", "Contacts", {"Contacts": [{"ContactID": contact["id"], "Phones": phones}]})
    assert await drift(books) == [("contact", "phone", "123", "999")]
    assert await resend(books) == ["posted"]
    assert await drift(books) == []


async def test_contact_that_came_with_a_document_is_put_right_by_it(books: Shop, make: Maker) -> None:
    customer = make.customer(office_phone="123")
    await books.run(make.created(make.document(customer, 1)))
    contact = books.contact(customer["name"])
    phones = [{"PhoneType": "DEFAULT", "PhoneNumber": "999"}]
    books.by_hand("POST", "Contacts", {"Contacts": [{"ContactID": contact["id"], "Phones": phones}]})
    assert await drift(books) == [("contact", "phone", "123", "999")]
    assert await resend(books) == ["posted"]
    assert await drift(books) == []


async def test_payment_of_others_is_information(books: Shop, make: Maker) -> None:
    await books.run(make.created(make.document(make.customer(), 1)))
    pay_by_hand(books, "1", 8)
    await read(books)
    [row] = await standing(books)
    assert row["information"]
    assert (row["ours"], row["xeros"]) == ("", "8.00 of 2026-03-03 By hand")


async def test_order_changed_by_hand_is_put_right(books: Shop, make: Maker) -> None:
    document = order(make)
    await books.run(happened(make, "created", document))
    found = books.books["purchase_orders"][0]
    body = {"PurchaseOrderID": found["id"], "Date": "2026-03-30"}
    books.by_hand("POST", "PurchaseOrders", {"PurchaseOrders": [body]})
    assert await drift(books) == [("purchase_order", "date", "2026-03-02", "2026-03-30")]
    assert await resend(books) == ["posted"]
    assert await drift(books) == []


async def test_adopted_difference_is_told_again_when_xero_changes_once_more(books: Shop, make: Maker) -> None:
    await books.run(make.created(make.document(make.customer(), 1)))
    change(books, "1", Reference="First")
    await read(books)
    await adopt(books)
    change(books, "1", Reference="Second")
    assert await drift(books) == [("invoice", "reference", "", "Second")]


def change(books: Shop, number: str, **changes: Any) -> None:
    """Somebody changes an invoice in Xero."""
    body = {"InvoiceID": books.invoice(number)["id"], **changes}
    books.by_hand("POST", "Invoices", {"Invoices": [body]})


def pay_by_hand(books: Shop, number: str, amount: int) -> None:
    body = {
        "Invoice": {"InvoiceID": books.invoice(number)["id"]},
        "Account": {"Code": "090"},
        "Amount": amount,
        "Date": "2026-03-03",
        "Reference": "By hand",
    }
    books.by_hand("PUT", "Payments", {"Payments": [body]})
