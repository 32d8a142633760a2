"""Months: one line where they agree."""

from datetime import UTC, date, datetime
from decimal import Decimal

import msgspec

from sources.reconcile.months import Month, Months, in_a_line
from tests.unit.sources.reconcile_papers import book, note, paid, shop, side_by_side

EARLY = datetime(2025, 1, 1, tzinfo=UTC)


def test_a_month_that_agrees_says_so_in_one_line() -> None:
    months = Months()
    settled = book(status="PAID", paid=Decimal("108.00"))
    months.add(side_by_side(paid("108.00", "50.00"), settled, note("50.00")))
    months.add(side_by_side(shop(), book()))
    months.add(side_by_side(shop(created=EARLY)))
    line = "2026-03: agrees, 2 invoices 216.00 NZD (paid 108.00, refunded 50.00)"
    assert in_a_line("2026-03", months.all()) == f"{line}; 1 from before the cut-off, not meant to be in Xero"


def test_a_month_that_differs_says_how_many_do() -> None:
    months = Months()
    months.add(side_by_side(shop(), book()))
    months.add(side_by_side(shop()))
    months.add(side_by_side(shop(day=date(2026, 4, 1)), book()))
    (march, april) = months.all()
    assert in_a_line("2026-03", [march, april]) == "2026-03: 1 of 2 documents differs"
    assert (march.shop.total, march.expected.total, march.xero.total) == (
        Decimal("216.00"),
        Decimal("216.00"),
        Decimal("108.00"),
    )
    assert april.agrees


def test_sums_go_on_where_they_were() -> None:
    first = Months()
    first.add(side_by_side(shop(), book()))
    kept = msgspec.json.decode(msgspec.json.encode(first.all()), type=list[Month])
    second = Months(kept)
    second.add(side_by_side(shop(), book()))
    assert second.all()[0].xero.total == Decimal("216.00")


def test_a_month_of_old_documents_alone_has_nothing_to_compare() -> None:
    months = Months()
    months.add(side_by_side(shop(created=EARLY, day=None)))
    assert in_a_line("", months.all()).startswith("without a date: nothing to compare; 1 from before")
