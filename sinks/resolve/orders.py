"""Purchase orders and their bills, as they are sent to Xero."""

from datetime import date, timedelta

from connections.facts import OrganisationFacts
from connections.settings import Settings
from contracts.commands import DocumentSnapshot
from contracts.json import Body, JsonObject
from contracts.results import Warning
from sinks.resolve.amounts import Pricing
from sinks.resolve.chart import currency, purchases
from sinks.resolve.dates import open_day
from sinks.resolve.documents import (
    REFERENCE_LIMIT,
    ResolvedDocument,
    document_amounts,
    document_url,
    resolved_document,
)
from sinks.resolve.texts import cut, one_line


def resolve_order(
    document: DocumentSnapshot,
    settings: Settings,
    facts: OrganisationFacts,
    link: JsonObject | None = None,
) -> ResolvedDocument:
    """Return the purchase order that Xero should hold. Lock dates do not touch orders.

    Args:
        link: the facts of the order's link, where it was posted: it keeps how its amounts were made.

    Raises:
        Refused: Xero, or the settings, cannot hold it; the reason says why.
    """
    warnings: list[Warning] = []
    code, rate = currency(document, settings, facts, warnings)
    pricing = Pricing(purchases(settings), settings, facts, discounts=True)
    made = document_amounts(document, pricing, code, link, warnings)
    number = _number(document, settings)
    mark = f"#{document.record_id[:8]}"
    name = cut(one_line(document.reference), REFERENCE_LIMIT - len(mark) - 1, "reference", warnings)
    body: Body = {
        "PurchaseOrderNumber": number,
        "Reference": f"{name} {mark}".strip(),
        "Date": document.issue_date.isoformat(),
        "CurrencyCode": code,
        "LineAmountTypes": "Exclusive",
        "LineItems": [line.body() for line in made.lines],
    }
    if rate is not None:
        body["CurrencyRate"] = rate
    return resolved_document(body, made, number, code, warnings)


def resolve_bill(
    document: DocumentSnapshot,
    settings: Settings,
    facts: OrganisationFacts,
    account: str,
    received: date,
    link: JsonObject | None = None,
) -> ResolvedDocument:
    """Return the bill for an order that was received in full on ``received``: same number, same lines.

    Bills take no discounts in Xero, so discounted lines have their net price.

    Args:
        link: the facts of the bill's link, or the order's, where they were posted.

    Raises:
        Refused: Xero, or the settings, cannot hold it; the reason says why.
    """
    warnings: list[Warning] = []
    day = open_day(received, settings, facts, warnings)
    code, rate = currency(document, settings, facts, warnings)
    pricing = Pricing(purchases(settings), settings, facts, discounts=False)
    made = document_amounts(document, pricing, code, link, warnings)
    number = _number(document, settings)
    body: Body = {
        "Type": "ACCPAY",
        "InvoiceNumber": number,
        "Date": day.isoformat(),
        "DueDate": (day + timedelta(days=settings.due_days)).isoformat(),
        "CurrencyCode": code,
        "LineAmountTypes": "Exclusive",
        "Url": document_url(document.record_id, account, settings),
        "LineItems": [line.body() for line in made.lines],
    }
    if rate is not None:
        body["CurrencyRate"] = rate
    return resolved_document(body, made, number, code, warnings)


def _number(document: DocumentSnapshot, settings: Settings) -> str:
    return settings.purchase_order_number_format.replace("{number}", document.number)
