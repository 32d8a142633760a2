"""Search as a bookkeeper types, and orders other than time, on a real PostgreSQL."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import psycopg
import pytest

from contracts.results import AccountResult
from log_projection import queries, search
from log_projection.paging import Cursor, Order
from log_projection.projection import apply
from tests.integration.log_projection.made import NOW, Connection, entry, ids, listed

MADE: dict[str, dict[str, Any]] = {
    "muller": {"entity": "customer", "record_number": "", "amount": None,
               "party_name": "Bäckerei Müller & Söhne GmbH",
               "record_id": "3f0ac1d2-0000-4000-8000-000000000001"},
    "invoice": {"record_number": "5024", "party_name": "O'Brien Glass Ltd", "amount": Decimal("119.00"),
                "reference": "Spring order 77", "xero_number": "INV-5024", "xero_type": "invoice",
                "xero_id": "9d8c7b6a-1111-4000-8000-000000000002"},
    "payment": {"record_number": "INV-5024", "action": "payment_applied", "party_name": "O'Brien Glass Ltd",
                "amount": Decimal("19.95"), "reference": "Cheque 1181"},
    "order": {"entity": "purchase_order", "record_number": "PO-12", "party_name": "Łódź Straßenbau",
              "account": "beta", "amount": Decimal("1234.50"), "event_id": "evt-77-x"},
    "failed": {"record_number": "999", "state": "failed", "party_name": "Ærø Bådværft",
               "amount": Decimal("15"), "reason_code": "account_missing",
               "reason": "Xero has no account code '4711' for this line."},
    "waits": {"account": "held", "record_number": "1000",
              "party_name": "Øst A/S", "amount": Decimal("-5.00")},
}  # fmt: skip


async def fill(database_url: str) -> None:
    made = [
        entry(name, queued_at=NOW + timedelta(minutes=number), **values)
        for number, (name, values) in enumerate(MADE.items())
    ]
    hold = AccountResult(account="held", version=1, at=NOW, held="account_paused")
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
        await apply(connection, [*made, hold])


@pytest.fixture(scope="module")
def filled(module_database_url: str) -> str:
    asyncio.run(fill(module_database_url))
    return module_database_url


@pytest.fixture
async def log(filled: str) -> AsyncIterator[Connection]:
    async with await psycopg.AsyncConnection.connect(filled, autocommit=True) as connection:
        yield connection


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("müller", ["muller"]),
        ("MULLER", ["muller"]),
        ("sohn mull", ["muller"]),
        ('"Müller & Söhne"', ["muller"]),
        ("strassenbau", ["order"]),
        ("lodz", ["order"]),
        ("badvaerft", ["failed"]),
        ("ost", ["waits"]),
        ("o'brien", ["invoice", "payment"]),
        ("glass", ["invoice", "payment"]),
        ("#5024", ["invoice", "payment"]),
        ("inv-5024", ["invoice", "payment"]),
        ("INV 5024", ["invoice", "payment"]),
        ("invoice 5024", ["invoice", "payment"]),
        ("Invoice #5024", ["invoice", "payment"]),
        ("payment 5024", ["payment"]),
        ("5024", ["invoice", "payment"]),
        ("19.95", ["payment"]),
        ("19,95", ["payment"]),
        ("$19.95", ["payment"]),
        ("payment 19.95", ["payment"]),
        ("glass 119", ["invoice"]),
        ("1,234.50", ["order"]),
        ("1.234,50", ["order"]),
        ("10..20", ["payment", "failed"]),
        ("10 .. 20", ["payment", "failed"]),
        (">100", ["invoice", "order"]),
        ("> 119", ["order"]),
        (">=119 <1000", ["invoice"]),
        ("..0", ["waits"]),
        ("PO 12", ["order"]),
        ("po-12", ["order"]),
        ("purchase order 12", ["order"]),
        ("spring order", ["invoice"]),
        ("cheque 1181", ["payment"]),
        ("account code", ["failed"]),
        ("account_missing", ["failed"]),
        ("4711", ["failed"]),
        ("3f0ac1d2", ["muller"]),
        ("3F0A", ["muller"]),
        ("9d8c7b6a-1111", ["invoice"]),
        ("evt-77", ["order"]),
        ("customers", ["muller"]),
        ("invoices", ["invoice", "payment", "failed", "waits"]),
        ("nothing like it", []),
        ("glass müller", []),
        ("---", []),
        ("'\"!&|():*<->\\", []),
        ("a:* | s", ["waits"]),
        ("12", ["order"]),
        ("50", []),
        ("502", ["invoice", "payment"]),
        ("%", []),
        ("x" * 3000, []),
        ("한" * 3000, []),
        ("glass\0", ["invoice", "payment"]),
        ("\udce4", []),
    ],
)  # fmt: skip
async def test_what_is_typed_finds_what_is_meant(log: Connection, text: str, expected: list[str]) -> None:
    assert await ids(log, text=text) == expected
    assert [row["entry_id"] for row in await listed(log, queries.Filters(text=text), limit=50)] == expected


@pytest.mark.parametrize("by", ["amount", "document"])
@pytest.mark.parametrize("descending", [True, False])
@pytest.mark.parametrize(
    "filters",
    [{}, {"text": "invoice"}, {"text": "1"}, {"account": "acme"}, {"accounts": ("acme", "held")},
     {"state": "queued"}, {"reason": "account_paused"}, {"reason": "account_missing", "text": "code"},
     {"entity": "customer"}],
)  # fmt: skip
async def test_other_orders_page_by_page(
    log: Connection, by: Any, descending: bool, filters: dict[str, Any]
) -> None:
    wanted, order = queries.Filters(**filters), Order(by, descending)
    whole = [row["entry_id"] for row in await listed(log, wanted, order=order)]
    assert sorted(whole) == sorted(await ids(log, **filters))

    async def walked(order: Order, after: Cursor | None) -> list[str]:
        found: list[str] = []
        while rows := await listed(log, wanted, order=order, limit=1, after=after):
            found.append(rows[0]["entry_id"])
            after = queries.cursor(rows[0], order)
        return found

    assert await walked(order, None) == whole
    if whole:
        last = (await listed(log, wanted, order=order))[-1]
        backwards = Order(by, descending, backwards=True)
        assert await walked(backwards, queries.cursor(last, order)) == whole[-2::-1]


async def test_amounts_and_numbers_are_in_order_and_what_has_none_comes_last(log: Connection) -> None:
    by_amount = ["order", "invoice", "payment", "failed", "waits"]
    assert [r["entry_id"] for r in await listed(log, order=Order("amount", True))] == [*by_amount, "muller"]
    assert [r["entry_id"] for r in await listed(log, order=Order("amount"))] == [*by_amount[::-1], "muller"]
    by_number = ["order", "failed", "waits", "invoice", "payment"]
    assert [r["entry_id"] for r in await listed(log, order=Order("document"))] == [*by_number, "muller"]


async def test_words_are_found_by_their_index(log: Connection) -> None:
    """The condition is the index's expression, letter by letter, in the table and in the view."""
    await log.execute("SET enable_seqscan = off")
    for table, in_view in (("entry", False), ("shown_entry", True)):
        found = search.read("glass", in_view=in_view)
        query = psycopg.sql.SQL("EXPLAIN SELECT entry_id FROM integrations_log.{} WHERE {}").format(
            psycopg.sql.Identifier(table), found.ways[0]
        )
        plan = await (await log.execute(query, found.parameters)).fetchall()
        assert any("entry_by_words" in line for (line,) in plan)
