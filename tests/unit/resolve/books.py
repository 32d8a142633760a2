"""A connection and an organisation to resolve against, and Xero's arithmetic stated on its own."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

from connections.facts import Account, OrganisationFacts, TaxRate
from connections.settings import Settings
from contracts.commands import ContactSnapshot, DocumentSnapshot, Line, TransactionSnapshot

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
BANK_ID = "13918178-849a-4823-9a31-57b7eac713d7"
SETTINGS = Settings(
    enabled_at=NOW,
    payment_account="090",
    payment_accounts={"credit card 9008": BANK_ID},
    sales_tax={"0": "NONE", "8": "OUTPUT", "8+5": "TAX013", "12.5": "OUTPUT2"},
    purchase_tax={"0": "NONE", "8": "INPUT"},
)
RATES = {
    "NONE": "0",
    "OUTPUT": "8",
    "TAX013": "13",
    "OUTPUT2": "12.5",
    "INPUT": "8",
    "TAX081": "8.1",
    "TAX15": "15",
    "TAX155": "15.5",
    "ZERO": "0",
}


def _account(code: str, kind: str, **other: Any) -> Account:
    fields: dict[str, Any] = {"account_id": f"id-of-{code}", "name": code, "status": "ACTIVE"} | other
    return Account(code=code, type=kind, **fields)


FACTS = OrganisationFacts(
    name="Demo",
    base_currency="USD",
    fetched_at=NOW,
    accounts=(
        _account("200", "REVENUE"),
        _account("300", "DIRECTCOSTS"),
        _account("860", "EXPENSE"),
        _account("090", "BANK", currency="USD"),
        _account("", "BANK", account_id=BANK_ID, currency="EUR"),
        _account("999", "REVENUE", status="ARCHIVED"),
    ),
    tax_rates={
        kind: TaxRate(
            tax_type=kind,
            name=kind,
            status="ACTIVE",
            can_apply_to_revenue=kind != "INPUT",
            can_apply_to_expenses=True,
            rate=Decimal(rate),
        )
        for kind, rate in RATES.items()
    },
    currencies=frozenset({"USD", "EUR"}),
)


def settings(**changes: Any) -> Settings:
    return replace(SETTINGS, **changes)


def facts(**changes: Any) -> OrganisationFacts:
    return replace(FACTS, **changes)


CONTACT = ContactSnapshot(side="customer", record_id="c1", name="Widgets", version=NOW, event_time=NOW)


def line(
    quantity: str,
    price: str,
    *,
    line_id: str = "l1",
    description: str = "Shirt",
    discount_percent: str = "0",
    tax_rate: str = "0",
    tax2_rate: str = "0",
) -> Line:
    return Line(
        line_id=line_id,
        description=description,
        quantity=Decimal(quantity),
        unit_amount=Decimal(price),
        discount_percent=Decimal(discount_percent),
        tax_rate=Decimal(tax_rate),
        tax2_rate=Decimal(tax2_rate),
    )


def invoice(*lines: Line, **other: Any) -> DocumentSnapshot:
    fields: dict[str, Any] = {
        "kind": "invoice",
        "record_id": "d1",
        "number": "5001",
        "contact": CONTACT,
        "issue_date": date(2026, 3, 2),
        "created": NOW,
        "version": NOW,
        "event_time": NOW,
        "lines": lines,
    } | other
    return DocumentSnapshot(**fields)


def payment(amount: str = "100", **other: Any) -> TransactionSnapshot:
    fields: dict[str, Any] = {
        "transaction_id": "eada30eb-e15a",
        "amount": Decimal(amount),
        "date": date(2026, 3, 2),
        "reference": "Cash",
        "mark": "#eada30eb",
    } | other
    return TransactionSnapshot(**fields)


def cents(amount: Decimal) -> Decimal:
    return amount.quantize(Decimal("0.01"), ROUND_HALF_UP)


LARGEST_LINE = Decimal("9999999999.99")
"""Of a line's amount. Source: Xero's page on invoices."""


def xero_books(body: Mapping[str, Any]) -> tuple[Decimal, Decimal, Decimal]:
    """Subtotal, tax and total as Xero makes them: it rounds every line and its tax to cents, then adds up.

    Quantity and price have four decimals, a discount two, and bills and credit notes take none. A tax amount
    of a rate of 0 counts for nothing.
    """
    subtotal = tax = Decimal(0)
    for item in body["LineItems"]:
        assert 0 <= item["Quantity"] == round(item["Quantity"], 4)
        assert item["UnitAmount"] == round(item["UnitAmount"], 4)
        assert "DiscountRate" not in item or body.get("Type") not in ("ACCPAY", "ACCRECCREDIT")
        discount = item.get("DiscountRate", Decimal(0))
        assert 0 <= discount == round(discount, 2) <= 100
        net = cents(item["Quantity"] * item["UnitAmount"] * (100 - discount) / 100)
        rate = Decimal(RATES[item["TaxType"]])
        subtotal += net
        tax += item.get("TaxAmount", cents(net * rate / 100)) if rate else 0
    return subtotal, tax, subtotal + tax
