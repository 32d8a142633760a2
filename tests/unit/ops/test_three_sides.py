"""The demo's comparison of the shop's truth, what `sbx reconcile` says, and Xero's books."""

from decimal import Decimal
from typing import Any

import pytest

from sbx.cli.demo.three import Three, three_sides


def true(**changes: Any) -> dict[str, Any]:
    given = {"id": "i1", "kind": "invoice", "number": 5001, "total": "108.00", "net_paid": "58.00"}
    return given | dict.fromkeys(("cancelled", "deleted", "received"), False) | changes


def held(**changes: Any) -> dict[str, Any]:
    given = {"type": "ACCREC", "number": "5001", "status": "PAID", "total": "108.00", "amount_paid": "108.00"}
    return given | changes


def said(reason: str = "") -> dict[str, Any]:
    return {"kind": "invoice", "record_id": "i1", "reason": reason, "text": "because"}


NOTE = {"number": "5001-ab12", "status": "PAID", "payments": [{"amount": "50.00"}]}


def three(
    truth: dict[str, Any], row: dict[str, Any] | None, *invoices: dict[str, Any], notes: Any = (NOTE,)
) -> Three:
    books = {"invoices": invoices, "credit_notes": notes, "purchase_orders": []}
    return three_sides([truth], [row] if row else [], books)


def test_the_truth_in_the_books_that_is_said_to_agree_agrees() -> None:
    found = three(true(), said(), held())
    assert found.agreed
    assert found.documents[0].xero_paid == Decimal("58.00")


@pytest.mark.parametrize(
    ("truth", "invoice"),
    [
        ({"total": "109.00"}, {}),
        ({"net_paid": "59.00"}, {}),
        ({"cancelled": True}, {}),
        ({"deleted": True}, {}),
        ({}, {"status": "VOIDED"}),
    ],
)
def test_what_is_said_to_agree_and_does_not_is_a_surprise(
    truth: dict[str, Any], invoice: dict[str, Any]
) -> None:
    assert three(true(**truth), said("failed"), held(**invoice)).agreed
    wrong = three(true(**truth), said(), held(**invoice))
    assert not wrong.agreed
    assert "is said to agree" in wrong.surprises[0]


def test_a_difference_that_is_none_and_one_without_a_reason_are_surprises() -> None:
    assert not three(true(), said("failed"), held()).agreed
    assert not three(true(total="1.00"), said("unknown"), held()).agreed
    assert three(true(), said("before_cutoff")).agreed


def test_what_is_in_xero_alone_is_a_surprise() -> None:
    found = three(true(), said(), held(), held(number="5002"))
    assert found.surprises == ["Xero has the invoice 5002 that the shop does not have"]
    assert three(true(), said(), held(), held(number="5002", status="DELETED")).agreed


def test_an_order_that_was_received_is_billed() -> None:
    truth = true(kind="purchase_order", number=7, received=True, net_paid="0")
    order = {"number": "7", "status": "AUTHORISED", "total": "108.00", "amount_paid": None}
    books = {"invoices": [], "credit_notes": [], "purchase_orders": [order]}
    assert not three_sides([truth], [], books).agreed
    books["purchase_orders"] = [order | {"status": "BILLED"}]
    assert three_sides([truth], [], books).agreed
