"""A document of SalesBinder, what should be in Xero by the settings, and Xero."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from tests.unit.sources.reconcile_papers import book, note, paid, shop, side_by_side

DOLLARS = Decimal("108.00")


def test_what_is_posted_as_it_stands_agrees() -> None:
    one = side_by_side(shop(), book())
    assert one.agrees
    assert one.currency == "NZD"
    assert one.expected is not None
    assert (one.expected.number, one.expected.total, one.expected.status) == ("5001", DOLLARS, "AUTHORISED")


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"number": "5002"}, ("number",)),
        ({"net": Decimal("99.99"), "total": Decimal("107.99")}, ("net", "total")),
        ({"net": Decimal("99.99"), "tax": Decimal("8.01")}, ("net", "tax")),
        ({"party": "Nut & Co", "contact_id": "k2"}, ("party",)),
        ({"paid": Decimal("10.00")}, ("paid",)),
        ({"status": "DRAFT"}, ("status",)),
        ({"status": "PAID"}, ("status",)),
        ({"status": "VOIDED"}, ("document",)),
    ],
)
def test_each_field_that_differs_is_named(changes: dict[str, Any], fields: tuple[str, ...]) -> None:
    assert side_by_side(shop(), book(**changes)).fields == fields


@pytest.mark.parametrize(
    "changes",
    [
        {"party": "BÖLT & co", "contact_id": "k9"},
        {"party": "Renamed in Xero"},  # the contact that the customer is linked to
        {"number": " 5001"},
    ],
)
def test_what_xero_takes_for_the_same_is_no_difference(changes: dict[str, Any]) -> None:
    document = shop(party="Bölt & Co") if "Ö" in changes.get("party", "") else shop()
    assert side_by_side(document, book(**changes)).agrees


def test_numbers_go_by_the_setting() -> None:
    assert side_by_side(shop(), book(number="SB-5001"), invoice_number_format="SB-{number}").agrees
    assert side_by_side(shop(), book(), invoice_number_format="SB-{number}").fields == ("number",)


def test_a_draft_is_there_to_be_approved_and_an_approved_invoice_is_no_draft() -> None:
    assert side_by_side(shop(), book(status="DRAFT"), invoice_status="draft").agrees
    assert side_by_side(shop(), book(status="AUTHORISED"), invoice_status="draft").agrees
    assert side_by_side(shop(), book(status="DRAFT")).fields == ("status",)


def test_refunds_are_credit_notes_or_payments_taken_back() -> None:
    document = paid("108.00", "50.00")
    settled = book(status="PAID", paid=DOLLARS)
    assert side_by_side(document, settled, note("50.00")).agrees
    assert side_by_side(document, settled).fields == ("refunded",)
    assert side_by_side(document, settled, note("50.00", status="VOIDED")).fields == ("refunded",)
    assert side_by_side(document, settled, note("50.00", paid=Decimal("20.00"))).fields == ("refunded",)
    taken_back = book(paid=Decimal("58.00"))
    assert side_by_side(document, taken_back, refund_as="reverse_payment").agrees
    assert side_by_side(document, taken_back).fields == ("paid", "refunded")


def test_a_payment_that_was_returned_without_a_trace_stands_as_payment_and_refund() -> None:
    settled = book(status="PAID", paid=DOLLARS)
    assert side_by_side(paid("58.00"), settled, note("50.00")).agrees
    assert side_by_side(paid("58.00"), settled, note("49.00")).fields == ("paid", "refunded")


def test_money_that_is_not_known_apart_is_compared_as_a_sum() -> None:
    document = shop(balance=Decimal("58.00"), paid=None, refunded=None)
    settled = book(status="PAID", paid=DOLLARS)
    assert side_by_side(document, settled, note("50.00")).agrees
    assert side_by_side(document, settled).fields == ("paid",)
    assert side_by_side(shop(balance=None, paid=None, refunded=None), settled).fields == ("paid",)


def test_sums_that_salesbinder_does_not_show_never_agree() -> None:
    assert "net" in side_by_side(shop(net=None), book()).fields


def test_cancelled_ones_are_in_xero_no_more() -> None:
    cancelled = shop(status="cancelled")
    assert side_by_side(cancelled).agrees
    assert side_by_side(cancelled, book(status="VOIDED")).agrees
    assert side_by_side(cancelled, book()).fields == ("document",)


def test_what_is_from_before_the_cut_off_is_not_meant_to_be_there_unless_it_is_linked() -> None:
    early = shop(created=datetime(2025, 12, 31, tzinfo=UTC))
    assert (one := side_by_side(early)).is_before_cutoff
    assert one.fields == ("document",)
    assert not side_by_side(early, book()).is_before_cutoff
    assert side_by_side(early, book()).agrees
    assert not side_by_side(shop(created=datetime(2026, 1, 1, tzinfo=UTC))).is_before_cutoff


def test_a_second_document_that_points_at_it_differs() -> None:
    twice = side_by_side(shop(), book(), pointing=[book(), book(xero_id="x2", number="5001 (2)")])
    assert twice.fields == ("document",)
    assert twice.others == ("5001 (2)",)
    assert side_by_side(shop(), book(), pointing=[book(), book(xero_id="x2", status="VOIDED")]).agrees


def test_one_that_is_linked_to_nothing_is_found_by_its_address() -> None:
    assert side_by_side(shop(), pointing=[book()]).xero_id == "x1"


def test_one_that_salesbinder_does_not_show_differs_while_it_stands() -> None:
    assert side_by_side(None, book()).fields == ("document",)
    assert side_by_side(None, book(status="DELETED")).agrees


def order(**changes: Any) -> Any:
    return shop(entity="purchase_order", balance=None, paid=None, refunded=None, **changes)


def test_orders_and_their_bills() -> None:
    placed = book(kind="purchase_order", url="")
    assert side_by_side(order(), placed, kind="purchase_order").agrees
    received = order(received=True)
    assert side_by_side(received, placed, kind="purchase_order").fields == ("status",)
    billed = book(kind="purchase_order", status="BILLED", url="")
    assert side_by_side(received, billed, kind="purchase_order").agrees
    bill = book(kind="bill", xero_id="b1", paid=Decimal("30.00"))
    assert side_by_side(received, billed, bill, kind="bill").agrees, "people pay bills in Xero"
    assert side_by_side(received, billed, kind="bill").fields == ("document",)
    assert side_by_side(received, billed, kind="bill", received_as="billed").agrees
    assert side_by_side(order(), billed, bill, kind="bill").fields == ("document",)
