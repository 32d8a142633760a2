"""Facts about lines, items, tax and rounding (reference §1.3, §1.7, §6)."""

from decimal import Decimal
from typing import Any

import pytest

from .client import Xero, bill, invoice, line, messages


def refused(xero: Xero, contact_id: str, **changes: Any) -> list[str]:
    return messages(xero.put("invoices", invoice(contact_id, line(**changes))))


def accepted(xero: Xero, contact_id: str, *lines: dict[str, Any], **changes: Any) -> Any:
    settings = {"unitdp": changes.pop("unitdp", 4)}
    found = xero.put("invoices", invoice(contact_id, *lines, **changes), **settings)
    assert found["StatusAttributeString"] == "OK", found
    return found


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({"Quantity": -2}, "The quantity value '-2.0000' is invalid. Quantity must not be less than zero."),
        ({"ItemCode": "NOPE"}, "Item code 'NOPE' is not valid"),
        ({"AccountCode": "999"}, "Account code '999' is not a valid code for this document."),
        ({"AccountCode": "090"}, "Account code '090' is not a valid code for this document."),
        ({"AccountCode": "610"}, "Account code '610' is not a valid code for this document."),
        ({"TaxType": "INPUT"}, "The TaxType code 'INPUT' cannot be used with account code '200'."),
        (
            {"TaxType": "TAX999"},
            "The TaxType code TAX999 does not exist or cannot be used for this type of transaction.",
        ),
        (
            {"UnitAmount": 10, "DiscountAmount": 27.83},
            "The discount rate '27.83' is invalid. Discount must not be greater than the line total.",
        ),
        ({"LineAmount": 99.99}, "The line total 99.99 does not match the expected line total 100.00"),
    ],
)
def test_xeros_texts_for_a_bad_line(xero: Xero, contact_id: str, changes: dict[str, Any], text: str) -> None:
    assert refused(xero, contact_id, **changes) == [text]


def test_descriptions_have_1_to_4000_characters(xero: Xero, contact_id: str) -> None:
    assert accepted(xero, contact_id, line(Description="x" * 4000))
    assert "4000" in refused(xero, contact_id, Description="x" * 4001)[0]
    assert "Description" in refused(xero, contact_id, Description="")[0]


def test_an_archived_account_is_refused(xero: Xero, contact_id: str) -> None:
    xero.admin.seed(xero.tenant_id, accounts=[{"Code": "260", "Status": "ARCHIVED"}])
    assert refused(xero, contact_id, AccountCode="260") == [
        "Account code '260' has been archived, or has been deleted. "
        "Each line item must reference a valid account."
    ]


def test_tax_is_worked_out_and_rounded_per_line_then_added(xero: Xero, contact_id: str) -> None:
    found = accepted(xero, contact_id, *[line(UnitAmount=0.19)] * 3)
    assert found["TotalTax"] == Decimal("0.06")  # 3 x 0.0152 -> 3 x 0.02; on the total it would be 0.05


def test_rounding_is_half_up(xero: Xero, contact_id: str) -> None:
    found = accepted(xero, contact_id, line(Quantity=0.5, UnitAmount=0.25))
    assert found["SubTotal"] == Decimal("0.13")


def test_unit_amounts_have_two_decimals_unless_unitdp_4(xero: Xero, contact_id: str) -> None:
    lines = [line(Quantity=10, UnitAmount=1.2345)]
    assert accepted(xero, contact_id, *lines, unitdp=4)["SubTotal"] == Decimal("12.35")
    assert accepted(xero, contact_id, *lines, unitdp=2)["SubTotal"] == Decimal("12.30")


def test_tax_amounts_can_be_overridden_but_not_at_rate_zero(xero: Xero, contact_id: str) -> None:
    found = accepted(xero, contact_id, line(TaxAmount=8.01), line(TaxType="NONE", TaxAmount=3))
    assert [part["TaxAmount"] for part in found["LineItems"]] == [Decimal("8.01"), 0]
    assert found["Total"] == Decimal("208.01")


def test_an_overridden_tax_survives_an_edit_of_the_text_only(xero: Xero, contact_id: str) -> None:
    found = accepted(xero, contact_id, line(TaxAmount=8.01))
    line_id = found["LineItems"][0]["LineItemID"]
    for change, tax in (({"Description": "b"}, "8.01"), ({"UnitAmount": 200}, "16.00")):
        lines = [{"LineItemID": line_id, **change}]
        changed = xero.update("invoices", found["InvoiceID"], {"LineItems": lines})
        assert str(changed["TotalTax"]) == tax


def test_inclusive_amounts_and_no_tax(xero: Xero, contact_id: str) -> None:
    found = accepted(xero, contact_id, line(UnitAmount=108), LineAmountTypes="Inclusive")
    assert (found["SubTotal"], found["TotalTax"], found["Total"]) == (100, 8, 108)
    assert accepted(xero, contact_id, LineAmountTypes="NoTax")["Total"] == 100


def test_discount_rate_comes_off_before_the_line_is_rounded(xero: Xero, contact_id: str) -> None:
    found = accepted(xero, contact_id, line(Quantity=3, UnitAmount=9.99, DiscountRate=12.5))
    assert found["SubTotal"] == Decimal("26.22")
    assert found["IsDiscounted"] is True


def test_bills_and_credit_notes_take_no_discount(xero: Xero, contact_id: str) -> None:
    lines = [line(AccountCode="300", TaxType="INPUT", DiscountRate=5)]
    assert "Discounts" in messages(xero.put("invoices", bill(contact_id, LineItems=lines)))[0]
    note = {"Type": "ACCRECCREDIT", "Contact": {"ContactID": contact_id}, "LineItems": [line(DiscountRate=5)]}
    assert "Discounts" in messages(xero.put("credit_notes", note))[0]


def test_a_negative_unit_amount_is_fine_while_the_total_is_not_negative(xero: Xero, contact_id: str) -> None:
    assert accepted(xero, contact_id, line(), line(UnitAmount=-79))["SubTotal"] == 21


def test_item_code_with_a_description_only_loses_the_item_code(xero: Xero, contact_id: str) -> None:
    xero.put("items", {"Code": "SB-ITEM"})
    text = {"ItemCode": "SB-ITEM", "Description": "only text"}
    found = accepted(xero, contact_id, line(), text)["LineItems"][1]
    assert "ItemCode" not in found and "Quantity" not in found


def test_what_a_line_leaves_out_comes_from_the_item(xero: Xero, contact_id: str) -> None:
    details = {"UnitPrice": 12.5, "AccountCode": "260", "TaxType": "OUTPUT2"}
    xero.put("items", {"Code": "A", "Description": "from the item", "SalesDetails": details})
    found = accepted(xero, contact_id, {"ItemCode": "A", "Quantity": 2})["LineItems"][0]
    assert (found["UnitAmount"], found["AccountCode"], found["TaxType"], found["Description"]) == (
        Decimal("12.5000"),
        "260",
        "OUTPUT2",
        "from the item",
    )


def test_tax_type_defaults_to_that_of_the_account(xero: Xero, contact_id: str) -> None:
    assert accepted(xero, contact_id, line(TaxType=None))["LineItems"][0]["TaxType"] == "OUTPUT"


def test_a_combined_tax_rate_is_one_rate(xero: Xero, contact_id: str) -> None:
    assert accepted(xero, contact_id, line(TaxType="TAX001"))["TotalTax"] == 13


def test_line_amount_alone_with_a_quantity_gives_the_unit_amount(xero: Xero, contact_id: str) -> None:
    found = accepted(xero, contact_id, line(Quantity=4, UnitAmount=None, LineAmount=10))["LineItems"][0]
    assert found["UnitAmount"] == Decimal("2.5")


def test_a_line_takes_two_tracking_categories_at_most(xero: Xero, contact_id: str) -> None:
    tracking = [{"Name": str(number), "Option": "x"} for number in range(3)]
    assert "tracking" in refused(xero, contact_id, Tracking=tracking)[0]


def test_an_existing_item_code_is_refused_by_put_and_updated_by_post(xero: Xero) -> None:
    item_id = xero.put("items", {"Code": "abc"})["ItemID"]
    assert messages(xero.put("items", {"Code": "abc"})) == ["Price List Item with Code 'abc' already exists"]
    assert xero.post("items", {"Code": "abc", "Name": "n"})["ItemID"] == item_id


@pytest.mark.parametrize(
    "element", [{"Code": "x" * 31}, {"Code": "a", "Name": "x" * 51}, {"Name": "no code"}]
)
def test_item_field_rules(xero: Xero, element: dict[str, Any]) -> None:
    assert messages(xero.put("items", element))


@pytest.mark.parametrize(
    ("changes", "part"),
    [
        ({"Quantity": 12345678901234, "UnitAmount": 0}, "too long"),
        ({"Quantity": 1, "UnitAmount": 10_000_000_000}, "too large"),
    ],
)
def test_quantities_and_line_amounts_have_an_end(
    xero: Xero, contact_id: str, changes: dict[str, Any], part: str
) -> None:
    assert part in refused(xero, contact_id, **changes)[0]


def test_what_a_line_says_overrides_its_item_and_its_account(xero: Xero, contact_id: str) -> None:
    details = {"UnitPrice": 12.5, "AccountCode": "260", "TaxType": "OUTPUT2"}
    xero.put("items", {"Code": "A", "SalesDetails": details})
    found = accepted(xero, contact_id, line(ItemCode="A", TaxType="NONE"))["LineItems"][0]
    assert (found["UnitAmount"], found["AccountCode"], found["TaxType"]) == (100, "200", "NONE")


def test_an_item_code_with_a_slash_is_found_in_the_list(xero: Xero) -> None:
    made = xero.put("items", {"Code": "A/B"})["ItemID"]
    assert xero.get("items", made)["Code"] == "A/B"
    assert [found["Code"] for found in xero.list("items")] == ["A/B"]
