"""The chart of accounts, tax rates and currencies of a new organisation."""

from collections.abc import Iterable
from decimal import Decimal
from uuid import NAMESPACE_URL, uuid5

from .ledger import Books
from .model import Account, TaxRate

_ALL = frozenset({"REVENUE", "EXPENSE", "ASSET", "LIABILITY", "EQUITY"})
_SALES = frozenset({"REVENUE", "ASSET", "LIABILITY", "EQUITY"})
_PURCHASES = frozenset({"EXPENSE", "ASSET", "LIABILITY", "EQUITY"})

# code, name, type, tax type, payments enabled, system account
_ACCOUNTS = [
    ("090", "Business Bank Account", "BANK", "NONE", False, None),
    ("091", "Business Savings Account", "BANK", "NONE", False, None),
    ("200", "Sales", "REVENUE", "OUTPUT", False, None),
    ("260", "Other Revenue", "REVENUE", "OUTPUT", False, None),
    ("300", "Purchases", "DIRECTCOSTS", "INPUT", False, None),
    ("310", "Cost of Goods Sold", "DIRECTCOSTS", "INPUT", False, None),
    ("400", "Advertising", "EXPENSE", "INPUT", False, None),
    ("404", "Bank Fees", "EXPENSE", "NONE", False, None),
    ("429", "General Expenses", "EXPENSE", "INPUT", False, None),
    ("610", "Accounts Receivable", "CURRENT", "NONE", False, "DEBTORS"),
    ("620", "Prepayments", "CURRENT", "NONE", False, None),
    ("800", "Accounts Payable", "CURRLIAB", "NONE", False, "CREDITORS"),
    ("820", "Sales Tax", "CURRLIAB", "NONE", False, "GST"),
    ("860", "Rounding", "EXPENSE", "NONE", False, "ROUNDING"),
    ("880", "Owner A Drawings", "EQUITY", "NONE", True, None),
    ("970", "Owner A Funds Introduced", "EQUITY", "NONE", True, None),
]

# tax type, name, components in per cent, classes of account it fits
_TAX_RATES: list[tuple[str, str, list[tuple[str, str]], frozenset[str]]] = [
    ("NONE", "Tax Exempt", [("No tax", "0")], _ALL),
    ("OUTPUT", "8% Tax on Sales", [("Tax", "8")], _SALES),
    ("OUTPUT2", "15% Tax on Sales", [("Tax", "15")], _SALES),
    ("INPUT", "8% Tax on Purchases", [("Tax", "8")], _PURCHASES),
    ("INPUT2", "15% Tax on Purchases", [("Tax", "15")], _PURCHASES),
    ("TAX001", "13% Combined Tax on Sales", [("State", "8"), ("City", "5")], _SALES),
    ("TAX002", "13% Combined Tax on Purchases", [("State", "8"), ("City", "5")], _PURCHASES),
    ("TAX003", "GST on Sales", [("GST", "5")], _SALES),
    ("TAX004", "GST on Purchases", [("GST", "5")], _PURCHASES),
    ("TAX005", "12.5% Tax on Sales", [("Tax", "12.5")], _SALES),
    ("TAX006", "12.5% Tax on Purchases", [("Tax", "12.5")], _PURCHASES),
    ("TAX007", "GST and PST on Sales", [("GST", "5"), ("PST", "7")], _SALES),
    ("TAX008", "GST and PST on Purchases", [("GST", "5"), ("PST", "7")], _PURCHASES),
    ("TAX009", "7% PST on Sales", [("PST", "7")], _SALES),
    ("TAX010", "7% PST on Purchases", [("PST", "7")], _PURCHASES),
    ("EXEMPTOUTPUT", "Exempt Sales", [("No tax", "0")], _SALES),
    ("EXEMPTINPUT", "Exempt Purchases", [("No tax", "0")], _PURCHASES),
    ("GSTONIMPORTS", "GST on Imports", [("GST", "0")], _PURCHASES),
]

CURRENCY_NAMES = {
    "USD": "United States Dollar", "EUR": "Euro", "CAD": "Canadian Dollar", "NZD": "New Zealand Dollar",
    "AUD": "Australian Dollar", "GBP": "British Pound",
}  # fmt: skip


def account_id_for(books: Books, code: str) -> str:
    """Return the AccountID of a default account: the same at every start."""
    return str(uuid5(NAMESPACE_URL, f"{books.organisation_id}/accounts/{code}"))


def fill_defaults(books: Books, currencies: Iterable[str]) -> None:
    """Give a new organisation its accounts, tax rates and currencies (the base one comes by itself)."""
    for code, name, kind, tax, payments, system in _ACCOUNTS:
        account = Account(account_id_for(books, code), code, name, kind, tax)
        account.enable_payments, account.system_account = payments, system
        account.currency = books.base_currency if kind == "BANK" else None
        books.put_account(account)
    for tax_type, name, parts, fits in _TAX_RATES:
        components = [(label, Decimal(percent)) for label, percent in parts]
        books.tax_rates[tax_type] = TaxRate(tax_type, name, components, fits)
    for currency in [books.base_currency, *currencies]:
        books.currencies[currency] = CURRENCY_NAMES.get(currency, currency)
