"""The common parts of invoices, credit notes and purchase orders: reading the fields, the state machine,
locks.
"""

import copy
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from . import contacts
from . import errors as e
from .errors import BadBody, Refused
from .ledger import Books, DocumentShelf, new_id
from .lines import LineRules, read_lines, recheck, set_totals
from .model import Contact, Document
from .reading import day, number, record_id, round_to, text

_APPROVED = frozenset({"SUBMITTED", "AUTHORISED", "BILLED"})
_AMOUNT_TYPES = {"exclusive": "Exclusive", "inclusive": "Inclusive", "notax": "NoTax"}
_EXTRA_DAYS = ("ExpectedPaymentDate", "PlannedPaymentDate", "DeliveryDate", "ExpectedArrivalDate")


@dataclass(frozen=True)
class Kind:
    """One kind of document: its names in the API and the rules for it alone."""

    title: str  # as in Xero's texts
    id_field: str
    number_field: str
    types: frozenset[str]
    sales_types: frozenset[str]
    unique_types: frozenset[str]  # types whose number is unique
    number_taken: str
    statuses: frozenset[str]
    creatable: frozenset[str]
    transitions: dict[str, frozenset[str]]
    extra_texts: dict[str, int | None]
    shelf: Callable[[Books], DocumentShelf]
    default_type: str | None = None
    needs_due_date: bool = False
    creates_contacts: bool = True
    obeys_locks: bool = True
    discount_rate_types: frozenset[str] = frozenset()
    discount_amount_types: frozenset[str] = frozenset()
    reference_types: frozenset[str] = frozenset()
    fixed_unit_places: int | None = None


def find(books: Books, kind: Kind, key: str) -> Document | None:
    """Return a document by id or by number, as in the address `/Invoices/{key}`."""
    shelf = kind.shelf(books)
    if (document_id := record_id(key)) and document_id in shelf.by_id:
        return shelf.by_id[document_id]
    numbered = shelf.numbered(key)
    return numbered[0] if numbered else None


def match(books: Books, kind: Kind, element: dict[str, Any]) -> Document | None:
    """Return the document that an element of a POST means: by id, else by number where numbers are unique."""
    if given := text(element, kind.id_field):
        found = kind.shelf(books).by_id.get(record_id(given) or "")
        if found is None:
            raise Refused(e.ID_NOT_FOUND.format(kind.title, kind.id_field))
        return found
    if element.get("Type", kind.default_type) not in kind.unique_types:
        return None
    held = kind.shelf(books).numbered(text(element, kind.number_field) or "")
    return next((document for document in held if document.type in kind.unique_types), None)


def create(books: Books, kind: Kind, element: dict[str, Any], unit_places: int) -> Document:
    """Add a document. Raises Refused with Xero's texts."""
    type_ = text(element, "Type") or kind.default_type
    if type_ not in kind.types:
        raise Refused(f"{kind.title} Type must be specified and be one of {', '.join(sorted(kind.types))}")
    status = text(element, "Status") or "DRAFT"
    if status not in kind.statuses:
        raise BadBody(f"Status {status!r} is none of {sorted(kind.statuses)}")
    if status not in kind.creatable:
        raise Refused(e.NOT_VALID_FOR_CREATION.format(kind.title))
    problems: list[str] = []
    contact = _contact(books, kind, element.get("Contact"), problems) or Contact("", "")
    document = Document(new_id(), type_, contact, books.today(), books.base_currency, status=status)
    _fill(books, kind, document, element, problems)
    _fill_lines(books, kind, document, element, unit_places, problems)
    _check(books, kind, document, element, problems)
    if problems:
        raise Refused(*dict.fromkeys(problems))
    if not document.number and type_ in kind.unique_types:
        document.number = kind.shelf(books).next_number()
    commit(books, kind, document)
    return document


def begin_update(
    books: Books, kind: Kind, document: Document, element: dict[str, Any], unit_places: int
) -> tuple[Document, list[str]]:
    """Return a changed copy of the document and its errors; nothing is stored yet."""
    status = text(element, "Status") or document.status
    if status not in kind.statuses:
        raise BadBody(f"Status {status!r} is none of {sorted(kind.statuses)}")
    if not kind.transitions.get(document.status) or (
        status != document.status and status not in kind.transitions[document.status]
    ):
        raise Refused(e.NOT_VALID_FOR_MODIFICATION.format(kind.title))
    booked = document.status in _APPROVED  # a draft's own day locks nothing: it may be moved, or deleted
    if kind.obeys_locks and booked and (locked := books.lock_error(document.date)):
        raise Refused(locked)
    problems: list[str] = []
    changed = copy.copy(document)
    changed.extra = dict(document.extra)
    changed.status = status
    if status in {"VOIDED", "DELETED"}:
        return changed, problems  # Xero looks at nothing else then
    if element.get("Contact"):
        changed.contact = _update_contact(books, kind, document, element["Contact"], problems)
    _fill(books, kind, changed, element, problems)
    _fill_lines(books, kind, changed, element, unit_places, problems)
    _check(books, kind, changed, element, problems)
    return changed, problems


def commit(books: Books, kind: Kind, document: Document) -> None:
    """Store a checked document, and its contact if that is new."""
    contact = document.contact
    if contact.contact_id not in books.contacts:
        books.put_contact(contact)
    if document.type in kind.sales_types:
        contact.is_customer = True
    else:
        contact.is_supplier = True
    document.updated = books.now()
    kind.shelf(books).put(document)


def replace(books: Books, kind: Kind, document: Document, changed: Document) -> Document:
    """Put the changed copy's values into the document that payments and allocations point at."""
    old_number = document.number
    new_number, changed.number = changed.number, old_number
    for name in Document.__slots__:
        setattr(document, name, getattr(changed, name))
    if new_number != old_number:
        kind.shelf(books).renumber(document, new_number)
    commit(books, kind, document)
    return document


def _contact(books: Books, kind: Kind, element: Any, problems: list[str]) -> Contact | None:
    try:
        return contacts.for_document(books, element, kind.creates_contacts)
    except Refused as refused:
        problems.extend(refused.messages)
        return None


def _update_contact(
    books: Books, kind: Kind, document: Document, element: Any, problems: list[str]
) -> Contact:
    """Change the contact. An update may repeat the document's own contact, even if it has been archived
    since.
    """
    if isinstance(element, dict) and record_id(element.get("ContactID")) == document.contact.contact_id:
        return document.contact
    return _contact(books, kind, element, problems) or document.contact


def _fill(books: Books, kind: Kind, document: Document, element: dict[str, Any], problems: list[str]) -> None:
    document.date = day(element, "Date") or document.date
    document.due_date = day(element, "DueDate") or document.due_date
    try:
        value = text(element, kind.number_field, 255)
        document.number = value or document.number
        value = text(element, "Reference", 255)
        if value is not None and document.type in kind.reference_types:
            document.reference = value
        for name, limit in kind.extra_texts.items():
            value = text(element, name, limit)
            if value is not None:
                document.extra[name] = value
    except Refused as refused:
        problems.extend(refused.messages)
    for name in _EXTRA_DAYS:
        if (given := day(element, name)) is not None:
            document.extra[name] = given
    amounts = text(element, "LineAmountTypes")
    if amounts is not None:
        if amounts.lower() not in _AMOUNT_TYPES:
            raise BadBody(f"LineAmountTypes {amounts!r} is none of Exclusive, Inclusive, NoTax")
        document.line_amount_types = _AMOUNT_TYPES[amounts.lower()]
    if element.get("SentToContact") is not None:
        document.sent_to_contact = bool(element["SentToContact"])
    _fill_currency(books, document, element, problems)


def _fill_currency(books: Books, document: Document, element: dict[str, Any], problems: list[str]) -> None:
    currency = text(element, "CurrencyCode")
    if currency:
        if currency not in books.currencies:
            problems.append(e.CURRENCY_NOT_SUBSCRIBED.format(currency))
        if currency != document.currency:
            document.currency_rate = books.rate_of(currency)
        document.currency = currency
    rate = number(element, "CurrencyRate")
    if rate is None or document.currency == books.base_currency:
        return
    if rate <= 0:
        problems.append(f"The currency rate '{rate}' is invalid. It must be greater than zero.")
    else:
        document.currency_rate = round_to(rate, 6)


def line_rules(kind: Kind, document: Document, unit_places: int) -> LineRules:
    """Return this document's rules for its lines."""
    return LineRules(
        unit_places=kind.fixed_unit_places or unit_places,
        is_sale=document.type in kind.sales_types,
        discount_rate=document.type in kind.discount_rate_types,
        discount_amount=document.type in kind.discount_amount_types,
        accounts_required=document.status in _APPROVED,
        amounts_are=document.line_amount_types,
    )


def _fill_lines(
    books: Books, kind: Kind, document: Document, element: dict[str, Any], places: int, problems: list[str]
) -> None:
    rules = line_rules(kind, document, places)
    sent = element.get("LineItems")
    if sent is None and document.lines:
        document.lines = recheck(books, document.lines, rules, problems)
    elif not sent:
        problems.append(e.NO_LINES)
    else:
        document.lines = read_lines(books, sent, document.lines, rules, problems)
    set_totals(document)


def _check(
    books: Books, kind: Kind, document: Document, element: dict[str, Any], problems: list[str]
) -> None:
    if document.number and document.type in kind.unique_types:
        for other in kind.shelf(books).numbered(document.number):
            if other.type in kind.unique_types and other.document_id != document.document_id:
                problems.append(kind.number_taken)
    if kind.needs_due_date and document.status in _APPROVED and document.due_date is None:
        problems.append(e.DUE_DATE_MISSING)
    if kind.obeys_locks and (locked := books.lock_error(document.date)):
        problems.append(locked)
    if problems:
        return
    if document.total < 0:
        problems.append(f"The {kind.title.lower()} total cannot be less than zero")
    for name, value in (
        ("SubTotal", document.sub_total), ("TotalTax", document.total_tax), ("Total", document.total),
    ):  # fmt: skip
        sent: Decimal | None = number(element, name)
        if sent is not None and round_to(sent, 2) != value:
            problems.append(e.DOCUMENT_TOTAL_WRONG.format(kind.title.lower()))
            return
