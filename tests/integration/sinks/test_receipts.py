"""Orders received in full: the bill first, once, then the order is billed."""

from typing import Any

import pytest

from tests.integration.sinks.purchases import (
    bills_in,
    edited,
    happened,
    order,
    order_in,
    ordered,
    set_by_hand,
    with_price,
)
from tests.integration.sinks.shops import Maker, Shop


async def steps(books: Shop, event: dict[str, Any]) -> list[str]:
    """What the event's entry did, step by step."""
    made = [r.made for r in await books.told() if r.event_id == event["id"]]
    return [attempt.step for attempts in made for attempt in attempts]


async def test_bill_and_billed(books: Shop, make: Maker) -> None:
    document = await ordered(books, make, due_days="14")
    received = happened(make, "received", document, time="2026-03-07T23:30:00-08:00")
    assert await books.run(received) == ["posted"]
    assert order_in(books)["status"] == "BILLED"
    [bill] = bills_in(books)
    assert (bill["status"], bill["number"], bill["total"]) == ("AUTHORISED", "701", "108.00")
    assert (bill["date"], bill["due_date"]) == ("2026-03-07", "2026-03-21")
    assert bill["url"] == f"https://{books.account}.salesbinder.com/documents/view/{document['id']}"
    assert bill["contact_id"] == order_in(books)["contact_id"]
    [line] = bill["lines"]
    assert (line["item_code"], line["account_code"], line["tax_type"]) == ("SB-ITEM", "300", "INPUT")
    entry = await books.entry(received)
    assert (entry["xero_type"], entry["xero_id"], entry["xero_number"]) == ("bill", bill["id"], "701")
    assert await steps(books, received) == ["read order", "bill", "order billed"]


async def test_billed_only(books: Shop, make: Maker) -> None:
    document = await ordered(books, make, received_as="billed")
    received = happened(make, "received", document)
    assert await books.run(received) == ["posted"]
    assert (order_in(books)["status"], bills_in(books)) == ("BILLED", [])
    assert (await books.entry(received))["xero_type"] == "purchase_order"
    await books.settings(received_as="bill")
    assert await books.run(happened(make, "received", document)) == ["already_there"]
    assert bills_in(books) == []


@pytest.mark.parametrize("received_as", ["bill", "billed"])
async def test_draft_is_authorised_first(books: Shop, make: Maker, received_as: str) -> None:
    document = await ordered(books, make, purchase_order_status="draft", received_as=received_as)
    received = happened(make, "received", document)
    assert await books.run(received) == ["posted"]
    assert order_in(books)["status"] == "BILLED"
    assert [bill["status"] for bill in bills_in(books)] == ["DRAFT"] * (received_as == "bill")
    bill = ["bill"] if received_as == "bill" else []
    made = await steps(books, received)
    assert [s for s in made if not s.startswith("read ")] == [
        "authorise order",
        *bill,
        "order billed",
    ]


@pytest.mark.parametrize("received_as", ["bill", "billed"])
async def test_draft_approved_by_hand(books: Shop, make: Maker, received_as: str) -> None:
    document = await ordered(books, make, purchase_order_status="draft", received_as=received_as)
    set_by_hand(books, "AUTHORISED")
    assert await books.run(happened(make, "received", document)) == ["posted"]
    assert order_in(books)["status"] == "BILLED"


@pytest.mark.parametrize("received_as", ["bill", "billed"])
async def test_received_twice_makes_one_bill(books: Shop, make: Maker, received_as: str) -> None:
    document = await ordered(books, make, received_as=received_as)
    first, second = happened(make, "received", document), happened(make, "received", document)
    assert await books.run(first, second) == ["posted", "already_there"]
    assert await books.run(happened(make, "received", document)) == ["already_there"]
    assert len(bills_in(books)) == (received_as == "bill")


async def test_receipt_brings_an_order_that_never_came(books: Shop, make: Maker) -> None:
    document = order(make, document_items=[{"id": "l1", "quantity": 1, "price": "100.00", "tax": 15}])
    failed = happened(make, "created", document)
    assert await books.run(failed) == ["tax_rate_unmapped"]
    await books.settings(purchase_tax__15="INPUT2")
    received = happened(make, "received", document)
    assert await books.run(received) == ["posted"]
    assert await books.end(failed) == "superseded"
    assert (order_in(books)["status"], len(bills_in(books))) == ("BILLED", 1)
    assert await steps(books, received) == ["item", "contact", "order", "bill", "order billed"]


@pytest.mark.parametrize("received_as", ["bill", "billed"])
async def test_edit_and_delete_after_that_fail(books: Shop, make: Maker, received_as: str) -> None:
    document = await ordered(books, make, received_as=received_as)
    change = with_price(document, "50.00")
    late = [happened(make, "received", document), edited(make, document, **change)]
    assert await books.run(*late, happened(make, "deleted", document)) == [
        "posted",
        "order_billed",
        "order_billed",
    ]
    assert (order_in(books)["status"], order_in(books)["total"]) == ("BILLED", "108.00")
    assert [bill["total"] for bill in bills_in(books)] == ["108.00"] * (received_as == "bill")
    [told] = [r for r in await books.told() if r.action == "deleted" and r.state == "failed"]
    assert told.reason.startswith("Purchase order 701 is already billed")


async def test_snapshot_as_old_as_the_receipt_is_no_edit_after_it(books: Shop, make: Maker) -> None:
    document = await ordered(books, make)
    edit = edited(make, document, status={"name": "received"})
    received = happened(make, "received", document)
    assert await books.run(received) == ["posted"]
    assert await books.run(edit) == ["superseded"]


async def test_an_older_snapshot_is_no_edit_after_a_receipt_whose_answer_was_lost(
    books: Shop, make: Maker
) -> None:
    document = await ordered(books, make, received_as="billed")
    older = edited(make, document, name="Older")
    received = happened(make, "received", document)
    books.xero.admin.fault("error_after", method="POST", path="^PurchaseOrders", times=1)
    assert await books.run(received) == ["posted"]
    assert await books.run(older) == ["superseded"]


@pytest.mark.parametrize(("received_as", "end"), [("bill", "order_billed"), ("billed", "already_there")])
async def test_billed_by_hand_gets_no_bill_of_ours(
    books: Shop, make: Maker, received_as: str, end: str
) -> None:
    document = await ordered(books, make, received_as=received_as)
    set_by_hand(books, "BILLED")
    assert await books.run(happened(make, "received", document)) == [end]
    assert await books.run(edited(make, document, **with_price(document, "5"))) == ["order_billed"]
    assert await books.run(happened(make, "deleted", document)) == ["order_billed"]
    assert bills_in(books) == []


@pytest.mark.parametrize("action", ["edited", "deleted"])
async def test_billed_by_hand_is_found_out(books: Shop, make: Maker, action: str) -> None:
    document = await ordered(books, make)
    set_by_hand(books, "BILLED")
    late = edited(make, document, **with_price(document, "5")) if action == "edited" else None
    assert await books.run(late or happened(make, "deleted", document)) == ["order_billed"]


async def test_bill_has_the_lines_of_the_order_when_retried(books: Shop, make: Maker) -> None:
    document = await ordered(books, make)
    books.seed(period_lock_date="2026-03-31")
    received = happened(make, "received", document)
    edit = edited(make, document, **with_price(document, "50.00"))
    assert await books.run(received, edit) == ["period_locked", "posted"]
    books.seed(period_lock_date=None)
    assert await books.retry(received) == ["posted"]
    assert [bill["total"] for bill in bills_in(books)] == ["54.00"] == [order_in(books)["total"]]


async def test_bill_of_a_receipt_whose_snapshot_is_late(books: Shop, make: Maker) -> None:
    document = await ordered(books, make)
    late = happened(make, "received", document)
    assert await books.run(edited(make, document, **with_price(document, "50.00")), late) == ["posted"] * 2
    assert [bill["total"] for bill in bills_in(books)] == ["54.00"]


async def test_locked_period_touches_the_bill_alone(books: Shop, make: Maker) -> None:
    books.seed(period_lock_date="2026-03-31")
    document = await ordered(books, make, purchase_order_status="draft", due_days="14")
    received = happened(make, "received", document)
    assert await books.run(received) == ["period_locked"]
    assert (order_in(books)["status"], bills_in(books)) == ("DRAFT", [])
    assert (await books.entry(received))["reason_args"]["date"] == "2026-03-02"
    await books.settings(locked_period="first_open_day")
    assert await books.retry(received) == ["posted"]
    [bill] = bills_in(books)
    assert (bill["date"], bill["due_date"]) == ("2026-04-01", "2026-04-15")
    assert await books.warnings(received) == ["date_moved"]


BAD_SETTINGS = [
    ({"purchases_account": "999"}, "account_code_unknown", {"purchases_account": "300"}),
    ({"purchase_tax__8": "NOPE"}, "tax_type_unknown", {"purchase_tax__8": "INPUT"}),
    ({"purchase_tax__8": ""}, "tax_rate_unmapped", {"purchase_tax__8": "INPUT"}),
]


@pytest.mark.parametrize(("bad", "code", "good"), BAD_SETTINGS)
async def test_setting_that_xero_does_not_take(
    books: Shop, make: Maker, bad: dict[str, str], code: str, good: dict[str, str]
) -> None:
    document = await ordered(books, make, purchase_order_status="draft")
    await books.settings(**bad)
    events = [happened(make, "received", document), happened(make, "created", order(make, 702))]
    assert await books.run(*events) == [code, code]
    assert (order_in(books)["status"], bills_in(books)) == ("DRAFT", [])
    [setting] = {key.replace("__", ".") for key in bad}
    assert (await books.entry(events[0]))["reason_args"]["setting"] == setting
    await books.settings(**good)
    assert await books.retry(*events) == ["posted", "posted"]


async def test_many_go_in_batches(books: Shop, make: Maker) -> None:
    supplier = make.customer("Northern Parts")
    orders = [
        order(make, number, customer=supplier, issue_date=f"2026-03-{number:02}") for number in range(1, 21)
    ]
    created = [happened(make, "created", each) for each in orders]
    received = [happened(make, "received", each) for each in orders]
    assert set(await books.run(*created, *received)) == {"posted"}
    assert len(bills_in(books)) == 20
    assert {o["status"] for o in books.books["purchase_orders"]} == {"BILLED"}
    calls = [call for call in books.calls() if "Purchase" in call or "Invoices" in call]
    assert calls == [
        "PUT PurchaseOrders",
        "GET PurchaseOrders",
        "PUT Invoices",
        "POST PurchaseOrders",
    ]


async def test_order_moved_to_another_day_by_hand_is_read_all_the_same(books: Shop, make: Maker) -> None:
    supplier = make.customer("Northern Parts")
    orders = [order(make, number, customer=supplier) for number in (701, 702)]
    assert set(await books.run(*(happened(make, "created", each) for each in orders))) == {"posted"}
    moved = {"PurchaseOrderID": order_in(books)["id"], "Date": "2026-05-05"}
    books.by_hand("POST", "PurchaseOrders", {"PurchaseOrders": [moved]})
    assert set(await books.run(*(happened(make, "received", each) for each in orders))) == {"posted"}


def came_in(document: dict[str, Any], *received: Any, status: str = "unpaid") -> dict[str, Any]:
    """The order of 10 and 3 pieces with what has come in of each line."""
    lines = [
        {"name": "Thing a", "quantity": 10, "cost": 7, "price": 7, "tax": 8},
        {"name": "Thing b", "quantity": "3.0", "cost": 2, "price": 2, "tax": 0},
    ]
    items = [
        {**line, "id": f"line-{place}", "quantity_partially_received": count}
        for place, (line, count) in enumerate(zip(lines, received, strict=True), 1)
    ]
    if received[1] == "absent":
        del items[1]["quantity_partially_received"]
    return {**document, "document_items": items, "status": {"id": 9, "name": status}}


@pytest.mark.parametrize("received", [(4, 0), (4, None), (4, ""), (4, "absent"), ("10", "2.5"), (0, 3)])
async def test_received_in_part_is_no_receipt(books: Shop, make: Maker, received: tuple[Any, ...]) -> None:
    document = order(make) | {"document_items": came_in({}, 0, 0)["document_items"]}
    assert await books.run(happened(make, "created", document)) == ["posted"]
    before = len(books.calls())
    event = happened(make, "received", came_in(document, *received))
    assert await books.run(event) == ["received_in_part"]
    assert (order_in(books)["status"], bills_in(books)) == ("AUTHORISED", [])
    assert len(books.calls()) == before
    short = "Thing b" if received[0] == "10" else "Thing a"
    assert short in (await books.entry(event))["reason_args"]["list"]
    # The remedy: the rest comes in, and SalesBinder marks the order.
    rest = happened(make, "received", came_in(document, 10, 3))
    assert await books.run(rest) == ["posted"]
    assert await books.end(event) == "superseded"
    [bill] = bills_in(books)
    assert bill["total"] == "81.60"  # 70.00 and 8 % of it, 6.00


@pytest.mark.parametrize("received", [(0, 0), (None, "absent"), (10, 3), (11, 3)])
async def test_lines_that_say_nothing_or_all(books: Shop, make: Maker, received: tuple[Any, ...]) -> None:
    document = order(make) | {"document_items": came_in({}, 0, 0)["document_items"]}
    event = happened(make, "received", came_in(document, *received))
    assert await books.run(event) == ["posted"]
    assert "lines_say_in_part" not in await books.warnings(event)
    assert [bill["total"] for bill in bills_in(books)] == ["81.60"]


async def test_the_status_counts_before_the_lines(books: Shop, make: Maker) -> None:
    document = order(make) | {"document_items": came_in({}, 0, 0)["document_items"]}
    event = happened(make, "received", came_in(document, 4, 0, status="Received"))
    assert await books.run(event) == ["posted"]
    [bill] = bills_in(books)
    assert bill["total"] == "81.60"
    assert "lines_say_in_part" in await books.warnings(event)
