"""A sample shop's day in SalesBinder: the events that it publishes, and its books in the evening.

Deterministic: the same seed and day give the same events. Everything goes as in a real shop, a few things
wrong on purpose (``Refusal``).
"""

import json
import uuid
from datetime import UTC, date, datetime, time, timedelta
from random import Random

from . import scenes
from .books import Record, ShopContact, ShopDay, ShopInvoice, ShopOrder
from .diary import Diary, event
from .papers import Purchase, Sale
from .people import People, welcome

_SUPPLIERS = 7
_REPEATED = 15
_FIRST_INVOICE, _FIRST_ORDER = 5001, 701
_OLD_INVOICES, _OLD_ORDER = (4711, 4712, 4713), 611


def shop_day(account: str, day: date, *, usual: int = 70, customers: int = 45, seed: int = 7) -> ShopDay:
    """Return a day with ``usual`` ordinary invoices, and everything else that can happen twice."""
    diary = Diary(account, datetime.combine(day, time(8), UTC), Random(seed))
    people = welcome(diary, customers, _SUPPLIERS)
    sold = _sales(diary, people, usual) + _old_invoices(diary, people.customers[0])
    bought = _purchases(diary, people) + _old_order(diary, people.suppliers[0])
    events = diary.events()
    again = _publish_some_twice(events, diary.chance)
    return ShopDay(account, diary.opened, events, sold, bought, people.everybody, again)


def unreadable_event(account: str, at: datetime) -> tuple[str, bytes, bytes]:
    """Return topic, key and value of an event that no publisher should send: its amount is not a number."""
    record = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{account}/unreadable"))
    told = event(account, "invoice.created", record, at, {"document": {"id": record, "total_price": "NaN"}})
    return "salesbinder.invoices", f"{account}/{record}".encode(), json.dumps(told).encode()


def _sales(diary: Diary, people: People, usual: int) -> list[ShopInvoice]:
    """Play every scene twice, with usual sales in between."""
    chance = diary.chance
    play = scenes.SALES * 2 + [chance.choice(scenes.USUAL) for _ in range(usual)]
    chance.shuffle(play)
    clients = [*people.customers[:-1], people.both[0]]
    sold = []
    for index, scene in enumerate(play):
        at = diary.opened + timedelta(minutes=20 + 430 * index / len(play))
        client = people.both[0] if index == 0 else chance.choice(clients)
        sale = Sale(diary, _FIRST_INVOICE + index, scenes.story(scene), client, at)
        scene(sale)
        sold.append(sale.invoice)
    return sold


def _purchases(diary: Diary, people: People) -> list[ShopOrder]:
    suppliers = [people.both[1], *people.suppliers[:-1]]
    bought = []
    for index, scene in enumerate(scenes.PURCHASES * 2):
        at = diary.opened + timedelta(minutes=25 + 22 * index)
        supplier = suppliers[index % len(suppliers)]
        purchase = Purchase(diary, _FIRST_ORDER + index, scenes.story(scene), supplier, at)
        scene(purchase)
        bought.append(purchase.order)
    return bought


def _old_invoices(diary: Diary, client: ShopContact) -> list[ShopInvoice]:
    """Play invoices from last month: edited, paid and deleted today. History stays out of Xero."""
    sold = []
    for number, what in zip(_OLD_INVOICES, ("edited", "paid", "deleted"), strict=True):
        at = diary.opened + timedelta(hours=3, minutes=number % 10)
        sale = Sale(diary, number, f"From last month, {what} today", client, at, old=True)
        sale.created = diary.opened - timedelta(days=31)
        sale.fill()
        if what == "edited":
            sale.edit()
        elif what == "paid":
            sale.pay(sale.total)
        else:
            sale.delete()
        sold.append(sale.invoice)
    return sold


def _old_order(diary: Diary, supplier: ShopContact) -> list[ShopOrder]:
    at = diary.opened + timedelta(hours=4)
    purchase = Purchase(diary, _OLD_ORDER, "From last month, received today", supplier, at, old=True)
    purchase.created = diary.opened - timedelta(days=31)
    purchase.fill()
    purchase.receive()
    return [purchase.order]


def _publish_some_twice(events: list[Record], chance: Random) -> int:
    """Return how many: as publishers do when they are not sure."""
    again = chance.sample(range(len(events)), _REPEATED)
    for index in sorted(again, reverse=True):
        events.insert(index + 1 + chance.randrange(3), events[index])
    return len(again)
