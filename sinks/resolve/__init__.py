"""Resolve snapshots into bodies for Xero, with today's settings and the organisation's facts. Pure functions.

Bodies hold ``Decimal`` for numbers and ``YYYY-MM-DD`` for dates; the sender encodes them
(``msgspec.json.Encoder(decimal_format="number")``). A document that cannot be sent raises
``contracts.reasons.Refused``.
"""

from sinks.resolve.amounts import EMPTY_LINE_ID, ROUNDING_LINE_ID
from sinks.resolve.contacts import ResolvedContact, contact_body, resolve_contact, untold_parts
from sinks.resolve.documents import ResolvedDocument
from sinks.resolve.invoices import resolve_invoice
from sinks.resolve.orders import resolve_bill, resolve_order
from sinks.resolve.payments import ResolvedPayment, resolve_payment
from sinks.resolve.posted import posted_of
from sinks.resolve.refunds import Part, completes, contact_of, parts_of, refund_warnings, resolve_refund

__all__ = [
    "EMPTY_LINE_ID",
    "ROUNDING_LINE_ID",
    "Part",
    "ResolvedContact",
    "ResolvedDocument",
    "ResolvedPayment",
    "completes",
    "contact_body",
    "contact_of",
    "parts_of",
    "posted_of",
    "refund_warnings",
    "resolve_bill",
    "resolve_contact",
    "resolve_invoice",
    "resolve_order",
    "resolve_payment",
    "resolve_refund",
    "untold_parts",
]
