"""Facts out of Xero's raw answers, and settings held against them."""

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from connections.check import Finding, check_settings
from connections.facts import OrganisationFacts
from connections.settings import Settings

NOW = datetime(2026, 2, 1, tzinfo=UTC)
BANK_ID = "5B7D1B6E-0000-4000-8000-000000000001"
ORGANISATION: dict[str, Any] = {
    "Name": "Demo Company",
    "BaseCurrency": "USD",
    "CountryCode": "US",
    "ShortCode": "!23eYt",
}
ACCOUNTS: list[dict[str, Any]] = [
    {"AccountID": "1", "Code": "200", "Name": "Sales", "Type": "REVENUE", "Status": "ACTIVE"},
    {"AccountID": "2", "Code": "300", "Name": "Purchases", "Type": "DIRECTCOSTS", "Status": "ACTIVE"},
    {"AccountID": "3", "Code": "860", "Name": "Rounding", "Type": "EXPENSE", "Status": "ACTIVE"},
    {"AccountID": BANK_ID, "Name": "Cheque", "Type": "BANK", "Status": "ACTIVE", "CurrencyCode": "USD"},
    {"AccountID": "5", "Code": "610", "Name": "Till", "Type": "CURRENT", "Status": "ACTIVE"}
    | {"EnablePaymentsToAccount": True},
    {"AccountID": "7", "Code": "090", "Name": "Euros", "Type": "BANK", "CurrencyCode": "EUR"},
    {"AccountID": "8", "Code": "620", "Name": "Owed", "Type": "CURRENT", "SystemAccount": "DEBTORS"},
    {"AccountID": "6", "Code": "999", "Name": "Old", "Type": "REVENUE", "Status": "ARCHIVED"},
]
RATES: list[dict[str, Any]] = [
    {
        "TaxType": tax_type,
        "Name": name,
        "Status": status,
        "EffectiveRate": rate,
        "CanApplyToRevenue": sales,
        "CanApplyToExpenses": purchases,
    }
    for tax_type, name, status, rate, sales, purchases in (
        ("NONE", "Tax Exempt", "ACTIVE", 0.0, True, True),
        ("OUTPUT", "Sales 8", "ACTIVE", 8.25, True, False),
        ("INPUT", "Bought 8", "ACTIVE", "8.0000", False, True),
        ("TAX009", "Gone", "DELETED", 8, True, True),
    )
]


def facts(**organisation: Any) -> OrganisationFacts:
    return OrganisationFacts.from_xero(
        organisation={"Organisations": [{**ORGANISATION, **organisation}]},
        accounts={"Accounts": ACCOUNTS},
        tax_rates={"TaxRates": RATES},
        currencies={"Currencies": [{"Code": "EUR"}]},
        items={"Items": [{"Code": "SB-ITEM"}, {"Code": "STOCK", "IsTrackedAsInventory": True}]},
        fetched_at=NOW,
    )


def settings(**rows: str) -> Settings:
    good = {"payment_account": BANK_ID, "sales_tax.8.25": "OUTPUT", "purchase_tax.8": "INPUT"}
    return Settings.from_rows({**good, **{key.replace("__", "."): value for key, value in rows.items()}}, NOW)


def test_what_is_read() -> None:
    read = facts()
    assert (read.name, read.base_currency, read.country, read.short_code) == (
        "Demo Company",
        "USD",
        "US",
        "!23eYt",
    )
    assert read.accounts_by_code["200"].name == "Sales"
    bank = read.account(BANK_ID.lower())
    assert bank is not None
    assert (bank.code, bank.payable, bank.currency) == ("", True, "USD")
    assert [account.name for account in read.accounts if account.payable] == ["Cheque", "Till", "Euros"]
    assert read.account("nope") is None
    assert read.account("") is None
    assert read.tax_rates["OUTPUT"].rate == Decimal("8.25")
    assert (read.currencies, read.item_codes) == (
        frozenset({"USD", "EUR"}),
        frozenset({"SB-ITEM", "STOCK"}),
    )
    assert read.lock_date is None


@pytest.mark.parametrize(
    ("locks", "expected"),
    [
        ({"PeriodLockDate": "/Date(1767139200000+0000)/"}, date(2025, 12, 31)),
        ({"PeriodLockDate": "/Date(1767139200000)/"}, date(2025, 12, 31)),
        ({"PeriodLockDate": "2025-12-31T00:00:00"}, date(2025, 12, 31)),
        ({"EndOfYearLockDate": "2025-06-30"}, date(2025, 6, 30)),
        (
            {"PeriodLockDate": "2025-09-30", "EndOfYearLockDate": "/Date(1767139200000+0000)/"},
            date(2025, 12, 31),
        ),
        ({"PeriodLockDate": None, "EndOfYearLockDate": ""}, None),
    ],
)
def test_the_later_lock_date_counts(locks: dict[str, Any], expected: date | None) -> None:
    assert facts(**locks).lock_date == expected


def test_an_unknown_date_form_is_not_taken_for_no_lock() -> None:
    with pytest.raises(ValueError, match="soon"):
        facts(PeriodLockDate="soon")


def test_empty_lists_may_be_left_out() -> None:
    read = OrganisationFacts.from_xero(
        organisation={"Organisations": [ORGANISATION]},
        accounts={"Accounts": ACCOUNTS},
        tax_rates={"TaxRates": RATES},
        currencies={"Status": "OK"},
        items={"Status": "OK"},
        fetched_at=NOW,
    )
    assert (read.currencies, read.item_codes) == (frozenset({"USD"}), frozenset())


def test_an_archived_account_does_not_hide_an_active_one_of_the_same_code() -> None:
    twice = OrganisationFacts.from_xero(
        organisation={"Organisations": [ORGANISATION]},
        accounts={
            "Accounts": [
                {"AccountID": "1", "Code": "200", "Name": "New", "Type": "REVENUE", "Status": "ACTIVE"},
                {"AccountID": "2", "Code": "200", "Name": "Old", "Type": "REVENUE", "Status": "ARCHIVED"},
            ]
        },
        tax_rates={"TaxRates": []},
        fetched_at=NOW,
    )
    assert twice.accounts_by_code["200"].name == "New"
    assert (twice.currencies, twice.item_codes) == (None, None)


def test_the_cache_gives_back_what_went_in() -> None:
    read = facts(PeriodLockDate="2025-12-31")
    assert read.account("200") is not None  # look-ups made before must not get into the cache
    assert OrganisationFacts.from_json(read.to_json()) == read


def test_settings_that_fit_have_no_findings() -> None:
    assert check_settings(settings(), facts()) == []


def findings(**rows: str) -> list[tuple[str, str, str]]:
    found: list[Finding] = check_settings(settings(**rows), facts())
    assert all(finding.remedy for finding in found)
    return [(finding.severity, finding.key, finding.problem) for finding in found]


@pytest.mark.parametrize(
    ("rows", "severity", "key", "problem"),
    [
        ({"sales_account": "201"}, "error", "sales_account", "is not in Xero's chart of accounts"),
        ({"purchases_account": "999"}, "error", "purchases_account", "'Old' is archived in Xero"),
        ({"payment_account": "091"}, "error", "payment_account", "is not in Xero's chart of accounts"),
        ({"payment_account": "200"}, "error", "payment_account", "'Sales' takes no payments"),
        ({"payment_account__cash": "999"}, "error", "payment_account.cash", "'Old' is archived in Xero"),
        ({"sales_tax__5": "FOO"}, "error", "sales_tax.5", "is not a TaxType of the organisation"),
        ({"sales_tax__8": "TAX009"}, "error", "sales_tax.8", "'Gone' is no longer in use"),
        ({"sales_tax__8": "INPUT"}, "error", "sales_tax.8", "'Bought 8' is not for sales"),
        ({"purchase_tax__8.25": "OUTPUT"}, "error", "purchase_tax.8.25", "'Sales 8' is not for purchases"),
        ({"sales_tax__8+5": "OUTPUT"}, "warning", "sales_tax.8+5", "'Sales 8' is 8.25 % in Xero, not 13 %"),
        (
            {"currency": "CAD", "payment_account": "610"},
            "error",
            "currency",
            "is not switched on in the Xero organisation",
        ),
        ({"rounding_account": "001"}, "error", "rounding_account", "is not in Xero's chart of accounts"),
        ({"rounding_tax": "FOO"}, "error", "rounding_tax", "is not a TaxType of the organisation"),
        ({"rounding_tax": "TAX009"}, "error", "rounding_tax", "'Gone' is no longer in use"),
        ({"rounding_tax": "OUTPUT"}, "error", "rounding_tax", "'Sales 8' is not for account 860"),
        (
            {"rounding_tax": "INPUT"},
            "warning",
            "rounding_tax",
            "'Bought 8' is 8 %; rounding lines are sent with a tax of 0 all the same",
        ),
        ({"rounding_account": "999"}, "error", "rounding_account", "'Old' is archived in Xero"),
        (
            {"purchases_account": "090"},
            "error",
            "purchases_account",
            "'Euros' is a bank account, which takes no document lines",
        ),
        (
            {"sales_account": "620"},
            "error",
            "sales_account",
            "'Owed' is an account that Xero itself keeps, which takes no document lines",
        ),
        (
            {"sales_account": "300"},
            "warning",
            "sales_account",
            "'Purchases' is no account for income (its type in Xero is DIRECTCOSTS)",
        ),
        (
            {"purchases_account": "200"},
            "warning",
            "purchases_account",
            "'Sales' is an account for income (its type in Xero is REVENUE)",
        ),
        (
            {"payment_account": "090"},
            "warning",
            "payment_account",
            "'Euros' is in EUR, documents that name no currency in USD: Xero converts such payments",
        ),
        (
            {"item_code": "STOCK"},
            "error",
            "item_code",
            "is an item whose stock Xero counts, which would count SalesBinder's sales a second time",
        ),
        ({"sales_tax__0": "OUTPUT"}, "warning", "sales_tax.0", "'Sales 8' is 8.25 % in Xero, not 0 %"),
        ({"purchase_tax__0": "TAX009"}, "error", "purchase_tax.0", "'Gone' is no longer in use"),
    ],
)
def test_what_does_not_fit_is_found(rows: dict[str, str], severity: str, key: str, problem: str) -> None:
    assert findings(**rows) == [(severity, key, problem)]


def test_a_bank_account_in_the_currency_of_the_setting_is_right() -> None:
    assert findings(currency="EUR", payment_account="090") == []


def test_no_tax_is_right_also_where_xero_does_not_list_it() -> None:
    bare = replace(facts(), tax_rates={k: rate for k, rate in facts().tax_rates.items() if k != "NONE"})
    assert check_settings(settings(), bare) == []


def test_a_cut_off_that_lies_ahead_is_told() -> None:
    [found] = check_settings(replace(settings(), enabled_at=NOW + timedelta(days=1)), facts())
    assert (found.severity, found.key, found.value) == ("warning", "enabled_at", "2026-02-02T00:00:00Z")


def test_what_xero_itself_keeps_is_not_proposed() -> None:
    [found] = check_settings(settings(sales_account="201"), facts())
    assert "200 (Sales)" in found.remedy
    assert "Owed" not in found.remedy


def test_a_new_connection_is_told_what_it_lacks() -> None:
    found = check_settings(Settings(enabled_at=NOW), facts())
    assert [(finding.severity, finding.key) for finding in found] == [
        ("error", "payment_account"),
        ("warning", "sales_tax.…"),
        ("warning", "purchase_tax.…"),
    ]
    assert found[0].remedy == f"set it to one of: {BANK_ID} (Cheque), 610 (Till), 090 (Euros)"
    assert "OUTPUT (Sales 8)" in found[1].remedy
    assert "INPUT" not in found[1].remedy
