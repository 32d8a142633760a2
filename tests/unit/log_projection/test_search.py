"""What a text in the search box means."""

from decimal import Decimal
from typing import Any

import pytest

from log_projection.search import amount, read


def meant(text: str) -> list[Any]:
    """The values that it is looked up by, in their order, without blanks."""
    return [value for value in read(text).parameters.values() if value != ""]


@pytest.mark.parametrize(
    ("written", "value"),
    [
        ("19.95", "19.95"),
        ("19,95", "19.95"),
        ("$19.95", "19.95"),
        ("1,234.50", "1234.50"),
        ("1.234,50", "1234.50"),
        ("1,234", "1234"),
        ("110", "110"),
        ("110€", "110"),
    ],
)
def test_an_amount_is_read_as_people_write_it(written: str, value: str) -> None:
    assert amount(written) == Decimal(value)


@pytest.mark.parametrize("written", ["", "#5024", "INV-5024", "19.95.1", "1e5", "9" * 20, "NaN", "-5"])
def test_what_is_no_amount(written: str) -> None:
    assert amount(written) is None


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ("müller gmbh", ["müller gmbh"]),
        ("#5024", ["#5024"]),
        ("INV 5024", ["5024", "inv", Decimal(5024), "inv"]),
        ("Invoices 19.95", ["19.95", "invoice", Decimal("19.95"), "invoice"]),
        ("10..20", [Decimal(10), Decimal(20)]),
        ("20 .. 10", [Decimal(10), Decimal(20)]),
        ("10..", [Decimal(10)]),
        ("..10", [Decimal(10)]),
        ("> 100", [Decimal(100)]),
        ("smith <=5", [Decimal(5), "smith"]),
        ("smith..", ["smith.."]),
        ("smith", ["smith"]),
        ('"account code"', ['"account code"']),
        ("3f0a", ["3f0a", "3f0a%", "3f0a%", "3f0a%"]),
        ("inv-5024", ["5024", "inv", "inv-5024%", "inv-5024%", "inv-5024%"]),
        ("123456789", ["123456789", Decimal(123456789), "123456789%", "123456789%", "12345678%"]),
    ],
)
def test_terms(text: str, values: list[Any]) -> None:
    assert meant(text) == values


def test_kinds_alone_are_found_by_their_columns() -> None:
    assert [way.as_string() for way in read("invoices").ways] == ["entity = 'invoice'"]
    found = [way.as_string() for way in read("customer payments").ways]
    assert found == ["entity = 'customer' AND action = 'payment_applied'"]


@pytest.mark.parametrize("text", ["", " ", "---", "'\"!&|()", "\0", "..", "<", ">="])
def test_what_holds_no_word_finds_nothing(text: str) -> None:
    assert read(text).ways == ()


@pytest.mark.parametrize(
    "text",
    ["a" * 10_000, "1 " * 5_000, "> 1 " * 900, "x:* & !y | (z <-> w)", "\udce4", "%_\\", "'; DROP TABLE x"],
)
def test_nothing_is_an_error(text: str) -> None:
    found = read(text)
    assert len(found.ways) <= 8
    for value in found.parameters.values():
        str(value).encode()
