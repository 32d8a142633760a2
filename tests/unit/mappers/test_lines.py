"""Descriptions and amounts of document lines."""

import base64
import json
from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.events.fields import decode_field
from contracts.events.records import DocumentItem
from mappers.lines import decode_variation, describe, to_line


def item(**fields: Any) -> DocumentItem:
    return msgspec.convert(
        {"id": "l1", "quantity": 1, "price": 1} | fields, DocumentItem, dec_hook=decode_field
    )


def packed(variation: Any) -> str:
    return base64.b64encode(json.dumps(variation).encode()).decode()


def detail(name: str | None, value: Any, weight: Any = None, publish: Any = True) -> dict[str, Any]:
    return {"value": value, "custom_field": {"name": name, "weight": weight, "publish": publish}}


def test_every_part_stands_on_a_line_of_its_own_in_order() -> None:
    described = describe(
        item(
            name=None,
            description="Long sleeve",
            variation={"Size": "L", "Colour": "Red"},
            item={
                "name": "Work Shirt",
                "sku": "WORK-SHIRT",
                "serial_number": "SN-1",
                "item_details": [
                    detail("Weave", "Twill", 3),
                    detail("Bin", "A-17", 1, publish=False),
                    detail("Fabric", "Cotton", 1),
                    detail("Fit", "Loose", 3),
                    detail("Blank", "", 0),
                ],
            },
        )
    )
    assert described.splitlines() == [
        "Work Shirt",
        "Long sleeve",
        "Size: L, Colour: Red",
        "SKU: WORK-SHIRT",
        "Serial number: SN-1",
        "Fabric: Cotton",
        "Weave: Twill",
        "Fit: Loose",
    ]


@pytest.mark.parametrize(
    ("fields", "described"),
    [
        ({}, ""),
        ({"name": "Fitting"}, "Fitting"),
        ({"name": "Fitting", "item": {"name": "Other"}}, "Fitting"),
        ({"name": " ", "item": {"name": "Other"}}, "Other"),
        ({"name": "Same", "description": "Same"}, "Same"),
        ({"description": "Two\r\nlines"}, "Two\nlines"),
        ({"name": "No\x00 con\x1btrol\ufffe"}, "No control"),
        ({"item": {"name": "A", "sku": 12, "serial_number": 0}}, "A\nSKU: 12\nSerial number: 0"),
        ({"item": {"name": "A", "item_details": [detail(None, 5)]}}, "A\n5"),
        ({"item": {"name": "A", "item_details": [{"value": "x"}, detail("B", "y", publish="0")]}}, "A"),
        ({"item": {"name": "A", "item_details": [detail("C", "z", publish=1)]}}, "A\nC: z"),
        ({"name": "A", "variation": []}, "A"),
        ({"name": "A", "variation": [], "item_variation_data": packed({"Size": "L"})}, "A\nSize: L"),
    ],
)
def test_descriptions(fields: dict[str, Any], described: str) -> None:
    assert describe(item(**fields)) == described


def test_the_variation_is_decoded_where_it_is_not_given() -> None:
    data = packed({"ItemVariation": {"Size": "L", "Colour": "Red"}})
    assert describe(item(name="A", item_variation_data=data)) == "A\nSize: L, Colour: Red"
    assert describe(item(name="A", item_variation_data=data, variation={"Size": "M"})) == "A\nSize: M"
    assert describe(item(name="A", item_variation_data=data.rstrip("="))) == "A\nSize: L, Colour: Red"


@pytest.mark.parametrize(
    "data", ["%%%", "abc", packed([1, 2]), packed("text"), "/////w==", 12, [], "eyJ", "x" * 9]
)
def test_an_unreadable_variation_is_left_out(data: object) -> None:
    assert describe(item(name="A", item_variation_data=data)) == "A"


@given(st.text() | st.binary().map(lambda raw: base64.b64encode(raw).decode()))
def test_no_variation_whatever_raises(data: str) -> None:
    assert isinstance(decode_variation(data), dict)


def test_amounts_of_an_invoice_line() -> None:
    line = to_line(
        item(quantity="0.5", price="120.0000", cost=7, discount_percent=10, tax="8.0", tax2=None), "invoice"
    )
    assert (line.quantity, line.unit_amount, line.discount_percent) == (
        Decimal("0.5"),
        Decimal(120),
        Decimal(10),
    )
    assert (line.tax_rate, line.tax2_rate) == (Decimal(8), Decimal(0))
    assert type(line.quantity) is type(line.unit_amount) is type(line.tax_rate) is Decimal


@pytest.mark.parametrize(("cost", "amount"), [(7, 7), (0, 0), (None, 12)])
def test_a_purchase_orders_unit_amount_is_its_cost_else_its_price(cost: int | None, amount: int) -> None:
    assert to_line(item(price=12, cost=cost), "purchase_order").unit_amount == amount
