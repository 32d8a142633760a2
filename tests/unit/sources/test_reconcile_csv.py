"""The comparison as a file for an accountant's spreadsheet."""

import csv
import io
from datetime import date
from decimal import Decimal
from typing import Any

import pytest

from sbx.actions.reconcile import CSV_COLUMNS, csv_lines

SIDE = {
    "number": "5001",
    "party": "Bolt & Co",
    "net": Decimal("-100.00"),
    "tax": Decimal("-8.00"),
    "total": Decimal("-108.00"),
    "paid": Decimal("0.00"),
    "refunded": None,
    "status": "AUTHORISED",
}


def row(**changes: Any) -> dict[str, Any]:
    given = {
        "month": "2026-03",
        "kind": "invoice",
        "number": "5001",
        "party": "Bolt & Co",
        "date": date(2026, 3, 2),
        "currency": "NZD",
        "salesbinder": SIDE,
        "expected": SIDE,
        "xero": None,
        "fields": ["document"],
        "reason": "failed",
        "text": "it failed",
        "remedy": "Retry it.",
        "salesbinder_url": "https://acme.salesbinder.com/documents/view/i1",
        "xero_url": "",
        "entry_id": "e1",
    }
    return given | changes


def read(*rows: dict[str, Any]) -> list[dict[str, str]]:
    return [*csv.DictReader(io.StringIO(csv_lines(rows), newline=""))]


def test_each_document_has_its_three_sides() -> None:
    (found,) = read(row())
    assert tuple(found) == CSV_COLUMNS
    assert (found["date"], found["salesbinder_total"], found["expected_net"]) == (
        "2026-03-02",
        "-108.00",
        "-100.00",
    )
    assert (found["xero_total"], found["xero_status"], found["expected_refunded"]) == ("", "", "")
    assert (found["differs_in"], found["reason"], found["what_to_do"]) == ("document", "failed", "Retry it.")


@pytest.mark.parametrize(
    "name", ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\rx", "\nx", "＝1+1", "＋1", "－1", "＠SUM(A1)"]
)
def test_no_cell_is_a_formula(name: str) -> None:
    (found,) = read(row(party=name, number=name, text=name, salesbinder={**SIDE, "party": name}))
    for cell in ("party", "number", "explanation", "salesbinder_party"):
        assert found[cell] == "'" + name
    assert found["salesbinder_total"] == "-108.00", "an amount is a number"


def test_quotes_and_line_ends_stay_in_their_cell() -> None:
    name = 'Bolt "& Co",\r\nLtd'
    (found,) = read(row(party=name))
    assert found["party"] == name
    assert csv_lines([row()]).count("\r\n") == 2
