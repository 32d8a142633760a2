"""The shop's goods, and the names, places, taxes and ways of paying that its day is made of."""

import base64
import json
from dataclasses import dataclass, field
from random import Random
from typing import Final

from .books import Record

TAX_RATES: Final = {
    "8": ("OUTPUT", "INPUT"),
    "8+5": ("TAX001", "TAX002"),
    "5": ("TAX003", "TAX004"),
    "12.5": ("TAX005", "TAX006"),
}
"""Rates in per cent to the fake Xero's tax types for sales and for purchases. 0 needs no entry."""
UNMAPPED_RATE: Final = "15"
"""A rate for which nobody set a tax type, though the fake Xero has one: ``OUTPUT2``."""
TAXES: Final = [("8", "0"), ("8", "0"), ("8", "0"), ("8", "5"), ("5", "0"), ("12.5", "0"), ("0", "0")]
"""Tax and tax2, the usual ones more often."""

PAYMENT_ACCOUNTS: Final = {"": "090", "Cash": "091"}
"""Ways of paying to accounts of the fake Xero; ``""`` means all others."""
METHODS: Final = ["Cash", "Credit Card 9008", "Bank transfer", "Cheque 1181"]

SHELF_PLACE: Final = "Aisle 4"
"""A custom field that is not published: no document shows it."""

DISCOUNTS: Final = ["0", "0", "0", "0", "5", "10", "12.5"]
NAMES: Final = [
    "Widgets",
    "Northside",
    "Harbour",
    "Café Élan",
    "Baker & Sons",
    "Blue Door",
    "Summit",
    "O'Neill",
    "Fjord",
]
TRADES: Final = ["Hardware", "Interiors", "Builders", "Cleaning", "Events", "Logistics", "Studio", "Gardens"]
CITIES: Final = [("Vancouver", "BC", "V5K 0A1"), ("Burnaby", "BC", "V5H 1A1"), ("Seattle", "WA", "98101")]


@dataclass(frozen=True)
class Goods:
    """A stock item, or without ``sku`` a service. Prices as SalesBinder writes them."""

    name: str
    sku: str
    price: str
    cost: str
    quantities: tuple[str, ...] = ("1", "2", "3", "7", "12")
    kind: str = ""
    """Its published custom field ``Range``."""
    description: str = ""
    variations: dict[str, tuple[str, ...]] = field(default_factory=dict)
    serial: bool = False


SHIRT: Final = Goods(
    "Work Shirt",
    "SHIRT",
    "38.50",
    "17.20",
    kind="apparel",
    variations={"Size": ("S", "M", "L"), "Colour": ("Red", "Navy")},
)
PAINT: Final = Goods("Paint, White", "PAINT", "9.35", "4.1125", ("0.5", "2.5", "7.25"), kind="paint")
DRILL: Final = Goods("Cordless Drill 18V", "DRILL", "219.99", "141.00", ("1", "2"), kind="tools", serial=True)
BOLT: Final = Goods("Hex Bolt M8", "BOLT-M8", "0.33", "0.1234", ("50", "144", "1000"), kind="hardware")
SHELF: Final = Goods("Oak Shelf", "SHELF", "74.95", "40.00", kind="furniture")
LAMP: Final = Goods("LED Lamp", "LAMP", "18.90", "9.95", kind="electrical")
FITTING: Final = Goods("Fitting", "", "95.00", "0", ("0.5", "1.25", "2"), description="On site, by the hour")
DELIVERY: Final = Goods("Delivery", "", "25.00", "0", ("1",))
VOUCHER: Final = Goods("Voucher", "", "-15.00", "0", ("1",), description="Thank you for your patience")
GOODS: Final = [
    SHIRT,
    PAINT,
    DRILL,
    BOLT,
    SHELF,
    LAMP,
    Goods("Steel Toe Boots", "BOOT", "129.00", "68.30", kind="apparel", variations={"Size": ("41", "43")}),
    Goods("Wood Screw 4x40", "SCREW", "0.07", "0.0211", ("3", "200"), kind="hardware"),
    Goods("Garden Hose", "HOSE", "1.62", "0.80", ("12.5", "20"), kind="garden"),
]
SERVICES: Final = [FITTING, DELIVERY]


def line(
    goods: Goods,
    line_id: str,
    item_id: str,
    chance: Random,
    *,
    taxes: tuple[str, str] | None = None,
    discount: str | None = None,
    buying: bool = False,
) -> Record:
    """Return a line of an invoice, or with ``buying`` of a purchase order, as SalesBinder writes it."""
    tax, tax2 = taxes or chance.choice(TAXES)
    chosen = {name: chance.choice(values) for name, values in goods.variations.items()}
    packed = json.dumps({"ItemVariation": chosen}).encode()
    return {
        "id": line_id,
        "item_id": item_id if goods.sku else None,
        "name": None if goods.sku else goods.name,
        "description": goods.description,
        "quantity": chance.choice(goods.quantities),
        "price": goods.price,
        "cost": goods.cost if buying else "0",
        "discount_percent": discount or chance.choice(DISCOUNTS),
        "tax": tax,
        "tax2": tax2,
        "item": _item(goods, line_id) if goods.sku else None,
        "item_variation_data": base64.b64encode(packed).decode() if chosen else None,
    }


def texts(written: Record) -> set[str]:
    """Return the texts that the line in Xero must have for a line of SalesBinder."""
    item = written["item"] or {}
    said = [written["name"], written["description"], item.get("name"), item.get("sku")]
    said += [item.get("serial_number"), *(d["value"] for d in item.get("item_details", ()))]
    if written["item_variation_data"]:
        said += json.loads(base64.b64decode(written["item_variation_data"]))["ItemVariation"].values()
    return {text for text in said if text and text != SHELF_PLACE}


def _item(goods: Goods, line_id: str) -> Record:
    return {
        "name": goods.name,
        "sku": goods.sku,
        "serial_number": f"SN-{line_id[:6].upper()}" if goods.serial else "",
        "item_details": [
            {"value": SHELF_PLACE, "custom_field": {"name": "Place", "weight": 1, "publish": False}},
            {"value": "2 years", "custom_field": {"name": "Warranty", "weight": 3, "publish": True}},
            {"value": goods.kind, "custom_field": {"name": "Range", "weight": 2, "publish": True}},
        ],
    }
