"""The facts that Xero gives about an organisation: chart of accounts, tax rates, currencies, lock dates."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from decimal import Decimal
from functools import cached_property
from typing import Any

import msgspec


@dataclass(frozen=True, kw_only=True)
class Account:
    """One account of the chart of accounts."""

    account_id: str
    code: str
    """May be ``""``: bank accounts often have none."""
    name: str
    type: str
    """Xero's AccountType: ``BANK``, ``REVENUE``, ``EXPENSE``, …"""
    status: str
    """``ACTIVE`` or ``ARCHIVED``."""
    enable_payments: bool = False
    currency: str = ""
    """For a bank account."""
    system: str = ""
    """Xero's SystemAccount, if it is one: ``DEBTORS``, ``CREDITORS``, ``ROUNDING``, …"""

    @property
    def active(self) -> bool:
        """True unless archived."""
        return self.status == "ACTIVE"

    @property
    def payable(self) -> bool:
        """True if Xero takes payments: bank accounts, and accounts with payments enabled."""
        return self.type == "BANK" or self.enable_payments


@dataclass(frozen=True, kw_only=True)
class TaxRate:
    """One tax rate by its TaxType. ``rate`` is the effective rate in per cent, None if Xero gives none."""

    tax_type: str
    name: str
    status: str
    can_apply_to_revenue: bool
    can_apply_to_expenses: bool
    rate: Decimal | None = None

    @property
    def active(self) -> bool:
        """True unless deleted, archived or pending."""
        return self.status == "ACTIVE"


@dataclass(frozen=True, kw_only=True)
class OrganisationFacts:
    """An organisation as Xero described it at ``fetched_at``."""

    name: str
    base_currency: str
    fetched_at: datetime
    books_read_at: datetime | None = None
    """When accounts and lock dates alone were last read again since then."""
    short_code: str = ""
    """Xero's code for the organisation, for links to Xero's pages."""
    country: str = ""
    """ISO 3166, two letters."""
    lock_date: date | None = None
    """The later of period lock and end-of-year lock; documents dated on or before it are refused."""
    accounts: tuple[Account, ...] = ()
    tax_rates: Mapping[str, TaxRate] = field(default_factory=dict)
    """By TaxType."""
    currencies: frozenset[str] | None = None
    """ISO 4217; None if Xero was not asked."""
    item_codes: frozenset[str] | None = None
    """None if Xero was not asked."""
    tracked_items: frozenset[str] = frozenset()
    """Codes of items whose stock Xero counts."""

    @classmethod
    def from_xero(
        cls,
        *,
        organisation: Mapping[str, Any],
        accounts: Mapping[str, Any],
        tax_rates: Mapping[str, Any],
        fetched_at: datetime,
        currencies: Mapping[str, Any] | None = None,
        items: Mapping[str, Any] | None = None,
    ) -> "OrganisationFacts":
        """Return the facts from the raw responses of ``GET /Organisation``, ``/Accounts``, ``/TaxRates`` and
        so on. An empty list of currencies or items may be left out.

        Raises:
            KeyError, IndexError: an answer lacks what Xero always sends.
            ValueError: a date has a form that Xero does not use.
        """
        own = organisation["Organisations"][0]
        locks = [day(own[key]) for key in ("PeriodLockDate", "EndOfYearLockDate") if own.get(key)]
        rates = [_tax_rate(element) for element in tax_rates["TaxRates"]]
        base = str(own["BaseCurrency"])
        return cls(
            name=str(own["Name"]),
            base_currency=base,
            fetched_at=fetched_at,
            short_code=str(own.get("ShortCode") or ""),
            country=str(own.get("CountryCode") or ""),
            lock_date=max(locks, default=None),
            accounts=tuple(_account(element) for element in accounts["Accounts"]),
            tax_rates={rate.tax_type: rate for rate in rates if rate.tax_type},
            currencies=None
            if currencies is None
            else frozenset(str(element["Code"]) for element in currencies.get("Currencies") or ()) | {base},
            item_codes=None
            if items is None
            else frozenset(str(element["Code"]) for element in items.get("Items") or ()),
            tracked_items=frozenset(
                str(element["Code"])
                for element in (items or {}).get("Items") or ()
                if element.get("IsTrackedAsInventory") is True
            ),
        )

    @property
    def fresh_at(self) -> datetime:
        """When accounts and lock dates were last read."""
        return self.books_read_at or self.fetched_at

    @cached_property
    def accounts_by_code(self) -> Mapping[str, Account]:
        """Accounts that have a code; of two with the same code, the active one."""
        ordered = sorted(self.accounts, key=lambda account: account.active)
        return {account.code: account for account in ordered if account.code}

    @cached_property
    def accounts_by_id(self) -> Mapping[str, Account]:
        """Accounts by AccountID in lower case."""
        return {account.account_id.lower(): account for account in self.accounts}

    def has_item(self, code: str) -> bool:
        """Return True if Xero has an item with this code; it compares codes without case."""
        return code.casefold() in self._items

    def is_tracked(self, code: str) -> bool:
        """Return True if Xero counts the stock of the item with this code."""
        return code.casefold() in self._tracked

    @cached_property
    def _items(self) -> frozenset[str]:
        return frozenset(code.casefold() for code in self.item_codes or ())

    @cached_property
    def _tracked(self) -> frozenset[str]:
        return frozenset(code.casefold() for code in self.tracked_items)

    def account(self, code_or_id: str) -> Account | None:
        """Return the account with this code, else with this AccountID."""
        return self.accounts_by_code.get(code_or_id) or self.accounts_by_id.get(code_or_id.lower())

    def to_json(self) -> bytes:
        """Return the JSON for the cache."""
        return msgspec.json.encode(self)

    @classmethod
    def from_json(cls, raw: bytes | str) -> "OrganisationFacts":
        """Return the facts from the JSON of the cache.

        Raises:
            msgspec.DecodeError: the cache holds something else.
        """
        return msgspec.json.decode(raw, type=cls)


def with_books(
    facts: OrganisationFacts, organisation: Mapping[str, Any], accounts: Mapping[str, Any], at: datetime
) -> OrganisationFacts:
    """Return the facts with the lock dates and accounts that were read again ``at`` this time.

    Raises:
        KeyError, IndexError: an answer lacks what Xero always sends.
        ValueError: a date has a form that Xero does not use.
    """
    read = OrganisationFacts.from_xero(
        organisation=organisation, accounts=accounts, tax_rates={"TaxRates": []}, fetched_at=at
    )
    return replace(facts, lock_date=read.lock_date, accounts=read.accounts, books_read_at=at)


def _account(element: Mapping[str, Any]) -> Account:
    return Account(
        account_id=str(element["AccountID"]),
        code=str(element.get("Code") or ""),
        name=str(element.get("Name") or ""),
        type=str(element.get("Type") or ""),
        status=str(element.get("Status") or "ACTIVE"),
        enable_payments=bool(element.get("EnablePaymentsToAccount")),
        currency=str(element.get("CurrencyCode") or ""),
        system=str(element.get("SystemAccount") or ""),
    )


def _tax_rate(element: Mapping[str, Any]) -> TaxRate:
    rate = element.get("EffectiveRate", element.get("DisplayTaxRate"))
    return TaxRate(
        tax_type=str(element.get("TaxType") or ""),
        name=str(element.get("Name") or ""),
        status=str(element.get("Status") or "ACTIVE"),
        can_apply_to_revenue=bool(element.get("CanApplyToRevenue", True)),
        can_apply_to_expenses=bool(element.get("CanApplyToExpenses", True)),
        rate=None if rate is None else Decimal(str(rate)),
    )


_MICROSOFT_DATE = re.compile(r"/Date\((-?\d+)([+-]\d{4})?\)/")


def day(text: str) -> date:
    """Return a day as Xero writes it: ``/Date(1477872000000+0000)/`` (ms of UTC) or
    ``2016-10-31T00:00:00``.
    """
    milliseconds = _MICROSOFT_DATE.fullmatch(text)
    if milliseconds:
        return datetime.fromtimestamp(int(milliseconds[1]) / 1000, UTC).date()
    return datetime.fromisoformat(text).date()
