"""Suggest settings from what was found in the shop and what the organisation has. Pure."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from connections.check import Side, alike, payment_accounts, tax_rates
from connections.facts import Account, OrganisationFacts, TaxRate
from connections.settings import Settings, fold_reference
from contracts.money import plain
from sources.sample import Sample

_TOO_COMMON: Final = frozenset({"account", "bank", "payment", "payments", "card", "business", "the", "of"})
"""Words that say nothing about which account is meant."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A value that a setting may have."""

    value: str
    name: str


@dataclass(frozen=True, slots=True)
class Suggestion:
    """A setting that the shop's documents ask for."""

    key: str
    found: str
    """What was found in the shop: ``12 payments by Cash``, ``8 % on 40 lines``."""
    value: str
    """The value that is suggested; blank: none stands out."""
    choices: tuple[Choice, ...]
    is_needed: bool
    """False for payments that go to the default account if nothing is chosen."""


def suggestions(sample: Sample, settings: Settings, facts: OrganisationFacts) -> list[Suggestion]:
    """Return a suggestion for the payment account, for each way of paying and for each rate found, those that
    have a value with that value.
    """
    accounts = payment_accounts(facts)
    choices = tuple(Choice(account.code or account.account_id, _name(account)) for account in accounts)
    banks = [account for account in accounts if account.type == "BANK"] or accounts
    first = (banks[0].code or banks[0].account_id) if banks else ""
    payments = sum(sample.methods.values())
    found = [
        Suggestion(
            "payment_account",
            f"{payments:,} {'payment' if payments == 1 else 'payments'}" if payments else "no payments yet",
            settings.payment_account or first,
            choices,
            is_needed=True,
        )
    ]
    for method, count in sample.methods.items():
        folded = fold_reference(method)
        value = settings.payment_accounts.get(folded) or _named_like(folded, accounts)
        found.append(
            Suggestion(f"payment_account.{folded}", f"{count:,} by {method}", value, choices, is_needed=False)
        )
    found += _taxes("sales", sample.sales, settings.sales_tax, facts)
    found += _taxes("purchases", sample.purchases, settings.purchase_tax, facts)
    return found


def _name(account: Account) -> str:
    return f"{account.code} {account.name}".strip()


def _named_like(method: str, accounts: Sequence[Account]) -> str:
    """Return the one account whose name has a word of the method; blank if none has, or several."""
    words = set(method.split()) - _TOO_COMMON
    alike_ = [one for one in accounts if words & set(one.name.casefold().split())]
    return (alike_[0].code or alike_[0].account_id) if len(alike_) == 1 else ""


def _taxes(
    side: Side, rates: Mapping[str, int], known: Mapping[str, str], facts: OrganisationFacts
) -> list[Suggestion]:
    table = "sales_tax" if side == "sales" else "purchase_tax"
    found = []
    for rate, count in rates.items():
        value = known.get(rate) or alike(side, facts, rate)
        lines = "line" if count == 1 else "lines"
        where = "invoices" if side == "sales" else "purchase orders"
        found.append(
            Suggestion(
                f"{table}.{rate}",
                f"{rate} % on {count:,} {lines} of {where}",
                value,
                _by_closeness(side, rate, facts),
                is_needed=True,
            )
        )
    return found


def _by_closeness(side: Side, rate: str, facts: OrganisationFacts) -> tuple[Choice, ...]:
    """Return the organisation's rates of this side, those as high as the shop's first."""
    wanted = sum(float(part) for part in rate.split("+"))
    every = sorted(tax_rates(side, facts), key=lambda one: (_far(one, wanted), one.tax_type))
    names = [f"{one.name} ({plain(one.rate)} %)" if one.rate is not None else one.name for one in every]
    return tuple(
        Choice(one.tax_type, f"{name}, {one.tax_type}" if names.count(name) > 1 else name)
        for one, name in zip(every, names, strict=True)
    )


def _far(one: TaxRate, wanted: float) -> float:
    return abs(float(one.rate) - wanted) if one.rate is not None else float("inf")
