"""Account codes, tax types and currencies named by the settings, checked against the facts."""

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal

from connections.check import fits_account
from connections.facts import OrganisationFacts
from connections.settings import NO_TAX, Settings
from contracts.commands import DocumentSnapshot
from contracts.money import plain
from contracts.reasons import Refused, warning
from contracts.results import Warning
from mappers.totals import clean_amount


@dataclass(frozen=True, slots=True)
class Side:
    """One direction of trade, and the settings for it."""

    account_setting: str
    account: str
    tax_setting: str
    tax_types: Mapping[str, str]
    revenue: bool


def sales(settings: Settings) -> Side:
    """Return the chart for invoices."""
    return Side("sales_account", settings.sales_account, "sales_tax", settings.sales_tax, True)


def purchases(settings: Settings) -> Side:
    """Return the chart for purchase orders and bills."""
    return Side("purchases_account", settings.purchases_account, "purchase_tax", settings.purchase_tax, False)


@dataclass(frozen=True, slots=True)
class Tax:
    """A line's tax in Xero: its TaxType and the rate in per cent."""

    tax_type: str
    rate: Decimal


def account_code(code: str, setting: str, facts: OrganisationFacts) -> str:
    """Return ``code``, when a document line may carry it.

    Raises:
        Refused: ``account_code_unknown``, ``account_code_archived``.
    """
    account = facts.accounts_by_code.get(code)
    if account is None:
        raise Refused("account_code_unknown", code=code, setting=setting)
    if not account.active:
        raise Refused("account_code_archived", code=code, setting=setting)
    return code


def no_tax(side: Side, facts: OrganisationFacts) -> Tax:
    """Return the tax type of rate 0, for the line of a document that has none.

    Raises:
        Refused: ``tax_type_unknown``, ``tax_type_unfit``.
    """
    tax_type = side.tax_types.get("0", NO_TAX)
    return known_tax(tax_type, f"{side.tax_setting}.0", Decimal(0), side, facts)


def rounding_tax(tax_type: str, account: str, facts: OrganisationFacts) -> Tax:
    """Return the tax type of a rounding line, which is on ``account`` for sales and purchases alike.

    Raises:
        Refused: ``tax_type_unknown``, ``tax_type_unfit``.
    """
    known = facts.tax_rates.get(tax_type)
    if known is None and tax_type == NO_TAX:
        return Tax(tax_type, Decimal(0))
    if known is None or not known.active:
        raise Refused("tax_type_unknown", tax_type=tax_type, setting="rounding_tax")
    if not fits_account(known, account, facts):
        raise Refused("tax_type_unfit", tax_type=tax_type, setting="rounding_tax", code=account)
    return Tax(tax_type, known.rate or Decimal(0))


def known_tax(tax_type: str, setting: str, rate: Decimal, side: Side, facts: OrganisationFacts) -> Tax:
    """Return the tax of this TaxType, which ``setting`` names for ``rate``.

    Raises:
        Refused: ``tax_type_unknown``, ``tax_type_unfit``.
    """
    known = facts.tax_rates.get(tax_type)
    if known is None and tax_type == NO_TAX:
        return Tax(tax_type, Decimal(0))
    if known is None or not known.active:
        raise Refused("tax_type_unknown", tax_type=tax_type, setting=setting)
    if not (known.can_apply_to_revenue if side.revenue else known.can_apply_to_expenses):
        raise Refused("tax_type_unfit", tax_type=tax_type, setting=setting, code=side.account)
    return Tax(tax_type, rate if known.rate is None else known.rate)


def currency(
    document: DocumentSnapshot, settings: Settings, facts: OrganisationFacts, warnings: list[Warning]
) -> tuple[str, Decimal | None]:
    """Return currency and rate of a document: units of the document's currency for one of the organisation's.

    The rate is given only for a foreign currency; Xero keeps 6 decimals. An impossible one, or one that means
    no conversion at all, is left out, so that Xero takes its rate of the day.

    Raises:
        Refused: ``currency_not_enabled``.
    """
    code = (document.currency or settings.currency or facts.base_currency).upper()
    if code == facts.base_currency:
        return code, None
    if facts.currencies is not None and code not in facts.currencies:
        raise Refused("currency_not_enabled", currency=code)
    if document.currency_rate is None:
        return code, None
    rate = Decimal(plain(clean_amount(document.currency_rate)))
    if rate <= 0 or rate == 1:
        given = plain(document.currency_rate)
        base = facts.base_currency
        warnings.append(warning("currency_rate_ignored", rate=given, currency=code, base=base))
        return code, None
    return code, rate
