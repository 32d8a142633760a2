"""Two workers take in what is told of one customer at the same moment: nothing of it is lost."""

import asyncio
import json

import pytest

from sinks.ledger.intake import take_in
from sinks.ledger.packing import unpack
from tests.integration.sinks.shops import PATIENCE, Maker, Shop


async def told(books: Shop, record: str) -> dict[str, str | None]:
    """Phone and fax of the newest known snapshot."""
    [row] = await books.rows("SELECT body FROM ledger.snapshots WHERE record_id = %s", record)
    snapshot = json.loads(unpack(bytes(row["body"])))
    return {name: snapshot.get(name) for name in ("phone", "fax")}


@pytest.mark.parametrize("known", [False, True])
async def test_two_intakes_of_one_customer_at_once(books: Shop, make: Maker, known: bool) -> None:
    """The second waits for the first, which has not committed yet, and folds into what that has kept."""
    customer = make.customer("Widgets & Co")
    if known:
        await books.send(make.contact("created", customer))
    earlier = make.changed({**customer}, office_phone="1")
    later = make.changed({**customer}, office_fax="2")
    for event, absent in ((earlier, "office_fax"), (later, "office_phone")):
        event["data"]["customer"].pop(absent, None)
    async with await books.connect() as one, await books.connect() as two:
        async with one.transaction():
            await take_in(one, [books.command(earlier)])
            waiting = asyncio.create_task(take_in(two, [books.command(later)]))
            await asyncio.sleep(0.3)
            assert not waiting.done()
        await asyncio.wait_for(waiting, PATIENCE)
        await two.commit()
    assert await told(books, customer["id"]) == {"phone": "1", "fax": "2"}


async def test_many_intakes_of_several_customers_at_once(books: Shop, make: Maker) -> None:
    """Each tells one field of each of ten customers, in its own order: no deadlock, and no field is lost."""
    customers = [make.customer(f"Customer {n}") for n in range(10)]
    batches = []
    for place, field in enumerate(("office_phone", "office_fax") * 4):
        events = []
        for customer in customers[:: 1 if place % 2 else -1]:
            bare = {name: customer[name] for name in ("id", "name")}
            events.append(make.changed(bare, **{field: str(place)}))
        batches.append(events)
    await asyncio.gather(*(books.send(*events) for events in batches))
    await books.idle()
    for customer in customers:
        assert await told(books, customer["id"]) == {"phone": "6", "fax": "7"}
