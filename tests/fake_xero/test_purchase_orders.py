"""Facts about purchase orders (reference §1.4, §6). The transitions are the fake's own choice."""

from decimal import Decimal
from typing import Any

import pytest

from .client import Xero, line, messages


def order(contact_id: str, **changes: Any) -> dict[str, Any]:
    lines = [line(AccountCode="300", TaxType="INPUT")]
    return {"Contact": {"ContactID": contact_id}, "Date": "2026-03-02", "LineItems": lines, **changes}


def test_an_order_does_not_make_its_contact(xero: Xero) -> None:
    refused = xero.put("purchase_orders", order("", Contact={"Name": "New Supplier"}))
    assert messages(refused) == ["A Contact must be specified for this type of transaction"]


def test_an_order_takes_a_contact_number(xero: Xero, contact_id: str) -> None:
    made = xero.put("purchase_orders", order("", Contact={"ContactNumber": "sb-1"}))
    assert made["Contact"]["ContactID"] == contact_id


def test_numbers_are_made_and_unique(xero: Xero, contact_id: str) -> None:
    assert xero.put("purchase_orders", order(contact_id))["PurchaseOrderNumber"] == "PO-0001"
    refused = xero.put("purchase_orders", order(contact_id, PurchaseOrderNumber="PO-0001"))
    assert messages(refused) == ["Order number must be unique"]


def test_an_order_is_found_by_its_number(xero: Xero, contact_id: str) -> None:
    made = xero.put("purchase_orders", order(contact_id, PurchaseOrderNumber="7"))
    found = xero.api.get_purchase_order_by_number(xero.tenant_id, "7").purchase_orders[0]
    assert found.purchase_order_id == made["PurchaseOrderID"]


def test_unit_amounts_always_have_four_decimals(xero: Xero, contact_id: str) -> None:
    lines = [line(AccountCode="300", TaxType="NONE", Quantity=100, UnitAmount=0.1234)]
    assert xero.put("purchase_orders", order(contact_id, LineItems=lines))["Total"] == Decimal("12.34")


def test_only_discount_rates_are_taken(xero: Xero, contact_id: str) -> None:
    lines = [line(AccountCode="300", TaxType="NONE", DiscountRate=10)]
    assert xero.put("purchase_orders", order(contact_id, LineItems=lines))["Total"] == 90


def test_a_quantity_needs_a_unit_amount(xero: Xero, contact_id: str) -> None:
    lines = [line(AccountCode="300", TaxType="NONE", UnitAmount=None)]
    assert messages(xero.put("purchase_orders", order(contact_id, LineItems=lines)))


def test_sent_to_contact_on_a_draft_is_a_warning(xero: Xero, contact_id: str) -> None:
    made = xero.put("purchase_orders", order(contact_id, SentToContact=True))
    assert made["StatusAttributeString"] == "WARNING"
    assert made["Warnings"] == [
        {"Message": "Only AUTHORISED and BILLED purchase orders may have SentToContact updated."}
    ]


ALLOWED = {
    "DRAFT": {"DRAFT", "SUBMITTED", "AUTHORISED", "DELETED"},
    "SUBMITTED": {"SUBMITTED", "AUTHORISED", "DRAFT", "DELETED"},
    "AUTHORISED": {"AUTHORISED", "BILLED", "DELETED"},
    "BILLED": set(),
    "DELETED": set(),
}


@pytest.mark.parametrize("before", list(ALLOWED))
def test_the_transitions(xero: Xero, contact_id: str, before: str) -> None:
    for after in ALLOWED:
        first = {"BILLED": "AUTHORISED", "DELETED": "DRAFT"}.get(before, before)
        made = xero.put("purchase_orders", order(contact_id, Status=first))["PurchaseOrderID"]
        if first != before:
            xero.update("purchase_orders", made, {"Status": before})
        answer = xero.update("purchase_orders", made, {"Status": after})
        if after in ALLOWED[before]:
            assert answer["Status"] == after, (before, after)
        else:
            assert messages(answer) == ["Purchase Order not of valid status for modification"]


def test_orders_know_no_lock_dates(xero: Xero, contact_id: str) -> None:
    xero.admin.seed(xero.tenant_id, period_lock_date="2026-12-31")
    assert xero.put("purchase_orders", order(contact_id))["StatusAttributeString"] == "OK"


def test_orders_are_listed_by_status_and_date(xero: Xero, contact_id: str) -> None:
    for day, status in (("2026-03-01", "DRAFT"), ("2026-03-02", "AUTHORISED"), ("2026-03-09", "AUTHORISED")):
        xero.put("purchase_orders", order(contact_id, Date=day, Status=status))
    found = xero.list("purchase_orders", status="AUTHORISED", date_from="2026-03-02", date_to="2026-03-05")
    assert [part["DateString"] for part in found] == ["2026-03-02T00:00:00"]


def test_an_order_is_a_draft_unless_it_says_otherwise(xero: Xero, contact_id: str) -> None:
    assert xero.put("purchase_orders", order(contact_id))["Status"] == "DRAFT"


def test_billed_makes_no_bill(xero: Xero, contact_id: str) -> None:
    made = xero.put("purchase_orders", order(contact_id, Status="AUTHORISED"))["PurchaseOrderID"]
    assert xero.update("purchase_orders", made, {"Status": "BILLED"})["Status"] == "BILLED"
    assert xero.list("invoices") == []


def test_delivery_instructions_have_500_characters_at_most(xero: Xero, contact_id: str) -> None:
    assert messages(xero.put("purchase_orders", order(contact_id, DeliveryInstructions="x" * 501)))


def test_lines_with_an_id_are_updated_and_unlisted_ones_removed(xero: Xero, contact_id: str) -> None:
    lines = [line(Description=name, AccountCode="300", TaxType="INPUT") for name in ("a", "b")]
    made = xero.put("purchase_orders", order(contact_id, LineItems=lines, Reference="R"))
    kept = made["LineItems"][1]["LineItemID"]
    changed = xero.update(
        "purchase_orders",
        made["PurchaseOrderID"],
        {"LineItems": [{"LineItemID": kept, "Description": "c"}, lines[0]]},
    )
    assert [found["Description"] for found in changed["LineItems"]] == ["c", "a"]
    assert changed["LineItems"][0]["LineItemID"] == kept
    assert changed["LineItems"][1]["LineItemID"] != made["LineItems"][0]["LineItemID"]
    assert changed["Reference"] == "R"
    still = xero.update("purchase_orders", made["PurchaseOrderID"], {"Status": "AUTHORISED"})
    assert len(still["LineItems"]) == 2


def test_an_order_needs_a_currency_that_the_organisation_has(xero: Xero, contact_id: str) -> None:
    assert messages(xero.put("purchase_orders", order(contact_id, CurrencyCode="JPY"))) == [
        "Organisation is not subscribed to currency JPY"
    ]
