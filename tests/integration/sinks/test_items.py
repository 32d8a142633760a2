"""The item that every line carries, when somebody made it in Xero as one with stock."""

from tests.integration.sinks.purchases import happened, order
from tests.integration.sinks.shops import Maker, Shop

WITH_STOCK = {"Code": "sb-item", "Name": "Counted", "InventoryAssetAccountCode": "630"}


async def test_nothing_is_posted_on_a_tracked_item_until_another_code_is_set(
    books: Shop, make: Maker
) -> None:
    books.by_hand("PUT", "Items", {"Items": [WITH_STOCK]})
    invoice = make.document(make.customer(), 1)
    paid = make.document(make.customer("Other"), 2)
    events = [make.created(invoice), make.paid(paid, "1.00"), happened(make, "created", order(make))]
    assert await books.run(*events) == ["item_tracked"] * 3
    assert books.books["invoices"] == []
    assert "SB-ITEM" in (await books.told())[-1].reason
    await books.settings(item_code="SB-LINE")
    assert await books.retry(*events) == ["posted"] * 3
    assert {line["item_code"] for i in books.books["invoices"] for line in i["lines"]} == {"SB-LINE"}


async def test_item_of_another_case_is_the_item(books: Shop, make: Maker) -> None:
    books.by_hand("PUT", "Items", {"Items": [{"Code": "sb-item", "Name": "By hand"}]})
    assert await books.run(make.created(make.document(make.customer(), 1))) == ["posted"]
    assert [item["code"] for item in books.books["items"]] == ["sb-item"]
