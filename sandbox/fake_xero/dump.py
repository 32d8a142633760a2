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
        "items": [
            {"id": found.item_id, "code": found.code, "name": found.name, "description": found.description}
            for found in held.items.values()
        ],
        "accounts": [
            {
                "id": found.account_id,
                "code": found.code,
                "name": found.name,
                "type": found.type,
                "status": found.status,
            }
            for found in held.accounts.values()
        ],
        "invoices": [_document(found) for found in held.invoices.by_id.values()],
        "credit_notes": [_document(found) for found in held.credit_notes.by_id.values()],
        "purchase_orders": [_document(found) for found in held.purchase_orders.by_id.values()],
        "payments": [_payment(found) for found in held.payments.values()],
    }


def _contact(found: Contact) -> dict[str, Any]:
    return {
        "id": found.contact_id,
        "name": found.name,
        "contact_number": found.contact_number,
        "status": found.status,
        "merged_to": found.merged_to,
        "is_customer": found.is_customer,
        "is_supplier": found.is_supplier,
        "email": found.texts.get("EmailAddress", ""),
        "texts": found.texts,
        "addresses": found.addresses,
        "phones": found.phones,
        "persons": found.persons,
    }


def _document(found: Document) -> dict[str, Any]:
    return {
        "id": found.document_id,
        "type": found.type,
        "number": found.number,
        "reference": found.reference,
        "status": found.status,
        "contact_id": found.contact.contact_id,
        "contact_name": found.contact.name,
        "date": found.date,
        "due_date": found.due_date,
        "currency": found.currency,
        "currency_rate": found.currency_rate,
        "line_amount_types": found.line_amount_types,
        "sub_total": found.sub_total,
        "total_tax": found.total_tax,
        "total": found.total,
        "amount_due": found.amount_due,
        "amount_paid": found.amount_paid,
        "amount_credited": found.amount_credited,
        "url": found.extra.get("Url", ""),
        "lines": [_line(part) for part in found.lines],
        "payments": [_payment(part) for part in found.payments.values()],
        "allocations": [_allocation(part) for part in found.allocations.values()],
    }


def _line(found: Line) -> dict[str, Any]:
    return {
        "id": found.line_item_id,
        "description": found.description,
        "quantity": found.quantity,
        "unit_amount": found.unit_amount,
        "item_code": found.item_code,
        "account_code": found.account_code,
        "tax_type": found.tax_type,
        "tax_amount": found.tax_amount,
        "line_amount": found.line_amount,
        "discount_rate": found.discount_rate,
        "discount_amount": found.discount_amount,
        "tracking": found.tracking,
    }


def _payment(found: Payment) -> dict[str, Any]:
    return {
        "id": found.payment_id,
        "document_id": found.document.document_id,
        "document_type": found.document.type,
        "document_number": found.document.number,
        "account_code": found.account.code,
        "account_id": found.account.account_id,
        "date": found.date,
        "amount": found.amount,
        "reference": found.reference,
        "status": found.status,
        "is_reconciled": found.is_reconciled,
    }


def _allocation(found: Allocation) -> dict[str, Any]:
    return {
        "id": found.allocation_id,
        "credit_note_id": found.credit_note.document_id,
        "invoice_id": found.invoice.document_id,
        "amount": found.amount,
        "date": found.date,
    }
