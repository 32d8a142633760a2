"""Bodies in the ledger: packed, not packed, and both side by side after an upgrade."""

from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import psycopg
import pytest

from contracts.commands import encode_command
from sbx.migrations import apply, find_migrations
from sinks.ledger.intake import take_in
from sinks.ledger.packing import unpack
from streams.archiving import Archiving
from tests.integration.sinks.archives import age, go, rows_in, sold
from tests.integration.sinks.drifting import drift
from tests.integration.sinks.shops import Maker, Shop

_BODIES = """
SELECT body FROM ledger.commands WHERE account = %(account)s
UNION ALL SELECT body FROM ledger.snapshots WHERE account = %(account)s
UNION ALL SELECT coalesce(packed, convert_to(body::text, 'UTF8')) FROM ledger.elements
          WHERE account = %(account)s AND num_nonnulls(body, packed) > 0
"""

_ELEMENTS = "SELECT packed FROM ledger.elements WHERE account = %s AND num_nonnulls(body, packed) > 0"


async def pack_from(shop: Shop, moment: str) -> None:
    await shop.rows("UPDATE ledger.generation SET packs_from = %s RETURNING 1", moment)


async def first_bytes(shop: Shop) -> set[int]:
    async with await shop.connect() as connection:
        cursor = await connection.execute(_BODIES, {"account": shop.account})
        return {bytes(row[0])[0] for row in await cursor.fetchall()}


@pytest.fixture
async def before_its_time(books: Shop) -> AsyncIterator[Shop]:
    """Workers of the version before may still be there."""
    await pack_from(books, "infinity")
    yield books
    await pack_from(books, "-infinity")


async def test_bodies_are_packed(books: Shop, make: Maker) -> None:
    await sold(books, make)
    assert await first_bytes(books) == {1}


async def test_commands_come_back_byte_for_byte(books: Shop, make: Maker) -> None:
    event = make.created(make.document(make.customer("Bolt & Co"), 3))
    command = books.command(event)
    async with await books.connect() as connection:
        await take_in(connection, [command])
    assert unpack(bytes((await books.entry(event))["body"])) == encode_command(command)


async def test_both_forms_side_by_side(before_its_time: Shop, make: Maker, archiving: Archiving) -> None:
    books = before_its_time
    customer = make.customer("Bolt & Co")
    document, again = make.document(customer, 4), make.document(customer, 5)
    await books.run(make.contact("created", customer), make.created(document), make.paid(document, "8.00"))
    assert await first_bytes(books) == {ord("{")}
    await pack_from(books, "-infinity")
    ends = await books.run(
        make.changed(customer, office_phone="604-555-0103"),
        make.paid(document, "100.00"),
        make.created(again),
        make.act("deleted", again),
    )
    assert set(ends) <= {"posted", "already_there"}
    assert books.invoice("4")["amount_due"] == "0.00"
    assert await first_bytes(books) == {ord("{"), 1}
    assert await drift(books) == []
    await age(books)
    await go(archiving)
    rows = rows_in(archiving, books.account)
    assert all(isinstance(row["body"], dict) for row in rows if row["row"] == "command")
    sent = [row["body"] for row in rows if row["row"] == "element" and row["kind"] == "payment"]
    assert sorted(body["Amount"] for body in sent) == ["100.00", "8.00"]


async def test_what_is_sent_is_packed_a_day_later_than_commands(before_its_time: Shop, make: Maker) -> None:
    """A worker of an earlier version fails at packed commands, and would take a packed payment for none."""
    books = before_its_time
    await pack_from(books, (datetime.now(UTC) - timedelta(hours=23)).isoformat())
    await sold(books, make)
    elements = await books.rows(_ELEMENTS, books.account)
    assert elements
    assert {row["packed"] for row in elements} == {None}
    assert await first_bytes(books) == {ord("{"), 1}


@pytest.mark.parametrize(("known", "later"), [(True, True), (False, False)])
def test_an_upgraded_ledger_packs_a_day_later(empty_database_url: str, known: bool, later: bool) -> None:
    migrations = find_migrations()
    place = [str(migration) for migration in migrations].index("sinks/095_packed.sql")
    apply(empty_database_url, migrations[:place])
    with psycopg.connect(empty_database_url) as connection:
        if known:
            connection.execute(_KNOWN)
        connection.commit()
        apply(empty_database_url, migrations)
        assert connection.execute(_LATER).fetchone() == (later,)


_KNOWN = """
INSERT INTO ledger.commands (command_id, account, entity, record_id, action, content_hash, event_time, body)
VALUES (gen_random_uuid(), 'acme', 'invoice', '1', 'created', '', now(), '{}')
"""
_LATER = "SELECT packs_from > now() + interval '23 hours' FROM ledger.generation"
