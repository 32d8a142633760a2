"""The facts that a link keeps of its record, and those that an element's link will keep: JSON, by kind. Pure.

Every key may be missing: links of earlier versions lack those that came later, and those of records that were
never sent lack most. Keys that this version does not know stay in the JSON unchanged. Amounts, moments and
positions are texts; amounts may be ``Decimal`` until they are written.
"""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Literal, TypedDict, cast

from contracts.json import Body
from contracts.results import Warning

Facts = Mapping[str, object]
"""Facts of any kind, for code that only hands them on."""
Amount = str | Decimal
LineId = Sequence[str]
"""SalesBinder's id of a line, and Xero's."""


class _Snapshot(TypedDict, total=False):
    """Which snapshot Xero has."""

    version: str
    event_time: str
    position: str
    content: str
    """Digest of the document."""
    confirmed_seq: str
    """Position of an action that found it there as its own snapshot has it."""


class RefusedFact(TypedDict):
    """Xero's last refusal of a contact."""

    content: str
    """Digest of the content that was sent."""
    code: Any
    """A ``ReasonCode`` of the version that wrote it."""
    details: dict[str, str]
    at: str


class ContactFacts(_Snapshot, total=False):
    """Of a contact."""

    name: object
    sent: Body
    """The fields that were sent, by Xero's names."""
    told: Mapping[str, Sequence[str]]
    """By field how new it is, moment and time of its event; empty for one as new as the snapshot. Left out if
    all fields are.
    """
    merged: bool
    """Its own contact was merged into another one, which has a name and fields of its own."""
    refused: RefusedFact
    cleared: Sequence[str]
    """Fields that a comparison must find empty. Never stored."""


class DocumentFacts(_Snapshot, total=False):
    """Of an invoice, a bill or a purchase order."""

    number: str
    party: str
    """``customer/{id}`` or ``supplier/{id}``."""
    currency: str
    status: str
    total: Amount
    """In Xero."""
    expected_total: Amount
    """In SalesBinder."""
    expected_tax: Amount
    fingerprint: str
    """Fingerprint of the body that was sent."""
    amounts: str
    """Fingerprint of the part of it that moves money."""
    money: object
    """``sinks.resolve.posted.Posted``: how the amounts were made."""
    lines: Sequence[LineId]
    line_ids: Sequence[str]
    """SalesBinder's ids of the lines in the order sent. Only on the way: a link has ``lines``."""
    warnings: Sequence[Warning | Mapping[str, str]]
    warned: Sequence[str]
    """Xero's own remarks, and totals that it has otherwise."""
    date: str
    """Of an order: the day by which it is found among others."""
    adopted: str
    """Who decided that it is this one."""
    moved: Sequence[Warning | Mapping[str, str]]
    """The fields that were changed by approving it on an open day."""
    moved_seq: str
    resend_seq: str
    """Position of the action that is to send it again, since somebody has changed it."""
    reset_seq: str
    removed_seq: str
    """Position of the action that set out to remove it."""
    billed_seq: str
    received_lines: str
    """Digest of the lines that a bill was made of."""
    received_version: str
    received_time: str
    received_position: str
    received_content: str


class ToldFact(TypedDict):
    """The content of the event about a transaction that was applied last."""

    amount: str
    date: str | None
    reference: str | None
    time: str
    seq: int


class MoneyFacts(TypedDict, total=False):
    """Of a payment, of a refund's credit note, and of the payment that pays it out."""

    amount: Amount
    date: str
    reference: str
    number: str
    status: str
    told: ToldFact
    confirmed_seq: str
    warnings: Sequence[Warning | Mapping[str, str]]
    warned: Sequence[str]
    adopted: str
    replacing: str
    """Position of the correction that has begun to take its object off."""
    replaced: str
    """The object that it replaces, in words."""
    taken_off_by: str
    """Position of the action that took it off."""
    claimed_by: str
    """Transaction id of the refund that set out to take it off."""
    reversed_by: str
    """Transaction id of the refund that took it off."""
    reversal: ToldFact
    """The content of that refund."""
    reversal_told_again: str
    generation: str
    """How many credit notes of the transaction there have been with it."""
    parts: object
    """The share of each line in the invoice's, ``sinks.resolve.refunds.Part``."""


TextFact = Literal[
    "adopted",
    "amounts",
    "billed_seq",
    "claimed_by",
    "confirmed_seq",
    "content",
    "currency",
    "date",
    "fingerprint",
    "generation",
    "moved_seq",
    "name",
    "party",
    "position",
    "received_content",
    "received_lines",
    "received_position",
    "received_time",
    "received_version",
    "reference",
    "removed_seq",
    "replaced",
    "replacing",
    "resend_seq",
    "reset_seq",
    "reversal_told_again",
    "reversed_by",
    "status",
    "taken_off_by",
]
AmountFact = Literal["amount", "total", "expected_total", "expected_tax"]
TimeFact = Literal["version", "event_time", "received_version", "received_time"]


def of_contact(facts: Facts) -> ContactFacts:
    """Return the facts of a contact's link, typed."""
    return cast("ContactFacts", facts)


def of_document(facts: Facts) -> DocumentFacts:
    """Return the facts of the link of an invoice, a bill or a purchase order, typed."""
    return cast("DocumentFacts", facts)


def of_money(facts: Facts) -> MoneyFacts:
    """Return the facts of the link of a payment, a credit note or a refund, typed."""
    return cast("MoneyFacts", facts)
