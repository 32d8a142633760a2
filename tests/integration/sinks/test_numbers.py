"""Which numbers count: floats, rates worked out from amounts, cost and price, cents, exchange rates."""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any

import pytest

from tests.integration.sinks.drifting import unexplained
from tests.integration.sinks.purchases import bills_in, happened, order, order_in
from tests.integration.sinks.shops import Maker, Shop


def thing(number: int, **fields: Any) -> dict[str, Any]:
    """A line as SalesBinder's API writes one."""
    zeros = {"cost": 0, "discount_percent": 0, "discounted_price": 0, "tax": 0, "tax2": 0}
    return {"id": f"l{number}", "name": f"Thing {number}", "quantity": 1, "price": 0, **zeros, **fields}


def sale(make: Maker, number: int, lines: Sequence[dict[str, Any]], net: Any, tax: Any, **more: Any) -> Any:
    totals = {"total_price": net, "total_tax": tax, "total_tax2": 0, "total_cost": 0}
    return make.document(
        make.customer(f"Shop {number}"), number, document_items=list(lines), **totals, **more
    )


def sums(document: dict[str, Any]) -> tuple[str, str, str]:
    return str(document["sub_total"]), str(document["total_tax"]), str(document["total"])


FIFTEEN = {"sales_tax__15": "TAX015", "purchase_tax__15": "TAX015"}


async def with_fifteen(books: Shop, **more: str) -> None:
    books.seed(tax_rates=[{"tax_type": "TAX015", "rate": "15"}, {"tax_type": "TAX081", "rate": "8.1"}])
    await books.settings(**FIFTEEN, **more)


async def test_noise_of_floats_counts_for_nothing(books: Shop, make: Maker) -> None:
    await with_fifteen(books, **{"sales_tax__8.1": "TAX081"})
    lines = [
        ([thing(1, quantity=3, price="19.989999999999998", tax=15)], "59.969999999999999", "9.0"),
        ([thing(1, price=100, tax="15.000000000000002")], 100, "15.000000000000002"),
        ([thing(1, price=100, tax="8.0999999999999996")], 100, "8.0999999999999996"),
        ([thing(1, quantity=10, price=10, discount_percent="14.999999999999998")], 85, 0),
    ]
    events = [make.created(sale(make, 5001 + n, *one)) for n, one in enumerate(lines)]
    assert await books.run(*events) == ["posted"] * 4
    found = [books.invoice(str(number)) for number in range(5001, 5005)]
    assert [str(one["total"]) for one in found] == ["68.97", "115.00", "108.10", "85.00"]
    sent = [(str(one["lines"][0]["quantity"]), one["lines"][0]["tax_type"]) for one in found]
    assert [(float(q), t) for q, t in sent] == [(3, "TAX015"), (1, "TAX015"), (1, "TAX081"), (10, "NONE")]
    assert float(found[3]["lines"][0]["discount_rate"]) == 15
    assert [await books.warnings(event) for event in events] == [[], [], [], []]


async def test_a_rate_worked_out_from_amounts_is_the_mapped_one_that_the_totals_prove(
    books: Shop, make: Maker
) -> None:
    await with_fifteen(books, **{"sales_tax__8.1": "TAX081"})
    right = make.created(sale(make, 1, [thing(1, price="12.84", tax="8.0997")], "12.84", "1.04"))
    wrong = make.created(sale(make, 2, [thing(1, price="100000", tax="8.0997")], "100000", "8099.7"))
    quarter = make.created(sale(make, 3, [thing(1, price="0.10", tax="7.75")], "0.10", "0.01"))
    assert await books.run(right, wrong, quarter) == ["posted", "tax_rate_unmapped", "tax_rate_unmapped"]
    assert sums(books.invoice("1")) == ("12.84", "1.04", "13.88")
    assert await books.warnings(right) == ["tax_rate_inferred"]


async def test_an_order_whose_amounts_are_prices(books: Shop, make: Maker) -> None:
    await with_fifteen(books)
    lines = [thing(1, quantity=2, price=50, tax=15)]
    document = order(
        make, 901, document_items=lines, total_price=100, total_tax=15, total_tax2=0, total_cost=0
    )
    created, received = happened(make, "created", document), happened(make, "received", document)
    assert await books.run(created, received) == ["posted", "posted"]
    assert sums(order_in(books, "901")) == ("100.00", "15.00", "115.00")
    assert [sums(bill) for bill in bills_in(books)] == [("100.00", "15.00", "115.00")]
    assert await books.warnings(created) == ["amount_from_price"]


async def test_a_discounted_price_that_the_totals_prove(books: Shop, make: Maker) -> None:
    lines = [thing(1, quantity=100, price="9.99", discount_percent=15, discounted_price="8.49", tax=8)]
    created = make.created(sale(make, 1, lines, "849.00", "67.92"))
    other = make.created(sale(make, 2, lines, "849.15", "67.93"))
    assert await books.run(created, other) == ["posted", "posted"]
    assert sums(books.invoice("1")) == ("849.00", "67.92", "916.92")
    assert float(books.invoice("1")["lines"][0]["unit_amount"]) == 8.49
    assert float(books.invoice("2")["lines"][0]["discount_rate"]) == 15


@pytest.mark.parametrize(
    ("quantity", "price", "net", "tax"), [(1, 0.005, "0.30", "0.05"), (3, 0.0149, "2.68", "0.40")]
)
async def test_cents_of_net_are_no_tax(
    books: Shop, make: Maker, quantity: int, price: float, net: str, tax: str
) -> None:
    await with_fifteen(books)
    lines = [thing(n, quantity=quantity, price=price, tax=15) for n in range(60)]
    document = sale(make, 1, lines, net, tax)
    created = make.created(document)
    total = f"{float(net) + float(tax):.2f}"
    paid = make.paid(document, total)
    assert await books.run(created, paid) == ["posted", "posted"]
    found = books.invoice("1")
    assert sums(found) == (net, tax, total)
    rounding = found["lines"][-1]
    assert (rounding["account_code"], rounding["tax_type"], rounding["item_code"]) == ("860", "NONE", None)
    back = [make.refunded(document, "0.20"), make.refunded(document, f"{float(total) - 0.2:.2f}")]
    assert await books.run(*back) == ["posted", "posted"]
    notes = books.books["credit_notes"]
    assert sum(float(note["sub_total"]) for note in notes) == pytest.approx(float(net))
    assert sum(float(note["total_tax"]) for note in notes) == pytest.approx(float(tax))


async def test_a_document_keeps_its_rounding_and_its_rate_while_its_amounts_are_the_same(
    books: Shop, make: Maker
) -> None:
    await with_fifteen(books, **{"sales_tax__8.1": "TAX081", "invoice_status": "draft"})
    rounded = sale(make, 1, [thing(n, price=0.005, tax=15) for n in range(10)], "0.05", "0.01")
    inferred = sale(make, 2, [thing(1, price="12.84", tax="8.0997")], "12.84", "1.04")
    assert await books.run(make.created(rounded), make.created(inferred)) == ["posted", "posted"]
    before = [books.invoice(number) for number in ("1", "2")]
    await books.settings(
        **{"rounding_account": "200", "rounding_tax": "EXEMPTOUTPUT", "sales_tax__8.0997": "OUTPUT"}
    )
    edits = [make.edited(rounded, name="Spring"), make.edited(inferred, name="Spring")]
    assert await books.run(*edits) == ["posted", "posted"]
    after = [books.invoice(number) for number in ("1", "2")]
    assert [one["reference"] for one in after] == ["Spring", "Spring"]
    assert [one["lines"] for one in after] == [one["lines"] for one in before]
    changed = make.edited(rounded, document_items=[thing(n, price=0.005, tax=15) for n in range(20)])
    changed["data"]["document"] |= {"total_price": "0.10", "total_tax": "0.02"}
    assert await books.run(changed) == ["posted"]
    rounding = books.invoice("1")["lines"][-1]
    assert sums(books.invoice("1")) == ("0.10", "0.02", "0.12")
    assert (rounding["account_code"], rounding["tax_type"]) == ("200", "EXEMPTOUTPUT")


async def test_exchange_rates_that_cannot_be_and_that_are_unusual(books: Shop, make: Maker) -> None:
    books.seed(currencies={"EUR": "0.6"})
    rates = [1, "1.6393", 0, "-0.6", "1.7"]
    events = [
        make.created(sale(make, n, [thing(1, price=100)], 100, 0, currency="EUR", currency_rate=rate))
        for n, rate in enumerate(rates, 1)
    ]
    for event in events:
        assert await books.run(event) == ["posted"]
    assert [await books.warnings(event) for event in events] == [
        ["currency_rate_ignored"],
        ["currency_rate_unusual"],
        ["currency_rate_ignored"],
        ["currency_rate_ignored"],
        ["currency_rate_unusual"],
    ]
    found = [float(books.invoice(str(n))["currency_rate"]) for n in range(1, 6)]
    assert found == [0.6, 1.6393, 0.6, 0.6, 1.7]


async def test_rates_of_one_call_are_compared_with_each_other(books: Shop, make: Maker) -> None:
    books.seed(currencies={"EUR": "0.6"})
    events = [
        make.created(sale(make, n, [thing(1, price=100)], 100, 0, currency="EUR", currency_rate=rate))
        for n, rate in enumerate(["0.61", "1.6393"], 1)
    ]
    assert await books.run(*events) == ["posted", "posted"]
    assert [await books.warnings(event) for event in events] == [[], ["currency_rate_unusual"]]


async def test_what_is_too_large_for_xero_is_refused_before_any_call(books: Shop, make: Maker) -> None:
    most = "999999999999999"
    lines = [thing(n, quantity=most, price=most, tax=8) for n in range(3000)]
    large = make.created(make.document(make.customer(), 1, document_items=lines))
    line = make.created(sale(make, 2, [thing(1, price="10000000000")], "10000000000", 0))
    assert await books.run(large, line) == ["amount_too_large", "amount_too_large"]
    assert [call for call in books.calls() if not call.startswith("GET ")] == []


@pytest.mark.parametrize(
    ("currency", "net", "tax", "in_xero", "paid"),
    [
        ("JPY", "333", "27", ("333.00", "27.00", "360.00"), ["360"]),
        ("JPY", "333", "26.64", ("333.00", "26.64", "359.64"), ["359.64"]),
        ("JPY", "333", "26.64", ("333.00", "26.64", "359.64"), ["100.5", "259.14"]),
        ("KWD", "1.234", "0.099", ("1.23", "0.10", "1.33"), ["1.333"]),
        ("KWD", "1.234", "0.062", ("1.23", "0.06", "1.29"), ["1.000", "0.296"]),
    ],
)
async def test_currencies_without_cents_and_of_three_decimals(
    books: Shop, make: Maker, currency: str, net: str, tax: str, in_xero: tuple[str, ...], paid: list[str]
) -> None:
    """What is paid in full is paid in Xero, and can be paid back."""
    books.seed(currencies={"JPY": "150", "KWD": "0.31"})
    books.seed(tax_rates=[{"tax_type": "TAX05", "rate": "5"}])
    rate = 5 if tax == "0.062" else 8
    await books.settings(sales_tax__5="TAX05")
    document = sale(make, 1, [thing(1, price=net, tax=rate)], net, tax, currency=currency)
    events = [make.created(document), *(make.paid(document, amount) for amount in paid)]
    assert await books.run(*events) == ["posted"] * len(events)
    invoice = books.invoice("1")
    assert sums(invoice) == in_xero
    assert (invoice["status"], invoice["amount_due"]) == ("PAID", "0.00")
    whole = str(sum(Decimal(amount) for amount in paid))
    assert await books.run(make.refunded(document, whole)) == ["posted"]
    assert [note["total"] for note in books.books["credit_notes"]] == [in_xero[2]]
    assert await unexplained(books) == []
