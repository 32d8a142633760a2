"""One organisation's books: its records and the indexes they are found by."""

import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, datetime
from decimal import Decimal
from functools import lru_cache
from uuid import uuid4

from .errors import PERIOD_LOCKED, YEAR_LOCKED
from .model import Account, Allocation, Contact, Document, HistoryRecord, Item, Payment, TaxRate


@lru_cache(maxsize=65536)
def fold(value: str) -> str:
    """Return how Xero compares texts: without case, accents and surrounding blanks."""
    if value.isascii():
        return value.strip().lower()
    decomposed = unicodedata.normalize("NFKD", value)
    return "".join(char for char in decomposed if not unicodedata.combining(char)).strip().casefold()


def new_id() -> str:
    """Return a fresh GUID."""
    return str(uuid4())


class DocumentShelf:
    """Documents of one kind by id, by number and by contact, in the order of their creation."""

    def __init__(self, prefix: str) -> None:
        self.by_id: dict[str, Document] = {}
        self._by_number: dict[str, dict[str, Document]] = {}
        self._prefix = prefix
        self._counter = 0

    def numbered(self, number: str) -> list[Document]:
        """Return the documents with this number; only sales documents and orders are unique by it."""
        return list(self._by_number.get(fold(number), {}).values()) if number else []

    def put(self, document: Document) -> None:
        """Store a document under its id and number (see `renumber` for changing that)."""
        self.by_id[document.document_id] = document
        if document.number:
            self._by_number.setdefault(fold(document.number), {})[document.document_id] = document

    def renumber(self, document: Document, number: str) -> None:
        """Give a stored document another number; a document without one is found by id only."""
        if document.number:
            self._by_number.get(fold(document.number), {}).pop(document.document_id, None)
        document.number = number

    def next_number(self) -> str:
        """Return the number that Xero gives a sales document that came without one."""
        while True:
            self._counter += 1
            number = f"{self._prefix}-{self._counter:04}"
            if fold(number) not in self._by_number:
                return number


@dataclass(slots=True)
class Behaviour:
    """Xero's behaviour that nobody documents, or on which reports disagree: tests try both ways."""

    where_folds_accents: bool = True
    """`where Name==` finds a name that is spelt with other accents."""
    search_folds_accents: bool = True
    """So does `searchTerm`."""
    archived_take_updates: bool = False
    """Updates of an archived or merged contact are accepted, and shown nowhere else."""


class Books:
    """Everything that one organisation (tenant) holds. `now` is the fake's clock."""

    def __init__(
        self, organisation_id: str, name: str, base_currency: str, now: Callable[[], datetime]
    ) -> None:
        self.organisation_id = organisation_id
        self.name = name
        self.base_currency = base_currency
        self.now = now
        self.currencies: dict[str, str] = {base_currency: base_currency}
        self.currency_rates: dict[str, Decimal] = {}
        self.period_lock_date: date | None = None
        self.year_lock_date: date | None = None
        self.created = now()
        self.behaviour = Behaviour()
        self.accounts: dict[str, Account] = {}
        self.tax_rates: dict[str, TaxRate] = {}
        self.items: dict[str, Item] = {}
        self.contacts: dict[str, Contact] = {}
        self.payments: dict[str, Payment] = {}
        self.allocations: dict[str, Allocation] = {}
        self.invoices = DocumentShelf("INV")
        self.credit_notes = DocumentShelf("CN")
        self.purchase_orders = DocumentShelf("PO")
        self._account_codes: dict[str, Account] = {}
        self._item_codes: dict[str, Item] = {}
        self._contact_numbers: dict[str, Contact] = {}
        self._contact_names: dict[str, Contact] = {}
        self.history: dict[str, list[HistoryRecord]] = {}
        self._document_payments: dict[str, list[Payment]] = {}
        self._keys: dict[str, tuple[str, str]] = {}  # contact id -> the keys it is indexed by

    def remember(self, record_id: str, changes: str, user: str, details: str) -> None:
        """Add a line to a record's history."""
        self.history.setdefault(record_id, []).append(HistoryRecord(changes, self.now(), user, details))

    def today(self) -> date:
        """Return the organisation's day; the fake's organisations live in UTC."""
        return self.now().date()

    def lock_error(self, day: date) -> str | None:
        """Return Xero's text when `day` is in a locked period; the lock date itself is locked."""
        if self.year_lock_date and day <= self.year_lock_date:
            return YEAR_LOCKED
        if self.period_lock_date and day <= self.period_lock_date:
            return PERIOD_LOCKED
        return None

    def rate_of(self, currency: str) -> Decimal:
        """Return the units of `currency` for one of the base currency, as of now; 1 unless the fake was given
        another rate.
        """
        return self.currency_rates.get(currency, Decimal(1))

    def put_account(self, account: Account) -> None:
        """Store an account, in place of the one with the same id."""
        before = self.accounts.get(account.account_id)
        if before is not None:
            self._account_codes.pop(before.code, None)
        account.updated = self.now()
        self.accounts[account.account_id] = account
        if account.code:
            self._account_codes[account.code] = account

    def account_with_code(self, code: str) -> Account | None:
        """Return the account with this code, archived ones too."""
        return self._account_codes.get(code)

    def put_item(self, item: Item) -> None:
        """Store an item, in place of the one with the same id."""
        before = self.items.get(item.item_id)
        if before is not None:
            self._item_codes.pop(fold(before.code), None)
        item.updated = self.now()
        self.items[item.item_id] = item
        self._item_codes[fold(item.code)] = item

    def item_with_code(self, code: str) -> Item | None:
        """Return the item with this code."""
        return self._item_codes.get(fold(code))

    def put_payment(self, payment: Payment) -> None:
        """Store a new payment."""
        self.payments[payment.payment_id] = payment
        self._document_payments.setdefault(payment.document.document_id, []).append(payment)

    def payments_on(self, document_id: str) -> list[Payment]:
        """Return all payments ever made on a document, also deleted ones."""
        return self._document_payments.get(document_id, [])

    def put_contact(self, contact: Contact) -> None:
        """Store a contact, and index it: names of active ones, numbers of all but merged ones."""
        before = self.contacts.get(contact.contact_id)
        if before is not None:
            self._drop_contact_keys(before.contact_id)
        contact.updated = self.now()
        self.contacts[contact.contact_id] = contact
        if contact.status == "ACTIVE":
            self._contact_names[fold(contact.name)] = contact
        if contact.contact_number and contact.merged_to is None:
            self._contact_numbers[fold(contact.contact_number)] = contact
        self._keys[contact.contact_id] = (fold(contact.name), fold(contact.contact_number))

    def forget_contact(self, contact: Contact) -> None:
        """Forget a contact, as after a reset of the organisation."""
        self._drop_contact_keys(contact.contact_id)
        del self.contacts[contact.contact_id]

    def _drop_contact_keys(self, contact_id: str) -> None:
        name, number = self._keys.pop(contact_id)
        if (found := self._contact_names.get(name)) and found.contact_id == contact_id:
            del self._contact_names[name]
        if (found := self._contact_numbers.get(number)) and found.contact_id == contact_id:
            del self._contact_numbers[number]

    def active_contact_named(self, name: str) -> Contact | None:
        """Return the active contact that Xero takes to have this name."""
        return self._contact_names.get(fold(name))

    def contact_numbered(self, number: str) -> Contact | None:
        """Return the contact with this ContactNumber, archived ones too."""
        return self._contact_numbers.get(fold(number)) if number else None
