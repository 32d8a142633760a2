"""The shop's customers and suppliers, and their changes during the day."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Literal

from .books import Record, ShopContact
from .catalogue import CITIES, NAMES, TRADES
from .diary import Diary

Kind = Literal["customer", "supplier"]
SHARED_NAME = "Harbourside Trading"
"""Buys from the shop and sells to it: a customer and a supplier of one name, one contact in Xero."""


@dataclass
class People:
    """Customers and suppliers in the order in which they came."""

    customers: list[ShopContact]
    suppliers: list[ShopContact]
    both: tuple[ShopContact, ShopContact]
    """Customer and supplier of ``SHARED_NAME``."""

    @property
    def everybody(self) -> list[ShopContact]:
        """All of them."""
        return [*self.customers, *self.suppliers, *self.both]


def welcome(diary: Diary, customers: int, suppliers: int) -> People:
    """Create them when the shop opens; some are edited later, and the last one of each kind is deleted."""
    found = People(
        [_newcomer(diary, number, "customer") for number in range(customers)],
        [_newcomer(diary, number, "supplier") for number in range(suppliers)],
        _namesakes(diary),
    )
    for contact in (found.customers[-1], found.suppliers[-1]):
        contact.deleted = True
        record = contact.latest
        at = diary.opened + timedelta(hours=5)
        diary.say(
            at,
            f"{contact.kind}.deleted",
            contact.id,
            {contact.kind: {"id": contact.id, "name": record["name"]}},
        )
    return found


def _newcomer(diary: Diary, number: int, kind: Kind) -> ShopContact:
    name = f"{NAMES[number % len(NAMES)]} {TRADES[(number // len(NAMES)) % len(TRADES)]}"
    record = _record(diary, number, kind, name if kind == "customer" else f"{name} Wholesale")
    contact = _create(diary, kind, record)
    changes: list[Record] = []
    if number % 5 == 2:
        changes.append({"office_phone": f"778-555-{2000 + number}"})
    if number % 15 == 6:
        changes.append({"name": f"{record['name']} Group", "office_email": f"office{number}@{kind}.example"})
    if number % 15 == 12:
        changes.append({"office_phone": ""})
    at = diary.opened + timedelta(minutes=30)
    for change in changes:
        at += timedelta(minutes=60 + diary.chance.random() * 120)
        edited = {**contact.latest, **change, "modified": at.isoformat()}
        contact.versions.append(edited)
        diary.say(at, f"{kind}.edited", contact.id, {kind: edited})
    return contact


def _namesakes(diary: Diary) -> tuple[ShopContact, ShopContact]:
    """Create a customer and a supplier of the same name. For each field, only one side has a value, or both
    have the same: their order makes no difference.
    """
    customer = _record(diary, 98, "customer", SHARED_NAME)
    supplier = {**_record(diary, 99, "supplier", SHARED_NAME), "office_phone": ""}
    same = {name: value for name, value in customer.items() if name.startswith("billing_")}
    return (
        _create(
            diary, "customer", {**customer, "office_email": "", "url": "", "office_phone": "604-555-9898"}
        ),
        _create(diary, "supplier", {**supplier, **same}),
    )


def _create(diary: Diary, kind: Kind, record: Record) -> ShopContact:
    contact = ShopContact(kind, [record])
    at = diary.opened + timedelta(seconds=20 * int(record["customer_number"] % 100))
    record["created"] = record["modified"] = at.isoformat()
    diary.say(at, f"{kind}.created", contact.id, {kind: record})
    return contact


def _record(diary: Diary, number: int, kind: Kind, name: str) -> Record:
    city, region, postcode = diary.chance.choice(CITIES)
    country = "Canada" if region == "BC" else "USA"
    ships = number % 3 == 0
    return {
        "id": diary.id_of(f"{kind}/{number}"),
        "context_id": 2 if kind == "customer" else 10,
        "name": name,
        "customer_number": (100 if kind == "customer" else 900) + number,
        "office_email": f"accounts{number}@{kind}.example",
        "office_phone": f"604-555-{1000 + number}" if number % 4 else "",
        "office_fax": f"604-556-{1000 + number}" if number % 6 == 1 else None,
        "url": f"www.{kind}{number}.example",
        "billing_address_1": f"{10 + number} Main St",
        "billing_address_2": f"Unit {number}" if number % 7 == 3 else "",
        "billing_city": city,
        "billing_region": region,
        "billing_postal_code": postcode,
        "billing_country": country,
        "shipping_address_1": f"Gate {number}, Dock Rd" if ships else "",
        "shipping_city": city if ships else "",
        "shipping_country": country if ships else "",
    }
