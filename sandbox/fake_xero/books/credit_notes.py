"""Credit notes and their allocations to invoices."""

from functools import partial
from typing import Any

from . import errors as e
from . import invoices, money
from .documents import Kind
from .errors import NotFound, Refused
from .ledger import Books, new_id
from .model import Allocation, Document
from .reading import number, record_id, round_to

_SALES = frozenset({"ACCRECCREDIT"})

KIND = Kind(
    title="Credit Note",
    id_field="CreditNoteID",
    number_field="CreditNoteNumber",
    types=frozenset({"ACCRECCREDIT", "ACCPAYCREDIT"}),
    sales_types=_SALES,
    unique_types=_SALES,
    number_taken="Credit note # must be unique.",
    statuses=invoices.KIND.statuses,
    creatable=invoices.KIND.creatable,
    transitions=invoices.KIND.transitions,  # not published; assumed to be the invoices' table
    extra_texts={"BrandingThemeID": None},
    shelf=lambda books: books.credit_notes,
    reference_types=_SALES,
)


# Allocations in a body are read-only there and ignored.
create, upsert, update = (
    partial(written, kind=KIND) for written in (invoices.create, invoices.upsert, invoices.update)
)


def allocate(books: Books, note: Document, element: dict[str, Any]) -> Allocation:
    """Put part of a credit note on an invoice of the same contact."""
    amount = number(element, "Amount")
    target = element.get("Invoice")
    invoice = books.invoices.by_id.get(record_id((target or {}).get("InvoiceID")) or "")
    if invoice is None:
        raise Refused(e.ID_NOT_FOUND.format("Invoice", "InvoiceID"))
    problems = _allocation_problems(books, note, invoice)
    if amount is None or amount <= 0:
        problems.append("The allocation amount must be greater than zero")
    elif amount > note.amount_due:
        problems.append("The allocation amount exceeds the remaining credit on the credit note")
    elif amount > invoice.amount_due:
        problems.append("The allocation amount exceeds the amount outstanding on the invoice")
    if problems or amount is None:
        raise Refused(*problems)
    allocation = Allocation(new_id(), note, invoice, round_to(amount, 2), books.today())
    books.allocations[allocation.allocation_id] = allocation
    for document in (note, invoice):
        document.allocations[allocation.allocation_id] = allocation
        money.settle(books, document)
    return allocation


def _allocation_problems(books: Books, note: Document, invoice: Document) -> list[str]:
    problems = []
    if note.status != "AUTHORISED":
        problems.append("Credit notes can only be allocated when they are Authorised")
    if invoice.status != "AUTHORISED":
        problems.append("Credit notes can only be allocated to Authorised documents")
    if note.contact is not invoice.contact:
        problems.append("The credit note and the invoice must have the same contact")
    if (note.type in _SALES) != (invoice.type == "ACCREC"):
        problems.append("The credit note cannot be allocated to this type of document")
    if note.currency != invoice.currency:
        problems.append("The credit note and the invoice must have the same currency")
    if locked := books.lock_error(books.today()):
        problems.append(locked)
    return problems


def take_back(books: Books, note: Document, allocation_id: str) -> Allocation:
    """Undo an allocation. Raises NotFound when the credit note has no such one."""
    allocation = note.allocations.get(record_id(allocation_id) or "")
    if allocation is None:
        raise NotFound(allocation_id)
    if locked := books.lock_error(allocation.date):
        raise Refused(locked)
    del books.allocations[allocation.allocation_id]
    for document in (note, allocation.invoice):
        del document.allocations[allocation.allocation_id]
        money.settle(books, document)
    return allocation
