"""Invoices (ACCREC) and bills (ACCPAY): the transition table, and the fields that payments freeze."""

from typing import Any

from . import documents
from . import errors as e
from .documents import Kind
from .errors import Refused
from .ledger import Books
from .model import Document

_TYPES = frozenset({"ACCREC", "ACCPAY"})
_SALES = frozenset({"ACCREC"})

KIND = Kind(
    title="Invoice",
    id_field="InvoiceID",
    number_field="InvoiceNumber",
    types=_TYPES,
    sales_types=_SALES,
    unique_types=_SALES,
    number_taken="Invoice # must be unique.",
    statuses=frozenset({"DRAFT", "SUBMITTED", "AUTHORISED", "PAID", "VOIDED", "DELETED"}),
    creatable=frozenset({"DRAFT", "SUBMITTED", "AUTHORISED"}),
    transitions={
        "DRAFT": frozenset({"DRAFT", "SUBMITTED", "AUTHORISED", "DELETED"}),
        "SUBMITTED": frozenset({"SUBMITTED", "AUTHORISED", "DRAFT", "DELETED"}),
        "AUTHORISED": frozenset({"AUTHORISED", "VOIDED"}),
        "PAID": frozenset({"PAID"}),
    },
    extra_texts={"Url": None, "BrandingThemeID": None},
    shelf=lambda books: books.invoices,
    needs_due_date=True,
    discount_rate_types=_SALES,
    discount_amount_types=_SALES,
    reference_types=_SALES,
)

_FROZEN = ("line_amount_types", "currency", "currency_rate", "total", "total_tax", "status")
_FROZEN_LINE = (
    "line_item_id", "quantity", "unit_amount", "item_code", "tax_type", "tax_amount", "line_amount",
    "discount_rate", "discount_amount",
)  # fmt: skip
_FROZEN_BILL = ("due_date", "number", "contact", "extra", "lines")


def create(books: Books, element: dict[str, Any], unit_places: int, kind: Kind = KIND) -> Document:
    """PUT, or POST of something new, of invoices and credit notes."""
    return documents.create(books, kind, element, unit_places)


def upsert(books: Books, element: dict[str, Any], unit_places: int, kind: Kind = KIND) -> Document:
    """POST: update the one named by id or, for sales, by number; else create."""
    target = documents.match(books, kind, element)
    if target is None:
        return create(books, element, unit_places, kind)
    return update(books, target, element, unit_places, kind)


def update(
    books: Books, document: Document, element: dict[str, Any], unit_places: int, kind: Kind = KIND
) -> Document:
    """Change one; missing fields stay."""
    if document.has_money and element.get("Status") == "VOIDED":
        raise Refused(e.VOID_WITH_MONEY.format(kind.title.lower()))
    changed, problems = documents.begin_update(books, kind, document, element, unit_places)
    if document.has_money:
        problems = frozen_changes(document, changed) or problems
    if problems:
        raise Refused(*dict.fromkeys(problems))
    return documents.replace(books, kind, document, changed)


def frozen_changes(before: Document, after: Document) -> list[str]:
    """Return Xero's texts if an edit touches fields that payments have frozen, else nothing."""
    refusal = [e.HAS_MONEY_APPLIED]
    if before.status == "PAID":
        refusal.append(e.NOT_VALID_FOR_MODIFICATION.format("Invoice"))
    if before.date != after.date:
        return [e.DATE_WITH_MONEY]
    if any(getattr(before, name) != getattr(after, name) for name in _FROZEN):
        return refusal
    if before.type not in _SALES and any(
        getattr(before, name) != getattr(after, name) for name in _FROZEN_BILL
    ):
        return refusal
    if before.contact is not after.contact and before.allocations:
        return refusal
    if len(before.lines) != len(after.lines):
        return refusal
    for old, new in zip(before.lines, after.lines, strict=True):
        if any(getattr(old, name) != getattr(new, name) for name in _FROZEN_LINE):
            return refusal
    return []
