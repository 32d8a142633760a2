"""Contacts: field rules, uniqueness of names and numbers, archiving, merging."""

import copy
import re
from typing import Any

from . import errors as e
from .errors import BadBody, Refused
from .ledger import Books, new_id
from .model import Contact
from .reading import record_id, text

_TEXT_LIMITS = {
    "AccountNumber": 50, "FirstName": 255, "LastName": 255, "CompanyNumber": 50, "EmailAddress": 255,
    "TaxNumber": 50, "BankAccountDetails": 255, "AccountsReceivableTaxType": 50, "AccountsPayableTaxType": 50,
    "SalesDefaultAccountCode": 10, "PurchasesDefaultAccountCode": 10, "XeroNetworkKey": 255,
}  # fmt: skip
_ADDRESS_LIMITS = {
    "AddressLine1": 500, "AddressLine2": 500, "AddressLine3": 500, "AddressLine4": 500, "City": 255,
    "Region": 255, "PostalCode": 50, "Country": 50, "AttentionTo": 255,
}  # fmt: skip
_PHONE_LIMITS = {"PhoneNumber": 50, "PhoneAreaCode": 10, "PhoneCountryCode": 20}
_ADDRESS_TYPES = frozenset({"POBOX", "STREET"})
_PHONE_TYPES = frozenset({"DEFAULT", "DDI", "MOBILE", "FAX", "OFFICE"})
_STATUSES = frozenset({"ACTIVE", "ARCHIVED", "GDPRREQUEST"})
_EMAIL = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$")
_COUNTRY = re.compile(r"[A-Za-z]+( [A-Za-z]+)*$")
_SPACES = re.compile(r"^\s|\s$|\s\s")
_MAX_PERSONS = 5


def find(books: Books, key: str) -> Contact | None:
    """Return a contact by ContactID or, failing that, by ContactNumber, as in the address
    `/Contacts/{key}`.
    """
    contact_id = record_id(key)
    return books.contacts.get(contact_id) if contact_id else books.contact_numbered(key)


def create(books: Books, element: dict[str, Any]) -> Contact:
    """Add a contact. Raises Refused with Xero's texts."""
    contact = build(books, element)
    books.put_contact(contact)
    return contact


def build(books: Books, element: dict[str, Any]) -> Contact:
    """Return a new contact that is not in the books yet; checked against them."""
    contact = Contact(new_id(), "")
    problems = _fill(contact, element)
    if not contact.name and not problems:
        problems.append("The contact name must be specified.")
    problems += _clashes(books, contact)
    if problems:
        raise Refused(*problems)
    return contact


def upsert(books: Books, element: dict[str, Any]) -> Contact:
    """Apply a POST: update the contact named by id, number or name (in that order), else add one."""
    target = match(books, element)
    return update(books, target, element) if target else create(books, element)


def match(books: Books, element: dict[str, Any]) -> Contact | None:
    """Return the contact that an element means, or None. An unknown ContactID is an error, not a
    new contact.
    """
    if contact_id := text(element, "ContactID"):
        found = books.contacts.get(record_id(contact_id) or "")
        if found is None:
            raise Refused(e.ID_NOT_FOUND.format("Contact", "ContactID"))
        return found
    if (number := text(element, "ContactNumber")) and (found := books.contact_numbered(number)):
        return found
    if name := text(element, "Name"):
        return books.active_contact_named(name)
    return None


def update(books: Books, contact: Contact, element: dict[str, Any]) -> Contact:
    """Change a contact; fields missing in the element stay. Archived ones only take a ContactStatus."""
    away = contact.merged_to or (contact.status != "ACTIVE" and not _brings_back(element))
    if away and not books.behaviour.archived_take_updates:
        raise Refused(e.CONTACT_ARCHIVED)
    changed = copy.copy(contact)
    changed.texts = dict(contact.texts)
    changed.addresses = dict(contact.addresses)
    changed.phones = dict(contact.phones)
    problems = _fill(changed, element)
    problems += _clashes(books, changed)
    if problems:
        raise Refused(*problems)
    for name in Contact.__slots__:  # in place: documents refer to the contact itself
        setattr(contact, name, getattr(changed, name))
    books.put_contact(contact)
    return contact


def _brings_back(element: dict[str, Any]) -> bool:
    return element.get("ContactStatus") in {"ACTIVE", "ARCHIVED"}


def merge(books: Books, source: Contact, into: Contact) -> None:
    """Merge one contact into another, as people do in Xero: documents move, the source is archived."""
    for shelf in (books.invoices, books.credit_notes, books.purchase_orders):
        for document in shelf.by_id.values():
            if document.contact is source:
                document.contact = into
    source.merged_to = into.contact_id
    source.status = "ARCHIVED"
    books.put_contact(source)


def for_document(books: Books, element: Any, may_create: bool) -> Contact:
    """Return the contact that a document names. Unknown names become new contacts if Xero does so; those are
    not in the books yet: the caller puts them there once the document is accepted.
    """
    if element is None:
        raise Refused(e.CONTACT_MISSING)
    if not isinstance(element, dict):
        raise BadBody("Contact must be an object")
    if not any(element.get(name) for name in ("ContactID", "ContactNumber", "Name")):
        raise Refused(e.CONTACT_UNIDENTIFIED)
    if not may_create and not (element.get("ContactID") or element.get("ContactNumber")):
        raise Refused(e.CONTACT_MISSING)
    found = match(books, element)
    if found is None and may_create and element.get("Name"):
        return build(books, element)
    if found is None:
        raise Refused(e.CONTACT_MISSING)
    if found.status != "ACTIVE":
        raise Refused(e.CONTACT_ARCHIVED)
    return found


def _fill(contact: Contact, element: dict[str, Any]) -> list[str]:
    problems: list[str] = []
    for name, limit in _TEXT_LIMITS.items():
        value = _checked(element, name, limit, problems)
        if value is not None:
            contact.texts[name] = value
    _fill_identity(contact, element, problems)
    email = element.get("EmailAddress")
    if email and not _EMAIL.match(str(email)):
        problems.append("Email address must be valid.")
    _fill_addresses(contact, element, problems)
    _fill_phones(contact, element, problems)
    _fill_persons(contact, element, problems)
    return problems


def _fill_identity(contact: Contact, element: dict[str, Any], problems: list[str]) -> None:
    name = _checked(element, "Name", 255, problems)
    if name is not None:
        contact.name = name
        if not name.strip():
            problems.append("The contact name must be specified.")
        elif "<" in name or ">" in name:
            problems.append("The contact name cannot contain the characters < or >.")
        elif _SPACES.search(name):
            problems.append("The contact name cannot contain leading, trailing or repeated spaces.")
    number = _checked(element, "ContactNumber", 50, problems)
    if number is not None:
        contact.contact_number = number
    status = text(element, "ContactStatus")
    if status is not None:
        if status not in _STATUSES:
            raise BadBody(f"ContactStatus {status!r} is none of {sorted(_STATUSES)}")
        contact.status = status
    if (currency := text(element, "DefaultCurrency")) is not None:
        contact.default_currency = currency or None


def _clashes(books: Books, contact: Contact) -> list[str]:
    problems = []
    if contact.status == "ACTIVE" and contact.name:
        holder = books.active_contact_named(contact.name)
        if holder is not None and holder.contact_id != contact.contact_id:
            problems.append(e.CONTACT_NAME_TAKEN.format(contact.name))
    holder = books.contact_numbered(contact.contact_number)
    if holder is not None and holder.contact_id != contact.contact_id:
        problems.append(e.CONTACT_NUMBER_TAKEN)
    return problems


def _fill_addresses(contact: Contact, element: dict[str, Any], problems: list[str]) -> None:
    for address in _objects(element, "Addresses"):
        kind = text(address, "AddressType") or "POBOX"
        if kind not in _ADDRESS_TYPES:
            raise BadBody(f"AddressType {kind!r} is none of {sorted(_ADDRESS_TYPES)}")
        parts = {
            name: _checked(address, name, limit, problems) or "" for name, limit in _ADDRESS_LIMITS.items()
        }
        if parts["Country"] and not _COUNTRY.match(parts["Country"]):
            problems.append("The address country may only contain the letters A-Z and a-z.")
        contact.addresses[kind] = parts


def _fill_phones(contact: Contact, element: dict[str, Any], problems: list[str]) -> None:
    for phone in _objects(element, "Phones"):
        kind = text(phone, "PhoneType") or "DEFAULT"
        if kind not in _PHONE_TYPES:
            raise BadBody(f"PhoneType {kind!r} is none of {sorted(_PHONE_TYPES)}")
        parts = {name: _checked(phone, name, limit, problems) or "" for name, limit in _PHONE_LIMITS.items()}
        contact.phones[kind] = parts


def _fill_persons(contact: Contact, element: dict[str, Any], problems: list[str]) -> None:
    if "ContactPersons" not in element:
        return
    persons = _objects(element, "ContactPersons")
    if len(persons) > _MAX_PERSONS:
        problems.append(f"A contact can have at most {_MAX_PERSONS} contact persons.")
    contact.persons = [
        {
            name: person[name]
            for name in ("FirstName", "LastName", "EmailAddress", "IncludeInEmails")
            if name in person
        }
        for person in persons
    ]


def _objects(element: dict[str, Any], name: str) -> list[dict[str, Any]]:
    found = element.get(name) or []
    if not isinstance(found, list) or not all(isinstance(part, dict) for part in found):
        raise BadBody(f"{name} must be a list of objects")
    return found


def _checked(element: dict[str, Any], name: str, limit: int, problems: list[str]) -> str | None:
    try:
        return text(element, name, limit)
    except Refused as refused:
        problems.extend(refused.messages)
        return None
