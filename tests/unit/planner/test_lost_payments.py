"""A payment whose answer was lost: adopted is what agrees in mark, amount, date and account, all together."""

from decimal import Decimal
from typing import Any

import pytest

from sinks.planner import Done, Fail
from sinks.planner.payments import payment_target
from tests.unit.planner.pure import Books, command
from tests.unit.resolve.books import NOW, invoice, line, payment

PAID = payment("50", transaction_id="00000001", mark="#00000001")


def lost(**changes: Any) -> Done | Fail:
    """How the payment ends when nobody knows that Xero has it, with these changes."""
    books = Books()
    document = invoice(line("1", "50"))
    assert isinstance(books.run(command("created", document), 1), Done)
    paying = command("payment_applied", document, PAID)
    assert isinstance(books.run(paying, 2), Done)
    target = payment_target("d1", PAID.transaction_id)
    del books.links[target]
    books.unknown[target] = NOW
    [made] = books.xero.payments.values()
    made |= changes
    end = books.run(paying, 2)
    assert len(books.xero.payments) == 1, "paid twice"
    assert not isinstance(end, Done) or books.links[target].xero_id == made["PaymentID"]
    assert isinstance(end, Done | Fail)
    return end


def test_the_very_payment_is_adopted() -> None:
    assert isinstance(lost(), Done)


@pytest.mark.parametrize(
    "changes",
    [{"Amount": Decimal("49")}, {"Date": "2026-03-05"}, {"Account": {"Code": "200"}}],
    ids=["amount", "date", "account"],
)
def test_what_agrees_only_in_part_is_left_to_a_person(changes: dict[str, Any]) -> None:
    end = lost(**changes)
    assert isinstance(end, Fail) and end.code == "needs_review"
