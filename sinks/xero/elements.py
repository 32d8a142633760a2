"""Steps: the single things that a command asks of Xero, and the routes (endpoints) by which they go. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Literal, NamedTuple

import msgspec

from contracts.money import to_cents
from contracts.newness import Stamp, stamp
from contracts.nul import ESCAPED, without_nul

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


class StepKey(NamedTuple):
    """The one thing in Xero that a step is about. No two calls are ever under way for one target."""

    kind: Kind
    record_id: str
    """Of a contact ``customer/{id}`` or ``supplier/{id}``: its side and record."""
    transaction_id: str = ""


@dataclass(frozen=True, slots=True)
class Route:
    """An endpoint and how its calls are put together."""

    name: str
    method: str
    path: str
    """``{id}`` stands for the element's ``xero_id``."""
    envelope: str = ""
    """The JSON array that holds the elements, in the request as in the answer."""
    batch: int = 1
    """Elements a call may carry. Xero advises bundles of up to 50 (developer.xero.com, "limits")."""
    query: Mapping[str, str] = field(default_factory=dict)
    keys: tuple[str, ...] = ()
    """The fields by which a result is matched to its element, the first that is present. None: each element
    of a look-up gets all that was found."""
    creates: bool = False
    """Creates something: after an answer that was not seen it must not simply be sent anew."""
    repeatable: bool = False
    """Xero makes a second one without a word, because nothing about it must be unique."""

    @property
    def id_field(self) -> str:
        """The field that holds the id that Xero gave: ``ContactID`` of Contacts."""
        return f"{self.envelope.removesuffix('s')}ID"

    @property
    def reads(self) -> bool:
        """Changes nothing in Xero."""
        return self.method == "GET"


_BATCH = {"summarizeErrors": "false"}
_LINES = {"summarizeErrors": "false", "unitdp": "4"}
_NOTE_NUMBER = ("CreditNoteNumber",)
_ON_CREDIT_NOTE = ("CreditNote.CreditNoteID", "Invoice.InvoiceID")
"""Xero shows the credit note of a payment under ``Invoice``, too, or only there."""
_ALL_OF_THEM = {"includeArchived": "true", "page": "1", "pageSize": "1000"}
_ORDER_NUMBER = ("PurchaseOrderNumber",)
_ORDER_ID = ("PurchaseOrderID",)

ROUTES: dict[str, Route] = {
    route.name: route
    for route in (
        Route("contacts.create", "PUT", "/Contacts", "Contacts", 50, _BATCH, ("ContactNumber",), True),
        Route("contacts.update", "POST", "/Contacts", "Contacts", 50, _BATCH, ("ContactID",)),
        Route("contacts.find", "GET", "/Contacts", "Contacts", 20, {}, ("Name",)),
        Route("contacts.search", "GET", "/Contacts", "Contacts", 1, {"page": "1", "pageSize": "1000"}),
        Route("contacts.list", "GET", "/Contacts", "Contacts", 1, {"pageSize": "1000"}),
        Route("contacts.find_number", "GET", "/Contacts", "Contacts", 20, {}, ("ContactNumber",)),
        Route("contacts.find_numbers", "GET", "/Contacts", "Contacts", 1, _ALL_OF_THEM),
        Route("contacts.read", "GET", "/Contacts/{id}", "Contacts", 40, {}, ("ContactID",)),
        Route("items.create", "PUT", "/Items", "Items", 1, _BATCH, ("Code",), True),
        Route("invoices.create", "PUT", "/Invoices", "Invoices", 50, _LINES, ("InvoiceNumber",), True),
        Route("invoices.update", "POST", "/Invoices", "Invoices", 50, _LINES, ("InvoiceID",)),
        Route("invoices.find", "GET", "/Invoices", "Invoices", 40, {"unitdp": "4"}, ("InvoiceNumber",)),
        Route("invoices.read", "GET", "/Invoices/{id}", "Invoices", 40, {"unitdp": "4"}, ("InvoiceID",)),
        Route("orders.create", "PUT", "/PurchaseOrders", "PurchaseOrders", 50, _BATCH, _ORDER_NUMBER, True),
        Route("orders.update", "POST", "/PurchaseOrders", "PurchaseOrders", 50, _BATCH, _ORDER_ID),
        Route("orders.find", "GET", "/PurchaseOrders/{id}", "PurchaseOrders", 40, {}, _ORDER_NUMBER),
        Route("orders.read", "GET", "/PurchaseOrders/{id}", "PurchaseOrders", 40, {}, _ORDER_ID),
        # Numbers of bills are not unique: what tells them apart is the link to the document in SalesBinder.
        Route("bills.create", "PUT", "/Invoices", "Invoices", 50, _LINES, ("Url",), True, True),
        Route("bills.find", "GET", "/Invoices", "Invoices", 40, {"page": "1", "pageSize": "1000"}),
        Route(
            "payments.create", "PUT", "/Payments", "Payments", 50, _BATCH, ("Invoice.InvoiceID",), True, True
        ),
        Route("payments.remove", "POST", "/Payments/{id}", "Payments", 1, {}, ("PaymentID",)),
        Route("payments.read", "GET", "/Payments/{id}", "Payments", 20, {}, ("PaymentID",)),
        Route("refunds.create", "PUT", "/Payments", "Payments", 50, _BATCH, _ON_CREDIT_NOTE, True, True),
        Route("credit_notes.create", "PUT", "/CreditNotes", "CreditNotes", 50, _LINES, _NOTE_NUMBER, True),
        Route("credit_notes.update", "POST", "/CreditNotes", "CreditNotes", 50, _LINES, ("CreditNoteID",)),
        Route("credit_notes.find", "GET", "/CreditNotes", "CreditNotes", 20, {"unitdp": "4"}, _NOTE_NUMBER),
        Route("credit_notes.read", "GET", "/CreditNotes/{id}", "CreditNotes", 1, {"unitdp": "4"}),
    )
}


@dataclass(frozen=True, slots=True)
class Element:
    """One object of a call."""

    route: str
    step: str
    """What it does in the log's words: ``contact``, ``invoice``, ``authorise``, ``payment``, ``look up
    contact``.
    """
    target: StepKey
    body: Mapping[str, Any] | None = None
    xero_id: str = ""
    """For routes with an id in the path; of a purchase order that is looked up, its number."""
    query: Mapping[str, str] = field(default_factory=dict)
    """Of a purchase order that is read by its id or number: the day by which it is found among others."""
    wanted: str = ""
    """Of a look-up: the name or number that is looked for."""
    memory: Mapping[str, Any] = field(default_factory=dict)
    """What to keep in the link when Xero accepts; JSON."""
    claim: StepKey | None = None
    """What no two calls may be about besides the target: a name that a contact is given."""
    offers: Mapping[str, Any] = field(default_factory=dict)
    """Of a contact: what its namesakes may take as said when Xero accepts, see ``planner.namesakes``."""
    shared: bool = False
    """All that wait for its target learn what came of it: it is asked, or made, once for all of them."""


@dataclass(frozen=True, slots=True)
class Link:
    """A SalesBinder record or transaction and the Xero object that it is."""

    target: StepKey
    xero_id: str
    xero_number: str = ""
    seq: int = 0
    """Position of the command that made it."""
    removed: bool = False
    facts: Mapping[str, Any] = field(default_factory=dict)

    def text(self, name: str) -> str:
        """A text among the facts; ``""`` when absent."""
        return str(self.facts.get(name) or "")

    def time(self, name: str) -> datetime:
        """A time among the facts; the beginning of time when absent."""
        text = self.text(name)
        return datetime.fromisoformat(text) if text else datetime.min.replace(tzinfo=UTC)

    @property
    def stamp(self) -> Stamp:
        """How new the snapshot is that Xero has."""
        position = int(self.text("position") or max(self.seq, int(self.text("confirmed_seq") or 0)))
        return stamp(self.time("version"), self.time("event_time"), position)

    @property
    def xero_amount(self) -> Decimal | None:
        """What it comes to in Xero; none where that is not known, and of contacts."""
        name = "amount" if self.target.kind in ("payment", "refund", "credit_note") else "total"
        return to_cents(self.amount(name)) if self.facts.get(name) is not None else None

    def amount(self, name: str) -> Decimal:
        """An amount among the facts; 0 when absent."""
        return Decimal(str(self.facts.get(name) or 0))


_numbers = msgspec.json.Encoder(decimal_format="number")
_texts = msgspec.json.Encoder(decimal_format="string")


def encode_body(value: Any) -> bytes:
    """JSON as Xero reads it: decimals as numbers, digit for digit."""
    return _numbers.encode(value)


def encode_memory(value: Any) -> str:
    """JSON as our database keeps it: decimals as texts, so that nothing is lost on the way back. jsonb takes
    no NUL, which an answer of Xero's may hold.
    """
    encoded = _texts.encode(value)
    if ESCAPED in encoded:
        encoded = _texts.encode(without_nul(msgspec.json.decode(encoded)))
    return encoded.decode()
