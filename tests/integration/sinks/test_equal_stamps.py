"""Snapshots whose stamps say nothing: content decides, and the later one is the newer."""

from datetime import timedelta
from typing import Any

import pytest

from tests.integration.sinks import purchases
from tests.integration.sinks.shops import DAY, Maker, Shop

STAMP = DAY.isoformat()
AHEAD = "2031-01-01T00:00:00+00:00"


def stamped(event: dict[str, Any], modified: str = STAMP, time: str = STAMP) -> dict[str, Any]:
    """The event with these stamps of its document."""
    event["time"] = time
    event["data"]["document"]["modified"] = modified
    return event


def priced(document: dict[str, Any], price: str) -> dict[str, Any]:
    return {"document_items": [{**document["document_items"][0], "price": price}]}


def edit(make: Maker, document: dict[str, Any], price: str, modified: str = STAMP) -> dict[str, Any]:
    return stamped(make.edited(document, **priced(document, price)), modified)


async def draft(books: Shop, make: Maker, number: int = 1) -> dict[str, Any]:
    """A draft of 108.00 in Xero."""
    await books.settings(invoice_status="draft")
    document = make.document(make.customer(), number)
    assert await books.run(stamped(make.created(document))) == ["posted"]
    return document


async def test_edit_of_a_draft_is_sent(books: Shop, make: Maker) -> None:
    document = await draft(books, make)
    assert await books.run(edit(make, document, "130.00")) == ["posted"]
    assert books.invoice("1")["total"] == "140.40"
    assert await books.run(edit(make, document, "100.00")) == ["posted"]
    assert books.invoice("1")["total"] == "108.00"


async def test_the_same_content_is_there_already_whatever_the_settings_are_now(
    books: Shop, make: Maker
) -> None:
    document = await draft(books, make)
    await books.settings(due_days="60")
    calls = len(books.calls())
    assert await books.run(stamped(make.edited(document))) == ["already_there"]
    assert len(books.calls()) == calls


async def test_edit_of_an_authorised_one_is_refused_and_not_said_to_be_there(
    books: Shop, make: Maker
) -> None:
    document = make.document(make.customer(), 1)
    assert await books.run(stamped(make.created(document))) == ["posted"]
    other = edit(make, document, "130.00")
    assert await books.run(other) == ["authorised_not_editable"]
    await books.settings(edit_authorised="push")
    assert await books.retry(other) == ["posted"]
    assert books.invoice("1")["total"] == "140.40"


async def test_the_last_of_several_that_wait_is_sent(books: Shop, make: Maker) -> None:
    await books.settings(invoice_status="draft")
    document = make.document(make.customer(), 1)
    created = stamped(make.created(document))
    edits = [edit(make, document, price) for price in ("110.00", "120.00", "90.00")]
    assert await books.run(created, *edits) == ["superseded"] * 3 + ["posted"]
    assert books.invoice("1")["total"] == "97.20"


async def test_a_retry_sends_the_last_one(books: Shop, make: Maker) -> None:
    await books.settings(invoice_status="draft")
    document = make.document(make.customer(), 1)
    taxed = {**document["document_items"][0], "tax": 15}
    first = stamped(make.created(document | {"document_items": [taxed]}))
    second = stamped(make.edited(document, document_items=[{**taxed, "price": "200.00"}]))
    assert await books.run(first) == ["tax_rate_unmapped"]
    assert await books.run(second) == ["tax_rate_unmapped"]
    await books.settings(sales_tax__15="OUTPUT2")
    assert await books.retry(first) == ["posted"]
    assert await books.end(second) == "superseded"
    assert books.invoice("1")["total"] == "230.00"


async def test_a_clock_ahead_does_not_win_for_ever(books: Shop, make: Maker) -> None:
    await books.settings(invoice_status="draft")
    document = make.document(make.customer(), 1)
    created = make.created(document | {"modified": AHEAD})
    assert await books.run(created) == ["posted"]
    assert await books.warnings(created) == ["modified_in_future"]
    document["modified"] = STAMP
    later = make.edited(document, **priced(document, "130.00"))
    assert await books.run(later) == ["posted"]
    assert books.invoice("1")["total"] == "140.40"
    assert await books.warnings(later) == []


@pytest.mark.parametrize(("seconds", "warned"), [(300, False), (301, True)])
async def test_five_minutes_ahead_are_no_clock_gone_wrong(
    books: Shop, make: Maker, seconds: int, warned: bool
) -> None:
    document = make.document(make.customer(), 1)
    created = make.created(document)
    stamped(created, (DAY + timedelta(seconds=seconds)).isoformat(), STAMP)
    assert await books.run(created) == ["posted"]
    assert await books.warnings(created) == ["modified_in_future"] * warned


async def test_a_customer_of_a_document_goes_by_its_own_stamp(books: Shop, make: Maker) -> None:
    customer = make.customer(office_phone="1", modified=AHEAD)
    document = make.document(customer, 1)
    created = make.created(document)
    assert await books.run(created) == ["posted"]
    assert await books.warnings(created) == ["modified_in_future"]
    assert await books.run(make.changed(customer, office_phone="2")) == ["posted"]
    assert books.contact("Widgets & Co")["phones"]["DEFAULT"]["PhoneNumber"] == "2"


async def test_an_order_too(books: Shop, make: Maker) -> None:
    document = purchases.order(make)
    assert await books.run(stamped(purchases.happened(make, "created", document))) == ["posted"]
    change = purchases.edited(make, document, **priced(document, "50.00"))
    assert await books.run(stamped(change)) == ["posted"]
    assert purchases.order_in(books)["total"] == "54.00"


async def test_an_edit_as_old_as_the_receipt_is_refused_when_it_says_other_things(
    books: Shop, make: Maker
) -> None:
    document = await purchases.ordered(books, make)
    at = (DAY + timedelta(days=1)).isoformat()
    assert await books.run(stamped(purchases.happened(make, "received", document), at, at)) == ["posted"]
    assert await books.run(stamped(purchases.edited(make, document), at, at)) == ["superseded"]
    other = stamped(purchases.edited(make, document, **priced(document, "5")), at, at)
    assert await books.run(other) == ["order_billed"]
    assert [bill["total"] for bill in purchases.bills_in(books)] == ["108.00"]


async def test_a_second_receipt_with_other_lines_is_refused(books: Shop, make: Maker) -> None:
    document = await purchases.ordered(books, make)
    assert await books.run(purchases.happened(make, "received", document)) == ["posted"]
    again = purchases.happened(make, "received", document, time=make.now)
    assert await books.run(again) == ["already_there"]
    document |= priced(document, "150.00") | {"modified": make.now}
    other = purchases.happened(make, "received", document)
    assert await books.run(other) == ["order_billed"]
    entry = await books.entry(other)
    assert (entry["reason_args"]["total"], entry["reason_args"]["xero_total"]) == ("162.00", "108.00")
    assert [bill["total"] for bill in purchases.bills_in(books)] == ["108.00"]


@pytest.mark.parametrize("totals", [{"total_price": "150.00"}, {"total_tax": "9.00"}], ids=["net", "tax"])
async def test_a_second_receipt_with_other_totals_is_refused(
    books: Shop, make: Maker, totals: dict[str, str]
) -> None:
    document = await purchases.ordered(books, make)
    assert await books.run(purchases.happened(make, "received", document)) == ["posted"]
    other = purchases.happened(make, "received", document | {"modified": make.now} | totals)
    assert await books.run(other) == ["order_billed"]
    args = (await books.entry(other))["reason_args"]
    assert (args["total"], args["xero_total"]) == (
        "158.00" if "total_price" in totals else "109.00",
        "108.00",
    )


async def test_a_second_receipt_with_another_text_is_refused(books: Shop, make: Maker) -> None:
    """The bill shows the text: that it is there already would be said of what Xero does not show."""
    document = await purchases.ordered(books, make)
    assert await books.run(purchases.happened(make, "received", document)) == ["posted"]
    line = {**document["document_items"][0], "name": "Something else"}
    other = purchases.happened(make, "received", document | {"document_items": [line]})
    assert await books.run(other) == ["order_billed"]


@pytest.mark.parametrize("absent", [["total_tax"], ["total_price", "total_tax", "total_tax2"]])
async def test_a_second_receipt_that_tells_no_totals_says_nothing_else(
    books: Shop, make: Maker, absent: list[str]
) -> None:
    """The first one's tax is a cent away from what the lines come to."""
    document = purchases.order(make, total_price="100.00", total_tax="8.01", total_tax2="0")
    received = purchases.happened(make, "received", document)
    assert await books.run(received) == ["posted"]
    assert [bill["total"] for bill in purchases.bills_in(books)] == ["108.01"]
    thin = {name: value for name, value in document.items() if name not in absent}
    assert await books.run(purchases.happened(make, "received", thin)) == ["already_there"]


async def test_settings_that_changed_since_are_no_other_lines(books: Shop, make: Maker) -> None:
    document = await purchases.ordered(books, make)
    assert await books.run(purchases.happened(make, "received", document)) == ["posted"]
    await books.settings(purchases_account="310", due_days="3")
    assert await books.run(purchases.happened(make, "received", document)) == ["already_there"]
