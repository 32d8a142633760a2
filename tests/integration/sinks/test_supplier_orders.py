"""Purchase orders over their life: suppliers that change, part of the goods, other currencies, many lines."""

from decimal import Decimal
from typing import Any

import pytest

from tests.integration.sinks.purchases import bills_in, edited, happened, order, order_in, with_price
from tests.integration.sinks.shops import Maker, Shop


async def ordered(books: Shop, make: Maker, **more: Any) -> dict[str, Any]:
    document = order(make, **more)
    assert await books.run(happened(make, "created", document)) == ["posted"]
    return document


async def test_part_of_the_goods_changes_nothing(books: Shop, make: Maker) -> None:
    document = await ordered(books, make)
    [line] = document["document_items"]
    part = [{**line, "quantity_partially_received": "0.5"}]
    edit = edited(make, document, document_items=part, status={"id": 7, "name": "Partially Received"})
    assert await books.run(edit) == ["already_there"]
    assert (order_in(books)["status"], bills_in(books)) == ("AUTHORISED", [])


async def test_edit_to_another_supplier_and_number(books: Shop, make: Maker) -> None:
    document = await ordered(books, make)
    other = make.customer("Southern Parts")
    edit = edited(make, document, customer=other, customer_id=other["id"], document_number=702)
    assert await books.run(edit, happened(make, "received", document)) == ["posted", "posted"]
    southern = books.contact("Southern Parts")["id"]
    assert order_in(books, "702")["contact_id"] == southern
    assert [(bill["number"], bill["contact_id"]) for bill in bills_in(books)] == [("702", southern)]


async def test_edit_leaves_the_status_that_the_order_has(books: Shop, make: Maker) -> None:
    await books.settings(purchase_order_status="draft")
    document = await ordered(books, make)
    await books.settings(purchase_order_status="authorised")
    assert await books.run(edited(make, document, **with_price(document, "50.00"))) == ["posted"]
    assert (order_in(books)["status"], order_in(books)["total"]) == ("DRAFT", "54.00")


async def test_foreign_currency_has_its_rate_on_order_and_bill(books: Shop, make: Maker) -> None:
    document = await ordered(books, make, currency="eur", currency_rate="1.23456789")
    assert await books.run(happened(make, "received", document)) == ["posted"]
    [bill] = bills_in(books)
    for found in (order_in(books), bill):
        assert (found["currency"], Decimal(found["currency_rate"])) == ("EUR", Decimal("1.234568"))
    unknown = happened(make, "created", order(make, 702, currency="JPY"))
    assert await books.run(unknown) == ["currency_not_enabled"]
    assert (await books.entry(unknown))["reason_args"]["currency"] == "JPY"


async def test_receipt_waits_for_an_archived_supplier(books: Shop, make: Maker) -> None:
    document = await ordered(books, make)
    supplier = {"ContactID": books.contact("Northern Parts")["id"]}
    books.by_hand("POST", "Contacts", {"Contacts": [supplier | {"ContactStatus": "ARCHIVED"}]})
    received = happened(make, "received", document)
    assert await books.run(received) == ["contact_archived"]
    assert (order_in(books)["status"], bills_in(books)) == ("AUTHORISED", [])
    books.by_hand("POST", "Contacts", {"Contacts": [supplier | {"ContactStatus": "ACTIVE"}]})
    assert await books.retry(received) == ["posted"]
    assert (order_in(books)["status"], len(bills_in(books))) == ("BILLED", 1)


async def test_receipt_follows_a_merged_supplier(books: Shop, make: Maker) -> None:
    document = await ordered(books, make)
    other = books.by_hand("PUT", "Contacts", {"Contacts": [{"Name": "North Inc"}]})
    books.seed(merge={"source": books.contact("Northern Parts")["id"], "into": other["ContactID"]})
    assert await books.run(happened(make, "received", document)) == ["posted"]
    assert [bill["contact_id"] for bill in bills_in(books)] == [other["ContactID"]]


@pytest.mark.parametrize("count", [100, 500])
async def test_many_lines(books: Shop, make: Maker, count: int) -> None:
    """Of each 1.333 x 0.3335 less 7.5 %, which is 0.4112… (0.41 in Xero), and 8 % of that. The cents of net
    that are left over stand on a line of their own.
    """
    line = {
        "name": "x",
        "quantity": "1.333",
        "cost": "0.3335",
        "price": 0,
        "discount_percent": "7.5",
        "tax": 8,
    }
    net = Decimal("1.333") * Decimal("0.3335") * Decimal("0.925") * count
    total = round(net, 2) + round(net * Decimal("0.08"), 2)
    document = order(make, document_items=[{**line, "id": str(n)} for n in range(count)])
    events = [happened(make, "created", document), happened(make, "received", document)]
    assert await books.run(*events) == ["posted", "posted"]
    assert [Decimal(found["total"]) for found in (order_in(books), *bills_in(books))] == [total, total]
    assert len(order_in(books)["lines"]) == count + 1
