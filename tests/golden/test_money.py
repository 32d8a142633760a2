"""Documents and transactions that are told again, and books closed meanwhile, against sheets by hand."""

import copy
from typing import Any

from log_projection import projection
from tests.golden.sheets import books, differences, entry, sheet
from tests.integration.sinks.drifting import unexplained
from tests.integration.sinks.shops import Maker, Shop

_LOG = """SELECT * FROM integrations_log.entries ORDER BY event_time, "offset" """


def invoice(make: Maker, number: int, party: str, *, tax: int) -> dict[str, Any]:
    customer = {"id": f"c-{party[0]}", "name": party, "created": make.now, "modified": make.now}
    line = {"id": f"l-{number}", "name": "Thing", "quantity": 1, "price": 100, "tax": tax, "tax2": 0}
    totals: dict[str, Any] = {"total_cost": 0, "total_price": "100.00", "total_tax": tax, "total_tax2": 0}
    return make.document(customer, number, id=f"d-{number}", document_items=[line], **totals)


def paid(
    make: Maker, document: dict[str, Any], transaction: str, amount: int, day: str, method: str = "Cash"
) -> dict[str, Any]:
    return make.paid(document, str(amount), method, id=transaction, transaction_date=day)


def edited_in_the_same_second(make: Maker, created: dict[str, Any], price: int) -> dict[str, Any]:
    edit = make.edited(copy.deepcopy(created["data"]["document"]))
    document = edit["data"]["document"]
    [line] = document["document_items"]
    document |= {"modified": document["created"], "total_price": price}
    document["document_items"] = [{**line, "price": price}]
    return edit | {"time": created["time"]}


async def test_told_again(open_shop: Shop) -> None:
    make = Maker()
    await open_shop.settings(invoice_status="draft")
    created = make.created(invoice(make, 5001, "Test Customer", tax=0))
    await run(open_shop, created, edited_in_the_same_second(make, created, 130))
    await open_shop.settings(invoice_status="authorised")
    corrected, reset = (invoice(make, number, "Test Customer", tax=0) for number in (5002, 5003))
    await run(
        open_shop,
        make.created(corrected),
        paid(make, corrected, "t-5002", 50, "2026-03-05"),
        paid(make, corrected, "t-5002", 60, "2026-03-05"),
        make.created(reset),
        paid(make, reset, "t-5003", 50, "2026-03-05"),
        make.act("reset", reset),
        paid(make, reset, "t-5003", 60, "2026-03-05"),
    )
    await compare(open_shop, "told_again")


async def test_books_closed_meanwhile(open_shop: Shop) -> None:
    make = Maker()
    halves = [invoice(make, number, "Half Locked", tax=8) for number in (5251, 5253)]
    for document in halves:
        number = document["document_number"]
        await run(
            open_shop,
            make.created(document),
            paid(make, document, f"a-{number}", 30, "2026-03-02"),
            paid(make, document, f"b-{number}", 20, "2026-02-27"),
        )
    await open_shop.settings(invoice_status="draft")
    in_vain, archived = (invoice(make, number, "Draft Kept", tax=8) for number in (5271, 5273))
    await run(open_shop, make.created(in_vain), make.created(archived))
    open_shop.seed(period_lock_date="2026-02-28", accounts=[{"Code": "091", "Status": "ARCHIVED"}])
    await run(
        open_shop,
        make.act("reset", halves[0]),
        make.act("cancelled", halves[1]),
        paid(make, in_vain, "t-5271", 30, "2026-02-27"),
        paid(make, archived, "t-5273", 30, "2026-03-02", "Credit Card 9008"),
    )
    await compare(open_shop, "closed")


async def run(shop: Shop, *events: dict[str, Any]) -> None:
    """Each after the one before has ended."""
    for event in events:
        await shop.send(event)
        await shop.idle()


async def compare(shop: Shop, name: str) -> None:
    async with await shop.connect() as connection:
        await projection.apply(connection, await shop.told())
    found = {**books(shop.books), "log": [entry(row) for row in await shop.rows(_LOG)]}
    different = list(differences(sheet(name), found))
    assert not different, "\n".join(different)
    assert await unexplained(shop) == []
