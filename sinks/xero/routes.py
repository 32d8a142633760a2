"""Routes: the endpoints of Xero that steps go by, and how their calls are put together. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

RouteName = Literal[
    "contacts.create",
    "contacts.update",
    "contacts.find",
    "contacts.search",
    "contacts.list",
    "contacts.find_number",
    "contacts.find_numbers",
    "contacts.read",
    "items.create",
    "invoices.create",
    "invoices.update",
    "invoices.find",
    "invoices.read",
    "orders.create",
    "orders.update",
    "orders.find",
    "orders.read",
    "bills.create",
    "bills.find",
    "payments.create",
    "payments.remove",
    "payments.read",
    "refunds.create",
    "credit_notes.create",
    "credit_notes.update",
    "credit_notes.find",
    "credit_notes.read",
]


@dataclass(frozen=True, slots=True)
class Route:
    """An endpoint and how its calls are put together."""

    name: RouteName
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
    """Creates something: after a lost response it must not simply be sent again."""
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

ROUTES: dict[RouteName, Route] = {
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
        # Numbers of bills are not unique: the link to the document in SalesBinder tells them apart.
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
