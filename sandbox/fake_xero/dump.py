"""The books as plain JSON for tests to compare with: short snake_case names, amounts as exact strings."""

from typing import Any

from .books.ledger import Books
from .books.model import Allocation, Contact, Document, Line, Payment


def books(held: Books) -> dict[str, Any]:
    """Return all records of one organisation, in the order they were made."""
    return {
        "name": held.name,
        "organisation_id": held.organisation_id,
        "base_currency": held.base_currency,
        "period_lock_date": held.period_lock_date,
        "end_of_year_lock_date": held.year_lock_date,
        "contacts": [_contact(found) for found in held.contacts.values()],
        "items": [_shown(found.item_id, found, "code name description") for found in held.items.values()],
        "accounts": [
            _shown(found.account_id, found, "code name type status") for found in held.accounts.values()
        ],
        "invoices": [_document(found) for found in held.invoices.by_id.values()],
        "credit_notes": [_document(found) for found in held.credit_notes.by_id.values()],
        "purchase_orders": [_document(found) for found in held.purchase_orders.by_id.values()],
        "payments": [_payment(found) for found in held.payments.values()],
    }


def _shown(record_id: str, found: Any, names: str, **more: Any) -> dict[str, Any]:
    """Return the attributes of these names, and those given under other names."""
    return {"id": record_id, **{name: getattr(found, name) for name in names.split()}, **more}


def _contact(found: Contact) -> dict[str, Any]:
    names = "name contact_number status merged_to is_customer is_supplier texts addresses phones persons"
    return _shown(found.contact_id, found, names, email=found.texts.get("EmailAddress", ""))


def _document(found: Document) -> dict[str, Any]:
    return _shown(
        found.document_id,
        found,
        "type number reference status date due_date currency currency_rate line_amount_types sub_total "
        "total_tax total amount_due amount_paid amount_credited",
        contact_id=found.contact.contact_id,
        contact_name=found.contact.name,
        url=found.extra.get("Url", ""),
        lines=[_line(part) for part in found.lines],
        payments=[_payment(part) for part in found.payments.values()],
        allocations=[_allocation(part) for part in found.allocations.values()],
    )


def _line(found: Line) -> dict[str, Any]:
    names = "description quantity unit_amount item_code account_code tax_type tax_amount line_amount"
    return _shown(found.line_item_id, found, f"{names} discount_rate discount_amount tracking")


def _payment(found: Payment) -> dict[str, Any]:
    return _shown(
        found.payment_id,
        found,
        "date amount reference status is_reconciled",
        document_id=found.document.document_id,
        document_type=found.document.type,
        document_number=found.document.number,
        account_code=found.account.code,
        account_id=found.account.account_id,
    )


def _allocation(found: Allocation) -> dict[str, Any]:
    note, invoice = found.credit_note.document_id, found.invoice.document_id
    return _shown(found.allocation_id, found, "amount date", credit_note_id=note, invoice_id=invoice)
