"""What the tests of refunds share."""

from typing import Any

from tests.integration.sinks.shops import Maker, Shop


async def paid_invoice(books: Shop, make: Maker, *amounts: str, **more: Any) -> dict[str, Any]:
    """An invoice of 108.00, unless it says otherwise, with these payments."""
    document = make.document(make.customer(), 1, **more)
    payments = [make.paid(document, amount) for amount in amounts]
    assert await books.run(make.created(document), *payments) == ["posted"] * (1 + len(amounts))
    return document


def number_of(refund: dict[str, Any]) -> str:
    return f"1-{refund['data']['transaction']['id'][:8]}"


def reference_of(event: dict[str, Any]) -> str:
    return f"Cash #{event['data']['transaction']['id'][:8]}"


def live(books: Shop) -> list[tuple[str, str]]:
    """Payments that stand in Xero: what they are on, and their amounts."""
    payments = [p for p in books.books["payments"] if p["status"] != "DELETED"]
    return [(p["document_type"], p["amount"]) for p in payments]
