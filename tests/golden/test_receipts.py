"""Receipts whose lines say how much has come in, compared with a sheet by hand."""

from typing import Any

from log_projection import projection
from tests.golden.sheets import books, differences, entry, sheet
from tests.integration.sinks.drifting import unexplained
from tests.integration.sinks.shops import Maker, Shop


def order(make: Maker, number: int, *received: int, status: str = "unpaid") -> dict[str, Any]:
    lines = [
        {"name": "Thing a", "quantity": 10, "price": 7, "cost": 7, "tax": 8, "tax2": 0},
        {"name": "Thing b", "quantity": 3, "price": 2, "cost": 2, "tax": 0, "tax2": 0},
    ]
    for place, (line, count) in enumerate(zip(lines, received, strict=True), 1):
        line |= {"id": f"{number}-{place}", "quantity_partially_received": count}
    supplier = {"id": "supplier-1", "name": "Northern Parts", "modified": make.now}
    totals = {"total_cost": 76.0, "total_price": 76.0, "total_tax": 5.6, "total_tax2": 0.0}
    more: dict[str, Any] = {
        "id": f"order-{number}",
        "status": {"id": 9, "name": status},
        "document_items": lines,
        **totals,
    }
    return make.document(supplier, number, **{"context_id": 11, **more})


async def test_one_after_the_other(open_shop: Shop) -> None:
    make = Maker()
    for action, document in [
        ("created", order(make, 901, 0, 0)),
        ("received", order(make, 901, 4, 0)),
        ("received", order(make, 901, 4, 0, status="received")),
        ("created", order(make, 902, 0, 0)),
        ("received", order(make, 902, 0, 0)),
        ("created", order(make, 903, 0, 0)),
        ("received", order(make, 903, 10, 1)),
    ]:
        event = make.event(f"purchase_order.{action}", document["id"], {"document": document})
        await open_shop.send(event)
        await open_shop.idle()
    results = await open_shop.told()
    async with await open_shop.connect() as connection:
        await projection.apply(connection, results)
    rows = await open_shop.rows('SELECT * FROM integrations_log.entries ORDER BY event_time, "offset"')
    found = {**books(open_shop.books), "log": [entry(row) for row in rows]}
    different = list(differences(sheet("receipts"), found))
    assert not different, "\n".join(different)
    assert await unexplained(open_shop) == []
