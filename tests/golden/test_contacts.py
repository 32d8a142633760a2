"""Contacts that documents find, make, share and follow, compared with a sheet by hand."""

import unicodedata
from typing import Any

from log_projection import projection
from tests.golden.sheets import books, differences, entry, sheet
from tests.integration.sinks.drifting import drift, standing
from tests.integration.sinks.shops import Maker, Shop

FULL = {
    "customer_number": 101,
    "office_email": "a@full.example",
    "office_phone": "123",
    "office_fax": "456",
    "billing_address_1": "1 Main St",
    "billing_city": "Town",
    "billing_country": "Canada",
}


def customer(make: Maker, place: int, name: str, **more: Any) -> dict[str, Any]:
    return make.customer(name, **more) | {"id": f"customer-{place}"}


def invoice(make: Maker, number: int, party: dict[str, Any]) -> dict[str, Any]:
    return make.created(make.document(party, number) | {"id": f"invoice-{number}"})


async def test_one_after_the_other(open_shop: Shop) -> None:
    make, cafe = Maker(), "Café Zoë"
    full, merged = customer(make, 1, "Full Customer", **FULL), customer(make, 5, "Old Ltd", office_phone="1")
    await run(open_shop, make.contact("created", full))
    thin = {name: full[name] for name in ("id", "name", "customer_number")}
    await run(open_shop, invoice(make, 5001, thin))
    for place, name in enumerate((cafe, unicodedata.normalize("NFD", cafe), "Cafe Zoe")):
        make.minute += 1
        await run(open_shop, invoice(make, 8000 + place, customer(make, 2 + place, name)))
    await run(open_shop, make.contact("created", merged))
    living = open_shop.by_hand("PUT", "Contacts", {"Contacts": [{"Name": "Living Ltd"}]})["ContactID"]
    open_shop.seed(merge={"source": open_shop.contact("Old Ltd")["id"], "into": living})
    await run(open_shop, make.changed(merged, office_fax="2"))
    await run(open_shop, *(invoice(make, 4000 + n, customer(make, 6 + n, "Cash Sale")) for n in range(3)))
    results = await open_shop.told()
    async with await open_shop.connect() as connection:
        await projection.apply(connection, results)
    rows = await open_shop.rows('SELECT * FROM integrations_log.entries ORDER BY event_time, "offset"')
    found = {**books(open_shop.books), "log": [entry(row) for row in rows]}
    different = list(differences(sheet("contacts"), found))
    assert not different, "\n".join(different)
    assert await drift(open_shop) == [
        ("contact", "name", "Old Ltd", "Living Ltd"),
        ("contact", "phone", "1", ""),
    ]
    assert all(row["information"] for row in await standing(open_shop)), "of the one that was merged alone"


async def run(shop: Shop, *events: dict[str, Any]) -> None:
    await shop.send(*events)
    await shop.idle()
