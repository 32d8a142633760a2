"""What a result of Xero changes in what we know."""

from decimal import Decimal
from typing import Any

import pytest

from sinks.ledger.jobs import Job, apply
from sinks.xero.elements import Element, StepKey
from sinks.xero.responses import Result
from tests.unit.planner.pure import command, entry


@pytest.mark.parametrize(
    ("total", "tax", "told"),
    [
        ("10.80", "0.80", []),
        ("10.81", "0.80", ["the total is 10.81 in Xero and 10.80 in SalesBinder"]),
        ("10.80", "0.81", ["the tax is 0.81 in Xero and 0.80 in SalesBinder"]),
        ("10.80", None, []),
    ],
)
def test_totals_that_xero_answers_otherwise_are_told(total: str, tax: str | None, told: list[str]) -> None:
    link_facts = {"fingerprint": "f", "expected_total": Decimal("10.80"), "expected_tax": Decimal("0.80")}
    element = Element("invoices.create", "invoice", StepKey("invoice", "d1"), {}, link_facts=link_facts)
    found: dict[str, Any] = {"InvoiceID": "i1", "Status": "AUTHORISED", "Total": Decimal(total)}
    found |= {} if tax is None else {"TotalTax": Decimal(tax)}
    link = apply(element, Result("ok", (found,)), [Job(entry(command("created"), 1))], None)
    assert link is not None
    assert link.facts["warned"] == told
