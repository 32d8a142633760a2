"""Numbers as publishers write them, through the real sinks and the real log, against a sheet by hand."""

from typing import Any

from log_projection import projection
from tests.golden.sheets import books, differences, entry, sheet
from tests.integration.sinks.drifting import unexplained
from tests.integration.sinks.shops import Maker, Shop

_LOG = """SELECT * FROM integrations_log.entries ORDER BY event_time, "offset" """
_ZEROS = {"cost": 0, "discount_percent": 0, "discounted_price": 0, "tax": 0, "tax2": 0}


async def test_numbers_as_publishers_write_them(open_shop: Shop) -> None:
    open_shop.seed(
        tax_rates=[{"tax_type": "TAX015", "rate": "15"}, {"tax_type": "TAX081", "rate": "8.1"}],
        currencies={"EUR": "0.6"},
    )
    await open_shop.settings(
        **{"sales_tax__15": "TAX015", "purchase_tax__15": "TAX015", "sales_tax__8.1": "TAX081"}
    )
    for event in _events():
        await open_shop.send(event)
        await open_shop.idle()
    async with await open_shop.connect() as connection:
        await projection.apply(connection, await open_shop.told())
    found = {**books(open_shop.books), "log": [entry(row) for row in await open_shop.rows(_LOG)]}
    different = list(differences(sheet("numbers"), found))
    assert not different, "\n".join(different)
    assert await unexplained(open_shop) == []


def _events() -> list[dict[str, Any]]:
    make = Maker()
    buyer = {"id": "c-1", "name": "Widgets & Co", "created": make.now, "modified": make.now}
    seller = {"id": "s-1", "name": "Northern Parts", "created": make.now, "modified": make.now}

    def sale(number: int, lines: list[dict[str, Any]], net: Any, tax: Any, **more: Any) -> dict[str, Any]:
        items = [{"id": f"l{n}", "quantity": 1, **_ZEROS, **line} for n, line in enumerate(lines)]
        totals = {"total_cost": 0, "total_price": net, "total_tax": tax, "total_tax2": 0}
        party = more.pop("customer", buyer)
        document = make.document(party, number, id=f"d-{number}", document_items=items, **totals, **more)
        kind = "purchase_order" if document["context_id"] == 11 else "invoice"
        return make.event(f"{kind}.created", document["id"], {"document": document})

    shirt, ten = {"name": "Shirt", "price": 100}, {"name": "Shirt", "quantity": 10, "price": 10}
    euros = {"currency": "EUR"}
    return [
        sale(
            5001,
            [{**shirt, "quantity": 3, "price": "19.989999999999998", "tax": 15}],
            "59.969999999999999",
            9,
        ),
        sale(5002, [{**shirt, "tax": "15.000000000000002"}], 100, "15.000000000000002"),
        sale(5003, [{**shirt, "tax": "8.0999999999999996"}], 100, "8.0999999999999996"),
        sale(5004, [{**ten, "discount_percent": "14.999999999999998"}], 85, 0),
        sale(5005, [{**shirt, "price": "12.84", "tax": "8.0997"}], "12.84", "1.04"),
        sale(5006, [{"name": "Bolt", "price": 0.005, "tax": 15}] * 60, "0.3", "0.05"),
        sale(5007, [shirt], 100, 0, currency_rate=1, **euros),
        sale(5008, [shirt], 100, 0, currency_rate="1.6393", **euros),
        sale(
            901,
            [{"name": "Gear", "quantity": 2, "price": 50, "tax": 15}],
            100,
            15,
            context_id=11,
            customer=seller,
        ),
    ]
