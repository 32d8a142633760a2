"""A preview says what is sent then, and leaves nothing behind."""

import asyncio
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest

from connections.facts import OrganisationFacts
from connections.store import NotConnected, save_facts
from contracts.results import EntryResult
from sinks.ledger.intake import take_in
from sinks.preview import NothingKnown, Previewed, preview
from sinks.preview.scratch import scratch
from sinks.xero.elements import encode_body
from tests.integration.sinks.shops import PATIENCE, Maker, Office, Shop, connect, examples

TABLES = """SELECT table_schema || '.' || table_name FROM information_schema.tables
WHERE table_schema IN ('ledger', 'connections', 'integrations_log') AND table_type = 'BASE TABLE'
AND table_name NOT IN ('leases', 'workers')"""  # the worker says that it lives, and renews its leases


async def previewed(shop: Shop, *events: dict[str, Any]) -> Previewed:
    commands = [shop.command(event) for event in events]
    async with await psycopg.AsyncConnection.connect(
        str(shop.environment.database_url), autocommit=True
    ) as connection:
        return await preview(connection, shop.environment, shop.account, commands)


async def sent_bodies(shop: Shop) -> list[Any]:
    """The elements of all calls that changed something, as they went to Xero."""
    rows = await shop.rows(
        "SELECT method, body FROM ledger.intents WHERE account = %s AND method <> 'GET' ORDER BY created_at",
        shop.account,
    )
    found = []
    for row in rows:
        body = msgspec.json.decode(bytes(row["body"]))
        elements = next(iter(body.values())) if isinstance(next(iter(body.values())), list) else [body]
        found += [(row["method"], element) for element in elements]
    return found


def planned_bodies(found: Previewed) -> list[Any]:
    """Each element once, though it may serve several commands."""
    calls = [call for one in found.commands.values() for call in one.calls if not call.reads]
    unique = {(call.number, encode_body(call.body)): call.method for call in calls}
    return [(method, msgspec.json.decode(body)) for (_, body), method in unique.items()]


def without_ids(bodies: Sequence[tuple[str, Any]]) -> Counter[str]:
    return Counter(f"{method} {json.dumps(_stripped(body), sort_keys=True)}" for method, body in bodies)


def _stripped(value: Any) -> Any:
    ids = ("ContactID", "InvoiceID", "PaymentID", "CreditNoteID", "PurchaseOrderID", "LineItemID")
    if isinstance(value, Mapping):
        return {k: bool(v) if k in ids else _stripped(v) for k, v in value.items()}
    return [_stripped(one) for one in value] if isinstance(value, list) else value


async def counts(shop: Shop) -> dict[str, Any]:
    """Of every table the rows, all of them, as one hash."""
    found = {}
    for row in await shop.rows(TABLES):
        [name] = row.values()
        every = f"SELECT count(*), md5(string_agg(t::text, ' ' ORDER BY t::text)) FROM {name} t"  # noqa: S608
        [content] = await shop.rows(every)
        found[name] = tuple(content.values())
    return found


@pytest.fixture
async def known(books: Shop, make: Maker) -> Shop:
    """A connected account of whose organisation the facts are known, with nothing sent but an item."""
    assert await books.run(make.contact("created", make.customer("First"))) == ["posted"]
    return books


async def agree(shop: Shop, *events: dict[str, Any]) -> list[str]:
    """Preview the events, then deliver them: both must come to the same, in bodies and in ends. Returns how
    they end.
    """
    async with asyncio.timeout(PATIENCE):  # what waits to be told leaves the outbox by itself
        while await shop.rows("SELECT 1 FROM ledger.outbox LIMIT 1"):  # noqa: ASYNC110 - a table
            await asyncio.sleep(0.02)
    before, calls = await counts(shop), shop.calls()
    found = await previewed(shop, *events)
    assert await counts(shop) == before
    assert shop.calls() == calls
    already = len(await sent_bodies(shop))
    really = await shop.run(*events)
    entries = [found.commands[shop.command_id(event)].entry for event in events]
    assert [told(entry) for entry in entries] == really
    assert without_ids(planned_bodies(found)) == without_ids((await sent_bodies(shop))[already:])
    return really


def told(entry: EntryResult) -> str:
    return entry.outcome or entry.reason_code or entry.state


async def test_what_is_sent_is_what_was_shown(known: Shop, shared_dir: Path) -> None:
    events = examples(shared_dir)
    for event in events:
        event["source"] = f"/salesbinder/{known.account}"
    ends = await agree(known, *events)
    assert ends.count("posted") > 10


async def test_what_is_in_xero_already_counts(known: Shop, make: Maker) -> None:
    document = make.document(make.customer("Bolt & Co"), 7)
    assert await known.run(make.created(document), make.paid(document, "50.00")) == ["posted", "posted"]
    refund = make.refunded(document, "20.00")
    too_much = make.paid(document, "500.00")
    taken = make.created(make.document(make.customer("Nut & Co"), 7))
    assert await agree(known, refund, too_much, taken) == [
        "posted",
        "exceeds_amount_due",
        "number_taken",
    ]
    edited = make.edited(document, name="Another text")
    assert await agree(known, edited, make.act("cancelled", document)) == [
        "authorised_not_editable",
        "posted",
    ]


async def test_a_namesake_of_a_contact_that_is_there_is_posted(known: Shop, make: Maker) -> None:
    """A lane that has just made the contact remembers its name. A preview cannot know that: it asks again."""
    assert await known.run(make.created(make.document(make.customer("Bolt & Co"), 7))) == ["posted"]
    namesake = make.created(make.document(make.customer("bolt & co"), 8))
    found = await previewed(known, namesake)
    assert told(found.commands[known.command_id(namesake)].entry) == "posted"
    assert await known.run(namesake) == ["posted"]


async def test_refusal_names_the_setting(known: Shop, make: Maker) -> None:
    await known.settings(sales_tax__8="")
    created = make.created(make.document(make.customer(), 1))
    found = await previewed(known, created)
    [one] = found.commands.values()
    assert (one.entry.state, one.entry.reason_code, one.calls) == ("failed", "tax_rate_unmapped", [])
    assert "sales_tax.8" in one.entry.remedy
    assert found.calls == 0


async def test_what_the_ledger_has_is_told_from_what_is_new(known: Shop, make: Maker) -> None:
    document = make.document(make.customer(), 1)
    created = make.created(document)
    assert await known.run(created) == ["posted"]
    other = {**created, "data": {"document": {**document, "name": "Another content"}}}
    paid = make.paid(document, "5.00")
    found = (await previewed(known, created, paid)).commands
    [done, new] = [found[known.command_id(event)] for event in (created, paid)]
    assert (done.known, done.calls) == ("ended", [])
    assert (new.known, [call.path for call in new.calls]) == ("", ["Payments"])
    [reused] = (await previewed(known, other)).commands.values()
    assert (reused.known, reused.entry.reason_code) == ("", "event_id_reused")


async def test_what_waits_in_the_ledger_goes_first(
    shop: Shop, maker: Maker, known: Shop, make: Maker
) -> None:
    """Nothing is at work on ``shop``: its facts are those of the other account."""
    await give_facts(shop, known)
    document = maker.document(maker.customer(), 1)
    created, paid = maker.created(document), maker.paid(document, "5.00")
    await shop.send(created)
    found = await previewed(shop, paid)
    [one] = found.commands.values()
    assert (found.waiting, told(one.entry), [call.step for call in one.calls]) == (1, "posted", ["payment"])
    again = (await previewed(shop, created)).commands[shop.command_id(created)]
    assert (again.known, told(again.entry)) == ("open", "posted")
    await shop.change("state = 'failed', reason_code = 'needs_review', version = version + 1", created)
    [held] = (await previewed(shop, paid)).commands.values()
    assert (held.entry.state, held.calls) == ("queued", [])


async def test_nothing_live_waits_for_a_preview(shop: Shop, maker: Maker) -> None:
    commands = [shop.command(maker.created(maker.document(maker.customer(), 1)))]
    async with (
        await psycopg.AsyncConnection.connect(
            str(shop.environment.database_url), autocommit=True
        ) as planning,
        scratch(planning, shop.account, commands) as copy,
    ):
        await take_in(copy.database, commands)
        async with await shop.connect() as live:
            await live.execute("SET lock_timeout = '2s'")
            await live.execute("LOCK TABLE ledger.commands, ledger.links, ledger.snapshots, ledger.outbox")
            await take_in(live, commands)
        with pytest.raises(psycopg.errors.ReadOnlySqlTransaction):
            await psycopg.AsyncCursor(planning).execute("DELETE FROM ledger.commands")
    assert len(await shop.log()) == 1


async def test_what_must_be_known_before(office: Office, make: Maker) -> None:
    stranger = office.new_shop()
    created = Maker(stranger.account).created(make.document(make.customer(), 1))
    with pytest.raises(NotConnected):
        await previewed(stranger, created)
    await connect(stranger)
    await stranger.rows("DELETE FROM connections.facts WHERE account = %s RETURNING 1", stranger.account)
    with pytest.raises(NothingKnown):
        await previewed(stranger, created)


async def give_facts(shop: Shop, other: Shop) -> None:
    """What Xero says about the organisation, as ``other`` was told."""
    [row] = await other.rows("SELECT body::text FROM connections.facts WHERE account = %s", other.account)
    async with await shop.connect() as connection:
        await save_facts(connection, shop.account, OrganisationFacts.from_json(row["body"]))
