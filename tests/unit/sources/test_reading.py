"""Rows, details and log rows: what is read of them, and what is one named problem."""

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from sources.problems import Unreadable
from sources.salesbinder.accounts import read_account
from sources.salesbinder.deleted import read_deletion
from sources.salesbinder.digests import edit_digest
from sources.salesbinder.documents import read_detail
from sources.salesbinder.rows import read_row
from tests.unit.sources.records import (
    ACCOUNT,
    CUSTOMER,
    INVOICE,
    customer,
    detail,
    document,
    line,
    order,
    paid,
    wire,
    with_paid,
)

# Details


def test_a_detail_is_read_as_the_pipeline_will_read_it() -> None:
    found = detail(with_paid(paid(1, "50.00"), paid(2, 20)))
    assert (found.entity, found.id, found.status) == ("invoice", INVOICE, "unpaid")
    assert found.document.total_price == Decimal(196)
    assert found.document.customer.name == "Widgets & Co"
    assert [row.amount for row in found.transactions] == [Decimal(50), Decimal(20)]
    assert (found.total, found.unreadable_money) == (Decimal(70), None)
    assert detail(order()).entity == "purchase_order"


def test_phps_ways_to_write_nothing_are_nothing() -> None:
    nothing: tuple[Any, ...] = ([], {}, "", None, False)
    for blank in nothing:
        found = detail(
            document(
                name=blank,
                expiry_date=blank,
                document_items=[line(description=blank, item=blank, item_variation_data=blank, tax2=blank)],
                customer=customer(office_fax=blank, billing_country=blank),
            )
        )
        assert found.document.name is None
        assert found.document.customer.office_fax == ""
        assert edit_digest(found) == edit_digest(detail(document())), blank


@pytest.mark.parametrize("zero", ["0000-00-00", "0000-00-00 00:00:00", "-0001-11-30T00:00:00+00:00"])
def test_mysqls_zero_date_is_no_date_however_php_writes_it(zero: str) -> None:
    found = detail(with_paid(paid(1, transaction_date=zero, created=zero), expiry_date=zero))
    assert found.document.expiry_date is None
    assert (found.unreadable_money, found.transactions[0].day, found.transactions[0].created) == (None,) * 3


def test_numbers_may_be_texts_and_texts_numbers() -> None:
    found = detail(
        document(
            document_number="5001",
            context_id="5",
            total_price="196.00",
            total_tax=" 15.68 ",
            document_items=[line(quantity="2.0", price="98.0000", tax="8")],
            customer=customer(customer_number="101", name=123),
        )
    )
    assert found.document.customer.name == "123"
    assert edit_digest(found) == edit_digest(detail(document()))


@pytest.mark.parametrize("blank", [None, "", []])
def test_the_price_of_an_orders_line_may_be_blank_because_its_cost_counts(blank: Any) -> None:
    (found,) = detail(
        order(document_items=[line(cost=12.5, price=blank, quantity=4)])
    ).document.document_items
    assert (found.cost, found.price) == (Decimal("12.5"), Decimal(0))
    for record in (
        document(document_items=[line(price=blank)]),
        order(document_items=[line(cost=blank, price=blank)]),
    ):
        with pytest.raises(Unreadable) as raised:
            detail(record)
        assert raised.value.field == "document.document_items[0].price"


def test_a_line_that_was_taken_out_is_none() -> None:
    for flag in (1, "1", True):
        found = detail(document(document_items=[line(1), line(2, delete=flag, price=7)]))
        assert [each.price for each in found.document.document_items] == [Decimal(98)]
    assert len(detail(document(document_items=[line(1), line(2, delete=0)])).document.document_items) == 2


def test_ten_thousand_lines_are_read() -> None:
    lines = [{"id": f"l{n}", "quantity": 1, "price": 1, "tax": 0} for n in range(10_000)]
    assert len(detail(document(document_items=lines, total_price=10_000)).document.document_items) == 10_000


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"id": "another"}, "id"),
    ({"id": None}, "id"),
    ({"context_id": 4}, "context_id"),
    ({"context_id": None}, "context_id"),
    ({"document_number": None}, "document.document_number"),
    ({"document_number": {"a": 1}}, "document.document_number"),
    ({"customer_id": ""}, "document.customer_id"),
    ({"customer_id": "someone-else"}, "document.customer.id"),
    ({"issue_date": "0000-00-00 00:00:00"}, "document.issue_date"),
    ({"issue_date": 1772409600}, "document.issue_date"),
    ({"modified": "yesterday"}, "document.modified"),
    ({"created": []}, "document.created"),
    ({"total_price": "1,234.50"}, "document.total_price"),
    ({"total_price": [1]}, "document.total_price"),
    ({"total_tax": True}, "document.total_tax"),
    ({"document_items": None}, "document_items"),
    ({"document_items": "none"}, "document_items"),
    ({"document_items": []}, "document_items"),
    ({"document_items": [7]}, "document_items[0]"),
    ({"document_items": [line(quantity="many")]}, "document.document_items[0].quantity"),
    ({"document_items": [line(price=None)]}, "document.document_items[0].price"),
    ({"document_items": [line(id=None)]}, "document.document_items[0].id"),
    ({"customer": []}, "customer"),
    ({"customer": "Widgets"}, "record"),
    ({"customer": customer(name="")}, "document.customer.name"),
    ({"name": {"a": "b"}}, "document.name"),
    ({"name": "half \ud800 a character"}, "name"),
]


@pytest.mark.parametrize(("changes", "field"), WRONG)
def test_a_detail_that_cannot_be_read_is_one_problem_with_its_field(
    changes: dict[str, Any], field: str
) -> None:
    with pytest.raises(Unreadable) as raised:
        read_detail(document(**changes), INVOICE, ACCOUNT)
    assert raised.value.field == field
    assert raised.value.remedy


@pytest.mark.parametrize("name", ["document_number", "context_id", "customer_id", "issue_date", "created",
                                  "modified", "document_items", "customer", "id"])  # fmt: skip
def test_a_missing_key_is_one_problem_with_its_field(name: str) -> None:
    record = document()
    del record[name]
    with pytest.raises(Unreadable) as raised:
        read_detail(record, INVOICE, ACCOUNT)
    assert name in raised.value.field


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"transactions": None}, "transactions"),
        ({"transactions": "none"}, "transactions"),
        ({"total_transactions": "much"}, "total_transactions"),
        ({"transactions": [7]}, "transactions[0]"),
        ({"transactions": [paid(1, None)]}, "transactions[0].amount"),
        ({"transactions": [paid(1, "ten")]}, "transactions[0].amount"),
        ({"transactions": [paid(1, id="")]}, "transactions[0].id"),
        ({"transactions": [paid(1, document_id="another")]}, "transactions[0].document_id"),
        ({"transactions": [paid(1, transaction_date="soon")]}, "transactions[0].transaction_date"),
        ({"transactions": [paid(1, reference=["Cash"])]}, "transactions[0].reference"),
        ({"transactions": [paid(1, 5), paid(1, 6)]}, "transactions[1].id"),
    ],
)
def test_money_that_cannot_be_read_leaves_the_rest_readable(changes: dict[str, Any], field: str) -> None:
    found = detail(document(**changes))
    assert found.unreadable_money is not None
    assert found.unreadable_money.field == field
    assert found.transactions == ()
    assert found.document.total_price == Decimal(196)


def test_a_transaction_listed_twice_is_one() -> None:
    assert len(detail(with_paid(paid(1), paid(1), total_transactions=50)).transactions) == 1


# What counts as another content


SAME: list[dict[str, Any]] = [
    {"status": {"id": 15, "name": "Cancelled"}},
    {"total_transactions": 50, "transactions": [paid()]},
    {"modified": "2026-03-05T09:05:00+00:00"},
    {"date_sent": "2026-03-05"},
    {"customer": customer(name="Widgets Incorporated")},
    {"shipped_percent": 100, "a_field_added_later": {"x": 1}},
    {"document_items": [line(id="another-id")]},
    {"document_items": [line(item={"name": "Renamed Shirt"})]},
    {"document_items": [line(cost=55.5)], "total_cost": 111},
    {"document_items": [line(quantity_partially_received=2)]},
    {"total_tax": 15.680000000000001},
    {"document_items": [line(discounted_price=98)]},
    {"name": ""},
]


@pytest.mark.parametrize("changes", SAME)
def test_what_has_events_of_its_own_or_none_is_no_edit(changes: dict[str, Any]) -> None:
    assert edit_digest(detail(document(**changes))) == edit_digest(detail(document()))


EDITS: list[dict[str, Any]] = [
    {"name": "Spring order"},
    {"document_number": 5002},
    {"issue_date": "2026-03-03"},
    {"total_price": 196.01},
    {"total_tax": 15.69},
    {"total_tax2": 1},
    {"currency": "EUR"},
    {"due_date": "2026-04-01"},
    {"customer_id": "another", "customer": customer(id="another")},
    {"document_items": [line(quantity=3)]},
    {"document_items": [line(price=97)]},
    {"document_items": [line(tax=5)]},
    {"document_items": [line(tax2=5)]},
    {"document_items": [line(discount_percent=10, discounted_price=88.2)]},
    {"document_items": [line(name="Shirt")]},
    {"document_items": [line(description="Blue")]},
    {"document_items": [line(item_id="another")]},
    {"document_items": [line(), line(2)]},
]


@pytest.mark.parametrize("changes", EDITS)
def test_each_field_of_the_contract_makes_an_edit(changes: dict[str, Any]) -> None:
    assert edit_digest(detail(document(**changes))) != edit_digest(detail(document()))


def test_the_order_of_lines_is_no_content_but_their_number_is() -> None:
    one, two = line(1), line(2, price=5)
    assert edit_digest(detail(document(document_items=[one, two]))) == edit_digest(
        detail(document(document_items=[two, one]))
    )
    assert edit_digest(detail(document(document_items=[one, one]))) != edit_digest(
        detail(document(document_items=[one]))
    )


def test_costs_are_content_of_an_order() -> None:
    changed = order(document_items=[line(cost=13, price=0, quantity=4, tax=0)])
    assert edit_digest(detail(changed)) != edit_digest(detail(order()))
    assert edit_digest(detail(order(total_cost=51))) != edit_digest(detail(order()))


# Rows


def test_row_and_detail_of_one_state_show_the_same_however_they_write_it() -> None:
    row = {
        "id": INVOICE,
        "document_number": "5001",
        "context_id": "5",
        "customer_id": CUSTOMER,
        "name": "",
        "issue_date": "2026-03-02",
        "status": {"id": "9", "name": "Unpaid"},
        "total_cost": "0.00",
        "total_price": "196.00",
        "total_tax": "15.6800",
        "total_tax2": None,
        "total_transactions": "0",
        "modified": "2026-03-02T09:05:00+00:00",
        "document_items": [line(id="x", price="98.00", item=None)],
        "cache__customer_name": "Widgets",
    }
    seen, whole = read_row(wire(row), "invoice"), detail(document())
    assert (seen.mark, seen.header, seen.lines) == (whole.mark, whole.row_header, whole.row_lines)


@pytest.mark.parametrize(
    "changes",
    [
        {"total_transactions": 50},
        {"status": {"name": "partially paid"}},
        {"modified": "2026-03-02T09:05:01+00:00"},
        {"total_price": 1},
    ],
)
def test_a_row_that_shows_a_change_has_another_mark(changes: dict[str, Any]) -> None:
    assert read_row(wire(document(**changes)), "invoice").mark != detail(document()).mark


def test_a_receipt_of_part_shows_in_the_row() -> None:
    part = read_row(
        wire(order(document_items=[line(quantity=4, quantity_partially_received=1)])), "purchase_order"
    )
    none = read_row(wire(order(document_items=[line(quantity=4)])), "purchase_order")
    full = read_row(
        wire(order(document_items=[line(quantity=4, quantity_partially_received=4)])), "purchase_order"
    )
    assert part.receipts != none.receipts
    assert [part.received, none.received, full.received] == [False, False, True]


@pytest.mark.parametrize(
    ("row", "field"),
    [
        (7, "row"),
        ([], "row"),
        ({"id": ""}, "id"),
        ({"id": {"a": 1}}, "id"),
        (document(context_id=4), "context_id"),
        (document(context_id=11), "context_id"),
    ],
)
def test_a_row_that_names_no_invoice_is_one_problem(row: Any, field: str) -> None:
    with pytest.raises(Unreadable) as raised:
        read_row(row, "invoice")
    assert raised.value.field == field


def test_an_unreadable_sum_or_time_of_a_row_is_unknown() -> None:
    row = read_row(document(total_transactions="much", modified="soon", created=[]), "invoice")
    assert (row.total, row.modified, row.created) == (None, None, None)


# Accounts


def test_a_row_of_an_account_is_whole() -> None:
    row = read_account(wire(customer(office_number="604-555-0199")), "customer", ACCOUNT)
    assert row.id == CUSTOMER
    assert row.told["name"] == "Widgets & Co"
    assert row.told["customer_number"] == "101"
    assert row.told["office_number"] == "604-555-0199"
    assert row.told["office_fax"] == ""
    assert "shipping_city" not in row.told
    assert row.modified == datetime(2026, 3, 1, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    ("row", "field"),
    [
        ("Widgets", "record"),
        ([], "record"),
        (customer(id=None), "id"),
        (customer(name=None), "customer.name"),
        (customer(name=["a"]), "customer.name"),
        (customer(context_id=10), "customer.context_id"),
        (customer(context_id=8), "customer.context_id"),
        (customer(modified="soon"), "customer.modified"),
        (customer(billing_city={"a": 1}), "customer.billing_city"),
    ],
)
def test_an_account_that_cannot_be_read_is_one_problem_with_its_field(row: Any, field: str) -> None:
    with pytest.raises(Unreadable) as raised:
        read_account(row, "customer", ACCOUNT)
    assert raised.value.field == field
    assert raised.value.code == ("record_foreign" if field.endswith("context_id") else "record_unclear")


# The deleted log


def test_a_row_of_the_log_names_a_record_whatever_its_context() -> None:
    row = {"id": 12, "context_id": 4, "record_id": INVOICE, "created": "2026-03-05T10:00:00+00:00"}
    found = read_deletion(row)
    assert (found.record_id, found.created) == (INVOICE, datetime(2026, 3, 5, 10, tzinfo=UTC))
    assert read_deletion({"record_id": INVOICE, "created": "soon"}).created is None


@pytest.mark.parametrize("row", [7, [], {}, {"record_id": ""}, {"record_id": [1]}])
def test_a_row_of_the_log_that_names_nothing_is_one_problem(row: Any) -> None:
    with pytest.raises(Unreadable):
        read_deletion(row)
