"""Steps: the single requests of a command to Xero, and the links to the objects that they made. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Literal, NamedTuple

import msgspec

from contracts.json import JsonObject
from contracts.money import to_cents
from contracts.newness import Stamp, stamp
from contracts.nul import ESCAPED, without_nul
from sinks.xero.facts import (
    AmountFact,
    ContactFacts,
    DocumentFacts,
    Facts,
    MoneyFacts,
    TextFact,
    TimeFact,
    of_contact,
    of_document,
    of_money,
)
from sinks.xero.routes import RouteName

Kind = Literal[
    "contact",
    "item",
    "invoice",
    "payment",
    "credit_note",
    "refund",
    "purchase_order",
    "bill",
    "organisation",
]

Step = Literal[
    "authorise",
    "authorise on open day",
    "authorise order",
    "bill",
    "compare",
    "contact",
    "contact link",
    "credit note",
    "credit note to the record's contact",
    "invoice",
    "invoice push",
    "item",
    "look up bill",
    "look up contact by name",
    "look up contact by number",
    "look up credit note",
    "look up invoice",
    "look up order",
    "look up payment",
    "order",
    "order billed",
    "payment",
    "read contact",
    "read credit note",
    "read invoice",
    "read order",
    "read payment",
    "read refund",
    "refund",
    "remove",
    "remove order",
    "take payment back",
    "take payment off",
    "take refund off",
    "void credit note",
]
"""The step of an element, in the log's words."""


class StepKey(NamedTuple):
    """The one thing in Xero that a step is about. No two calls are ever under way for one target."""

    kind: Kind
    record_id: str
    """Of a contact ``customer/{id}`` or ``supplier/{id}``: its side and record."""
    transaction_id: str = ""


@dataclass(frozen=True, slots=True)
class Element:
    """One object of a call."""

    route: RouteName
    step: Step
    target: StepKey
    body: JsonObject | None = None
    xero_id: str = ""
    """For routes with an id in the path; of a purchase order that is looked up, its number."""
    query: Mapping[str, str] = field(default_factory=dict)
    """Of a purchase order that is read by its id or number: the day by which it is found among others."""
    wanted: str = ""
    """Of a look-up: the name or number that is looked for."""
    link_facts: Facts = field(default_factory=dict)
    """The facts to keep in the link if Xero accepts; JSON."""
    claim: StepKey | None = None
    """A resource besides the target that no two calls may use at once: a name given to a contact."""
    offers: JsonObject = field(default_factory=dict)
    """For a contact: the fields that its namesakes may take as sent if Xero accepts, see
    ``planner.namesakes``.
    """
    shared: bool = False
    """All that wait for its target learn the result: it is read, or created, once for all of them."""


@dataclass(frozen=True, slots=True)
class Link:
    """A SalesBinder record or transaction and the Xero object that it is."""

    target: StepKey
    xero_id: str
    xero_number: str = ""
    seq: int = 0
    """Position of the command that made it."""
    removed: bool = False
    facts: Facts = field(default_factory=dict)
    """As the database has them; typed by kind in the views below."""

    @property
    def contact(self) -> ContactFacts:
        """The facts of a contact."""
        return of_contact(self.facts)

    @property
    def document(self) -> DocumentFacts:
        """The facts of an invoice, a bill or a purchase order."""
        return of_document(self.facts)

    @property
    def money(self) -> MoneyFacts:
        """The facts of a payment, a credit note or a refund."""
        return of_money(self.facts)

    def text(self, name: TextFact) -> str:
        """Return a text among the facts; ``""`` when absent."""
        return str(self.facts.get(name) or "")

    def time(self, name: TimeFact) -> datetime:
        """Return a time among the facts; the beginning of time when absent."""
        text = str(self.facts.get(name) or "")
        return datetime.fromisoformat(text) if text else datetime.min.replace(tzinfo=UTC)

    @property
    def warning_codes(self) -> set[str]:
        """The codes of the warnings that the link keeps about the content that was sent."""
        kept = self.document.get("warnings") or ()
        return {str(one.get("code")) for one in kept if isinstance(one, Mapping)}

    @property
    def stamp(self) -> Stamp:
        """How new the snapshot is that Xero has."""
        position = int(self.text("position") or max(self.seq, int(self.text("confirmed_seq") or 0)))
        return stamp(self.time("version"), self.time("event_time"), position)

    @property
    def xero_amount(self) -> Decimal | None:
        """Its amount in Xero; None if that is not known, and for contacts."""
        name: AmountFact = "amount" if self.target.kind in ("payment", "refund", "credit_note") else "total"
        return to_cents(self.amount(name)) if self.facts.get(name) is not None else None

    def amount(self, name: AmountFact) -> Decimal:
        """Return an amount among the facts; 0 when absent."""
        return Decimal(str(self.facts.get(name) or 0))


_numbers = msgspec.json.Encoder(decimal_format="number")
_texts = msgspec.json.Encoder(decimal_format="string")


def encode_body(value: Any) -> bytes:
    """Return JSON as Xero reads it: decimals as numbers, digit for digit."""
    return _numbers.encode(value)


def encode_jsonb(value: Any) -> str:
    """Return JSON as our database keeps it: decimals as texts, so that nothing is lost on the way back. jsonb
    takes no NUL, which a response of Xero may contain.
    """
    encoded = _texts.encode(value)
    if ESCAPED in encoded:
        encoded = _texts.encode(without_nul(msgspec.json.decode(encoded)))
    return encoded.decode()
