"""Payments as Xero is sent them."""

from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from contracts.reasons import Refused
from sinks.resolve import ResolvedPayment, resolve_payment
from tests.unit.resolve.books import BANK_ID, FACTS, SETTINGS, facts, payment, settings


def resolve(
    settings: Any = SETTINGS, facts: Any = FACTS, currency: str = "USD", **other: Any
) -> ResolvedPayment:
    return resolve_payment(payment(**other), settings, facts, currency)


def test_the_body_is_xeros_payment_without_its_invoice() -> None:
    resolved = resolve(amount="176.480")
    assert resolved.body == {
        "Account": {"Code": "090"},
        "Date": "2026-03-02",
        "Amount": Decimal("176.48"),
        "Reference": "Cash #eada30eb",
    }
    assert (resolved.amount, resolved.date, resolved.currency) == (
        Decimal("176.48"),
        date(2026, 3, 2),
        "USD",
    )
    assert resolved.warnings == ()


@pytest.mark.parametrize("reference", ["Credit Card 9008", "CREDIT  card 9008 "])
def test_the_account_is_chosen_by_reference_without_case(reference: str) -> None:
    resolved = resolve(reference=reference, currency="EUR")
    assert resolved.account == {"AccountID": BANK_ID}
    assert resolved.reference.endswith(" 9008 #eada30eb")


def test_a_bank_account_of_another_currency_is_named() -> None:
    resolved = resolve(reference="Credit Card 9008")
    assert [each.code for each in resolved.warnings] == ["bank_currency_differs"]


@pytest.mark.parametrize(
    ("code", "changes"),
    [
        ("payment_account_missing", {"payment_account": None}),
        ("payment_account_unknown", {"payment_account": "777"}),
        ("account_code_archived", {"payment_account": "999"}),
        ("payment_account_not_payable", {"payment_account": "200"}),
    ],
)
def test_without_an_account_that_takes_payments_it_is_refused(code: str, changes: dict[str, Any]) -> None:
    with pytest.raises(Refused) as caught:
        resolve(settings(**changes))
    assert caught.value.code == code
    assert caught.value.details["setting"] == "payment_account"


def test_the_setting_that_is_wrong_is_named_by_its_reference() -> None:
    with pytest.raises(Refused) as caught:
        resolve(settings(payment_accounts={"cash": "777"}))
    assert caught.value.details == {"code": "777", "setting": "payment_account.cash"}


def test_a_locked_day_is_refused_or_moved() -> None:
    locked = facts(lock_date=date(2026, 3, 31))
    with pytest.raises(Refused) as caught:
        resolve(facts=locked)
    assert caught.value.code == "period_locked"
    moved = resolve(settings(locked_period="first_open_day"), locked)
    assert (moved.date, moved.body["Date"]) == (date(2026, 4, 1), "2026-04-01")
    assert [each.code for each in moved.warnings] == ["date_moved"]


@pytest.mark.parametrize("reference", ["", "   "])
def test_without_a_reference_the_mark_stands_alone(reference: str) -> None:
    assert resolve(reference=reference).reference == "#eada30eb"


def test_a_long_reference_is_cut_and_keeps_its_mark() -> None:
    resolved = resolve(reference="x" * 400)
    assert len(resolved.reference) == 255
    assert resolved.reference.endswith("x… #eada30eb")
    assert [each.code for each in resolved.warnings] == ["text_cut"]
