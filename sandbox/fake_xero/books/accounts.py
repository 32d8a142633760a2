"""The chart of accounts, as far as an integration touches it."""

import copy
from typing import Any

from . import errors as e
from .errors import Refused
from .ledger import Books, new_id
from .model import ACCOUNT_TYPES, Account
from .reading import record_id, text

_STATUSES = frozenset({"ACTIVE", "ARCHIVED"})


def find(books: Books, key: str) -> Account | None:
    """Return an account by AccountID."""
    return books.accounts.get(record_id(key) or "")


def create(books: Books, element: dict[str, Any]) -> Account:
    """Add an account. Raises Refused with Xero's texts."""
    return _store(books, Account(new_id(), "", "", ""), element)


def upsert(books: Books, element: dict[str, Any]) -> Account:
    """POST: update the account named by AccountID; else create."""
    if given := text(element, "AccountID"):
        found = find(books, given)
        if found is None:
            raise Refused(e.ID_NOT_FOUND.format("Account", "AccountID"))
        return update(books, found, element)
    return create(books, element)


def update(books: Books, account: Account, element: dict[str, Any]) -> Account:
    """Change one account, or archive it; in place, because payments refer to it."""
    changed = _filled(books, copy.copy(account), element)
    books.put_account(changed)
    for name in Account.__slots__:
        setattr(account, name, getattr(changed, name))
    books.put_account(account)
    return account


def _store(books: Books, account: Account, element: dict[str, Any]) -> Account:
    _filled(books, account, element)
    books.put_account(account)
    return account


def _filled(books: Books, account: Account, element: dict[str, Any]) -> Account:
    code = text(element, "Code", 10)
    account.code = account.code if code is None else code
    account.name = text(element, "Name", 150) or account.name
    account.type = text(element, "Type") or account.type
    account.status = text(element, "Status") or account.status
    account.tax_type = text(element, "TaxType") or account.tax_type
    account.currency = text(element, "CurrencyCode") or account.currency
    account.enable_payments = bool(element.get("EnablePaymentsToAccount", account.enable_payments))
    if account.type not in ACCOUNT_TYPES or account.status not in _STATUSES or not account.name:
        raise Refused("An account needs a Name, a Type that Xero knows and a Status of ACTIVE or ARCHIVED")
    holder = books.account_with_code(account.code) if account.code else None
    if holder is not None and holder.account_id != account.account_id:
        raise Refused("Please enter a unique Code.")
    if account.tax_type not in books.tax_rates:
        raise Refused(e.TAX_UNKNOWN.format(account.tax_type))
    return account
