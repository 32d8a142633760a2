"""What ``make shops`` takes for a failure that must be: what stands in Xero before each event says so."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from sources.events import Event
from tests.reliability.shops.xeros_money import Standing, standings

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


def told(*events: tuple[str, ...]) -> list[Event]:
    """Events of one invoice: kind, transaction, amount, perhaps reference; of a snapshot the amount is its
    total.
    """
    found = []
    for number, (kind, transaction, amount, *reference) in enumerate(events):
        data: dict[str, Any] = {"document": {"total_price": amount, "total_tax": "0", "total_tax2": None}}
        if transaction:
            data = {"transaction": {"id": transaction, "amount": amount, "reference": "".join(reference)}}
        value = json.dumps({"data": data}).encode()
        name = f"salesbinder.invoice.{kind}"
        found.append(Event(str(number), "salesbinder.invoices", b"acme/1", value, name, NOON))
    return found


CREATED = ("created", "", "100.00")
PAID, REST = ("payment_applied", "a", "60.00"), ("payment_applied", "b", "40.00")
BACK = ("refund_applied", "c", "40.00")


def last(*events: tuple[str, ...], refund_as: str = "credit_note", failed: str = "") -> Standing:
    found = standings(told(*events), {failed} if failed else set(), refund_as)
    return found[str(len(events) - 1)]


@pytest.mark.parametrize(
    ("events", "exceeds"),
    [
        ([CREATED, PAID, REST], False),
        ([CREATED, PAID, REST, BACK, ("payment_applied", "d", "0.01")], True),
        ([CREATED, PAID, REST, ("reset", "", ""), PAID], False),
        ([CREATED, PAID, REST, ("payment_applied", "b", "39.00")], False),
        ([CREATED, PAID, REST, ("edited", "", "140.00"), ("payment_applied", "d", "40.00")], False),
    ],
)
def test_a_payment_fails_if_xero_has_less_to_be_paid(events: Any, exceeds: bool) -> None:
    assert last(*events).exceeds_due == exceeds


def test_a_payment_that_a_reversal_takes_back_is_due_again() -> None:
    events = (CREATED, PAID, REST, BACK, ("payment_applied", "d", "40.00"))
    assert not last(*events, refund_as="reverse_payment").exceeds_due
    assert last(*events, refund_as="reverse_payment", failed="3").exceeds_due


def test_a_refund_fails_if_its_payment_did() -> None:
    assert not last(CREATED, REST, BACK).exceeds_paid
    assert last(CREATED, REST, BACK, failed="1").exceeds_paid
    assert last(CREATED, REST, BACK, ("refund_applied", "e", "0.01")).exceeds_paid


def test_a_reversal_fails_without_a_payment_of_its_amount() -> None:
    assert not last(CREATED, PAID, REST, BACK, refund_as="reverse_payment").matches_none
    assert last(CREATED, PAID, BACK, refund_as="reverse_payment").matches_none


def test_a_reversal_takes_back_the_newest_payment_of_its_amount_and_of_its_reference_if_it_has_one() -> None:
    one, cash = ("payment_applied", "a", "40.00"), ("payment_applied", "b", "40.00", "Cash")
    back, cash_back = ("refund_applied", "c", "40.00"), ("refund_applied", "d", "40.00", "Cash")
    assert not last(CREATED, one, cash, cash_back, back, refund_as="reverse_payment").matches_none
    assert last(CREATED, one, cash, back, cash_back, refund_as="reverse_payment").matches_none
    assert last(CREATED, one, cash_back, refund_as="reverse_payment").matches_none


def test_a_corrected_payment_is_the_newest() -> None:
    cash, one = ("payment_applied", "b", "30.00", "Cash"), ("payment_applied", "a", "40.00")
    corrected, again = ("payment_applied", "b", "40.00"), ("payment_applied", "a", "40.00")
    back, cash_back = ("refund_applied", "c", "40.00"), ("refund_applied", "d", "40.00", "Cash")
    events = (CREATED, cash, one, corrected, again, back, cash_back)
    assert last(*events, refund_as="reverse_payment").matches_none
