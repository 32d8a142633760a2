"""Sales invoices, as they are sent to Xero."""

from datetime import timedelta

from connections.facts import OrganisationFacts
from connections.settings import Settings
from contracts.commands import DocumentSnapshot
from contracts.json import Body, JsonObject
from contracts.reasons import warning
from contracts.results import Warning
from sinks.resolve.amounts import Pricing
from sinks.resolve.chart import currency, sales
from sinks.resolve.dates import open_day
from sinks.resolve.documents import (
    REFERENCE_LIMIT,
    ResolvedDocument,
    document_amounts,
    document_url,
    resolved_document,
)
from sinks.resolve.texts import cut, one_line


def resolve_invoice(
    document: DocumentSnapshot,
    settings: Settings,
    facts: OrganisationFacts,
    account: str,
    link: JsonObject | None = None,
) -> ResolvedDocument:
    """Return the sales invoice that Xero should hold.

    Args:
        account: SalesBinder's sub-domain, for the link to it.
        link: the facts of the invoice's link, where it was posted: it keeps how its amounts were made.

    Raises:
        Refused: Xero, or the settings, cannot hold it; the reason says why.
    """
    warnings: list[Warning] = []
    day = open_day(document.issue_date, settings, facts, warnings)
    due = document.due_date or day + timedelta(days=settings.due_days)
    if due < day:
        warnings.append(warning("due_before_date", due=due, date=day))
    code, rate = currency(document, settings, facts, warnings)
    pricing = Pricing(sales(settings), settings, facts, discounts=True)
    made = document_amounts(document, pricing, code, link, warnings)
    number = settings.invoice_number_format.replace("{number}", document.number)
    body: Body = {
        "Type": "ACCREC",
        "InvoiceNumber": number,
        "Reference": cut(one_line(document.reference), REFERENCE_LIMIT, "reference", warnings),
        "Date": day.isoformat(),
        "DueDate": due.isoformat(),
        "CurrencyCode": code,
        "LineAmountTypes": "Exclusive",
        "Url": document_url(document.record_id, account, settings),
        "LineItems": [line.body() for line in made.lines],
    }
    if rate is not None:
        body["CurrencyRate"] = rate
    return resolved_document(body, made, number, code, warnings)
