"""Invoices as Xero is sent them: totals to the cent, and everything that Xero cannot hold."""

import json
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from contracts.commands import Line
from contracts.events.reader import event_to_kafka, read_event
from contracts.reasons import Refused
from mappers import to_command
from sinks.resolve import EMPTY_LINE_ID, ROUNDING_LINE_ID, ResolvedDocument, resolve_invoice
from tests.unit.resolve.books import FACTS, SETTINGS, facts, invoice, line, settings, xero_books

EXAMPLES = Path(__file__).parents[3].parent / "shared" / "examples" / "events.jsonl"
# By hand: 2 x 98.00 + 0.5 x 120.00 = 256.00, 8 % 20.48; bolts 3 x (3 x 0.33 less 10 %) = 2.673, 8 % 0.21384.
HAND_CHECKED = {
    ("5001", "created"): ("256.00", "20.48", "276.48"),
    ("5002", "created"): ("2.67", "0.21", "2.88"),
    ("5002", "edited"): ("3.17", "0.25", "3.42"),
    ("5003", "created"): ("196.00", "15.68", "211.68"),
    ("4900", "edited"): ("196.00", "15.68", "211.68"),
}


def resolve(*lines: Line, settings: Any = SETTINGS, facts: Any = FACTS, **other: Any) -> ResolvedDocument:
    return resolve_invoice(invoice(*lines, **other), settings, facts, "acme")


def refused(*lines: Line, **other: Any) -> Refused:
    with pytest.raises(Refused) as caught:
        resolve(*lines, **other)
    return caught.value


def codes(resolved: ResolvedDocument) -> list[str]:
    return [each.code for each in resolved.warnings]


def items(resolved: ResolvedDocument) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = resolved.body["LineItems"]
    return found


def test_every_example_invoice_comes_to_its_hand_checked_totals() -> None:
    checked = set()
    for text in EXAMPLES.read_bytes().splitlines():
        event = read_event(*event_to_kafka(text))
        command = to_command(event, "salesbinder.invoices", 0, 0)
        if command.document is None or command.entity != "invoice":
            continue
        resolved = resolve_invoice(command.document, SETTINGS, FACTS, command.account)
        books = tuple(str(amount) for amount in xero_books(resolved.body))
        assert resolved.total == Decimal(books[2])
        assert resolved.total_tax == Decimal(books[1])
        if (command.record_number, command.action) in HAND_CHECKED:
            assert books == HAND_CHECKED[command.record_number, command.action]
            checked.add((command.record_number, command.action))
    assert checked == set(HAND_CHECKED)


def test_the_body_is_xeros_invoice() -> None:
    resolved = resolve(
        line("2", "98", tax_rate="8", description="Work Shirt\nSize: L"),
        line("0.5", "120.0000", tax_rate="8", description="Fitting", line_id="l2"),
        subtotal=Decimal(256),
        tax=Decimal("20.48"),
        tax2=Decimal(0),
        reference="Spring  order",
        settings=settings(invoice_number_format="SB-{number}"),
    )
    assert json.loads(msgspec.json.encode(resolved.body)) == json.loads(
        msgspec.json.encode(
            {
                "Type": "ACCREC",
                "InvoiceNumber": "SB-5001",
                "Reference": "Spring order",
                "Date": "2026-03-02",
                "DueDate": "2026-04-01",
                "CurrencyCode": "USD",
                "LineAmountTypes": "Exclusive",
                "Url": "https://acme.salesbinder.com/documents/view/d1",
                "LineItems": [
                    {
                        "ItemCode": "SB-ITEM",
                        "Description": "Work Shirt\nSize: L",
                        "Quantity": Decimal(2),
                        "UnitAmount": Decimal(98),
                        "AccountCode": "200",
                        "TaxType": "OUTPUT",
                        "DiscountRate": Decimal(0),
                        "TaxAmount": Decimal("15.68"),
                    },
                    {
                        "ItemCode": "SB-ITEM",
                        "Description": "Fitting",
                        "Quantity": Decimal("0.5"),
                        "UnitAmount": Decimal(120),
                        "AccountCode": "200",
                        "TaxType": "OUTPUT",
                        "DiscountRate": Decimal(0),
                        "TaxAmount": Decimal("4.80"),
                    },
                ],
            }
        )
    )
    assert resolved.line_ids == ("l1", "l2")
    assert (resolved.number, resolved.currency, resolved.warnings) == ("SB-5001", "USD", ())


@pytest.mark.parametrize(
    ("given_line", "sent"),
    [
        (line("3", "0.33", discount_percent="10"), ("3", "0.33", "10")),
        (line("1", "22.50", discount_percent="15"), ("1", "22.5", "15")),
        (line("1", "24.95", discount_percent="12.25"), ("1", "24.95", "12.25")),
        (line("-2", "5"), ("2", "-5", "0")),
        (line("2", "-5"), ("2", "-5", "0")),
        (line("-2", "5", discount_percent="10"), ("2", "-4.5", "0")),
        (line("3", "0.3333"), ("3", "0.3333", "0")),
        (line("3", "0.33333"), ("1", "1", "0")),
        (line("0.00001", "100000"), ("1", "1", "0")),
        (line("0", "7"), ("0", "7", "0")),
        (line("100", "1", discount_percent="12.345"), ("1", "87.66", "0")),
        (line("100", "2", discount_percent="12.345"), ("100", "1.7531", "0")),
        (line("1", "10", discount_percent="100"), ("1", "10", "100")),
        (line("2", "10", discount_percent="-10"), ("2", "11", "0")),
        (line("2", "10", discount_percent="150"), ("2", "-5", "0")),
        (line("123456789.1234", "1"), ("1", "123456789.12", "0")),
    ],
)
def test_quantities_prices_and_discounts_take_a_form_that_xero_holds(
    given_line: Line, sent: tuple[str, str, str]
) -> None:
    filler = line("1", "100", line_id="l0")
    item = items(resolve(filler, given_line))[1]
    assert (item["Quantity"], item["UnitAmount"], item["DiscountRate"]) == tuple(map(Decimal, sent))


def test_a_line_sent_as_one_names_its_quantity_and_says_so() -> None:
    resolved = resolve(line("7", "0.142857"))
    assert items(resolved)[0]["Description"] == "Shirt\nQuantity: 7"
    assert items(resolved)[0]["UnitAmount"] == Decimal(1)
    assert codes(resolved) == ["line_as_one"]


def test_a_long_text_is_cut_and_keeps_the_quantity() -> None:
    resolved = resolve(line("7", "0.142857", description="x" * 5000), line("1", "1", description=""))
    first, second = items(resolved)
    assert len(first["Description"]) == 4000
    assert first["Description"].endswith("x…\nQuantity: 7")
    assert second["Description"] == "-"
    assert codes(resolved) == ["line_as_one", "text_cut"]


def test_cents_go_to_the_tax_of_the_largest_taxed_line_by_absolute_net() -> None:
    # Xero's taxes are 0.80, -3.20 and 3.20, which makes 0.80; SalesBinder has a cent more.
    lines = (
        line("1", "10.06", tax_rate="8", line_id="a"),
        line("1", "-40.06", tax_rate="8", line_id="b"),
        line("1", "39.94", tax_rate="8", line_id="c"),
        line("1", "500", line_id="d"),
    )
    document = invoice(*lines, subtotal=Decimal("509.94"), tax=Decimal("0.81"), tax2=Decimal(0))
    resolved = resolve_invoice(document, SETTINGS, FACTS, "acme")
    assert [item.get("TaxAmount") for item in items(resolved)] == [
        Decimal("0.80"),
        Decimal("-3.19"),
        Decimal("3.20"),
        None,
    ]
    assert xero_books(resolved.body)[2] == Decimal("510.75")
    assert codes(resolved) == ["cents_moved"]


def test_cents_of_an_untaxed_document_get_a_line_of_their_own() -> None:
    resolved = resolve(line("1", "0.335"), line("1", "0.335", line_id="l2"), line("1", "0.335", line_id="l3"))
    last = items(resolved)[-1]
    assert resolved.line_ids == ("l1", "l2", "l3", ROUNDING_LINE_ID)
    assert (last["UnitAmount"], last["AccountCode"], last["TaxType"]) == (Decimal("-0.01"), "860", "NONE")
    assert "ItemCode" not in last
    assert xero_books(resolved.body)[2] == Decimal("1.01")


@pytest.mark.parametrize(
    ("total", "fits"), [("10.03", True), ("10.04", False), ("9.97", True), ("9.96", False)]
)
def test_more_than_lines_and_two_cents_is_a_mismatch(total: str, fits: bool) -> None:
    given_line = line("1", "10", tax_rate="8")
    document = {"subtotal": Decimal(total), "tax": Decimal("0.80")}
    if fits:
        assert resolve(given_line, **document).total == Decimal(total) + Decimal("0.80")
        return
    error = refused(given_line, **document)
    assert error.code == "total_mismatch"
    assert error.details == {
        "total": str(Decimal(total) + Decimal("0.80")),
        "xero_total": "10.80",
        "tried": "price less discount_percent gives 10.00 and 0.80 of tax",
    }


@pytest.mark.parametrize(("total", "fits"), [(None, True), ("0", True), ("0.01", False), ("50", False)])
def test_a_document_without_lines_has_one_of_nothing(total: str | None, fits: bool) -> None:
    document = {"subtotal": Decimal(total) if total else None}
    if not fits:
        assert refused(**document).code == "total_mismatch"
        return
    resolved = resolve(**document)
    assert resolved.line_ids == (EMPTY_LINE_ID,)
    assert (items(resolved)[0]["Description"], items(resolved)[0]["UnitAmount"]) == ("-", 0)
    assert resolved.total == 0


def test_lines_of_one_id_are_told_apart() -> None:
    assert resolve(line("1", "1"), line("1", "2"), line("1", "3")).line_ids == ("l1", "l1#2", "l1#3")


@pytest.mark.parametrize(
    ("code", "lines", "other", "details"),
    [
        ("total_negative", [line("-1", "5")], {}, {"total": "-5.00"}),
        ("tax_rate_unmapped", [line("1", "5", tax_rate="7")], {}, {"rate": "7", "setting": "sales_tax.7"}),
        (
            "tax_rate_unmapped",
            [line("1", "5", tax_rate="8", tax2_rate="7.50")],
            {},
            {"rate": "8+7.5", "setting": "sales_tax.8+7.5"},
        ),
        (
            "tax_type_unknown",
            [line("1", "5", tax_rate="8")],
            {"settings": settings(sales_tax={"8": "GONE"})},
            {"tax_type": "GONE", "setting": "sales_tax.8"},
        ),
        (
            "tax_type_unfit",
            [line("1", "5", tax_rate="8")],
            {"settings": settings(sales_tax={"8": "INPUT"})},
            {"tax_type": "INPUT", "setting": "sales_tax.8", "code": "200"},
        ),
        (
            "account_code_unknown",
            [line("1", "5")],
            {"settings": settings(sales_account="201")},
            {"code": "201", "setting": "sales_account"},
        ),
        (
            "account_code_archived",
            [line("1", "5")],
            {"settings": settings(sales_account="999")},
            {"code": "999", "setting": "sales_account"},
        ),
        (
            "account_code_unknown",
            [line("1", "0.335")] * 3,
            {"settings": settings(rounding_account="861")},
            {"code": "861", "setting": "rounding_account"},
        ),
        ("currency_not_enabled", [line("1", "5")], {"currency": "JPY"}, {"currency": "JPY"}),
        (
            "period_locked",
            [line("1", "5")],
            {"facts": facts(lock_date=date(2026, 3, 2))},
            {"date": "2026-03-02", "lock_date": "2026-03-02"},
        ),
    ],
)
def test_what_cannot_be_sent_is_refused_with_the_details_of_its_reason(
    code: str, lines: list[Line], other: dict[str, Any], details: dict[str, str]
) -> None:
    error = refused(*lines, **other)
    assert (error.code, error.details) == (code, details)


def test_two_taxes_have_one_tax_type() -> None:
    resolved = resolve(line("1", "100", tax_rate="8", tax2_rate="5"), tax=Decimal(8), tax2=Decimal(5))
    assert items(resolved)[0]["TaxType"] == "TAX013"
    assert xero_books(resolved.body) == (Decimal(100), Decimal(13), Decimal(113))


def test_a_tax_type_of_another_rate_is_a_mismatch_not_a_wrong_total() -> None:
    wrong = settings(sales_tax={"8": "OUTPUT2"})
    error = refused(line("1", "100", tax_rate="8"), tax=Decimal(8), settings=wrong)
    assert (error.details["total"], error.details["xero_total"]) == ("108.00", "112.50")


@pytest.mark.parametrize(
    ("named", "rate", "sent"),
    [
        (None, None, ("USD", None)),
        ("USD", Decimal("1.2"), ("USD", None)),
        ("EUR", Decimal("0.91234567"), ("EUR", Decimal("0.912346"))),
        ("EUR", None, ("EUR", None)),
    ],
)
def test_currency_and_rate(named: str | None, rate: Decimal | None, sent: tuple[str, Decimal | None]) -> None:
    body = resolve(line("1", "5"), currency=named, currency_rate=rate).body
    assert (body["CurrencyCode"], body.get("CurrencyRate")) == sent


def test_the_settings_currency_stands_for_none() -> None:
    assert resolve(line("1", "5"), settings=settings(currency="EUR")).currency == "EUR"


def test_a_locked_day_is_moved_with_the_due_date_that_is_counted_from_it() -> None:
    moving = {
        "settings": settings(locked_period="first_open_day"),
        "facts": facts(lock_date=date(2026, 3, 31)),
    }
    resolved = resolve(line("1", "5"), **moving)
    assert (resolved.body["Date"], resolved.body["DueDate"]) == ("2026-04-01", "2026-05-01")
    assert codes(resolved) == ["date_moved"]
    named = resolve(line("1", "5"), due_date=date(2026, 3, 9), **moving)
    assert named.body["DueDate"] == "2026-03-09"


@pytest.mark.parametrize(
    ("due", "lock", "told"),
    [
        (date(2026, 3, 1), None, True),
        (date(2026, 3, 2), None, False),
        (date(2026, 3, 20), date(2026, 3, 31), True),
        (None, date(2026, 3, 31), False),
    ],
)
def test_a_due_date_before_the_date_is_told(due: date | None, lock: date | None, told: bool) -> None:
    """One that SalesBinder gives stays as it is; one that we count is counted from the moved day."""
    moving = settings(locked_period="first_open_day")
    resolved = resolve(line("1", "100"), due_date=due, settings=moving, facts=facts(lock_date=lock))
    assert ("due_before_date" in codes(resolved)) is told
    if due is not None:
        assert resolved.body["DueDate"] == due.isoformat()


def test_the_day_after_the_lock_is_open() -> None:
    assert resolve(line("1", "5"), facts=facts(lock_date=date(2026, 3, 1))).body["Date"] == "2026-03-02"


def test_the_fingerprints_tell_texts_from_amounts() -> None:
    one = resolve(line("1", "5"))
    text = resolve(line("1", "5", description="Other"))
    price = resolve(line("1", "6"))
    assert one.fingerprint == resolve(line("1.0", "5.00")).fingerprint
    assert one.fingerprint != text.fingerprint
    assert one.amounts_fingerprint == text.amounts_fingerprint
    assert one.amounts_fingerprint != price.amounts_fingerprint
