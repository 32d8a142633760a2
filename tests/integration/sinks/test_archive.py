"""What ended long ago goes to files; what stays is enough for replays, late events and comparisons."""

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest
from psycopg import sql
from psycopg.types.json import Jsonb

from contracts.events.reader import event_to_kafka, read_event
from log_projection import story
from log_projection.projection import apply
from log_projection.story import Record
from runtime.archive import Archive, ArchiveProblem, Part
from runtime.database import fetch_all
from runtime.sql import load_queries
from sbx.cli.archive import problems_of, rows_of
from sinks.archive import bite
from sinks.ledger import commands as operators
from sinks.preview import preview
from sinks.replay.replay import Read, look_up, not_done
from streams.archiving import Archiving
from streams.batch_writer import Pool
from tests.integration.sinks import drifting
from tests.integration.sinks.shops import Maker, Office, Shop, connect

DAYS = 400


@pytest.fixture
async def pool(books: Shop) -> AsyncIterator[Pool]:
    url = str(books.environment.database_url)
    async with Pool(url, min_size=1, max_size=4, open=False) as pool:
        yield pool


@pytest.fixture
async def archiving(
    pool: Pool, tmp_path: Path, books: Shop, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Archiving]:
    """The database is a module's, so it is given a new archive for each test."""
    async with await books.connect() as connection:
        await connection.execute(
            "UPDATE ledger.archive SET id = gen_random_uuid(), claimed_at = NULL, worker = '', "
            "until = '-infinity', begins_at = '-infinity'"
        )
        await connection.execute("TRUNCATE ledger.archive_parts")
    monkeypatch.setattr("streams.archiving.REST_SECONDS", 0.0)
    monkeypatch.setattr("streams.archiving.RESTS_PER_BITE", 0)
    yield Archiving(pool, Archive(tmp_path / "archive"), DAYS)


async def log_all(shop: Shop) -> None:
    """Bring what was told to the log, as the project stage does."""
    told = await shop.told()
    async with await shop.connect() as connection:
        await apply(connection, list(told))


async def age(shop: Shop, days: int = 500, *events: dict[str, Any]) -> None:
    """Let the account's actions, or those of these events, and all calls, be so many days older."""
    ids = [shop.command_id(event) for event in events] or None
    async with await shop.connect() as connection:
        await connection.execute(
            "UPDATE ledger.commands SET queued_at = queued_at - make_interval(days => %(days)s), "
            "started_at = started_at - make_interval(days => %(days)s), "
            "finished_at = finished_at - make_interval(days => %(days)s) "
            "WHERE account = %(account)s AND (%(ids)s::uuid[] IS NULL OR command_id = ANY(%(ids)s::uuid[]))",
            {"days": days, "account": shop.account, "ids": ids},
        )
        await connection.execute(
            "UPDATE ledger.intents SET created_at = created_at - make_interval(days => %s) "
            "WHERE account = %s",
            [days, shop.account],
        )


async def go(archiving: Archiving) -> None:
    await archiving.go_round(asyncio.Event())


async def standing(shop: Shop) -> list[tuple[str, bool]]:
    """Action of each command, and whether it is in the archive, in order."""
    rows = await shop.rows(
        "SELECT action, archived_at IS NOT NULL AS gone FROM ledger.commands WHERE account = %s ORDER BY seq",
        shop.account,
    )
    return [(row["action"], row["gone"]) for row in rows]


async def count(shop: Shop, table: str) -> int:
    query = f"SELECT count(*) AS n FROM {table} WHERE account = %s"  # noqa: S608
    return int((await shop.rows(query, shop.account))[0]["n"])


def rows_in(archiving: Archiving, account: str) -> list[dict[str, Any]]:
    archive = archiving.archive
    return [json.loads(line) for part in archive.parts(account) for line in archive.lines(part)]


def ids(rows: list[dict[str, Any]], row: str, name: str) -> set[str]:
    return {one[name] for one in rows if one["row"] == row}


async def sold(books: Shop, make: Maker) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """A customer, edited once, with a paid invoice, done and in the log; returns the document and the events
    of which nothing but what is narrow stays: all but the edit, which is the customer's newest.
    """
    customer = make.customer("Widgets & Co", office_phone="604-555-0101")
    first = make.contact("created", customer)
    assert await books.run(first) == ["posted"]
    assert await books.run(make.changed(customer, office_phone="604-555-0102")) == ["posted"]
    document = make.document(customer, 5001)
    events = [make.created(document), make.paid(document, "108.00")]
    assert await books.run(*events) == ["posted", "posted"]
    await log_all(books)
    return document, [first, *events]


GONE = ["created", "edited", "created", "payment_applied"]


async def gone(shop: Shop) -> list[str]:
    """Actions of the commands in the archive, in order."""
    return [action for action, gone in await standing(shop) if gone]


# What goes, and what stays


async def test_what_ended_long_ago_goes_to_files(books: Shop, make: Maker, archiving: Archiving) -> None:
    _, events = await sold(books, make)
    before = {table: await count(books, table) for table in ("integrations_log.attempt", "ledger.intents")}
    links = await books.rows("SELECT * FROM ledger.links WHERE account = %s ORDER BY kind", books.account)
    await age(books)
    await go(archiving)
    assert await gone(books) == GONE
    assert await count(books, "integrations_log.entry") == await count(books, "integrations_log.attempt") == 0
    assert {row["kind"] for row in await books.rows(_ELEMENTS, books.account)} == {"contact"}
    now = await books.rows("SELECT * FROM ledger.links WHERE account = %s ORDER BY kind", books.account)
    assert now == links
    rows = rows_in(archiving, books.account)
    commands = ids(rows, "command", "command_id")
    assert commands > {books.command_id(event) for event in events}
    assert len(commands) == len(GONE) and ids(rows, "entry", "entry_id") == commands
    assert len(ids(rows, "attempt", "attempt_id")) == before["integrations_log.attempt"] > 3
    assert len(ids(rows, "call", "intent_id")) == before["ledger.intents"] > 2
    parts = archiving.archive.parts(books.account)
    async with await books.connect() as connection:
        assert await bite.noted(connection, books.account) == parts
    [entry] = [one for one in rows if one["row"] == "entry" and one["action"] == "payment_applied"]
    assert (entry["amount"], entry["outcome"], entry["record_number"]) == ("108.00", "posted", "5001")


_ELEMENTS = "SELECT * FROM ledger.elements WHERE account = %s"


async def test_a_second_round_finds_nothing(books: Shop, make: Maker, archiving: Archiving) -> None:
    await sold(books, make)
    await age(books)
    await go(archiving)
    parts = archiving.archive.parts()
    await go(archiving)
    assert archiving.archive.parts() == parts


async def test_rows_of_an_archived_action_are_narrow(books: Shop, make: Maker, archiving: Archiving) -> None:
    _, [_, created, paid] = await sold(books, make)
    await age(books)
    await go(archiving)
    invoice, payment = await books.entry(created), await books.entry(paid)
    assert bytes(invoice["body"]) == b"{}"
    assert list(json.loads(bytes(payment["body"]))) == ["transaction"]
    sizes = await books.rows(
        "SELECT pg_column_size(c.*) AS bytes FROM ledger.commands c "
        "WHERE account = %s AND action <> 'edited'",
        books.account,
    )
    assert max(row["bytes"] for row in sizes) < 650


async def test_what_is_recent_stays(books: Shop, make: Maker, archiving: Archiving) -> None:
    await sold(books, make)
    await age(books, DAYS - 40)
    await go(archiving)
    assert await gone(books) == []
    assert archiving.archive.parts() == []


async def test_a_document_stays_whole_while_anything_of_it_is_recent(
    books: Shop, make: Maker, archiving: Archiving
) -> None:
    _, [_, created, _] = await sold(books, make)
    await age(books, 500, created)
    await go(archiving)
    assert await gone(books) == []


async def test_a_failure_that_stands_keeps_its_document(
    books: Shop, make: Maker, archiving: Archiving
) -> None:
    document, _ = await sold(books, make)
    assert await books.run(make.paid(document, "5.00")) == ["exceeds_amount_due"]
    await age(books)
    await go(archiving)
    assert await standing(books) == [
        ("created", True),
        ("edited", True),
        ("created", False),
        ("payment_applied", False),
        ("payment_applied", False),
    ]


@pytest.mark.parametrize(
    "assignments",
    [
        "state = 'queued', outcome = NULL, next_attempt_at = now() + interval '1 day'",
        "state = 'failed', outcome = NULL, reason_code = 'needs_review'",
        "perhaps_sent = true",
    ],
)
async def test_what_is_open_keeps_its_record(
    books: Shop, make: Maker, archiving: Archiving, assignments: str
) -> None:
    _, [_, _, paid] = await sold(books, make)
    await age(books)
    await pause(books)
    await books.change(assignments, paid)
    await go(archiving)
    assert await gone(books) == ["created", "edited"]
    await books.change(
        "state = 'completed', outcome = 'posted', reason_code = NULL, perhaps_sent = false", paid
    )


async def pause(shop: Shop) -> None:
    async with await shop.connect() as connection:
        await connection.execute(
            "UPDATE connections.accounts SET paused_at = now(), paused_by = 'test', paused_reason = 'test' "
            "WHERE account = %s",
            [shop.account],
        )


async def test_a_call_of_unknown_result_keeps_its_record(
    books: Shop, make: Maker, archiving: Archiving
) -> None:
    await sold(books, make)
    await age(books)
    async with await books.connect() as connection:
        await connection.execute(
            "UPDATE ledger.elements SET result = 'unknown' WHERE account = %s AND kind = 'payment'",
            [books.account],
        )
    await go(archiving)
    assert await gone(books) == ["created", "edited"]
    assert "payment" in {row["kind"] for row in await books.rows(_ELEMENTS, books.account)}
    async with await books.connect() as connection:
        await connection.execute(
            "UPDATE ledger.elements SET result = 'ok' WHERE account = %s AND kind = 'payment'",
            [books.account],
        )


# Replays, and events that come again


async def test_an_archived_event_that_comes_again_costs_nothing(
    books: Shop, make: Maker, archiving: Archiving
) -> None:
    _, events = await sold(books, make)
    await age(books)
    await go(archiving)
    calls, state = len(books.calls()), await books.rows(_COMMANDS, books.account)
    await books.send(*events)
    await books.idle()
    assert len(books.calls()) == calls
    assert await books.rows(_COMMANDS, books.account) == state
    assert len(books.invoice("5001")["payments"]) == 1


_COMMANDS = "SELECT * FROM ledger.commands WHERE account = %s ORDER BY seq"


async def test_a_replay_knows_an_archived_event_as_done(
    books: Shop, make: Maker, archiving: Archiving
) -> None:
    document, events = await sold(books, make)
    await age(books)
    wanted = [books.command_id(event) for event in events]
    places = await _places(books)
    async with await books.connect() as connection:
        await connection.execute(
            "UPDATE ledger.commands SET place = NULL WHERE account = %s", [books.account]
        )
    await go(archiving)
    found = await _places(books)
    assert [found[one] for one in wanted] == [places[one] for one in wanted]

    def read(event: dict[str, Any], offset: int) -> Read:
        topic, key, value, headers = event_to_kafka(event)
        return Read(read_event(topic, key, value, headers), topic, 0, offset)

    reads = [read(event, offset) for offset, event in enumerate(events, 1)]
    other = {
        **events[2],
        "data": {**events[2]["data"], "transaction": {**document["transactions"][0], "amount": "7"}},
    }
    cancel = make.act("cancelled", document)
    async with await books.connect() as connection:
        assert await not_done(connection, wanted, [places[one] for one in wanted]) == set()
        assert await look_up(connection, reads) == ["done"] * 3
        assert await look_up(connection, [read(other, 9)]) == ["unknown"]  # the failed entry of a reused id
        # A cancel that was never taken in, before and after the last archived action.
        assert await look_up(connection, [read(cancel, 0), read(cancel, 99)]) == ["overtaken", "unknown"]


async def _places(shop: Shop) -> dict[str, str]:
    return {str(row["command_id"]): row["place"] for row in await shop.rows(_COMMANDS, shop.account)}


async def test_an_archived_event_with_other_content_is_refused(
    books: Shop, make: Maker, archiving: Archiving
) -> None:
    _, [_, _, paid] = await sold(books, make)
    await age(books)
    await go(archiving)
    paid["data"]["transaction"]["amount"] = "7.00"
    await books.send(paid)
    await books.idle()
    assert [row[2] for row in await books.log()][-1] == "event_id_reused"


async def test_what_is_said_again_of_an_archived_event_does_not_open_an_entry(
    books: Shop, make: Maker, archiving: Archiving
) -> None:
    """The transform stage tells ``queued`` of whatever it reads, also when it reads everything again; and a
    topic that keeps results for years tells of all of them when it is read from its beginning.
    """
    _, events = await sold(books, make)
    await age(books)
    await go(archiving)
    told = await books.told()
    first = [msgspec.structs.replace(one, version=0, state="queued", outcome=None) for one in told]
    long_ago = told[0].queued_at - timedelta(days=500)
    again = [
        msgspec.structs.replace(one, version=9, state="running", queued_at=long_ago, finished_at=None)
        for one in told
    ]
    new = msgspec.structs.replace(first[0], entry_id="5f0c1d3e-0000-4000-8000-000000000001")
    letter = msgspec.structs.replace(first[0], entry_id="dead letter of somewhere")
    async with await books.connect() as connection:
        await apply(connection, [*first, *again, new, letter])
    rows = await books.rows("SELECT entry_id FROM integrations_log.entry WHERE account = %s", books.account)
    entries = {row["entry_id"] for row in rows}
    assert entries == {new.entry_id, letter.entry_id}
    assert len(events) == 3


async def test_a_preview_knows_an_archived_event_as_ended(
    books: Shop, make: Maker, archiving: Archiving
) -> None:
    document, events = await sold(books, make)
    await age(books)
    await go(archiving)
    commands = [books.command(event) for event in events]
    commands.append(books.command(make.paid(document, "7.00")))
    url = str(books.environment.database_url)
    async with await psycopg.AsyncConnection.connect(url, autocommit=True) as connection:
        found = (await preview(connection, books.environment, books.account, commands)).commands
    assert [(found[c.command_id].known, found[c.command_id].entry.state) for c in commands[:3]] == [
        ("ended", "completed")
    ] * 3
    assert found[commands[2].command_id].entry.amount == Decimal("108.00")
    assert found[commands[3].command_id].entry.reason_code == "exceeds_amount_due"


# Late events of archived records


async def test_a_late_payment_goes_on_with_the_running_sum(
    books: Shop, make: Maker, archiving: Archiving
) -> None:
    """50.005 is 50.01 in money, and so 100.01 is 50.00 more. Without the first, it would be 50.01 again."""
    customer = make.customer()
    document = make.document(customer, 5001)
    assert await books.run(make.created(document), make.paid(document, "50.005")) == ["posted", "posted"]
    await age(books)
    await go(archiving)
    assert await books.run(make.paid(document, "50.005")) == ["posted"]
    assert sorted(p["amount"] for p in books.invoice("5001")["payments"]) == ["50.00", "50.01"]


async def test_a_late_reset_takes_off_what_was_archived(
    books: Shop, make: Maker, archiving: Archiving
) -> None:
    document, _ = await sold(books, make)
    await age(books)
    await go(archiving)
    known = len(await books.told())
    assert await books.run(make.act("reset", document)) == ["posted"]
    assert [p["status"] for p in books.invoice("5001")["payments"]] in (["DELETED"], [])
    async with await books.connect() as connection:
        await apply(connection, (await books.told())[known:])
        told = await story.tell(connection, Record(books.account, "invoice", document["id"]))
    assert told is not None
    assert [entry["action"] for entry in told.entries] == ["reset"]
    assert told.archived == 2
    assert await books.run(make.act("cancelled", document)) == ["posted"]
    assert books.invoice("5001")["status"] == "VOIDED"


async def test_a_payment_of_an_archived_transaction_is_not_paid_again(
    books: Shop, make: Maker, archiving: Archiving
) -> None:
    document, [_, _, paid] = await sold(books, make)
    await age(books)
    await go(archiving)
    again = make.event("invoice.payment_applied", document["id"], paid["data"])
    assert await books.run(again) == ["already_there"]
    assert len(books.invoice("5001")["payments"]) == 1


async def test_nobody_sends_an_archived_action_again(books: Shop, make: Maker, archiving: Archiving) -> None:
    _, events = await sold(books, make)
    await age(books)
    await go(archiving)
    async with await books.connect() as connection:
        ids = [books.command_id(event) for event in events]
        assert await operators.resend(connection, ids, "ann") == []


# Comparisons


async def test_a_comparison_leaves_archived_documents_out_and_ends(
    books: Shop, make: Maker, archiving: Archiving
) -> None:
    _, events = await sold(books, make)
    assert await drifting.drift(books, full=True) == []
    await age(books)
    await go(archiving)
    changed = {"InvoiceID": books.invoice("5001")["id"], "Reference": "by hand"}
    books.by_hand("POST", "Invoices", {"Invoices": [changed]})
    assert await drifting.drift(books, full=True) == []
    assert len(events) == 3


async def test_a_contact_is_compared_after_its_actions_are_archived(
    books: Shop, make: Maker, archiving: Archiving
) -> None:
    customer = make.customer("Widgets & Co", office_phone="604-555-0101")
    assert await books.run(make.contact("created", customer)) == ["posted"]
    assert await books.run(make.changed(customer, office_phone="604-555-0102")) == ["posted"]
    await log_all(books)
    await age(books)
    await go(archiving)
    changed = {"ContactID": books.contact("Widgets & Co")["id"], "Phones": [_PHONE]}
    books.by_hand("POST", "Contacts", {"Contacts": [changed]})
    assert await gone(books) == ["created", "edited"]
    assert [row[:2] for row in await drifting.drift(books, full=True)] == [("contact", "phone")]
    assert await _bodies(books) == ["{}", "whole"]
    assert await drifting.resend(books) == ["posted"]
    assert await drifting.drift(books, full=True) == []
    assert await gone(books) == ["created"]  # and the other is in the log again
    await log_all(books)
    assert await count(books, "integrations_log.entry") >= 1
    await age(books)
    await go(archiving)
    assert await _bodies(books) == ["{}", "whole"]
    assert await books.run(make.changed(customer, office_phone="604-555-0103")) == ["posted"]
    await age(books, 1000)
    await go(archiving)
    assert await _bodies(books) == ["{}", "{}", "whole"]


async def _bodies(shop: Shop) -> list[str]:
    rows = await shop.rows(_COMMANDS, shop.account)
    return ["{}" if bytes(row["body"]) == b"{}" else "whole" for row in rows]


_PHONE = {"PhoneType": "DEFAULT", "PhoneNumber": "1"}


# One at a time, and nothing taken out that is not written


async def test_one_worker_at_a_time(books: Shop, make: Maker, archiving: Archiving, pool: Pool) -> None:
    await sold(books, make)
    await age(books)
    second = Archiving(pool, archiving.archive, DAYS)
    async with pool.connection() as connection, connection.transaction():
        assert await bite.begin(connection, "another worker", DAYS) is not None
    await go(second)
    await go(archiving)
    assert archiving.archive.parts() == []
    async with await books.connect() as connection:
        await connection.execute("UPDATE ledger.archive SET until = clock_timestamp() - interval '1 second'")
    await asyncio.gather(go(archiving), go(second))
    assert await gone(books) == GONE
    rows = [one["command_id"] for one in rows_in(archiving, books.account) if one["row"] == "command"]
    assert len(rows) == len(set(rows)) == len(GONE)


@pytest.mark.parametrize(
    "trouble", [OSError(28, "No space left on device"), ArchiveProblem("no", "mount it")]
)
async def test_nothing_is_taken_out_that_is_not_on_the_disk(
    books: Shop, make: Maker, archiving: Archiving, monkeypatch: pytest.MonkeyPatch, trouble: Exception
) -> None:
    await sold(books, make)
    await age(books)

    def full(*_: object, **__: object) -> None:
        raise trouble

    state = await books.rows(_COMMANDS, books.account)
    monkeypatch.setattr(archiving.archive, "add", full)
    await go(archiving)
    assert await books.rows(_COMMANDS, books.account) == state
    assert await count(books, "integrations_log.entry") == 4
    [told] = await books.rows("SELECT problem, remedy, problem_at FROM ledger.archive")
    assert told["problem"] == str(trouble) and told["remedy"] and told["problem_at"]
    monkeypatch.setattr(archiving.archive, "add", type(archiving.archive).add.__get__(archiving.archive))
    await go(archiving)
    [told] = await books.rows("SELECT problem, problem_at FROM ledger.archive")
    assert (told["problem"], told["problem_at"]) == ("", None)
    assert await gone(books) == GONE


async def test_another_directory_is_not_taken_for_the_archive(
    books: Shop, make: Maker, archiving: Archiving, pool: Pool, tmp_path: Path
) -> None:
    await go(archiving)
    await sold(books, make)
    await age(books)
    await go(Archiving(pool, Archive(tmp_path / "empty"), DAYS, archiving._worker))
    assert await gone(books) == []
    assert not (tmp_path / "empty").exists()


async def test_an_account_whose_rows_somebody_holds_is_left_for_the_next_round(
    books: Shop, make: Maker, archiving: Archiving, office: Office
) -> None:
    other = office.new_shop()
    await connect(other)
    created = {}
    for shop, maker in ((books, make), (other, Maker(other.account))):
        created[shop.account] = (await sold(shop, maker))[1][1]
        await age(shop)
    first, second = sorted((books, other), key=lambda shop: shop.account)
    async with await first.connect() as connection, connection.transaction():
        lock = "SELECT FROM ledger.commands WHERE command_id = %s FOR UPDATE"
        await connection.execute(lock, [first.command_id(created[first.account])])
        await go(archiving)
        assert await gone(first) == []
        assert await gone(second) == GONE
    await go(archiving)
    assert await gone(first) == GONE


async def test_live_work_does_not_wait_for_a_disk_that_hangs(
    books: Shop, make: Maker, archiving: Archiving, monkeypatch: pytest.MonkeyPatch
) -> None:
    document, _ = await sold(books, make)
    await age(books)
    hangs, answers = threading.Event(), threading.Event()
    add = archiving.archive.add

    def slow(account: str, month: str, lines: Sequence[bytes]) -> Part:
        hangs.set()
        assert answers.wait(30)
        return add(account, month, lines)

    monkeypatch.setattr(archiving.archive, "add", slow)
    going = asyncio.create_task(go(archiving))
    assert await asyncio.to_thread(hangs.wait, 30)
    async with asyncio.timeout(20):
        assert await books.run(make.act("reset", document)) == ["posted"]
        assert await books.run(make.created(make.document(make.customer(), 5002))) == ["posted"]
        await log_all(books)
    assert await gone(books) == []
    answers.set()
    await going
    assert await gone(books) == GONE
    assert await books.run(make.act("cancelled", document)) == ["posted"]
    assert books.invoice("5001")["status"] == "VOIDED"


async def test_the_database_ends_a_bite_that_hangs(books: Shop, archiving: Archiving, pool: Pool) -> None:
    async with pool.connection() as connection, connection.transaction(force_rollback=True):
        await bite.begin(connection, archiving._worker, DAYS)
        names = ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout")
        set_to = [await fetch_all(connection, f"SHOW {name}".encode()) for name in names]  # type: ignore[arg-type]
    assert [next(iter(row.values())) for [row] in set_to] == ["10s", "500ms", "30s"]


async def test_large_bodies_go_one_by_one(
    books: Shop, make: Maker, archiving: Archiving, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bite, "BYTES", 1)
    await sold(books, make)
    await age(books)
    await go(archiving)
    assert await gone(books) == GONE
    assert max(len(list(_calls_in(archiving, part))) for part in archiving.archive.parts(books.account)) == 1
    assert {row["archived"] for row in await books.rows(_CALLS, books.account)} == {True}


_CALLS = "SELECT archived_at IS NOT NULL AS archived FROM ledger.intents WHERE account = %s"


def _calls_in(archiving: Archiving, part: Part) -> list[Any]:
    return [one for line in archiving.archive.lines(part) if (one := json.loads(line))["row"] == "call"]


async def test_a_database_that_was_put_back_goes_to_the_same_archive_again(
    books: Shop, make: Maker, archiving: Archiving
) -> None:
    """Then files tell of rows that the tables have, too; each is shown once."""
    await sold(books, make)
    await age(books)
    backup = {table: await books.rows(_ALL.format(table), books.account) for table in _TABLES}
    await go(archiving)
    first = rows_in(archiving, books.account)
    async with await books.connect() as connection:
        await connection.execute("TRUNCATE ledger.archive_parts")
        for table, rows in backup.items():
            names = sorted(rows[0]["row"].keys() - _GENERATED)
            of = {
                "table": sql.Identifier(*table.split(".")),
                "columns": sql.SQL(", ").join(map(sql.Identifier, names)),
            }
            await connection.execute(_FORGET.format(**of), [books.account])
            await connection.execute(_PUT_BACK.format(**of), [Jsonb([row["row"] for row in rows])])
    assert await gone(books) == []
    await go(archiving)
    assert await gone(books) == GONE
    assert len(rows_in(archiving, books.account)) == 2 * len(first)
    shown = list(rows_of(archiving.archive, archiving.archive.parts(books.account), None))
    assert len(shown) == len(first)
    async with await books.connect() as connection:
        known = await bite.noted(connection, books.account)
    present = archiving.archive.parts(books.account)
    assert problems_of(archiving.archive, present, known) == []


_TABLES = (
    "ledger.commands",
    "ledger.intents",
    "ledger.elements",
    "integrations_log.entry",
    "integrations_log.attempt",
)
_GENERATED = {"holds", "turn", "issue_id"}
_FORGET = sql.SQL("DELETE FROM {table} WHERE account = %s")
_PUT_BACK = sql.SQL(
    "INSERT INTO {table} ({columns}) OVERRIDING SYSTEM VALUE "
    "SELECT {columns} FROM jsonb_populate_recordset(NULL::{table}, %s)"
)
_ALL = "SELECT to_jsonb(t) AS row FROM {} t WHERE account = %s"


async def test_nothing_goes_while_workers_of_an_earlier_version_may_be_at_work(
    books: Shop, make: Maker, archiving: Archiving
) -> None:
    """They would read what is left of an archived action as a whole one."""
    await sold(books, make)
    await age(books)
    async with await books.connect() as connection:
        await connection.execute("UPDATE ledger.archive SET begins_at = now() + interval '1 minute'")
    await go(archiving)
    assert await gone(books) == []


async def test_a_held_ledger_is_left_alone(books: Shop, make: Maker, archiving: Archiving) -> None:
    await sold(books, make)
    await age(books)
    async with await books.connect() as connection, connection.transaction(force_rollback=True):
        await connection.execute("UPDATE ledger.generation SET held_at = now()")
        assert await bite.begin(connection, archiving._worker, DAYS) is None


# Statements


_RECORDS = {"entities": ["invoice"], "records": ["r"]}
_OLD = {"account": "a", "before": "2026-01-01"}
_ONE = "5f0c1d3e-0000-4000-8000-000000000001"
_STATEMENTS: Mapping[str, Mapping[str, Any]] = {
    "accounts": {"after": "", "before": "2026-01-01"},
    "candidates": _OLD | {"after_time": "1970-01-01", "after_seq": 0, "limit": 9, "bytes": 9},
    "resting": _OLD | _RECORDS,
    "commands": _OLD | _RECORDS | {"upto_time": "2026-01-01", "upto_seq": 9},
    "elements": {"account": "a", "keys": ["r"]},
    "calls": _OLD | {"after_time": "1970-01-01", "after_id": _ONE, "limit": 9, "bytes": 9},
    "narrow_older": {"command_ids": [_ONE]},
    "narrow": {"command_ids": [_ONE], "bodies": [b"{}"], "places": ["t/0/1"]},
    "forget_elements": {"intent_ids": [_ONE], "positions": [0]},
}
_LARGE = ("Seq Scan on commands", "Seq Scan on elements", "Seq Scan on intents")


@pytest.mark.parametrize("name", _STATEMENTS)
async def test_no_bite_reads_a_whole_table(books: Shop, name: str) -> None:
    """With scans forbidden, a plan that still has one of a large table has no index that serves it."""
    statement = load_queries(bite.__file__)[name]
    async with await books.connect() as connection:
        await connection.execute("SET enable_seqscan = off")
        plan = await fetch_all(connection, b"EXPLAIN " + statement.encode(), _STATEMENTS[name])  # type: ignore[arg-type]
    text = "\n".join(row["QUERY PLAN"] for row in plan)
    assert not any(scan in text for scan in _LARGE), text
