"""Payments as Xero is sent them."""

from dataclasses import dataclass
from datetime import date
from decimal import Decimal

from connections.facts import OrganisationFacts
from connections.settings import Settings
from contracts.commands import TransactionSnapshot
from contracts.json import Body
from contracts.money import to_cents
from contracts.reasons import Refused, warning
from contracts.results import Warning
from sinks.resolve.dates import open_day
from sinks.resolve.texts import cut, one_line

_REFERENCE_LIMIT = 255
"""Xero names no limit for a payment's reference; this is the one that it names for other references."""


@dataclass(frozen=True, slots=True)
class ResolvedPayment:
    """A payment ready to be sent, except for the invoice that it is on."""

    body: Body
    account: dict[str, str]
    """``{"Code": …}`` or ``{"AccountID": …}``, as the settings name it."""
    amount: Decimal
    """In the document's currency."""
    date: date
    reference: str
    """SalesBinder's reference, a blank, and the mark."""
    currency: str
    warnings: tuple[Warning, ...]


def resolve_payment(
    transaction: TransactionSnapshot, settings: Settings, facts: OrganisationFacts, currency: str
) -> ResolvedPayment:
    """Return the payment that Xero should hold, on a document in ``currency``. The amount's sign is not
    looked at.

    Raises:
        Refused: there is no account for it that takes payments, or the books are locked on its day.
    """
    warnings: list[Warning] = []
    account = _account(transaction, settings, facts, currency, warnings)
    day = open_day(transaction.date, settings, facts, warnings)
    amount = to_cents(transaction.amount)
    room = _REFERENCE_LIMIT - len(transaction.mark) - 1
    method = cut(one_line(transaction.reference), room, "reference", warnings)
    reference = f"{method} {transaction.mark}".strip()
    return ResolvedPayment(
        body={"Account": account, "Date": day.isoformat(), "Amount": amount, "Reference": reference},
        account=account,
        amount=amount,
        date=day,
        reference=reference,
        currency=currency,
        warnings=tuple(warnings),
    )


def _account(
    transaction: TransactionSnapshot,
    settings: Settings,
    facts: OrganisationFacts,
    currency: str,
    warnings: list[Warning],
) -> dict[str, str]:
    setting, wanted = settings.payment_account_for(transaction.reference)
    if wanted is None:
        method = transaction.reference or "an unnamed method"
        raise Refused("payment_account_missing", reference=method, setting=setting)
    account = facts.account(wanted)
    if account is None:
        raise Refused("payment_account_unknown", code=wanted, setting=setting)
    if not account.active:
        raise Refused("account_code_archived", code=wanted, setting=setting)
    if not account.payable:
        raise Refused("payment_account_not_payable", code=wanted, setting=setting)
    if account.currency and currency and account.currency != currency:
        amount = to_cents(transaction.amount)
        warnings.append(
            warning(
                "bank_currency_differs",
                amount=amount,
                currency=currency,
                account_currency=account.currency,
            )
        )
    return {"Code": account.code} if account.code == wanted else {"AccountID": account.account_id}
