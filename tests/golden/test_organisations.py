"""What an organisation has of its own, and two accounts that share one, compared with sheets by hand."""

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from log_projection import projection
from sandbox.fake_xero.server import FakeXeroServer
from tests.golden.sheets import books, differences, entry, sheet
from tests.golden.test_money import compare, invoice, paid, run
from tests.integration.sinks.drifting import unexplained
from tests.integration.sinks.shops import Maker, Shop, connect, connected_shop, delivering, environment_of

_STOCKED = {
    "Code": "SB-ITEM",
    "InventoryAssetAccountCode": "630",
    "PurchaseDetails": {"COGSAccountCode": "310"},
    "SalesDetails": {"AccountCode": "260"},
}
_LOG = """SELECT * FROM integrations_log.entries ORDER BY event_time, "offset" """


async def test_item_whose_stock_xero_counts(open_shop: Shop) -> None:
    make = Maker()
    open_shop.by_hand("PUT", "Items", {"Items": [_STOCKED]})
    first, second = (invoice(make, number, "Test Customer", tax=0) for number in (5001, 5002))
    await run(open_shop, make.contact("created", first["customer"]), make.created(first))
    await run(open_shop, paid(make, first, "t-5001", 30, "2026-03-02"))
    await open_shop.settings(item_code="SB-LINE")
    await run(open_shop, make.created(second), paid(make, second, "t-5002", 30, "2026-03-02"))
    await compare(open_shop, "stock")


@pytest.fixture
async def pair(database_url: str, xero: FakeXeroServer, tmp_path: Path) -> AsyncIterator[tuple[Shop, Shop]]:
    """Two accounts of one organisation, at work."""
    north = await connected_shop(database_url, xero, tmp_path, "north")
    south = Shop("south", environment_of(database_url, xero, tmp_path), xero, north.published)
    await connect(south)
    async with delivering(north):
        yield north, south


async def test_two_accounts_of_one_organisation(pair: tuple[Shop, Shop], xero: FakeXeroServer) -> None:
    north, south = pair
    first, second = Maker("north"), Maker("south", minute=30)
    await run(north, *_sales(first, "n", 5001, 5002))
    await run(south, *_sales(second, "s", 5001, 6001))
    async with await north.connect() as connection:
        await projection.apply(connection, await both_told(pair))
    found = {**books(north.books), "log": [entry(row) for row in await north.rows(_LOG)]}
    different = list(differences(sheet("shared"), found))
    assert not different, "\n".join(different)
    assert [call for call in xero.admin.calls() if call["status"] == 429] == []
    assert [await unexplained(one) for one in pair] == [[], []]


def _sales(make: Maker, mark: str, *numbers: int) -> list[dict[str, Any]]:
    """Each an invoice of the one customer, and a payment of it."""
    events = []
    for number in numbers:
        document = invoice(make, number, "Widgets & Co", tax=8)
        document["customer"] |= {"id": f"c-{mark}", "office_phone": {"n": "1", "s": "2"}[mark]}
        document |= {"id": f"d-{mark}-{number}", "customer_id": f"c-{mark}"}
        events += [make.created(document), paid(make, document, f"{mark}-{number}", 40, "2026-03-02")]
    return events


async def both_told(pair: tuple[Shop, Shop]) -> Any:
    await pair[0].told()
    return await pair[1].told()
