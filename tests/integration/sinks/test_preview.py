"""A preview says what is sent then, and leaves nothing behind."""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest

from connections import store
from sinks.preview import NothingKnown, Previewed, preview
from sinks.steps import encode_body
from tests.integration.sinks.shops import Maker, Shop, examples

TABLES = """SELECT table_schema || '.' || table_name FROM information_schema.tables
WHERE table_schema IN ('ledger', 'connections', 'integrations_log') AND table_type = 'BASE TABLE'"""


async def previewed(shop: Shop, *events: dict[str, Any]) -> Previewed:
    commands = [shop.command(event) for event in events]
    async with await psycopg.AsyncConnection.connect(
        str(shop.environment.database_url), autocommit=True
    ) as connection:
        return await preview(connection, shop.environment, shop.account, commands)


async def ends(shop: Shop, *events: dict[str, Any]) -> list[str]:
    """Outcome or reason code of each event."""
    found = (await previewed(shop, *events)).commands
    entries = [found[shop.command_id(event)].entry for event in events]
    return [entry.outcome or entry.reason_code or entry.state for entry in entries]


async def sent_bodies(shop: Shop) -> list[Any]:
    """The elements of all calls that changed something, as they went to Xero."""
    rows = await shop.rows(
        "SELECT method, body FROM ledger.intents WHERE account = %s AND method <> 'GET' "
        "ORDER BY created_at",
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


async def test_what_is_sent_is_what_was_shown(known: Shop, shared_dir: Path) -> None:
    text = [
        json.dumps(event).replace("/salesbinder/acme", f"/salesbinder/{known.account}")
        for event in examples(shared_dir)
    ]
    events = [json.loads(line) for line in text]
    before, calls = await counts(known), known.calls()
    found = await previewed(known, *events)
    assert await counts(known) == before
    assert known.calls() == calls
    shown = {i: (one.entry.outcome or one.entry.reason_code) for i, one in found.commands.items()}
    already = await sent_bodies(known)
    really = dict(zip(shown, await known.run(*events), strict=False))
    assert shown == really
    sent = (await sent_bodies(known))[len(already) :]
    assert without_ids(planned_bodies(found)) == without_ids(sent)
    assert len(sent) > 15
