"""What ended long ago goes to files; what stays is enough for replays, late events and comparisons."""

import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import msgspec
import psycopg
import pytest

from contracts.events.reader import event_to_kafka, read_event
from log_projection import story
from log_projection.projection import apply
from log_projection.story import Record
from sinks.archive import bite
from sinks.ledger import commands as operators
from sinks.preview import preview
from sinks.replay.replay import Read, look_up, not_done
from streams.archiving import Archiving
from tests.integration.sinks import drifting
from tests.integration.sinks.archives import (
    DAYS,
    GONE,
    age,
    count,
    go,
    gone,
    ids,
    log_all,
    rows_in,
    sold,
    standing,
)
from tests.integration.sinks.shops import Maker, Shop

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
