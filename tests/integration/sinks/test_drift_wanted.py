"""Silent faults, planted behind the pipeline's back: the log says that it is done, and Xero has it otherwise.

Xero shows what was sent, so that comparing with that alone finds nothing: what the history of the record asks
for does.
"""

import asyncio
import json
from typing import Any

import pytest

from connections import store
from sinks.drift.acts import proposal
from sinks.ledger.packing import element_body
from tests.integration.sinks.drifting import drift, read, resend, seen, standing, unexplained
from tests.integration.sinks.purchases import bills_in, happened, order, order_in, ordered, set_by_hand
from tests.integration.sinks.purchases import edited as order_edited
from tests.integration.sinks.refunds import number_of, paid_invoice
from tests.integration.sinks.shops import PATIENCE, Maker, Shop
from tests.integration.sinks.test_contact_care import merged_into
from tests.integration.sinks.test_corrections import again, invoiced

_HELD = "SELECT 1 FROM ledger.accounts WHERE account = %s AND held = 'account_paused'"


async def lose(shop: Shop, *events: dict[str, Any], outcome: str = "posted") -> None:
    """Take events in and have the log say that they are done, although nothing was."""
    async with await shop.connect() as connection:
        await store.pause(connection, shop.account, actor="ann", reason="stocktaking")
    worked = await shop.rows("SELECT 1 FROM ledger.commands WHERE account = %s", shop.account)
    async with asyncio.timeout(PATIENCE):
        while worked and not await shop.rows(_HELD, shop.account):  # noqa: ASYNC110 - another process writes it
            await asyncio.sleep(0.02)
    await shop.send(*events)
    for event in events:
        await shop.change(
            f"state = 'completed', outcome = '{outcome}', finished_at = clock_timestamp()", event
        )
    async with await shop.connect() as connection:
        await store.resume(connection, shop.account, actor="ann")


async def ledger_says(shop: Shop, old: str, new: str) -> None:
    """Change a text in all that the ledger knows to have been sent, links and bodies."""
    await elements_say(shop, old, new)
    await shop.rows(
        "UPDATE ledger.links SET facts = replace(facts::text, %s, %s)::jsonb WHERE account = %s RETURNING 1",
        old, new, shop.account,
    )  # fmt: skip


async def elements_say(shop: Shop, old: str, new: str, kind: str = "%") -> None:
    rows = await shop.rows(
        "SELECT intent_id, position, body, packed FROM ledger.elements WHERE account = %s AND kind LIKE %s",
        shop.account, kind,
    )  # fmt: skip
    for row in (row for row in rows if element_body(row) is not None):
        body = json.dumps(element_body(row)).replace(old, new)
        await shop.rows(
            "UPDATE ledger.elements SET body = %s, packed = NULL "
            "WHERE intent_id = %s AND position = %s RETURNING 1",
            body, row["intent_id"], row["position"],
        )  # fmt: skip


def by_hand(shop: Shop, number: str, **changes: Any) -> None:
    body = {"InvoiceID": shop.invoice(number)["id"], **changes}
    shop.by_hand("POST", "Invoices", {"Invoices": [body]})


def lines(document: dict[str, Any], *prices: str, tax: int = 8) -> list[dict[str, Any]]:
    first = document["document_items"][0]
    return [
        {**first, "id": f"{first['id'][:-2]}{place:02}", "price": price, "tax": tax}
        for place, price in enumerate(prices)
    ]


def says(rows: list[dict[str, Any]], text: str) -> bool:
    return all(text in row["why"] for row in rows)


# Documents


@pytest.mark.parametrize("outcome", ["posted", "already_there", "superseded"])
async def test_edit_of_an_equal_stamp_that_was_lost(books: Shop, make: Maker, outcome: str) -> None:
    await books.settings(edit_authorised="push")
    document = await invoiced(books, make)
    document["document_items"] = lines(document, "120.00")
    edit = make.edited(document) | {"time": document["modified"]}
    edit["data"]["document"]["modified"] = document["created"]
    created = (await books.rows("SELECT event_time FROM ledger.commands WHERE account = %s", books.account))[
        0
    ]
    edit["time"] = created["event_time"].isoformat()
    await lose(books, edit, outcome=outcome)
    assert await drift(books) == [
        ("invoice", "net", "120.00", "100.00"),
        ("invoice", "tax", "9.60", "8.00"),
        ("invoice", "total", "129.60", "108.00"),
    ]
    assert says(await standing(books), "'edited' of")
    assert await resend(books) == ["posted"]
    assert books.invoice("1")["total"] == "129.60"
    assert await drift(books) == []


async def test_edit_of_texts_and_days_that_was_lost(books: Shop, make: Maker) -> None:
    document = await invoiced(books, make)
    await lose(books, make.edited(document, name="Spring", issue_date="2026-03-01", due_date="2026-03-20"))
    assert {(field, ours) for _, field, ours, _ in await drift(books)} == {
        ("reference", "Spring"),
        ("date", "2026-03-01"),
        ("due_date", "2026-03-20"),
    }


async def test_edit_that_gave_the_document_to_somebody_else_and_was_lost(books: Shop, make: Maker) -> None:
    document = await invoiced(books, make)
    other = make.customer("Other & Co")
    await books.run(make.contact("created", other))
    await lose(books, make.edited(document, customer=other, customer_id=other["id"]))
    [(kind, field, _, xeros)] = await drift(books)
    assert (kind, field) == ("invoice", "contact")
    assert "Widgets & Co" in xeros


async def test_document_whose_create_was_lost(books: Shop, make: Maker) -> None:
    document = make.document(make.customer(), 1)
    await lose(books, make.created(document))
    assert await drift(books) == [("invoice", "missing", "invoice 1 of 108.00", "")]
    assert await resend(books) == ["posted"]
    assert await drift(books) == []
    assert books.invoice("1")["total"] == "108.00"


async def test_order_whose_edit_was_lost(books: Shop, make: Maker) -> None:
    document = await ordered(books, make)
    await lose(books, order_edited(make, document, document_items=lines(document, "90.00")))
    assert ("purchase_order", "total", "97.20", "108.00") in await drift(books)
    assert await resend(books) == ["posted"]
    assert await drift(books) == []


async def test_tax_cents_on_the_wrong_line(books: Shop, make: Maker) -> None:
    document = make.document(make.customer(), 1)
    document |= {"document_items": lines(document, "10.00", "20.00"), "total_price": 30, "total_tax": "2.41"}
    await books.run(make.created(document))
    assert await drift(books) == []
    shown = books.invoice("1")["lines"]
    assert [line["tax_amount"] for line in shown] == ["0.80", "1.61"]
    moved = [
        {"LineItemID": line["id"], "Quantity": 1, "UnitAmount": price, "TaxAmount": tax, "Description": "-",
         "AccountCode": "200", "TaxType": line["tax_type"]}
        for line, price, tax in zip(shown, (10, 20), (0.81, 1.60), strict=True)
    ]  # fmt: skip
    by_hand(books, "1", LineItems=moved)
    wrong = [
        (
            "invoice",
            "line_amounts",
            "10.00 + 0.80 tax, 20.00 + 1.61 tax",
            "10.00 + 0.81 tax, 20.00 + 1.60 tax",
        )
    ]
    assert await drift(books) == wrong
    # The same where we have sent it so ourselves.
    await ledger_says(books, '"TaxAmount": "0.80"', '"TaxAmount": "0.81"')
    await ledger_says(books, '"TaxAmount": "1.61"', '"TaxAmount": "1.60"')
    assert await drift(books, full=True) == wrong


async def test_net_off_by_a_cent_with_the_total_right(books: Shop, make: Maker) -> None:
    await invoiced(books, make)
    [line] = books.invoice("1")["lines"]
    shown = {"LineItemID": line["id"], "Quantity": 1, "UnitAmount": 99.99, "TaxAmount": 8.01,
             "Description": "-", "AccountCode": "200", "TaxType": line["tax_type"]}  # fmt: skip
    by_hand(books, "1", LineItems=[shown])
    wrong = [("invoice", "net", "100.00", "99.99"), ("invoice", "tax", "8.00", "8.01")]
    assert await drift(books) == wrong
    await ledger_says(books, '"UnitAmount": "100.00"', '"UnitAmount": "99.99"')
    await ledger_says(books, '"TaxAmount": "8.00"', '"TaxAmount": "8.01"')
    assert await drift(books, full=True) == wrong


async def test_wrong_exchange_rate(books: Shop, make: Maker) -> None:
    await books.run(make.created(make.document(make.customer(), 1, currency="EUR", currency_rate="0.8")))
    assert await drift(books) == []
    by_hand(books, "1", CurrencyRate=1.25)
    assert await drift(books) == [("invoice", "currency_rate", "0.8", "1.25")]
    await ledger_says(books, '"CurrencyRate": "0.8"', '"CurrencyRate": "1.25"')
    assert await drift(books, full=True) == [("invoice", "currency_rate", "0.8", "1.25")]


@pytest.mark.parametrize("action", ["cancelled", "deleted"])
async def test_removal_whose_invoice_still_stands(books: Shop, make: Maker, action: str) -> None:
    document = await paid_invoice(books, make, "20.00")
    await lose(books, make.act(action, document))
    assert await drift(books) == [
        ("invoice", "status", "DELETED", "AUTHORISED"),
        ("payment", "status", "DELETED", "AUTHORISED"),
    ]
    assert await resend(books) == ["posted"]
    assert books.invoice("1")["status"] == "VOIDED"
    assert await drift(books) == []


# Payments and refunds


@pytest.mark.parametrize("outcome", ["posted", "already_there", "superseded"])
async def test_payment_with_the_old_amount_after_a_correction(books: Shop, make: Maker, outcome: str) -> None:
    document = await invoiced(books, make)
    paid = make.paid(document, "50.00")
    await books.run(paid)
    await lose(books, again(make, paid, "60.00"), outcome=outcome)
    assert await drift(books) == [("payment", "amount", "60.00", "50.00")]
    assert await resend(books) == ["posted"]
    assert books.invoice("1")["amount_due"] == "48.00"
    assert await drift(books) == []


async def test_payment_with_the_old_day_and_method_after_a_correction(books: Shop, make: Maker) -> None:
    document = await invoiced(books, make)
    paid = make.paid(document, "50.00")
    await books.run(paid)
    await lose(books, again(make, paid, transaction_date="2026-03-05", reference="Card"))
    assert {(field, ours.split(" #")[0]) for _, field, ours, _ in await drift(books)} == {
        ("date", "2026-03-05"),
        ("reference", "Card"),
    }


@pytest.mark.parametrize("outcome", ["posted", "superseded"])
async def test_payment_deleted_after_a_reset_though_told_again(
    books: Shop, make: Maker, outcome: str
) -> None:
    document = await invoiced(books, make)
    paid = make.paid(document, "50.00")
    await books.run(paid, make.act("reset", document))
    assert await drift(books) == []
    await lose(books, again(make, paid), outcome=outcome)
    assert await drift(books) == [("payment", "status", "AUTHORISED", "DELETED")]
    assert await resend(books) == ["posted"]
    assert books.invoice("1")["amount_due"] == "58.00"
    assert await drift(books) == []


async def test_reset_that_was_lost(books: Shop, make: Maker) -> None:
    document = await paid_invoice(books, make, "20.00", "30.00")
    await lose(books, make.act("reset", document))
    found = await drift(books)
    assert found[1:] == [("payment", "status", "DELETED", "AUTHORISED")] * 2
    assert found[0] == ("invoice", "amount_due", "108.00", "58.00")
    assert {proposal(row, "push")[0] for row in await standing(books)} == {"adopt", "follows"}


@pytest.mark.parametrize("outcome", ["posted", "superseded"])
async def test_payment_that_was_lost(books: Shop, make: Maker, outcome: str) -> None:
    document = await invoiced(books, make)
    await lose(books, make.paid(document, "50.00"), outcome=outcome)
    assert await drift(books) == [("payment", "missing", "payment of 50.00 of 2026-03-02 for 1", "")]
    # It may be there without a link: only a person can see that.
    assert await resend(books) == []


@pytest.mark.parametrize("outcome", ["posted", "superseded"])
async def test_refund_with_the_old_amount(books: Shop, make: Maker, outcome: str) -> None:
    document = await paid_invoice(books, make, "108.00")
    refund = make.refunded(document, "20.00")
    await books.run(refund)
    await lose(books, again(make, refund, "25.00"), outcome=outcome)
    found = await drift(books)
    assert ("credit_note", "total", "25.00", "20.00") in found
    assert ("refund", "amount", "25.00", "20.00") in found
    assert await resend(books) == ["posted"]
    assert books.credit_note(f"{number_of(refund)}-2")["total"] == "25.00"
    assert await drift(books) == []


async def test_what_is_rightly_superseded_is_no_difference(books: Shop, make: Maker) -> None:
    """Told late, ended by a correction or a reset, and told of the time before the last of two resets."""
    await books.settings(payment_account="999")
    document = await invoiced(books, make)
    corrected, lost, late = (make.paid(document, amount) for amount in ("50.00", "8.00", "20.00"))
    assert set(await books.run(corrected, lost, late)) == {"payment_account_unknown"}
    await books.settings(payment_account="090")
    told_before = again(make, corrected, "40.00")
    now = again(make, corrected, "30.00")
    assert await books.run(now, told_before) == ["posted", "superseded"]
    assert await books.end(corrected) == "superseded"
    assert await books.retry(late) == ["posted"]
    reset = make.act("reset", document)
    between = again(make, late, "21.00")
    assert await books.run(reset, make.act("reset", document), between) == [
        "posted",
        "already_there",
        "superseded",
    ]
    assert await books.end(lost) == "superseded"
    assert await drift(books, full=True) == []


async def test_payment_on_the_wrong_invoice(books: Shop, make: Maker) -> None:
    document = await invoiced(books, make)
    other = make.document(make.customer("Other"), 2)
    paid = make.paid(document, "50.00")
    await books.run(make.created(other), paid)
    right, wrong = books.invoice("1")["id"], books.invoice("2")["id"]
    [payment] = books.invoice("1")["payments"]
    books.by_hand("POST", f"Payments/{payment['id']}", {"Status": "DELETED"})
    body = {"Invoice": {"InvoiceID": wrong}, "Account": {"Code": "090"}, "Date": payment["date"],
            "Amount": 50, "Reference": payment["reference"]}  # fmt: skip
    made = books.by_hand("PUT", "Payments", {"Payments": [body]})["PaymentID"]
    await books.rows(
        "UPDATE ledger.links SET xero_id = %s WHERE account = %s AND kind = 'payment' RETURNING 1",
        made, books.account,
    )  # fmt: skip
    await elements_say(books, right, wrong, "payment")
    assert ("payment", "document", right, "2") in await drift(books)


# Purchases


async def test_receipt_with_other_lines(books: Shop, make: Maker) -> None:
    document = await ordered(books, make)
    await books.run(happened(make, "received", document))
    document["modified"] = make.now
    document["document_items"] = lines(document, "90.00")
    await lose(books, happened(make, "received", document), outcome="already_there")
    found = await drift(books)
    assert ("bill", "total", "97.20", "108.00") in found
    assert {kind for kind, *_ in found} == {"bill"}


async def test_bill_missing_for_a_billed_order(books: Shop, make: Maker) -> None:
    document = await ordered(books, make)
    set_by_hand(books, "BILLED")
    await lose(books, happened(make, "received", document))
    assert bills_in(books) == []
    assert await drift(books) == [("bill", "missing", "bill 701 of 108.00 for 701", "")]


async def test_receipt_whose_order_was_not_billed(books: Shop, make: Maker) -> None:
    document = order(make)
    await books.settings(received_as="billed")
    await books.run(happened(make, "created", document))
    await lose(books, happened(make, "received", document))
    assert await drift(books) == [("purchase_order", "status", "BILLED", "AUTHORISED")]
    assert order_in(books)["status"] == "AUTHORISED"


async def test_no_bill_is_missing_of_what_was_received_while_none_was_wanted(
    books: Shop, make: Maker
) -> None:
    await ordered(books, make, received_as="billed")
    document = order(make, 702)
    await books.run(happened(make, "created", document), happened(make, "received", document))
    await books.settings(received_as="bill")
    assert await drift(books) == []


# Contacts


async def test_field_of_a_contact_that_was_lost(books: Shop, make: Maker) -> None:
    customer = make.customer("Widgets & Co", office_phone="1", office_email="a@b.example")
    await books.run(make.contact("created", customer))
    await lose(books, make.changed(customer, office_phone="2"), make.changed(customer, office_email=""))
    assert await drift(books) == [("contact", "email", "", "a@b.example"), ("contact", "phone", "2", "1")]
    assert set(await resend(books)) <= {"posted", "already_there"}
    assert await drift(books) == []


@pytest.mark.parametrize("outcome", ["posted", "already_there", "superseded"])
async def test_field_of_a_contact_that_a_document_brought_and_that_was_lost(
    books: Shop, make: Maker, outcome: str
) -> None:
    document = await invoiced(books, make)
    make.minute += 1
    customer = {**document["customer"], "office_phone": "2", "modified": make.now}
    await lose(books, make.edited(document, customer=customer), outcome=outcome)
    assert await drift(books) == [("contact", "phone", "2", "")]
    assert set(await resend(books)) <= {"posted", "already_there"}
    assert await drift(books) == []


async def test_field_of_a_merged_contact_that_was_lost(books: Shop, make: Maker) -> None:
    customer = make.customer("Widgets & Co", office_phone="1", office_email="a@b.example")
    await books.run(make.contact("created", customer))
    merged_into(books, "Widgets & Co", EmailAddress="living@b.example")
    await books.run(make.changed(customer, office_fax="2"))
    assert await unexplained(books) == []
    await lose(books, make.changed(customer, office_phone="3"))
    assert await unexplained(books) == [("contact", "phone", "3", "")]
    assert await resend(books) == ["posted"]
    assert await unexplained(books) == []


async def test_contact_that_was_never_made(books: Shop, make: Maker) -> None:
    await lose(books, make.contact("created", make.customer("Widgets & Co")))
    assert await drift(books) == [("contact", "missing", "contact Widgets & Co", "")]


# What is no silent difference


async def test_what_failed_is_told_and_is_no_difference(books: Shop, make: Maker) -> None:
    document = await invoiced(books, make)
    edit = make.edited(document, document_items=lines(document, "120.00"))
    assert await books.run(edit) == ["authorised_not_editable"]
    paid = make.paid(document, "50.00")
    assert await books.run(paid, again(make, paid, "500.00")) == ["posted", "exceeds_amount_due"]
    found = await drift(books)
    assert ("invoice", "total", "129.60", "108.00") in found
    rows = await standing(books)
    assert all(row["information"] for row in rows)
    assert {row["kind"] for row in rows} == {"invoice"}
    assert says(rows, "not yet in Xero: 'edited' of 2026-03-02 ") and says(
        rows, "failed (authorised_not_editable)"
    )


async def test_what_was_skipped_stays_a_difference(books: Shop, make: Maker) -> None:
    document = await invoiced(books, make)
    edit = make.edited(document, name="Spring")
    await books.run(edit)
    await books.skip(edit)
    assert await drift(books) == [("invoice", "reference", "Spring", "")]
    [row] = await standing(books)
    assert not row["information"]
    assert "was skipped by an operator" in row["why"]


async def test_settings_that_were_changed_since_make_no_difference(books: Shop, make: Maker) -> None:
    customer = make.customer()
    document = make.document(customer, 1)
    bought = order(make)
    await books.run(
        make.created(document), make.paid(document, "50.00"),
        happened(make, "created", bought), happened(make, "received", bought),
    )  # fmt: skip
    await books.settings(
        invoice_number_format="S-{number}", purchase_order_number_format="B-{number}", due_days="60",
        sales_account="260", payment_account="091", currency="EUR", document_url="https://x.example/{id}",
    )  # fmt: skip
    assert await drift(books, full=True) == []


async def test_reading_makes_no_more_calls_than_before(books: Shop, make: Maker) -> None:
    documents = [make.document(make.customer(f"Shop {n}"), n) for n in range(3)]
    await books.run(*map(make.created, documents), *(make.paid(d, "8.00") for d in documents))
    assert (await read(books))["calls"] == 5
    assert (await read(books))["calls"] == 5
    assert seen(await standing(books)) == []
