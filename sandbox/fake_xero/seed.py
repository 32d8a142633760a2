"""Put data into the books from the outside, the way people do in Xero's own screens."""

from dataclasses import replace
from datetime import date
from decimal import Decimal
from functools import partial
from typing import Any

from .books import accounts, contacts, items
from .books.errors import Refused
from .books.ledger import Books
from .books.model import TaxRate


def fill(books: Books, given: dict[str, Any]) -> dict[str, Any]:
    """Apply every part that is named; returns the ids of what was made.

    Parts: `contacts`, `accounts`, `items` (elements as in Xero's API, upserted), `tax_rates`
    ({tax_type, name, rate or components, applies_to}), `currencies` (code to rate), `period_lock_date`,
    `end_of_year_lock_date` (ISO or null), `name`, `merge` ({source, into}), `remove_contact` (ContactID),
    `reconcile` and `unreconcile` ([PaymentID]), `behaviour` (switches of `books.ledger.Behaviour`)."""
    unknown = set(given) - set(_PARTS)
    if unknown:
        raise ValueError(f"unknown parts {sorted(unknown)}: use {sorted(_PARTS)}")
    return {part: _PARTS[part](books, value) for part, value in given.items()}


def _contacts(books: Books, value: list[dict[str, Any]]) -> list[str]:
    return [contacts.upsert(books, element).contact_id for element in value]


def _accounts(books: Books, value: list[dict[str, Any]]) -> list[str]:
    made = []
    for element in value:
        held = books.account_with_code(element.get("Code", ""))
        made.append(accounts.update(books, held, element) if held else accounts.create(books, element))
    return [account.account_id for account in made]


def _items(books: Books, value: list[dict[str, Any]]) -> list[str]:
    return [items.upsert(books, element, 4).item_id for element in value]


def _tax_rates(books: Books, value: list[dict[str, Any]]) -> list[str]:
    everywhere = ["REVENUE", "EXPENSE", "ASSET", "LIABILITY", "EQUITY"]
    for given in value:
        parts = given.get("components") or [["Tax", given["rate"]]]
        components = [(str(name), Decimal(percent)) for name, percent in parts]
        fits = frozenset(given.get("applies_to", everywhere))
        name, status = given.get("name", given["tax_type"]), given.get("status", "ACTIVE")
        books.tax_rates[given["tax_type"]] = TaxRate(given["tax_type"], name, components, fits, status)
    return [given["tax_type"] for given in value]


def _currencies(books: Books, value: dict[str, Any]) -> list[str]:
    for code, rate in value.items():
        books.currencies.setdefault(code, code)
        books.currency_rates[code] = Decimal(rate)
    return list(value)


def _lock(field: str, books: Books, value: str | None) -> str | None:
    setattr(books, field, date.fromisoformat(value) if value else None)
    return value


def _name(books: Books, value: str) -> str:
    books.name = value
    return value


def _merge(books: Books, value: dict[str, str]) -> str:
    source, into = books.contacts[value["source"]], books.contacts[value["into"]]
    if source is into:
        raise Refused("a contact cannot be merged into itself")
    contacts.merge(books, source, into)
    return into.contact_id


def _remove_contact(books: Books, value: str) -> str:
    books.forget_contact(books.contacts[value])
    return value


def _behaviour(books: Books, value: dict[str, bool]) -> dict[str, bool]:
    books.behaviour = replace(books.behaviour, **value)
    return value


def _reconcile(reconciled: bool, books: Books, value: list[str]) -> list[str]:
    for payment_id in value:
        books.payments[payment_id].is_reconciled = reconciled
    return value


_PARTS: dict[str, Any] = {
    "contacts": _contacts, "accounts": _accounts, "items": _items, "tax_rates": _tax_rates,
    "currencies": _currencies, "period_lock_date": partial(_lock, "period_lock_date"),
    "end_of_year_lock_date": partial(_lock, "year_lock_date"),
    "name": _name, "merge": _merge, "remove_contact": _remove_contact, "behaviour": _behaviour,
    "reconcile": partial(_reconcile, True), "unreconcile": partial(_reconcile, False),
}  # fmt: skip
