"""Xero compared with what we put there: nothing is told that did not change, and what did is."""

import asyncio
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from sinks.drift import acts, scan
from sinks.lanes.budget import KEPT_OF_DAY
from tests.integration.sinks.drifting import adopt, drift, read, resend, seen, standing
from tests.integration.sinks.purchases import bills_in, happened, order
from tests.integration.sinks.shops import PATIENCE, Maker, Shop, delivering, examples


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


async def test_what_is_asked_while_a_reading_ends_is_a_reading_of_its_own(shop: Shop) -> None:
    """Its records would not be looked at any more, and count as compared."""
    few = acts.ReadingPlan(datetime.now(UTC), False, 1, ("invoice/1",))

    async def ask() -> str:
        async with await shop.connect() as operator:
            return await acts.ask(operator, shop.account, few, "ann")

    async with await shop.connect() as connection:
        first = await acts.ask(connection, shop.account, few, "ann")
        await connection.commit()
        run = await scan._run(connection, first)  # the last step of the lane, not committed yet
        assert await scan._next(connection, run) is None
        asking = asyncio.create_task(ask())
        await asyncio.wait({asking}, timeout=1.0)  # waits for that step, or takes the reading for open
        await scan._finish(connection, run, None)
        await connection.commit()
    second = await asking
    async with await shop.connect() as connection:
        assert (await acts.reading(connection, second))["finished_at"] is None
    assert second != first


async def test_what_the_rules_do_not_let_us_change_fails_with_their_reason(books: Shop, make: Maker) -> None:
    await books.run(make.created(make.document(make.customer(), 1)))
    change(books, "1", Reference="By hand")
    assert await drift(books) == [("invoice", "reference", "", "By hand")]
    assert await resend(books) == ["authorised_not_editable"]
    assert await drift(books) == [("invoice", "reference", "", "By hand")]


async def test_who_changed_it_is_asked_for_what_differs_alone_and_once(books: Shop, make: Maker) -> None:
    documents = [make.document(make.customer(f"Shop {n}"), n) for n in (1, 2, 3)]
    await books.run(*(make.created(document) for document in documents))
    change(books, "1", user="Ann Ames", Reference="By hand")
    change(books, "2", user="Bo Berg", Reference="By Bo")
    asked = len(histories(books))
    run = await read(books)
    rows = {row["number"]: row for row in await standing(books)}
    assert {number: row["changed_by"] for number, row in rows.items()} == {"1": "Ann Ames", "2": "Bo Berg"}
    assert all(row["changed_by_at"] is not None for row in rows.values())
    assert len(histories(books)) - asked == 2
    assert run["calls"] == run["calls_expected"]

    # The same change is not asked for again, a new one is.
    await read(books, full=True)
    assert len(histories(books)) - asked == 2
    change(books, "1", user="Cy Cole", Reference="Once more")
    await read(books)
    assert len(histories(books)) - asked == 3
    assert {row["changed_by"] for row in await standing(books)} == {"Bo Berg", "Cy Cole"}


async def test_what_a_history_does_not_say_is_left_open(books: Shop, make: Maker) -> None:
    await books.run(make.created(make.document(make.customer(), 1)))
    change(books, "1", user="System Generated", Reference="By another app")
    assert await drift(books) == [("invoice", "reference", "", "By another app")]
    [row] = await standing(books)
    assert (row["changed_by"], row["changed_by_at"]) == ("", None)

    change(books, "1", user="Ann Ames", Reference="By hand")
    path = f"{books.invoice('1')['id']}/History$"
    books.xero.admin.fault("answer", path=path, status=404, value="The document was not found.")
    assert await drift(books) == [("invoice", "reference", "", "By hand")]
    [row] = await standing(books)
    assert (row["changed_by"], row["changed_by_at"]) == ("", None)


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
    await books.run(make.edited(document, name="New name"))
    assert await drift(books) == [("invoice", "status", "AUTHORISED", "VOIDED")]
    await books.run(make.act("cancelled", document))
    assert await drift(books, full=True) == []


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


async def test_refund_deleted_by_hand_is_paid_out_again(books: Shop, make: Maker) -> None:
    document = make.document(make.customer(), 1)
    await books.run(make.created(document), make.paid(document, "108.00"), make.refunded(document, "8.00"))
    [note] = books.books["credit_notes"]
    [refund] = note["payments"]
    books.by_hand("POST", f"Payments/{refund['id']}", {"Status": "DELETED"})
    assert ("refund", "status", "AUTHORISED", "DELETED") in await drift(books)
    assert await resend(books) == ["posted"]
    assert await drift(books) == []


async def test_bill_changed_by_hand_is_told_and_not_sent_again(books: Shop, make: Maker) -> None:
    document = order(make)
    await books.run(happened(make, "created", document), happened(make, "received", document))
    [bill] = bills_in(books)
    books.by_hand("POST", "Invoices", {"Invoices": [{"InvoiceID": bill["id"], "DueDate": "2026-12-24"}]})
    assert [(kind, field) for kind, field, _, _ in await drift(books)] == [("bill", "due_date")]
    assert await resend(books) == []


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


async def test_next_reading_reads_only_what_was_changed_since(open_shop: Shop, maker: Maker) -> None:
    before = datetime.now(UTC) - timedelta(hours=2)
    open_shop.xero.admin.set_clock(now=before.isoformat())
    customer = maker.customer()
    await open_shop.run(*(maker.created(maker.document(customer, number)) for number in (1, 2, 3)))
    open_shop.xero.admin.set_clock(now=datetime.now(UTC).isoformat())
    first = await read(open_shop)
    assert (first["since"], first["read"], first["compared"]) == (None, 4, 4)
    change(open_shop, "2", Reference="By hand")
    second = await read(open_shop)
    assert second["since"] > before + timedelta(hours=1)
    # Five lists, and the history of the one that differs.
    assert (second["calls"], second["read"], second["compared"]) == (6, 1, 1)
    assert seen(await standing(open_shop)) == [("invoice", "reference", "", "By hand")]
    assert (await read(open_shop, full=True))["read"] == 4


async def test_reading_of_less_leaves_no_gap_for_the_next(open_shop: Shop, maker: Maker) -> None:
    await open_shop.run(maker.created(maker.document(maker.customer(), 1)))
    first = await read(open_shop)
    await read(open_shop, datetime.now(UTC) + timedelta(hours=1))
    assert (await read(open_shop))["since"] == first["next_since"]


async def test_what_is_in_no_list_is_looked_up_before_it_counts_as_missing(books: Shop, make: Maker) -> None:
    document = make.document(make.customer(), 1)
    await books.run(make.created(document), make.paid(document, "8.00"))
    await execute(books, "UPDATE ledger.links SET xero_id = gen_random_uuid() WHERE kind = 'payment'")
    found = await drift(books)
    assert ("payment", "status", "AUTHORISED", "not in Xero") in found
    assert len([call for call in books.calls() if call.startswith("GET Payments/")]) == 1


async def test_what_our_own_calls_may_be_changing_is_left_to_the_next_reading(
    books: Shop, make: Maker
) -> None:
    await books.run(make.created(make.document(make.customer(), 1)))
    change(books, "1", Reference="By hand")
    await execute(books, "UPDATE ledger.elements SET result = 'unknown' WHERE kind = 'invoice'")
    assert await drift(books) == []
    await execute(books, "UPDATE ledger.elements SET result = 'ok' WHERE kind = 'invoice'")
    run = await read(books, datetime.now(UTC) + timedelta(hours=1))
    assert run["compared"] == 1
    assert seen(await standing(books)) == [("invoice", "reference", "", "By hand")]


async def test_live_work_goes_before_a_reading(shop: Shop, maker: Maker) -> None:
    async with await shop.connect() as connection:
        await acts.ask(connection, shop.account, await acts.plan(connection, shop.account), "ann")
    document = maker.document(maker.customer(), 1)
    await shop.send(maker.created(document), maker.paid(document, "8.00"))
    async with delivering(shop):
        await read(shop)
        await shop.idle()
    calls = shop.calls()
    assert calls.index("GET Contacts") > calls.index("PUT Payments")


async def test_calls_of_the_day_are_kept_for_live_work(open_shop: Shop, maker: Maker) -> None:
    open_shop.xero.admin.limits(day=KEPT_OF_DAY)
    await open_shop.run(maker.created(maker.document(maker.customer(), 1)))
    async with await open_shop.connect() as connection:
        await acts.ask(connection, open_shop.account, await acts.plan(connection, open_shop.account), "ann")
    await open_shop.run(maker.created(maker.document(maker.customer("Other"), 2)))
    assert "GET Contacts" not in open_shop.calls()
    open_shop.xero.admin.limits(day=5000)
    await open_shop.run(maker.created(maker.document(maker.customer("Third"), 3)))
    assert (await read(open_shop))["compared"] == 6


async def test_another_worker_goes_on_where_a_reading_was(shop: Shop, maker: Maker) -> None:
    fault = shop.xero.admin.fault("unavailable", method="GET", path="PurchaseOrders", times=None)
    async with delivering(shop):
        await shop.run(maker.created(maker.document(maker.customer(), 1)))
        reading = asyncio.create_task(read(shop))
        async with asyncio.timeout(PATIENCE):
            while "GET PurchaseOrders" not in shop.calls():  # noqa: ASYNC110 - the calls are the fake's
                await asyncio.sleep(0.05)
    shop.xero.admin.clear_faults(fault)
    async with delivering(shop):
        assert (await reading)["error"] is None
    assert [shop.calls().count(f"GET {name}") for name in ("Contacts", "Invoices", "Payments")] == [1, 1, 1]


async def test_request_that_xero_refuses_ends_the_reading_with_its_words(
    open_shop: Shop, maker: Maker
) -> None:
    await open_shop.run(maker.created(maker.document(maker.customer(), 1)))
    said = '{"Message": "No such page"}'
    open_shop.xero.admin.fault("answer", method="GET", path="CreditNotes", value=said)
    with pytest.raises(AssertionError, match="No such page"):
        await read(open_shop)
    assert (await read(open_shop))["since"] is None


async def test_setting_makes_readings_due(shop: Shop) -> None:
    await shop.settings(drift_every="1d")
    async with delivering(shop), asyncio.timeout(PATIENCE):
        while not (runs := await shop.rows(_ENDED)):  # noqa: ASYNC110 - the readings are a table
            await asyncio.sleep(0.05)
    async with await shop.connect() as connection:
        await acts.ask_due(connection)
    assert [run["actor"] for run in await shop.rows("SELECT actor FROM ledger.drift_runs")] == ["drift_every"]
    assert runs[0]["error"] is None


_ENDED = "SELECT * FROM ledger.drift_runs WHERE finished_at IS NOT NULL"


def change(books: Shop, number: str, user: str = "Pat Bookkeeper", **changes: Any) -> None:
    """Somebody changes an invoice in Xero."""
    body = {"InvoiceID": books.invoice(number)["id"], **changes}
    books.by_hand("POST", "Invoices", {"Invoices": [body]}, user)


def histories(books: Shop) -> list[str]:
    """Calls that asked for a history."""
    return [call for call in books.calls() if call.endswith("/History")]


def pay_by_hand(books: Shop, number: str, amount: int) -> None:
    body = {
        "Invoice": {"InvoiceID": books.invoice(number)["id"]},
        "Account": {"Code": "090"},
        "Amount": amount,
        "Date": "2026-03-03",
        "Reference": "By hand",
    }
    books.by_hand("PUT", "Payments", {"Payments": [body]})


async def execute(books: Shop, statement: str) -> None:
    """Change what the ledger knows of the shop as only a test may."""
    async with await books.connect() as connection:
        await connection.execute(f"{statement} AND account = %s".encode(), [books.account])
