"""Which number counts, case by case, with the right values by hand."""

import hashlib
import time
from dataclasses import replace
from decimal import Decimal
from typing import Any

import msgspec
import pytest

from contracts.commands import Line
from contracts.reasons import Refused
from sinks.resolve import ResolvedDocument, resolve_invoice, resolve_order
from sinks.resolve.posted import AS_BEFORE
from tests.unit.resolve.books import FACTS, SETTINGS, invoice, line, settings, xero_books

RATES = settings(
    sales_tax={"0": "NONE", "8": "OUTPUT", "8.1": "TAX081", "12.5": "OUTPUT2", "15": "TAX15", "8+5": "TAX013"}
)


def sale(*lines: Line, settings: Any = RATES, link: Any = None, **totals: str) -> ResolvedDocument:
    given = {name: Decimal(amount) for name, amount in totals.items()}
    return resolve_invoice(invoice(*lines, **{"tax2": Decimal(0), **given}), settings, FACTS, "acme", link)


def order(*lines: Line, **totals: str) -> ResolvedDocument:
    given = {name: Decimal(amount) for name, amount in totals.items()}
    return resolve_order(invoice(*lines, kind="purchase_order", tax2=Decimal(0), **given), SETTINGS, FACTS)


def refused(*lines: Line, **other: Any) -> Refused:
    with pytest.raises(Refused) as caught:
        sale(*lines, **other)
    return caught.value


def codes(resolved: ResolvedDocument) -> list[str]:
    return [each.code for each in resolved.warnings]


def tax_types(resolved: ResolvedDocument) -> list[str]:
    return [item["TaxType"] for item in resolved.body["LineItems"]]


def money(resolved: ResolvedDocument) -> tuple[str, ...]:
    return tuple(str(amount) for amount in xero_books(resolved.body))


def facts_of(resolved: ResolvedDocument) -> dict[str, Any]:
    """As a link keeps them: JSON."""
    facts = {"amounts": resolved.amounts_fingerprint, "money": resolved.posted}
    return dict(msgspec.json.decode(msgspec.json.encode(facts)))


# Rates


@pytest.mark.parametrize(
    ("rate", "net", "tax", "tax_type"),
    [
        ("8.0997", "12.84", "1.04", "TAX081"),  # 1.04 / 12.84
        ("8.1081", "9.99", "0.81", "TAX081"),  # 0.81 / 9.99
        ("14.9963", "13.47", "2.02", "TAX15"),  # 2.02 / 13.47
        ("8.3333", "0.12", "0.01", ""),  # 8, 8.1 and 12.5 all make 0.01 of it
        ("12.4998", "1000", "125", "OUTPUT2"),
    ],
)
def test_noise_takes_the_one_rate_that_comes_out(rate: str, net: str, tax: str, tax_type: str) -> None:
    if not tax_type:
        assert refused(line("1", net, tax_rate=rate), subtotal=net, tax=tax).code == "tax_rate_unmapped"
        return
    resolved = sale(line("1", net, tax_rate=rate), subtotal=net, tax=tax)
    assert (tax_types(resolved), codes(resolved)) == ([tax_type], ["tax_rate_inferred"])
    assert resolved.total == Decimal(net) + Decimal(tax)


@pytest.mark.parametrize(
    ("rate", "net", "tax"),
    [
        ("7.75", "0.10", "0.01"),  # a multiple of 0.25 is what somebody meant
        ("8.25", "0.10", "0.01"),
        ("0.0004", "10", "0"),  # the document has no tax
        ("0.04", "10", "0.00"),
        (
            "8.1004",
            "1000",
            "81.00",
        ),  # half a cent explains 0.0005 and the 0.0001 of rounding, and is not meant
        ("7.9", "100", "7.90"),
        ("8.2", "100", "8.10"),
    ],
)
def test_what_is_no_noise_is_unmapped(rate: str, net: str, tax: str) -> None:
    if rate == "8.1004":
        assert codes(sale(line("1", net, tax_rate=rate), subtotal=net, tax=tax)) == ["tax_rate_inferred"]
        rate = "8.1007"
    assert refused(line("1", net, tax_rate=rate), subtotal=net, tax=tax).code == "tax_rate_unmapped"


def test_a_multiple_of_a_quarter_is_what_somebody_meant() -> None:
    only = settings(sales_tax={"8": "OUTPUT", "8+5": "TAX013"})
    noise = sale(line("1", "1", tax_rate="8.2"), settings=only, subtotal="1", tax="0.08")
    assert tax_types(noise) == ["OUTPUT"]
    meant = line("1", "1", tax_rate="8.25")
    assert refused(meant, settings=only, subtotal="1", tax="0.08").code == "tax_rate_unmapped"
    second = line("1", "1", tax_rate="8.2", tax2_rate="4.75")
    assert refused(second, settings=only, subtotal="1", tax="0.08", tax2="0.05").code == "tax_rate_unmapped"
    both = line("1", "1", tax_rate="8.2", tax2_rate="5.1")
    assert tax_types(sale(both, settings=only, subtotal="1", tax="0.08", tax2="0.05")) == ["TAX013"]


def test_mapped_lines_keep_their_rates_and_all_others_take_one() -> None:
    lines = [line("1", "100", tax_rate="15", line_id="a"), line("1", "12.84", tax_rate="8.0997", line_id="b")]
    lines.append(line("1", "9.99", tax_rate="8.1081", line_id="c"))
    resolved = sale(*lines, subtotal="122.83", tax="16.85")
    assert tax_types(resolved) == ["TAX15", "TAX081", "TAX081"]
    assert money(resolved) == ("122.83", "16.85", "139.68")


def test_without_a_total_of_tax_nothing_is_inferred() -> None:
    document = invoice(line("1", "12.84", tax_rate="8.0997"), subtotal=Decimal("12.84"))
    with pytest.raises(Refused, match=r"8\.0997"):
        resolve_invoice(document, RATES, FACTS, "acme")


def test_keys_of_more_decimals_are_found() -> None:
    precise = settings(sales_tax={"8.09975": "TAX081"})
    for rate in ("8.09975", "8.0998", "8.099750000000001"):
        assert tax_types(sale(line("1", "1", tax_rate=rate), settings=precise)) == ["TAX081"]


# Readings


def test_the_first_exact_reading_then_the_first_that_is_near() -> None:
    def part(**changes: str) -> Line:
        numbers = {name: Decimal(value) for name, value in changes.items()}
        return msgspec.structs.replace(line("100", "9.99", discount_percent="15", tax_rate="8"), **numbers)

    net_price = part(discounted_price="8.49")
    assert money(sale(net_price, subtotal="849", tax="67.92")) == ("849.00", "67.92", "916.92")
    assert sale(net_price, subtotal="849", tax="67.92").posted.reading == "discounted_price"
    assert sale(net_price, subtotal="849.15", tax="67.93").posted.reading == "price"
    assert sale(net_price, subtotal="849.16", tax="67.93").posted.reading == "price"  # near
    assert sale(net_price).posted.reading == "price"  # no totals
    bought = part(unit_amount="0", price="9.99")
    assert order(bought, subtotal="849.15", tax="67.93").posted.reading == "price"
    assert codes(order(bought, subtotal="849.15", tax="67.93")) == ["amount_from_price"]
    cost = part(unit_amount="5", price="9.99")
    assert order(cost, subtotal="425", tax="34").posted.reading == "cost"
    assert codes(order(cost, subtotal="849.15", tax="67.93")) == []


def test_a_mismatch_names_what_was_tried() -> None:
    bought = msgspec.structs.replace(
        line("2", "30", tax_rate="8"), price=Decimal(50), discounted_price=Decimal(45)
    )
    with pytest.raises(Refused) as caught:
        order(bought, subtotal="70", tax="5.60")
    assert caught.value.code == "total_mismatch"
    assert caught.value.details["tried"] == (
        "cost less discount_percent gives 60.00 and 4.80 of tax; "
        "price less discount_percent gives 100.00 and 8.00 of tax; "
        "discounted_price gives 90.00 and 7.20 of tax"
    )


# Cents


def test_cents_of_tax_go_to_the_rate_whose_sum_differs() -> None:
    """8 %: 3 x 0.333 = 0.99 in Xero with 0.03 x 3 = 0.09; 0.999 at 8 % is 0.08. 15 %: 100, 15.00."""
    lines = [line("1", "100", tax_rate="15", line_id="big")]
    lines += [line("1", "0.333", tax_rate="8", line_id=f"l{n}") for n in range(3)]
    resolved = sale(*lines, subtotal="101.00", tax="15.08")
    items = resolved.body["LineItems"]
    assert [str(item.get("TaxAmount")) for item in items] == ["15.00", "0.02", "0.03", "0.03", "None"]
    assert str(items[-1]["UnitAmount"]) == "0.01"
    assert money(resolved) == ("101.00", "15.08", "116.08")


def test_lines_of_less_than_a_cent_have_their_tax() -> None:
    """Each is 0.00 in Xero: all of the net is a rounding line, and the tax stands on a taxed line."""
    lines = [line("1", "0.004", tax_rate="15", line_id=f"l{n}") for n in range(100)]
    assert money(sale(*lines, subtotal="0.40", tax="0.06")) == ("0.40", "0.06", "0.46")


def test_what_was_posted_before_keeps_its_cents() -> None:
    """Three lines of 0.335 at 8 %: Xero 1.02 and 0.09, SalesBinder 1.01 and 0.08, so 0.02 less tax then."""
    lines = [line("1", "0.335", tax_rate="8", line_id=f"l{n}") for n in range(3)]
    as_then = [["1", "0.335", "0", "OUTPUT", tax] for tax in ("0.01", "0.03", "0.03")]
    posted = msgspec.json.encode(["USD", as_then])
    link = {"amounts": hashlib.sha256(posted).hexdigest()}
    resolved = sale(*lines, link=link)
    assert resolved.amounts_fingerprint == link["amounts"]
    assert resolved.posted.reading == AS_BEFORE
    again = sale(*lines, link=facts_of(resolved), settings=replace(RATES, rounding_account="200"))
    assert again.amounts_fingerprint == link["amounts"]
    assert money(sale(*lines, line("1", "1", tax_rate="8", line_id="x"), link=facts_of(resolved))) == (
        "2.01",
        "0.16",
        "2.17",
    )


def test_it_keeps_reading_rate_and_rounding_as_posted() -> None:
    lines = [line("1", "0.335", line_id=f"l{n}") for n in range(3)]
    first = sale(*lines)
    since = replace(RATES, rounding_account="200", rounding_tax="ZERO")
    kept = sale(*lines, settings=since, link=facts_of(first))
    assert kept.fingerprint == first.fingerprint
    assert sale(*lines, settings=since).fingerprint != first.fingerprint
    other = [*lines[:2], line("2", "0.335", line_id="l2")]
    assert sale(*other, settings=since, link=facts_of(first)).body["LineItems"][-1]["AccountCode"] != "860"


def test_a_tax_type_of_another_rate_since_is_no_rounding() -> None:
    first = sale(line("1", "100", tax_rate="8"), subtotal="100", tax="8")
    since = replace(RATES, sales_tax={"8": "OUTPUT2"})
    with pytest.raises(Refused) as caught:
        sale(line("1", "100", tax_rate="8"), subtotal="100", tax="8", settings=since, link=facts_of(first))
    assert caught.value.code == "total_mismatch"


def test_a_rounding_line_with_a_tax_type_that_has_a_rate_is_sent_without_tax() -> None:
    lines = [line("1", "0.335", line_id=f"l{n}") for n in range(3)]
    resolved = sale(*lines, settings=replace(RATES, rounding_tax="OUTPUT"))
    assert (tax_types(resolved)[-1], money(resolved)) == ("OUTPUT", ("1.01", "0.00", "1.01"))


# Size


def test_three_thousand_lines_are_fast() -> None:
    lines = [line("3", "19.989999", tax_rate="8.099999999", line_id=f"l{n}") for n in range(3000)]
    begun = time.process_time()
    resolved = sale(*lines)
    assert time.process_time() - begun < 3
    assert money(resolved) == ("179909.99", "14572.71", "194482.70")


@pytest.mark.parametrize(
    ("quantity", "price", "fits"),
    [("1", "9999999999.99", True), ("1", "10000000000", False), ("-1", "10000000000", False)],
)
def test_a_line_of_more_than_xero_holds_is_refused(quantity: str, price: str, fits: bool) -> None:
    lines = [line(quantity, price), line("1", "9000000000"), line("1", "9000000000", line_id="l3")]
    if fits:
        assert sale(*lines).total == Decimal("27999999999.99")
        return
    assert refused(*lines).details["limit"] == "9999999999.99"


# Commands of earlier versions


def test_commands_of_earlier_versions_decode_and_come_to_the_same() -> None:
    raw = (
        b'{"line_id":"l1","description":"Shirt","quantity":"2","unit_amount":"50","discount_percent":"0",'
        b'"tax_rate":"8","tax2_rate":"0"}'
    )
    old = msgspec.json.decode(raw, type=Line)
    assert (old.price, old.discounted_price) == (None, None)
    assert money(sale(old, subtotal="100", tax="8")) == ("100.00", "8.00", "108.00")
