"""Documents from before the connection, of which the reader tells a part live and all by a backfill: in Xero
each payment and refund stands once, in whichever order the two come, and however often.
"""

from collections.abc import Sequence
from typing import Any

import msgspec

from sources.batch import Batch
from tests.integration.sinks.purchases import bills_in, order_in
from tests.integration.sinks.refunds import live
from tests.integration.sinks.shops import Shop
from tests.unit.sources.records import line, order, paid
from tests.unit.sources.stocked import FIRST, LATER, OLD, SECOND, Document, at, received

BOTH = at(FIRST, SECOND)


async def sent(books: Shop, batch: Batch) -> list[tuple[str, str]]:
    """Send what a look told; return action and end of each event."""
    events: list[dict[str, Any]] = [msgspec.json.decode(event.value) for event in batch.events]
    ends = await books.run(*events) if events else []
    return [(event["type"].rpartition(".")[2], end) for event, end in zip(events, ends, strict=True)]


async def backfilled(books: Shop, document: Document, record: dict[str, Any]) -> list[tuple[str, str]]:
    document.ask_for_history()
    return await sent(books, document.look(record))


def in_xero(books: Shop) -> list[tuple[str, str]]:
    return sorted(live(books))


def invoice(*amounts: str) -> list[tuple[str, str]]:
    return sorted(("ACCREC", amount) for amount in amounts)


def ends(told: Sequence[tuple[str, str]]) -> list[str]:
    return [end for _, end in told]


async def test_a_payment_from_before_comes_after_one_from_since_and_both_stand_once(books: Shop) -> None:
    document = Document(at(FIRST), account=books.account)
    assert await sent(books, document.look(BOTH)) == [("payment_applied", "posted")]
    assert in_xero(books) == invoice("60.00")
    told = await backfilled(books, document, BOTH)
    assert told == [
        ("created", "already_there"), ("payment_applied", "posted"), ("payment_applied", "already_there"),
    ]  # fmt: skip
    for _ in range(2):  # as a version that did not note it would, or after a restored backup
        document.forget()
        assert ends(await backfilled(books, document, BOTH)) == ["already_there"] * 3
    assert in_xero(books) == invoice("40.00", "60.00")
    assert await sent(books, document.look(at(FIRST))) == [("refund_applied", "posted")]


async def test_a_backfill_before_the_payment_that_comes_since(books: Shop) -> None:
    document = Document(at(FIRST), account=books.account)
    assert ends(await backfilled(books, document, at(FIRST))) == ["posted", "posted"]
    assert await sent(books, document.look(BOTH)) == [("payment_applied", "posted")]
    document.forget()
    assert ends(await backfilled(books, document, BOTH)) == ["already_there"] * 3
    assert in_xero(books) == invoice("40.00", "60.00")


async def test_a_refund_that_had_failed_and_a_payment_that_came_back(books: Shop) -> None:
    document = Document(at(FIRST), account=books.account)
    refund = paid(3, -15)
    assert ends(await sent(books, document.look(at(FIRST, refund)))) == ["document_not_in_xero"]
    shown = at(FIRST, SECOND, refund)
    assert ends(await sent(books, document.look(shown))) == ["posted"]
    told = await backfilled(books, document, shown)
    assert ends(told) == ["already_there", "posted", "already_there", "posted"]
    # A payment goes and comes back: under ids of ours, that a second backfill keeps.
    assert ends(await sent(books, document.look(at(FIRST, refund)))) == ["posted"]
    assert ends(await sent(books, document.look(shown))) == ["posted"]
    document.forget()
    assert set(ends(await backfilled(books, document, shown))) == {"already_there"}
    standing = [each for each in in_xero(books) if each[0] == "ACCREC"]
    assert standing == invoice("40.00", "60.00", "60.00")
    notes = sorted(note["total"] for note in books.books["credit_notes"])
    assert notes == ["15.00", "60.00"]


async def test_a_payment_from_before_that_was_returned_since_leaves_what_salesbinder_shows(
    books: Shop,
) -> None:
    document = Document(at(FIRST), account=books.account)
    await sent(books, document.look(BOTH))
    assert ends(await sent(books, document.look(at(SECOND)))) == ["posted"]  # 60 paid, 40 returned
    told = await backfilled(books, document, at(SECOND))
    assert ends(told) == ["already_there", "posted", "already_there", "already_there"]
    standing = [each for each in in_xero(books) if each[0] == "ACCREC"]
    assert standing == invoice("40.00", "60.00")
    assert [note["total"] for note in books.books["credit_notes"]] == ["40.00"]


async def test_an_order_that_came_in_before_is_billed_once(books: Shop) -> None:
    document = Document(received(), account=books.account)
    edited = received(name="Other", modified=LATER)
    assert ends(await sent(books, document.look(edited))) == ["posted"]
    assert bills_in(books) == []
    assert ends(await backfilled(books, document, edited)) == ["already_there", "posted"]
    assert (order_in(books)["status"], len(bills_in(books))) == ("BILLED", 1)


async def test_an_order_of_which_a_part_came_in_since(books: Shop) -> None:
    def part(came: int, **changes: Any) -> dict[str, Any]:
        lines = [line(cost=12.5, price=0, quantity=4, tax=0, quantity_partially_received=came)]
        return order(**{**OLD, "document_items": lines, **changes})

    document = Document(part(1), account=books.account)
    assert document.live(part(3)) == []
    assert ends(await backfilled(books, document, part(3))) == ["posted"]
    assert ends(await sent(books, document.look(part(4)))) == ["posted"]
    assert document.kept.is_whole
    assert (order_in(books)["status"], len(bills_in(books))) == ("BILLED", 1)
