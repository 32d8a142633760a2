"""Amounts and payments as Xero writes them, read for comparing and for sentences. Pure."""

from decimal import Decimal

from connections.facts import day
from contracts.json import JsonObject
from contracts.money import to_cents


def amount_in(found: JsonObject, name: str) -> Decimal:
    """Return an amount of something that was read from Xero, in cents: a number or a text; 0 when absent."""
    return to_cents(Decimal(str(found.get(name) or 0)))


def xero_day(found: JsonObject) -> str:
    """Return its date as ``YYYY-MM-DD``, from ``DateString`` or any form of ``Date`` that Xero uses; ``""``
    if it names none.
    """
    text = str(found.get("DateString") or found.get("Date") or "")
    return day(text).isoformat() if text else ""


def shown(payment: JsonObject) -> str:
    """Return a payment in a sentence: ``50.00 of 2026-03-02 Cash #eada30eb``."""
    when = xero_day(payment)
    words = (str(amount_in(payment, "Amount")), when and f"of {when}", str(payment.get("Reference") or ""))
    return " ".join(word for word in words if word)
