"""The endpoints of `/api.xro/2.0`, one entry each: the functions that serve it and the fields that can be
filtered.
"""

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

from . import render
from .books import accounts, contacts, credit_notes, documents, invoices, items, payments, purchase_orders
from .books.documents import Kind
from .books.ledger import Books
from .books.model import Contact, Document, Payment
from .query import Getter

Writer = Callable[[Books, dict[str, Any], int], Any]
Show = Callable[[Books, Any, bool], dict[str, Any]]


def _no_warnings(element: dict[str, Any], record: Any) -> list[str]:
    return []


def _nothing_quick(books: Books, equal: dict[str, Any]) -> list[Any] | None:
    return None


@dataclass(frozen=True)
class Resource:
    """How one endpoint reads and writes its records."""

    plural: str
    title: str
    id_field: str
    all: Callable[[Books], Iterable[Any]]
    find: Callable[[Books, str], Any]
    show: Show
    fields: dict[str, Getter]
    create: Writer | None = None
    upsert: Writer | None = None
    update: Callable[[Books, Any, dict[str, Any], int], Any] | None = None
    warnings: Callable[[dict[str, Any], Any], list[str]] = _no_warnings
    candidates: Callable[[Books, dict[str, Any]], list[Any] | None] = _nothing_quick
    paged: bool = True
    search: tuple[str, ...] = field(default_factory=tuple)
    one_at_a_time: bool = False


def _get(**paths: str) -> dict[str, Getter]:
    """Return getters by Xero's dotted names (`Contact__Name` stands for `Contact.Name`)."""
    return {name.replace("__", "."): attrgetter(path) for name, path in paths.items()}


_CONTACT_FIELDS = _get(
    ContactID="contact_id", Name="name", ContactNumber="contact_number", ContactStatus="status",
    IsSupplier="is_supplier", IsCustomer="is_customer", UpdatedDateUTC="updated",
)  # fmt: skip
for _name in ("EmailAddress", "FirstName", "LastName", "AccountNumber", "TaxNumber", "CompanyNumber"):
    _CONTACT_FIELDS[_name] = lambda found, name=_name: found.texts.get(name)  # type: ignore[misc]

_DOCUMENT_FIELDS = _get(
    Type="type", Status="status", Date="date", DueDate="due_date", Reference="reference",
    CurrencyCode="currency", Total="total", SubTotal="sub_total", TotalTax="total_tax",
    AmountDue="amount_due", AmountPaid="amount_paid",
    AmountCredited="amount_credited", RemainingCredit="amount_due", UpdatedDateUTC="updated",
    Contact__ContactID="contact.contact_id", Contact__Name="contact.name",
    Contact__ContactNumber="contact.contact_number",
)  # fmt: skip
_PAYMENT_FIELDS = _get(
    PaymentID="payment_id", Date="date", Amount="amount", Reference="reference", Status="status",
    IsReconciled="is_reconciled", UpdatedDateUTC="updated", Invoice__InvoiceID="document.document_id",
    Invoice__InvoiceNumber="document.number", Invoice__Type="document.type",
    Invoice__Contact__ContactID="document.contact.contact_id", Invoice__Contact__Name="document.contact.name",
    CreditNote__CreditNoteID="document.document_id", CreditNote__CreditNoteNumber="document.number",
    Account__AccountID="account.account_id", Account__Code="account.code",
)  # fmt: skip
_PAYMENT_FIELDS["PaymentType"] = render.payment_type
_ITEM_FIELDS = _get(
    ItemID="item_id", Code="code", Name="name", Description="description", IsSold="is_sold",
    IsPurchased="is_purchased", UpdatedDateUTC="updated",
)  # fmt: skip
_ACCOUNT_FIELDS = _get(
    AccountID="account_id", Code="code", Name="name", Type="type", Status="status", TaxType="tax_type",
    Class="account_class", EnablePaymentsToAccount="enable_payments", SystemAccount="system_account",
    UpdatedDateUTC="updated",
)  # fmt: skip


def _contact_candidates(books: Books, equal: dict[str, Any]) -> list[Contact] | None:
    if isinstance(number := equal.get("ContactNumber"), str) and number:
        found = books.contact_numbered(number)
        return [found] if found else []
    if isinstance(contact_id := equal.get("ContactID"), str):
        found = books.contacts.get(contact_id)
        return [found] if found else []
    return None


def _payment_candidates(books: Books, equal: dict[str, Any]) -> list[Payment] | None:
    for name in ("Invoice.InvoiceID", "CreditNote.CreditNoteID"):
        if isinstance(document_id := equal.get(name), str):
            return books.payments_on(document_id)
    return None


def _documents(kind: Kind, plural: str, title: str, show: Show, **more: Any) -> Resource:
    own: dict[str, Getter] = {
        kind.id_field: attrgetter("document_id"),
        kind.number_field: attrgetter("number"),
    }

    def candidates(books: Books, equal: dict[str, Any]) -> list[Document] | None:
        if isinstance(number := equal.get(kind.number_field), str) and number:
            return kind.shelf(books).numbered(number)
        if isinstance(document_id := equal.get(kind.id_field), str):
            found = kind.shelf(books).by_id.get(document_id)
            return [found] if found else []
        return None

    return Resource(
        plural,
        title,
        kind.id_field,
        lambda books: kind.shelf(books).by_id.values(),
        lambda books, key: documents.find(books, kind, key),
        show,
        _DOCUMENT_FIELDS | own,
        candidates=candidates,
        **more,
    )


def _write_payment(books: Books, element: dict[str, Any], unit_places: int) -> Payment:
    return payments.write(books, element)


RESOURCES: dict[str, Resource] = {
    resource.plural: resource
    for resource in (
        Resource(
            "Contacts", "Contact", "ContactID", lambda books: books.contacts.values(), contacts.find,
            lambda books, found, detail: render.contact(found, detail), _CONTACT_FIELDS,
            create=lambda books, element, places: contacts.create(books, element),
            upsert=lambda books, element, places: contacts.upsert(books, element),
            update=lambda books, found, element, places: contacts.update(books, found, element),
            candidates=_contact_candidates,
            search=("Name", "FirstName", "LastName", "ContactNumber", "EmailAddress", "CompanyNumber"),
        ),
        _documents(
            invoices.KIND, "Invoices", "Invoice", render.invoice,
            create=invoices.create, upsert=invoices.upsert, update=invoices.update,
            search=("InvoiceNumber", "Reference"),
        ),
        _documents(
            credit_notes.KIND, "CreditNotes", "CreditNote", render.credit_note,
            create=credit_notes.create, upsert=credit_notes.upsert, update=credit_notes.update,
        ),
        _documents(
            purchase_orders.KIND, "PurchaseOrders", "PurchaseOrder", render.purchase_order,
            create=lambda books, element, places: purchase_orders.create(books, element),
            upsert=lambda books, element, places: purchase_orders.upsert(books, element),
            update=lambda books, found, element, places: purchase_orders.update(books, found, element),
            warnings=purchase_orders.warnings,
        ),
        Resource(
            "Payments", "Payment", "PaymentID", lambda books: books.payments.values(), payments.find,
            render.payment, _PAYMENT_FIELDS,
            create=_write_payment, upsert=_write_payment, candidates=_payment_candidates,
            update=lambda books, found, element, places: payments.update(books, found, element),
        ),
        Resource(
            "Items", "Item", "ItemID", lambda books: books.items.values(), items.find,
            lambda books, found, detail: render.item(found),
            _ITEM_FIELDS, create=items.create, upsert=items.upsert, update=items.update, paged=False,
        ),
        Resource(
            "Accounts", "Account", "AccountID", lambda books: books.accounts.values(), accounts.find,
            lambda books, found, detail: render.account(found), _ACCOUNT_FIELDS,
            create=lambda books, element, places: accounts.create(books, element),
            upsert=lambda books, element, places: accounts.upsert(books, element),
            update=lambda books, found, element, places: accounts.update(books, found, element),
            paged=False, one_at_a_time=True,
        ),
    )
}  # fmt: skip
