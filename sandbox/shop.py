"""A sample shop's day in SalesBinder: the events that it publishes, and its books in the evening.

Deterministic: the same seed and day give the same events. Everything goes as in a real shop, a few things
wrong on purpose (``Trouble``).
"""

import json
import random
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Literal

Record = dict[str, Any]
Trouble = Literal["tax_rate_unmapped", "exceeds_amount_due", "total_mismatch"]

_CENT = Decimal("0.01")
_TAXES = [(8, 0), (8, 0), (8, 0), (8, 5), (5, 0), (12.5, 0), (0, 0)]
"""Rates in per cent (tax, tax2), the usual ones more often."""
UNMAPPED_RATE = 6.25
"""A rate for which nobody set a tax type."""
_DISCOUNTS = [0, 0, 0, 0, 5, 10, 12.5]
_METHODS = ["Cash", "Credit Card 9008", "Bank transfer", "Cheque 1181"]
_GOODS = [
    ("Work Shirt", "SHIRT", "38.50", "apparel"),
    ("Steel Toe Boots", "BOOT", "129.00", "apparel"),
    ("Cordless Drill 18V", "DRILL", "219.99", "tools"),
    ("Hex Bolt M8", "BOLT-M8", "0.33", "hardware"),
    ("Wood Screw 4x40", "SCREW", "0.07", "hardware"),
    ("Paint, White 5 l", "PAINT", "46.75", "paint"),
    ("Garden Hose 20 m", "HOSE", "32.40", "garden"),
    ("Oak Shelf", "SHELF", "74.95", "furniture"),
    ("LED Lamp", "LAMP", "18.90", "electrical"),
    ("Delivery", "", "25.00", ""),
]
_NAMES = [
    "Widgets",
    "Northside",
    "Harbour",
    "Café Élan",
    "Baker & Sons",
    "Blue Door",
    "Summit",
    "O'Neill",
    "Fjord",
]
_TRADES = ["Hardware", "Interiors", "Builders", "Cleaning", "Events", "Logistics", "Studio", "Gardens"]
_CITIES = [("Vancouver", "BC", "V5K 0A1"), ("Burnaby", "BC", "V5H 1A1"), ("Seattle", "WA", "98101")]


@dataclass
class ShopInvoice:
    """One invoice in SalesBinder's books. Amounts are in the shop's currency."""

    number: int
    customer: str
    total: Decimal
    paid: Decimal = Decimal(0)
    status: Literal["open", "cancelled", "old"] = "open"
    """``old``: from before the shop was connected."""
    trouble: Trouble | None = None
    """What is wrong with it on purpose."""


@dataclass(frozen=True)
class Occurrence:
    """One event at its place in the day. ``position`` orders them as they are published."""

    position: float
    event: Record


@dataclass
class ShopDay:
    """What happened, in the order in which it is published."""

    account: str
    opened: datetime
    """Nothing but old documents was created before it."""
    events: list[Record] = field(default_factory=list)
    invoices: list[ShopInvoice] = field(default_factory=list)
    customers: list[str] = field(default_factory=list)
    repeated: int = 0
    """Events that are published twice, as publishers do when they are not sure."""


def shop_day(account: str, day: date, *, invoices: int = 140, customers: int = 45, seed: int = 7) -> ShopDay:
    """A day with about three events an invoice."""
    return _Shop(account, day, random.Random(seed)).live(invoices, customers)


def unreadable_event(account: str, at: datetime) -> tuple[str, bytes, bytes]:
    """Topic, key and value of an event that no publisher should send: its amount is no number."""
    record = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{account}/unreadable"))
    event = _event(account, "invoice.created", record, at, {"document": {"id": record, "total_price": "NaN"}})
    return "salesbinder.invoices", f"{account}/{record}".encode(), json.dumps(event).encode()


class _Shop:
    def __init__(self, account: str, day: date, chance: random.Random) -> None:
        self._account = account
        self.chance = chance
        self._opened = datetime.combine(day, time(8), UTC)
        self._happened: list[Occurrence] = []
        self._day = ShopDay(account, self._opened)
        self._clients: list[_Party] = []

    def live(self, invoices: int, customers: int) -> ShopDay:
        self._clients = [self._party(number, "customer") for number in range(customers)]
        for number in range(6):
            self._party(number, "supplier")
        for number in range(invoices):
            self._sale(5001 + number, number / invoices)
        self._old_invoice(4711)
        self._happened.sort(key=lambda occurrence: occurrence.position)
        self._day.events = [occurrence.event for occurrence in self._happened]
        again = self.chance.sample(range(len(self._day.events)), 15)
        for index in sorted(again, reverse=True):
            self._day.events.insert(index + 1 + self.chance.randrange(3), self._day.events[index])
        self._day.repeated = len(again)
        return self._day

    def say(self, at: datetime, kind: str, subject: str, data: Record, earlier: float = 0.0) -> None:
        position = (at - self._opened).total_seconds() - earlier
        self._happened.append(Occurrence(position, _event(self._account, kind, subject, at, data)))

    def _party(self, number: int, kind: Literal["customer", "supplier"]) -> "_Party":
        chance = self.chance
        name = f"{_NAMES[number % len(_NAMES)]} {_TRADES[(number // len(_NAMES)) % len(_TRADES)]}"
        if kind == "supplier":
            name = f"{name} Wholesale"
        else:
            self._day.customers.append(name)
        city, region, postcode = chance.choice(_CITIES)
        at = self._opened + timedelta(minutes=number // 3, seconds=number % 3)
        record: Record = {
            "id": self.id_of(f"{kind}/{number}"),
            "context_id": 2 if kind == "customer" else 10,
            "name": name,
            "customer_number": (100 if kind == "customer" else 900) + number,
            "office_email": f"accounts{number}@{kind}.example",
            "office_phone": f"604-555-{1000 + number}" if number % 4 else "",
            "url": f"www.{kind}{number}.example",
            "billing_address_1": f"{10 + number} Main St",
            "billing_city": city,
            "billing_region": region,
            "billing_postal_code": postcode,
            "billing_country": "Canada" if region == "BC" else "USA",
            "created": at.isoformat(),
            "modified": at.isoformat(),
        }
        self.say(at, f"{kind}.created", record["id"], {kind: record})
        party = _Party([record])
        if number % 5 == 2:
            later = at + timedelta(hours=1 + chance.random() * 6)
            edited = {**record, "office_phone": f"778-555-{2000 + number}", "modified": later.isoformat()}
            party.versions.append(edited)
            self.say(later, f"{kind}.edited", record["id"], {kind: edited})
        return party

    def _sale(self, number: int, share: float) -> None:
        """An invoice and what happens to it, at ``share`` (0 to 1) of the day."""
        at = self._opened + timedelta(minutes=20 + share * 430)
        sale = _Sale(self, number, at, self.chance.choice(self._clients))
        self._day.invoices.append(sale.invoice)
        dice = self.chance.random()
        if number % 47 == 0:
            sale.lines[0]["tax"] = UNMAPPED_RATE
            sale.invoice.trouble = "tax_rate_unmapped"
            sale.create()
        elif number % 61 == 0:
            sale.invoice.trouble = "total_mismatch"
            sale.create(added=Decimal(25))
        elif number % 53 == 0:
            sale.invoice.trouble = "exceeds_amount_due"
            sale.create()
            sale.pay(sale.invoice.total + 50)
        elif number % 29 == 0:
            # The payment's event overtakes the invoice's: a publisher that works in parallel.
            sale.create()
            sale.pay(sale.invoice.total, earlier=1800)
        elif dice < 0.07:
            sale.create()
            sale.cancel()
        elif dice < 0.15:
            sale.create()
            sale.edit()
            sale.pay(sale.invoice.total)
        elif dice < 0.19:
            sale.create()
            sale.pay(sale.invoice.total)
            sale.reset()
        elif dice < 0.35:
            sale.create()
            half = (sale.invoice.total / 2).quantize(_CENT, ROUND_HALF_UP)
            sale.pay(half)
            sale.pay(sale.invoice.total - half)
        elif dice < 0.75:
            sale.create()
            sale.pay(sale.invoice.total)
        else:
            sale.create()

    def _old_invoice(self, number: int) -> None:
        """From last month, edited today: history stays out of Xero."""
        sale = _Sale(self, number, self._opened + timedelta(hours=3), self._clients[0])
        sale.created = self._opened - timedelta(days=31)
        sale.invoice.status = "old"
        self._day.invoices.append(sale.invoice)
        sale.edit()

    def id_of(self, name: str) -> str:
        return str(uuid.uuid5(uuid.NAMESPACE_URL, f"{self._account}/{self._opened.date()}/{name}"))


@dataclass
class _Party:
    """A customer or supplier in all its versions, the oldest first."""

    versions: list[Record]

    def at(self, moment: datetime) -> Record:
        known = [one for one in self.versions if datetime.fromisoformat(one["modified"]) <= moment]
        return (known or self.versions[:1])[-1]


class _Sale:
    """One invoice in the making. Every step happens some minutes after the one before."""

    def __init__(self, shop: _Shop, number: int, at: datetime, client: _Party) -> None:
        self._shop = shop
        self._client = client
        self._now = at
        self._id = shop.id_of(f"invoice/{number}")
        self._transactions: list[Record] = []
        self._added = Decimal(0)
        self.created = at
        self.lines = list(self._new_lines(number))
        self.invoice = ShopInvoice(number, client.at(at)["name"], Decimal(0))
        self._count()

    def _new_lines(self, number: int) -> Iterator[Record]:
        chance = self._shop.chance
        for position in range(chance.choice([1, 1, 2, 3, 5])):
            name, sku, price, kind = chance.choice(_GOODS)
            tax, tax2 = chance.choice(_TAXES)
            yield {
                "id": self._shop.id_of(f"line/{number}/{position}"),
                "item_id": self._shop.id_of(f"item/{sku}") if sku else None,
                "name": None if sku else name,
                "quantity": chance.choice([1, 2, 3, 7, 12, 0.5]) if sku else 1,
                "price": price,
                "discount_percent": chance.choice(_DISCOUNTS),
                "tax": tax,
                "tax2": tax2,
                "item": {
                    "name": name,
                    "sku": sku,
                    "item_details": [
                        {"value": kind, "custom_field": {"name": "Range", "weight": 1, "publish": True}}
                    ],
                }
                if sku
                else None,
            }

    def create(self, added: Decimal = Decimal(0)) -> None:
        """``added`` is on the document's total and on no line."""
        self._added = added
        self._count()
        self._tell("created")

    def edit(self) -> None:
        """One more of the first line."""
        self._pass(20)
        self.lines[0]["quantity"] += 1
        self._count()
        self._tell("edited")

    def pay(self, amount: Decimal, earlier: float = 0.0) -> None:
        """``earlier`` is by how many seconds its event is published too early."""
        self._pass(15)
        number = len(self._transactions)
        transaction = {
            "id": self._shop.id_of(f"payment/{self.invoice.number}/{number}"),
            "document_id": self._id,
            "amount": str(amount),
            "transaction_date": self._now.date().isoformat(),
            "reference": self._shop.chance.choice(_METHODS),
        }
        self._transactions.append(transaction)
        self.invoice.paid += amount
        self._tell("payment_applied", earlier, transaction=transaction)

    def reset(self) -> None:
        """All payments are taken back."""
        self._pass(30)
        self._transactions = []
        self.invoice.paid = Decimal(0)
        self._tell("reset")

    def cancel(self) -> None:
        """The sale is off."""
        self._pass(40)
        self.invoice.status = "cancelled"
        self._tell("cancelled")

    def _pass(self, minutes: float) -> None:
        self._now += timedelta(minutes=minutes * (0.5 + self._shop.chance.random()))

    def _count(self) -> None:
        """Totals as SalesBinder has them: sums are rounded, not lines."""
        pairs = [(_net(line), line) for line in self.lines]
        self._subtotal = _cents(sum((net for net, _ in pairs), Decimal(0)))
        self._tax, self._tax2 = (
            _cents(sum((net * _rate(line, name) for net, line in pairs), Decimal(0)))
            for name in ("tax", "tax2")
        )
        self.invoice.total = self._subtotal + self._tax + self._tax2 + self._added

    def _tell(self, action: str, earlier: float = 0.0, **more: Record) -> None:
        document = {
            "id": self._id,
            "document_number": self.invoice.number,
            "context_id": 5,
            "customer_id": self._client.versions[0]["id"],
            "name": None,
            "issue_date": self.created.date().isoformat(),
            "status": {"name": self.invoice.status},
            "total_cost": 0,
            "total_price": str(self._subtotal + self._added),
            "total_tax": str(self._tax),
            "total_tax2": str(self._tax2),
            "total_transactions": str(self.invoice.paid),
            "created": self.created.isoformat(),
            "modified": self._now.isoformat(),
            "document_items": [dict(line) for line in self.lines],
            "customer": self._client.at(self._now),
            "transactions": [dict(one) for one in self._transactions],
        }
        self._shop.say(self._now, f"invoice.{action}", self._id, {"document": document, **more}, earlier)


def _event(account: str, kind: str, subject: str, at: datetime, data: Record) -> Record:
    return {
        "specversion": "1.0",
        "id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{account}/{kind}/{subject}/{at.isoformat()}")),
        "source": f"/salesbinder/{account}",
        "type": f"salesbinder.{kind}",
        "subject": subject,
        "time": at.isoformat(),
        "datacontenttype": "application/json",
        "data": data,
    }


def _net(line: Record) -> Decimal:
    discount = Decimal(str(line["discount_percent"]))
    return Decimal(str(line["quantity"])) * Decimal(line["price"]) * (100 - discount) / 100


def _rate(line: Record, name: str) -> Decimal:
    return Decimal(str(line[name])) / 100


def _cents(amount: Decimal) -> Decimal:
    return amount.quantize(_CENT, ROUND_HALF_UP)
