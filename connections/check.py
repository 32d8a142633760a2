"""Compare settings with what the organisation offers: what would fail, and how to fix it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Literal

from connections.facts import Account, OrganisationFacts, TaxRate
from connections.settings import NO_TAX, Settings
from contracts.money import plain

Severity = Literal["error", "warning"]
Side = Literal["sales", "purchases"]

_LISTED = 8
_REVENUE = frozenset({"REVENUE", "SALES", "OTHERINCOME"})
"""Xero's AccountTypes of income."""
_EXPENSES = frozenset({"EXPENSE", "DIRECTCOSTS", "OVERHEADS", "DEPRECIATN"})
"""Xero's AccountTypes of expenses."""
_XEROS_OWN = frozenset({"DEBTORS", "CREDITORS", "GST"})
"""SystemAccounts that Xero itself writes to: it takes no document lines on them."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One setting that does not work (``error``: actions fail) or looks wrong (``warning``)."""

    key: str
    value: str
    problem: str
    remedy: str
    severity: Severity
    code: str = ""
    """A code by which scripts can recognise it; ``numbers_may_clash``, or ``""``."""


def check_settings(settings: Settings, facts: OrganisationFacts) -> list[Finding]:
    """Return everything that would fail or surprise with these settings in this organisation; empty if all is
    well.
    """
    return [
        *_enabled_at(settings, facts),
        *_line_account("sales_account", settings.sales_account, facts),
        *_line_account("purchases_account", settings.purchases_account, facts),
        *_line_account("rounding_account", settings.rounding_account, facts),
        *_rounding_tax(settings, facts),
        *_item(settings, facts),
        *_payment_accounts(settings, facts),
        *_taxes("sales_tax", settings.sales_tax, "sales", facts),
        *_taxes("purchase_tax", settings.purchase_tax, "purchases", facts),
        *_currency(settings, facts),
    ]


def number_clashes(settings: Settings, others: Mapping[str, Settings]) -> list[Finding]:
    """Return the number formats that other accounts of the same Xero organisation have, too: both may assign
    a number that Xero takes only once.

    Args:
        others: the settings of the organisation's other accounts, by account.
    """
    found = []
    for key in ("invoice_number_format", "purchase_order_number_format"):
        value = getattr(settings, key)
        alike = [name for name, one in sorted(others.items()) if _same_form(getattr(one, key), value)]
        if alike:
            found.append(
                Finding(
                    key,
                    value,
                    f"is also that of {', '.join(alike)}, connected to the same Xero organisation: a number "
                    "that both give out is in Xero once, and fails as number_taken for the other",
                    f"give one of them a form of its own, such as {key}=B-{{number}}, unless the numbers "
                    "in SalesBinder never meet",
                    "warning",
                    "numbers_may_clash",
                )
            )
    return found


def _same_form(one: str, other: str) -> bool:
    """Return True if two formats give the same number in Xero, which compares numbers without case."""
    return one.casefold() == other.casefold()


def unfit(
    written: Mapping[str, str],
    wanted: Mapping[str, str | None],
    enabled_at: datetime,
    facts: OrganisationFacts,
) -> list[Finding]:
    """Return which of the wanted changes the organisation cannot work with.

    Args:
        written: the settings as they were set before, in their normal form.
        wanted: changes in their normal form; none is the default, which is let through.
    """
    rows = {key: value for key, value in {**written, **wanted}.items() if value is not None}
    findings = check_settings(Settings.from_rows(rows, enabled_at), facts)
    return [one for one in findings if one.severity == "error" and wanted.get(one.key) is not None]


def line_accounts(facts: OrganisationFacts) -> list[Account]:
    """Return the accounts that document lines may name."""
    return [
        account
        for account in facts.accounts
        if account.active and account.code and account.type != "BANK" and account.system not in _XEROS_OWN
    ]


def payment_accounts(facts: OrganisationFacts) -> list[Account]:
    """Return the accounts that Xero takes payments on."""
    return [account for account in facts.accounts if account.active and account.payable]


def tax_rates(side: Side, facts: OrganisationFacts) -> list[TaxRate]:
    """Return the tax rates for sales or for purchases, by their TaxType."""
    rates = [rate for rate in facts.tax_rates.values() if rate.active and _fits(rate, side)]
    return sorted(rates, key=lambda rate: rate.tax_type)


def fits_account(rate: TaxRate, code: str, facts: OrganisationFacts) -> bool:
    """Return True if Xero takes the tax rate on lines of this account, as far as we know its kind."""
    account = facts.accounts_by_code.get(code)
    if account is not None and account.type in _REVENUE:
        return rate.can_apply_to_revenue
    if account is not None and account.type in _EXPENSES:
        return rate.can_apply_to_expenses
    return True


def alike(side: Side, facts: OrganisationFacts, rate_key: str) -> str:
    """Return the TaxType of the one tax rate that is as high as SalesBinder's; blank if none is,
    or several.
    """
    found = [rate.tax_type for rate in tax_rates(side, facts) if rate.rate == _rate_of(rate_key)]
    return found[0] if len(found) == 1 else ""


def _enabled_at(settings: Settings, facts: OrganisationFacts) -> Iterator[Finding]:
    if settings.enabled_at > facts.fetched_at:
        shown = settings.enabled_at.isoformat().replace("+00:00", "Z")
        yield Finding(
            "enabled_at",
            shown,
            "lies ahead: documents that are created before it are not synced",
            "check that it is meant; else set it to a time that has passed",
            "warning",
        )


def _item(settings: Settings, facts: OrganisationFacts) -> Iterator[Finding]:
    if facts.is_tracked(settings.item_code):
        yield Finding(
            "item_code",
            settings.item_code,
            "is an item whose stock Xero counts, which would count SalesBinder's sales a second time",
            "set it to a code that no tracked item has: the item is made in Xero where it is missing",
            "error",
        )


def _line_account(key: str, code: str, facts: OrganisationFacts) -> Iterator[Finding]:
    account = facts.accounts_by_code.get(code)
    remedy = f"set {key} to one of: {_listed(line_accounts(facts))}"
    if account is None:
        yield Finding(key, code, "is not in Xero's chart of accounts", remedy, "error")
    elif not account.active:
        yield Finding(
            key, code, f"'{account.name}' is archived in Xero", f"restore it in Xero, or {remedy}", "error"
        )
    elif account.type == "BANK":
        yield Finding(
            key, code, f"'{account.name}' is a bank account, which takes no document lines", remedy, "error"
        )
    elif account.system in _XEROS_OWN:
        own = f"'{account.name}' is an account that Xero itself keeps, which takes no document lines"
        yield Finding(key, code, own, remedy, "error")
    elif key != "rounding_account" and (account.type in _REVENUE) != (key == "sales_account"):
        kind = "an account for income" if account.type in _REVENUE else "no account for income"
        yield Finding(
            key,
            code,
            f"'{account.name}' is {kind} (its type in Xero is {account.type})",
            f"check that it is meant; else {remedy}",
            "warning",
        )


def _rounding_tax(settings: Settings, facts: OrganisationFacts) -> Iterator[Finding]:
    key, tax_type, code = "rounding_tax", settings.rounding_tax, settings.rounding_account
    rate = facts.tax_rates.get(tax_type)
    if rate is None and tax_type == NO_TAX:
        return
    fitting = [one for one in facts.tax_rates.values() if one.active and fits_account(one, code, facts)]
    listed = ", ".join(f"{one.tax_type} ({one.name})" for one in fitting if not one.rate)
    remedy = f"set it to one without tax that fits account {code}: {listed or NO_TAX}"
    if rate is None:
        yield Finding(key, tax_type, "is not a TaxType of the organisation", remedy, "error")
    elif not rate.active:
        yield Finding(key, tax_type, f"'{rate.name}' is no longer in use", remedy, "error")
    elif not fits_account(rate, code, facts):
        yield Finding(key, tax_type, f"'{rate.name}' is not for account {code}", remedy, "error")
    elif rate.rate:
        taxed = f"'{rate.name}' is {plain(rate.rate)} %; rounding lines are sent with a tax of 0 all the same"
        yield Finding(key, tax_type, taxed, f"check that it is meant; else {remedy}", "warning")


def _payment_accounts(settings: Settings, facts: OrganisationFacts) -> Iterator[Finding]:
    remedy = f"set it to one of: {_listed(payment_accounts(facts))}"
    if settings.payment_account is None:
        others = (
            f" by another reference than {', '.join(settings.payment_accounts)}"
            if settings.payment_accounts
            else ""
        )
        yield Finding("payment_account", "", f"is not set: payments{others} fail", remedy, "error")
    usual = settings.currency or facts.base_currency
    named = {f"payment_account.{reference}": code for reference, code in settings.payment_accounts.items()}
    if settings.payment_account is not None:
        named = {"payment_account": settings.payment_account, **named}
    for key, code in named.items():
        account = facts.account(code)
        if account is None:
            yield Finding(key, code, "is not in Xero's chart of accounts", remedy, "error")
        elif not account.active:
            yield Finding(key, code, f"'{account.name}' is archived in Xero", remedy, "error")
        elif not account.payable:
            yield Finding(
                key,
                code,
                f"'{account.name}' takes no payments",
                f"turn on 'enable payments to this account' in Xero, or {remedy}",
                "error",
            )
        elif account.currency not in ("", usual):
            yield Finding(
                key,
                code,
                f"'{account.name}' is in {account.currency}, documents that name no currency in {usual}: "
                "Xero converts such payments",
                f"check that it is meant; else {remedy}",
                "warning",
            )


def _taxes(table: str, types: Mapping[str, str], side: Side, facts: OrganisationFacts) -> Iterator[Finding]:
    remedy = f"set it to one of: {_tax_types(side, facts)}"
    if set(types) <= {"0"}:
        yield Finding(
            f"{table}.…",
            "",
            f"no tax rate above 0 is paired: {side} with tax fail",
            f"pair every rate of SalesBinder, as {table}.8=TAXTYPE, with one of: {_tax_types(side, facts)}",
            "warning",
        )
    for rate_key, tax_type in types.items():
        key, rate = f"{table}.{rate_key}", facts.tax_rates.get(tax_type)
        if rate is None and tax_type == NO_TAX:
            continue  # every organisation takes it, whether or not it is listed
        if rate is None:
            yield Finding(key, tax_type, "is not a TaxType of the organisation", remedy, "error")
        elif not rate.active:
            yield Finding(key, tax_type, f"'{rate.name}' is no longer in use", remedy, "error")
        elif not _fits(rate, side):
            yield Finding(key, tax_type, f"'{rate.name}' is not for {side}", remedy, "error")
        elif rate.rate is not None and rate.rate != _rate_of(rate_key):
            yield Finding(
                key,
                tax_type,
                f"'{rate.name}' is {plain(rate.rate)} % in Xero, not {plain(_rate_of(rate_key))} %",
                f"check that it is meant; {remedy}",
                "warning",
            )


def _currency(settings: Settings, facts: OrganisationFacts) -> Iterator[Finding]:
    if settings.currency is None or facts.currencies is None or settings.currency in facts.currencies:
        return
    yield Finding(
        "currency",
        settings.currency,
        "is not switched on in the Xero organisation",
        f"add it in Xero's settings, or set it to one of: {', '.join(sorted(facts.currencies))}",
        "error",
    )


def _fits(rate: TaxRate, side: Side) -> bool:
    return rate.can_apply_to_revenue if side == "sales" else rate.can_apply_to_expenses


def _rate_of(key: str) -> Decimal:
    return sum((Decimal(part) for part in key.split("+")), Decimal(0))


def _listed(accounts: list[Account]) -> str:
    """Return the first few accounts, by code or AccountID with their names."""
    shown = [f"{account.code or account.account_id} ({account.name})" for account in accounts]
    return (
        ", ".join(shown[:_LISTED]) + (", …" if len(shown) > _LISTED else "")
        if shown
        else "none yet: make one in Xero"
    )


def _tax_types(side: Side, facts: OrganisationFacts) -> str:
    shown = [f"{rate.tax_type} ({rate.name})" for rate in tax_rates(side, facts)]
    return ", ".join(shown) or "none yet: make one in Xero"
