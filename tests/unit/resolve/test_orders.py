"""Purchase orders and their bills as Xero is sent them."""

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from contracts.commands import DocumentSnapshot
from contracts.events.reader import event_to_kafka, read_event
from contracts.reasons import Refused
from mappers import to_command
from sinks.resolve import resolve_bill, resolve_order
from tests.unit.resolve.books import FACTS, SETTINGS, facts, invoice, line, settings, xero_books

EXAMPLES = Path(__file__).parents[3].parent / "shared" / "examples" / "events.jsonl"
DAY = date(2026, 3, 5)


def order(*lines: Any, **other: Any) -> DocumentSnapshot:
    return invoice(*lines, kind="purchase_order", record_id="4d5d469b-bcdb", number="701", **other)


def test_every_example_order_comes_to_its_hand_checked_totals() -> None:
    # By hand: 4 x 250.50 = 1002.00, 8 % of it 80.16.
    checked = 0
    for text in EXAMPLES.read_bytes().splitlines():
        command = to_command(read_event(*event_to_kafka(text)), "salesbinder.purchase-orders", 0, 0)
        if command.entity != "purchase_order" or command.document is None:
            continue
        for resolved in (
            resolve_order(command.document, SETTINGS, FACTS),
            resolve_bill(command.document, SETTINGS, FACTS, command.account, DAY),
        ):
            assert xero_books(resolved.body) == (Decimal("1002.00"), Decimal("80.16"), Decimal("1082.16"))
            assert resolved.total == Decimal("1082.16")
            checked += 1
    assert checked == 8


def test_the_body_is_xeros_purchase_order() -> None:
    resolved = resolve_order(
        order(line("4", "250.5", tax_rate="8", discount_percent="10"), reference="Spring"),
        settings(purchase_order_number_format="PO-{number}"),
        FACTS,
    )
    assert resolved.body == {
        "PurchaseOrderNumber": "PO-701",
        "Reference": "Spring #4d5d469b",
        "Date": "2026-03-02",
        "CurrencyCode": "USD",
        "LineAmountTypes": "Exclusive",
        "LineItems": [
            {
                "ItemCode": "SB-ITEM",
                "Description": "Shirt",
                "Quantity": Decimal(4),
                "UnitAmount": Decimal("250.5"),
                "AccountCode": "300",
                "TaxType": "INPUT",
                "DiscountRate": Decimal(10),
                "TaxAmount": Decimal("72.14"),
            }
        ],
    }


def test_the_bill_has_the_day_of_receipt_and_net_prices() -> None:
    resolved = resolve_bill(
        order(line("4", "250.5", tax_rate="8", discount_percent="10"), due_date=date(2026, 3, 9)),
        SETTINGS,
        FACTS,
        "acme",
        DAY,
    )
    (item,) = resolved.body["LineItems"]
    assert (item["Quantity"], item["UnitAmount"]) == (Decimal(4), Decimal("225.45"))
    assert "DiscountRate" not in item
    assert (resolved.body["Type"], resolved.body["InvoiceNumber"]) == ("ACCPAY", "701")
    assert (resolved.body["Date"], resolved.body["DueDate"]) == ("2026-03-05", "2026-04-04")
    assert resolved.body["Url"].endswith("/view/4d5d469b-bcdb")
    assert "Reference" not in resolved.body


def test_a_lock_date_stops_the_bill_but_not_the_order() -> None:
    locked = facts(lock_date=date(2026, 3, 31))
    document = order(line("1", "5"))
    assert resolve_order(document, SETTINGS, locked).body["Date"] == "2026-03-02"
    with pytest.raises(Refused) as caught:
        resolve_bill(document, SETTINGS, locked, "acme", DAY)
    assert caught.value.code == "period_locked"
    moved = resolve_bill(document, settings(locked_period="first_open_day"), locked, "acme", DAY)
    assert (moved.body["Date"], moved.body["DueDate"]) == ("2026-04-01", "2026-05-01")


def test_purchases_have_taxes_of_their_own() -> None:
    with pytest.raises(Refused) as caught:
        resolve_order(order(line("1", "5", tax_rate="12.5")), SETTINGS, FACTS)
    assert caught.value.details == {"rate": "12.5", "setting": "purchase_tax.12.5"}
