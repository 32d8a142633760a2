"""Facts about rows and details (reference §3; salesbinder.md §1.4 to §1.7)."""

from decimal import Decimal
from typing import Any

import pytest

from sandbox.fake_salesbinder import acts, seeding

from .conftest import TOTAL, Stage

ACCOUNT_FIELDS = [
    "id",
    "name",
    "customer_number",
    "office_email",
    "office_phone",
    "office_fax",
    "url",
    "billing_address_1",
    "billing_address_2",
    "billing_city",
    "billing_region",
    "billing_postal_code",
    "billing_country",
    "shipping_address_1",
    "shipping_address_2",
    "shipping_city",
    "shipping_region",
    "shipping_postal_code",
    "shipping_country",
    "created",
    "modified",
    "billing_region_id",
]
"""salesbinder.md §1.4."""
DOCUMENT_FIELDS = [
    "id",
    "document_number",
    "name",
    "context_id",
    "customer_id",
    "issue_date",
    "expiry_date",
    "date_sent",
    "status_id",
    "status",
    "context",
    "total_cost",
    "total_price",
    "total_tax",
    "total_tax2",
    "total_transactions",
    "created",
    "modified",
    "document_items",
    "customer",
    "user_id",
    "shipped_percent",
    "external_po_number",
    "associated_document_id",
    "custom_doc_number",
    "shipping_location",
    "public_note",
    "cache__customer_name",
]
"""salesbinder.md §1.5 and reference §3."""
LINE_FIELDS = [
    "id",
    "document_id",
    "item_id",
    "name",
    "description",
    "quantity",
    "quantity_partially_received",
    "price",
    "cost",
    "discount_percent",
    "discounted_price",
    "tax",
    "tax2",
    "weight",
    "unit_id",
    "service_category_id",
    "item_variations_location_id",
    "item_variation_data",
    "created",
    "modified",
    "quantity_partially_shipped",
]
"""salesbinder.md §1.6 and reference §3."""


def test_details_stand_under_a_singular_key(stage: Stage) -> None:
    """§3: `{"customer":{…}}`, `{"document":{…}}`."""
    assert list(stage.get(f"customers/{stage.customer}.json").json) == ["customer"]
    assert list(stage.get(f"documents/{stage.invoice()}.json").json) == ["document"]


def test_an_unknown_id_is_404(stage: Stage) -> None:
    """§8: "404 no such id"."""
    assert stage.get(f"documents/{stage.customer}.json").status == 404


def test_rows_of_accounts_have_all_fields_of_the_detail(stage: Stage) -> None:
    """§3: "Account rows in lists have all fields of the detail"."""
    row = stage.rows("customers.json", contextId=2)[0]
    assert row == stage.account(stage.customer)
    assert [name for name in ACCOUNT_FIELDS if name not in row] == []


def test_rows_of_accounts_may_lack_addresses() -> None:
    """§3: 85 % only."""
    stage = Stage(account_rows="partial")
    row = stage.rows("customers.json", contextId=2)[0]
    assert set(stage.account(stage.customer)) - set(row) == {
        name for name in ACCOUNT_FIELDS if "ing_" in name
    }


def test_blank_values_are_empty_texts(stage: Stage) -> None:
    """salesbinder.md §1.4: blank values appear as `""`."""
    assert stage.account(stage.customer)["billing_address_2"] == ""


@pytest.mark.parametrize(("setting", "shown"), [("shown", True), ("absent", False)])
def test_whether_accounts_tell_their_context_is_a_switch(setting: str, shown: bool) -> None:
    """salesbinder.md §1.4: the view sample omits `context_id`."""
    stage = Stage(account_context_id=setting)
    assert ("context_id" in stage.account(stage.customer)) == shown


@pytest.mark.parametrize("name", ["office_phone", "office_number"])
def test_the_name_of_the_phone_is_a_switch(name: str) -> None:
    """salesbinder.md §1.4, trap: field tables call the phone `office_number`."""
    stage = Stage(phone_name=name)
    acts.edit_party(stage.shop, stage.customer, office_phone="604")
    assert {key: value for key, value in stage.account(stage.customer).items() if value == "604"} == {
        name: "604"
    }


def test_a_detail_has_all_fields_and_a_row_no_transactions(stage: Stage) -> None:
    """§3: rows have "**No `transactions`**"; "Detail adds `transactions[]`, whole `customer`, `user`"."""
    invoice = stage.invoice()
    acts.pay(stage.shop, invoice, "5")
    row, detail = stage.rows("documents.json", contextId=5)[0], stage.detail(invoice)
    assert [name for name in DOCUMENT_FIELDS if name not in detail or name not in row] == []
    assert [name for name in LINE_FIELDS if name not in detail["document_items"][0]] == []
    assert "transactions" not in row
    assert row["total_transactions"] == detail["total_transactions"] == 5
    assert set(row["customer"]) == {"name", "customer_number"}
    assert detail["customer"] == stage.account(stage.customer)
    assert detail["transactions"][0]["amount"] == 5


def test_totals_of_the_samples(stage: Stage) -> None:
    """salesbinder.md §1.5: 2 × 98 = 196, tax 8 % = 15.68; 412.8 at 8 % is 33.02, rounded per document."""
    shown = stage.detail(stage.invoice())
    assert (shown["total_price"], shown["total_tax"], shown["total_tax2"]) == (196, 15.68, 0)
    lines = [{"name": "A", "quantity": 3, "price": "137.6", "tax": 8}]
    assert stage.detail(stage.invoice(lines=lines))["total_tax"] == 33.02


def test_tax_of_a_line_is_a_rate_and_of_the_document_an_amount(stage: Stage) -> None:
    """salesbinder.md §1.6, trap."""
    shown = stage.detail(stage.invoice(lines=[{"name": "A", "price": "100", "tax": 8, "tax2": 5}]))
    assert (shown["document_items"][0]["tax"], shown["document_items"][0]["tax2"]) == (8, 5)
    assert (shown["total_price"], shown["total_tax"], shown["total_tax2"]) == (100, 8, 5)


def test_discounted_price_is_0_without_discount(stage: Stage) -> None:
    """salesbinder.md §1.6, trap; discounts are per line."""
    lines = [{"name": "A", "price": "98"}, {"name": "B", "price": "50", "discount_percent": 10}]
    shown = stage.detail(stage.invoice(lines=lines))
    assert [line["discounted_price"] for line in shown["document_items"]] == [0, 45]
    assert shown["total_price"] == 143


def test_dates_are_midnight_utc_and_times_whole_seconds(stage: Stage) -> None:
    """§2: stamps are ISO with +00:00; §12.22: dates as midnight UTC."""
    shown = stage.detail(stage.invoice(issue_date="2016-10-06"))
    assert shown["issue_date"] == "2016-10-06T00:00:00+00:00"
    assert shown["modified"] == "2026-03-02T09:00:00+00:00"
    assert (shown["expiry_date"], shown["date_sent"]) == (None, None)


@pytest.mark.parametrize(
    ("setting", "total", "amount", "document_number"),
    [
        ("numbers", 211.5, 10.5, 1001),
        ("strings", "211.50", "10.50", "1001"),
        ("mixed", 211.5, "10.50", "1001"),
    ],
)
def test_numbers_are_a_switch(setting: str, total: Any, amount: Any, document_number: Any) -> None:
    """§3: "every production reader parses them as text or number"; §12.7."""
    stage = Stage(numbers=setting)
    invoice = stage.invoice(lines=[{"name": "A", "price": "211.50"}])
    acts.pay(stage.shop, invoice, "10.50")
    shown = stage.detail(invoice)
    found = (shown["total_price"], shown["transactions"][0]["amount"], shown["document_number"])
    assert found == (total, amount, document_number)


def test_noise_of_binary_fractions_is_below_a_millionth() -> None:
    stage = Stage(numbers="noisy")
    shown = stage.detail(stage.invoice())["total_tax"]
    assert shown != 15.68
    assert round(Decimal(repr(shown)), 6) == Decimal("15.68")


@pytest.mark.parametrize(("setting", "shown"), [("null", None), ("array", []), ("absent", "nothing")])
def test_empty_objects_are_a_switch(setting: str, shown: Any) -> None:
    """§1: a CakePHP application; PHP writes `[]` for an empty object."""
    stage = Stage(empty_object=setting)
    assert stage.detail(stage.invoice())["document_items"][0].get("item", "nothing") == shown


@pytest.mark.parametrize(("setting", "names"), [("whole", ["A", "B"]), ("partial", ["A"]), ("absent", None)])
def test_lines_of_rows_are_a_switch(setting: str, names: list[str] | None) -> None:
    """§3: "rows may be incomplete"; §12.8."""
    stage = Stage(row_lines=setting)
    invoice = stage.invoice(lines=[{"name": "A", "price": 1}, {"name": "B", "price": 2}])
    row = stage.rows("documents.json", contextId=5)[0]
    shown = row.get("document_items")
    assert (shown if shown is None else [line["name"] for line in shown]) == names
    assert len(stage.detail(invoice)["document_items"]) == 2


@pytest.mark.parametrize(
    ("setting", "in_row", "in_detail"), [("gone", 1, 1), ("in_rows", 2, 1), ("everywhere", 2, 2)]
)
def test_a_line_that_was_taken_out_is_a_switch(setting: str, in_row: int, in_detail: int) -> None:
    """§3: "`delete` (1: a line taken out; both imports skip such lines)"; §12.8."""
    stage = Stage(removed_lines=setting)
    invoice = stage.invoice(lines=[{"name": "A", "price": 1}, {"name": "B", "price": 2}])
    kept = acts.as_input(stage.shop.document(invoice).lines[0])
    acts.edit_document(stage.shop, invoice, lines=[kept])
    row, detail = stage.rows("documents.json", contextId=5)[0], stage.detail(invoice)
    assert (len(row["document_items"]), len(detail["document_items"])) == (in_row, in_detail)
    assert detail["total_price"] == row["total_price"] == 1
    assert all(line.get("delete") == 1 for line in row["document_items"] if line["name"] == "B")


@pytest.mark.parametrize(("setting", "in_detail"), [("whole", True), ("name", ["name"]), ("absent", None)])
def test_the_item_of_a_line_is_a_switch(setting: str, in_detail: Any) -> None:
    """§3: rows have lines "with `item{name}` in them"; §14 (10): `item` in lines of the detail."""
    stage = Stage(item_in_lines=setting)
    seeding.stock(stage.shop)
    invoice = stage.invoice(lines=[{"item_id": stage.shop.items[0].id, "price": 5}])
    line = stage.detail(invoice)["document_items"][0]
    assert (line["item_id"], line["name"]) == (stage.shop.items[0].id, None)
    row_item = stage.rows("documents.json", contextId=5)[0]["document_items"][0].get("item")
    if setting == "whole":
        assert line["item"]["item_details"] == [
            {"value": "Cotton", "custom_field": {"name": "Fabric", "weight": 1, "publish": True}}
        ]
    else:
        assert (list(line["item"]) if "item" in line else None) == in_detail
    assert row_item == (None if setting == "absent" else {"name": "Work Shirt"})


@pytest.mark.parametrize(
    ("setting", "extra"), [("whole", {"account_id", "created", "modified"}), ("bare", set())]
)
def test_fields_of_transactions(setting: str, extra: set[str]) -> None:
    """salesbinder.md §1.7: `transaction_date` comes back as ISO date-time; three fields more on POST."""
    stage = Stage(transaction_fields=setting)
    invoice = stage.invoice()
    acts.pay(stage.shop, invoice, "50", reference="Cash", paid_on="2026-02-27")
    row = stage.detail(invoice)["transactions"][0]
    assert set(row) == {"id", "document_id", "amount", "reference", "transaction_date"} | extra
    assert (row["document_id"], row["reference"]) == (invoice, "Cash")
    assert row["transaction_date"] == "2026-02-27T00:00:00+00:00"


@pytest.mark.parametrize(("setting", "where"), [("never", None), ("old", "old"), ("converted", "converted")])
def test_totals_without_rows_are_a_switch(setting: str, where: str | None) -> None:
    """§3: "details with a sum above zero and **no** transactions"; §12.17."""
    stage = Stage(total_without_rows=setting)
    lines = [{"name": "A", "price": 100}]
    old = acts.bring_old_invoice(
        stage.shop, stage.customer, lines, created="2024-01-02T10:00:00+00:00", paid=40
    )
    estimate = acts.create_document(stage.shop, "estimate", stage.customer, lines)
    converted = acts.convert_estimate(stage.shop, estimate, deposit=40)
    shown = {"old": stage.detail(old), "converted": stage.detail(converted)}
    assert {name: detail["total_transactions"] for name, detail in shown.items()} == {
        "old": 40,
        "converted": 40,
    }
    assert {name for name, detail in shown.items() if not detail["transactions"]} == (
        {where} if where else set()
    )
    assert shown["old"]["created"] == "2024-01-02T10:00:00+00:00"


@pytest.mark.parametrize(("setting", "cost", "price"), [("cost", 23, 0), ("price", 0, 23), ("both", 23, 23)])
def test_where_the_amount_of_an_order_stands_is_a_switch(setting: str, cost: int, price: int) -> None:
    """salesbinder.md §3 PO create/edit: "which of v2 `price`/`cost` is the PO amount is [U]"."""
    stage = Stage(order_amount=setting)
    shown = stage.detail(stage.order())
    assert (shown["total_cost"], shown["total_price"]) == (cost, price)
    line = shown["document_items"][0]
    assert (line["cost"], line["price"]) == (1.5 if cost else 0, 1.5 if price else 0)


@pytest.mark.parametrize(("setting", "name"), [("live", "Widgets Ltd"), ("as_saved", "Widgets & Co")])
def test_the_customer_of_a_document_is_a_switch(setting: str, name: str) -> None:
    """§7 customer of a document edited: "shows the new data at once; `modified` stays" (70 %)."""
    stage = Stage(nested_customer=setting)
    invoice = stage.invoice()
    assert not stage.moved(invoice, lambda shop, _: acts.edit_party(shop, stage.customer, name="Widgets Ltd"))
    assert stage.detail(invoice)["customer"]["name"] == name
    assert stage.detail(invoice)["cache__customer_name"] == "Widgets & Co"


def test_the_sum_of_rows_is_the_total(stage: Stage) -> None:
    """§3: "`total_transactions`: sum of amounts"."""
    invoice = stage.invoice()
    payment = acts.pay(stage.shop, invoice, TOTAL)
    acts.refund(stage.shop, invoice, payment, "11.68")
    shown = stage.detail(invoice)
    assert sum(row["amount"] for row in shown["transactions"]) == shown["total_transactions"] == 200
