"""Purchase orders, and the bills that come of them, as Xero is sent them."""

from datetime import date, timedelta
from typing import Any

from connections.facts import OrganisationFacts
from connections.settings import Settings
from contracts.commands import DocumentSnapshot
from contracts.results import Warning
from sinks.resolve.chart import currency, purchases
from sinks.resolve.dates import open_day
from sinks.resolve.documents import (
    REFERENCE_LIMIT,
    ResolvedDocument,
    document_url,
    resolved_document,
    xero_lines,
)
from sinks.resolve.texts import cut, one_line


def resolve_order(
    document: DocumentSnapshot, settings: Settings, facts: OrganisationFacts
) -> ResolvedDocument:
    """The purchase order that Xero should hold. Lock dates do not touch orders.

    Raises:
        Refused: Xero, or the settings, cannot hold it; the reason says why.
    """
    warnings: list[Warning] = []
    code, rate = currency(document.currency, document.currency_rate, settings, facts)
    lines = xero_lines(document, purchases(settings), settings, facts, warnings, discounts=True)
    number = _number(document, settings)
    mark = f"#{document.record_id[:8]}"
    name = cut(one_line(document.reference), REFERENCE_LIMIT - len(mark) - 1, "reference", warnings)
    body: dict[str, Any] = {
        "PurchaseOrderNumber": number,
        "Reference": f"{name} {mark}".strip(),
        "Date": document.issue_date.isoformat(),
        "CurrencyCode": code,
        "LineAmountTypes": "Exclusive",
        "LineItems": [line.body() for line in lines],
    }
    if rate is not None:
        body["CurrencyRate"] = rate
    return resolved_document(body, lines, number, code, warnings)


def resolve_bill(
    document: DocumentSnapshot,
    settings: Settings,
    facts: OrganisationFacts,
    account: str,
    received: date,
) -> ResolvedDocument:
    """The bill for an order that was received in full on ``received``: same number, same lines.

    Bills take no discounts in Xero, so discounted lines have their net price.

    Raises:
        Refused: Xero, or the settings, cannot hold it; the reason says why.
    """
    warnings: list[Warning] = []
    day = open_day(received, settings, facts, warnings)
    code, rate = currency(document.currency, document.currency_rate, settings, facts)
    lines = xero_lines(document, purchases(settings), settings, facts, warnings, discounts=False)
    number = _number(document, settings)
    body: dict[str, Any] = {
        "Type": "ACCPAY",
        "InvoiceNumber": number,
        "Date": day.isoformat(),
        "DueDate": (day + timedelta(days=settings.due_days)).isoformat(),
        "CurrencyCode": code,
        "LineAmountTypes": "Exclusive",
        "Url": document_url(document.record_id, account, settings),
        "LineItems": [line.body() for line in lines],
    }
    if rate is not None:
        body["CurrencyRate"] = rate
    return resolved_document(body, lines, number, code, warnings)


def _number(document: DocumentSnapshot, settings: Settings) -> str:
    return settings.purchase_order_number_format.replace("{number}", document.number)
