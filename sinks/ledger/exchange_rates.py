"""Exchange rates of documents: the last one of each currency is kept, and one that is far from it gets a
warning.
"""

from dataclasses import replace
from decimal import Decimal
from typing import Any

from contracts.json import JsonObject
from contracts.money import plain
from contracts.reasons import warning
from runtime.sql import load_queries
from sinks.ledger import store as ledger
from sinks.xero.elements import Element, Link

_FACTOR = 2
"""A rate that is more than so many times the last one, or less than one part in so many, is unusual."""


async def compare_rate(
    connection: ledger.Connection,
    account: str,
    base: str,
    element: Element,
    found: JsonObject,
    link: Link,
) -> Link:
    """Return the link of a document that Xero took, with a warning if the rate that was sent is unusual.

    Args:
        base: the organisation's currency.
        found: the document as Xero returned it.
    """
    body = element.body or {}
    code = str(body.get("CurrencyCode") or "")
    if not code or code == base:
        return link
    rate = _rate(found.get("CurrencyRate")) or _rate(body.get("CurrencyRate"))
    if rate is None:
        return link
    place = {"account": account, "base": base, "currency": code}
    row = await (await connection.execute(_SQL["last"], place)).fetchone()
    await connection.execute(_SQL["use"], {**place, "rate": rate})
    if row is None or "CurrencyRate" not in body or not is_unusual(rate, row[0]):
        return link
    told = warning("currency_rate_unusual", rate=plain(rate), currency=code, last=plain(row[0]))
    return replace(link, facts={**link.facts, "warnings": [*(link.document.get("warnings") or ()), told]})


def is_unusual(rate: Decimal, last: Decimal) -> bool:
    """Return True if the rates are more than a factor of two apart."""
    return rate > last * _FACTOR or rate * _FACTOR < last


def _rate(value: Any) -> Decimal | None:
    """Return a rate, or None if there is none: Xero shows 1 if it knows no rate for a foreign currency."""
    rate = Decimal(str(value or 0))
    return rate if rate > 0 and rate != 1 else None


_SQL = load_queries(__file__)
