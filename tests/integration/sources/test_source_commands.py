"""``sbx source`` on a real database, against the fake SalesBinder."""

import asyncio
import os
import signal
import sys
from asyncio.subprocess import PIPE
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import msgspec
import psycopg
import pytest

from runtime.environment import Environment
from runtime.secrets import key_hash
from sandbox.fake_salesbinder import FakeSalesBinderServer, acts
from sbx.actions import probing, source
from sbx.actions.actors import Actor, OneConnection
from sbx.actions.refused import ActionRefused
from sources.client import Client, api_address
from sources.hints import ids_in
from sources.reader import Reader
from sources.schedule.layers import LISTINGS
from sources.store import calls, hooks, keeping, store
from tests.integration.sources.reading import to_file

ME = Actor("me")
ACCOUNT = "acme"


@pytest.fixture
def salesbinder() -> Iterator[FakeSalesBinderServer]:
    with FakeSalesBinderServer(seed=3) as server:
        server.world.limiter.minute = server.world.limiter.burst = 10**9
        server.world.add_shop(ACCOUNT)
        yield server


@pytest.fixture
def environment(database_url: str, tmp_path: Path, salesbinder: FakeSalesBinderServer) -> Environment:
    address = salesbinder.api_url
    return Environment(database_url=database_url, data_dir=tmp_path, salesbinder_api_url=address)


async def session(environment: Environment) -> psycopg.AsyncConnection[Any]:
    return await psycopg.AsyncConnection.connect(**environment.psycopg("test"), autocommit=True)


async def read_all(environment: Environment, connection: Any, path: Path) -> None:
    """Read until nothing is due."""
    lease = await store.take_lease(connection, ACCOUNT, 7)
    assert lease is not None
    key = (await store.accounts(connection))[ACCOUNT]
    async with Client(api_address(ACCOUNT, environment.salesbinder_api_url), "acme-key") as client:
        reader = Reader(connection, lease, client, to_file(path), key)
        while (wait := await reader.turn()) < 30:
            if wait:
                await connection.execute("DELETE FROM source.calls")
    await store.release_lease(connection, lease)


def told(path: Path) -> list[tuple[str, str]]:
    lines = path.read_bytes().splitlines() if path.exists() else []
    events = [msgspec.json.decode(line) for line in lines]
    return [(event["type"].removeprefix("salesbinder."), event["subject"]) for event in events]


async def test_the_key_of_another_company_is_refused_for_an_account_that_is_known(
    environment: Environment, salesbinder: FakeSalesBinderServer, tmp_path: Path
) -> None:
    # On the host that all companies share, each key shows its own company.
    shared = Environment(
        database_url=environment.database_url,
        data_dir=tmp_path,
        salesbinder_api_url=f"{salesbinder.url}/api/2.0",
    )
    async with await session(shared) as connection:
        database = OneConnection(connection)
        ours, theirs = salesbinder.world.shops[ACCOUNT], salesbinder.world.add_shop("theirs")
        acts.create_party(ours, "customer", name="Widgets & Co")
        acts.create_party(theirs, "customer", name="Somebody else's")
        await source.connect(database, shared, ME, ACCOUNT, ours.key)
        await read_all(shared, connection, tmp_path / "told")
        stored = await store.accounts(connection)
        with pytest.raises(ActionRefused, match="none of the records that are known of 'acme'"):
            await source.connect(database, shared, ME, ACCOUNT, theirs.key)
        assert await store.accounts(connection) == stored
        await source.connect(database, shared, ME, ACCOUNT, ours.key)
        assert await store.accounts(connection) != stored


async def test_a_key_that_could_not_be_checked_is_taken_and_nothing_is_read_until_it_is(
    environment: Environment, salesbinder: FakeSalesBinderServer, tmp_path: Path
) -> None:
    shared = Environment(
        database_url=environment.database_url,
        data_dir=tmp_path,
        salesbinder_api_url=f"{salesbinder.url}/api/2.0",
    )
    path = tmp_path / "told"
    async with await session(shared) as connection:
        database = OneConnection(connection)
        ours, theirs = salesbinder.world.shops[ACCOUNT], salesbinder.world.add_shop("theirs")
        known = acts.create_party(ours, "customer", name="Widgets & Co")
        await source.connect(database, shared, ME, ACCOUNT, ours.key)
        await read_all(shared, connection, path)
        # What is made within the second of the connection counts as new.
        before = told(path)
        assert {each for _, each in before} <= {known}
        acts.create_party(theirs, "customer", name="Somebody else's")
        fault = salesbinder.admin.fault("status", status=503, path="^customers/", times=None)
        found = await source.connect(database, shared, ME, ACCOUNT, theirs.key)
        assert known in str(found.unproven)
        (standing,) = await source.standing(connection, ME)
        assert (standing.trouble, standing.trouble_text) == ("salesbinder_key_unproven", found.unproven)
        salesbinder.admin.clear_faults(fault)
        lease = await store.take_lease(connection, ACCOUNT, 7)
        assert lease is not None
        key = (await store.accounts(connection))[ACCOUNT]
        async with Client(api_address(ACCOUNT, shared.salesbinder_api_url), theirs.key) as client:
            reader = Reader(connection, lease, client, to_file(path), key)
            for _ in range(5):
                await connection.execute("DELETE FROM source.calls")
                await reader.turn()
        await store.release_lease(connection, lease)
        (standing,) = await source.standing(connection, ME)
        assert standing.trouble == "salesbinder_key_unproven"
        assert "none of the records that are known" in standing.trouble_text
        assert told(path) == before
        found = await source.connect(database, shared, ME, ACCOUNT, ours.key)
        assert found.unproven is None
        (standing,) = await source.standing(connection, ME)
        assert standing.trouble is None


async def test_an_account_is_connected_with_a_key_that_works_and_is_recorded(
    environment: Environment, salesbinder: FakeSalesBinderServer
) -> None:
    async with await session(environment) as connection:
        database = OneConnection(connection)
        with pytest.raises(ActionRefused, match="refuses this key"):
            await source.connect(database, environment, ME, ACCOUNT, "wrong")
        assert await store.accounts(connection) == {}
        acts.create_party(salesbinder.world.shops[ACCOUNT], "customer", name="Widgets & Co")
        found = await source.connect(database, environment, ME, ACCOUNT, "acme-key")
        assert (found.rows["customers"], found.refused) == (1, ())
        stored = (await store.accounts(connection))[ACCOUNT]
        assert b"acme-key" not in stored
        rows = await (await connection.execute("SELECT act, target::text FROM web.acts")).fetchall()
        assert [(row[0], ACCOUNT in row[1]) for row in rows] == [("source_connect", True)]
        assert "acme-key" not in str(rows)
        (standing,) = await source.standing(connection, ME)
        assert (standing.account, standing.is_read, standing.stock_is_taken) == (ACCOUNT, False, False)
        with pytest.raises(ActionRefused, match="not connected"):
            await source.standing(connection, ME, "other")


async def test_calls_that_try_a_key_count_among_those_of_the_account(
    environment: Environment, salesbinder: FakeSalesBinderServer
) -> None:
    """Else the reader and the first look at the shop, which share the limits, are blocked at once."""
    async with await session(environment) as connection:
        database = OneConnection(connection)

        async def counted() -> int:
            rows = await (await connection.execute("SELECT count(*) FROM source.calls")).fetchall()
            return int(rows[0][0])

        await source.connect(database, environment, ME, ACCOUNT, "acme-key")
        made = len(LISTINGS["all"])
        assert await counted() == made
        with pytest.raises(ActionRefused, match="refuses this key"):
            await source.connect(database, environment, ME, ACCOUNT, "wrong")
        assert await counted() == made + 2


async def test_wrong_keys_tried_in_a_row_cost_few_calls_and_keep_within_the_limits(
    environment: Environment, salesbinder: FakeSalesBinderServer
) -> None:
    """Also of an account that is not connected yet: a block would hold its first reading."""
    said: list[str] = []
    async with await session(environment) as connection:
        database = OneConnection(connection)
        for _ in range(3):
            with pytest.raises(ActionRefused, match="refuses this key"):
                await source.connect(database, environment, ME, ACCOUNT, "wrong", said.append)
        assert (len(salesbinder.admin.calls()), said) == (6, [])
        await connection.execute(
            "INSERT INTO source.calls SELECT 'acme', clock_timestamp() + interval '50 s', false"
            " FROM generate_series(1, 40)"
        )
        with pytest.raises(ActionRefused, match="the calls of 'acme' are used up for the moment"):
            await source.connect(database, environment, ME, ACCOUNT, "acme-key")
        assert len(salesbinder.admin.calls()) == 6
        await connection.execute("DELETE FROM source.calls")
        await source.connect(database, environment, ME, ACCOUNT, "acme-key")


async def test_a_block_is_waited_out_by_a_new_key_and_not_forgotten_with_it(
    environment: Environment, salesbinder: FakeSalesBinderServer
) -> None:
    said: list[str] = []
    held = "UPDATE source.accounts SET trouble = %s, held_until = clock_timestamp() + %s"
    async with await session(environment) as connection:
        database = OneConnection(connection)
        await source.connect(database, environment, ME, ACCOUNT, "acme-key")
        made = len(await (await connection.execute("SELECT FROM source.calls")).fetchall())
        await connection.execute(held, ["salesbinder_blocked", timedelta(minutes=10)])
        with pytest.raises(ActionRefused, match=r"has blocked 'acme' .*: nothing may be asked for 600 s"):
            await source.connect(database, environment, ME, ACCOUNT, "acme-key", said.append)
        assert (await store.load(connection, ACCOUNT)).standing.blocked_until is not None
        again = await (await connection.execute("SELECT FROM source.calls")).fetchall()
        assert len(again) == made
        await connection.execute(held, ["salesbinder_blocked", timedelta(seconds=6)])
        await connection.execute("DELETE FROM source.calls")
        await source.connect(database, environment, ME, ACCOUNT, "acme-key", said.append)
        assert said == ["SalesBinder has blocked 'acme' for too many calls: waiting 6 s"]
        # Any other trouble is that of the key before.
        await connection.execute(held, ["salesbinder_key_refused", timedelta(minutes=10)])
        await source.connect(database, environment, ME, ACCOUNT, "acme-key", said.append)
        account = await store.load(connection, ACCOUNT)
        assert (account.standing.blocked_until, account.failures, len(said)) == (None, 0, 1)


async def test_a_block_that_comes_while_a_key_is_tried_stays_when_it_is_stored(
    environment: Environment, salesbinder: FakeSalesBinderServer
) -> None:
    async with await session(environment) as connection:
        await source.connect(OneConnection(connection), environment, ME, ACCOUNT, "acme-key")
        await calls.note_block(connection, ACCOUNT, None)
        await store.connect(connection, ACCOUNT, b"another")
        account = await store.load(connection, ACCOUNT)
        assert (account.key, account.failures) == (b"another", 1)
        assert account.standing.blocked_until is not None


async def test_a_question_and_the_reader_do_not_take_the_same_free_place(
    environment: Environment, salesbinder: FakeSalesBinderServer
) -> None:
    async with await session(environment) as readers, await session(environment) as ours:
        await store.connect(readers, ACCOUNT, b"key")
        lease = await store.take_lease(readers, ACCOUNT, 7)
        assert lease is not None
        full = "INSERT INTO source.calls SELECT 'acme', clock_timestamp(), false FROM generate_series(1, 11)"
        await readers.execute(full)
        async with store.fenced(readers, lease):
            account = await store.load(readers, ACCOUNT)
            reserving = asyncio.create_task(calls.reserve_call(ours, ACCOUNT))
            await asyncio.sleep(0.5)
            assert not reserving.done()
            await store.add_call(readers, ACCOUNT, account.now, background=False)
        wait = await reserving
        assert wait is not None
        assert wait.trouble is None
        assert 8 < wait.time.total_seconds() <= 10


async def test_how_a_payment_that_shrank_is_read_can_be_set_and_is_shown(
    environment: Environment, salesbinder: FakeSalesBinderServer
) -> None:
    async with await session(environment) as connection:
        database = OneConnection(connection)
        with pytest.raises(ActionRefused, match="not connected"):
            await source.read_shrunk_as(database, ME, ACCOUNT, "refund")
        await source.connect(database, environment, ME, ACCOUNT, "acme-key")
        assert (await source.standing(connection, ME, ACCOUNT))[0].shrunk == "correction"
        assert await source.read_shrunk_as(database, ME, ACCOUNT, "refund") == "correction"
        assert (await source.standing(connection, ME, ACCOUNT))[0].shrunk == "refund"
        assert (await store.load(connection, ACCOUNT)).shrunk == "refund"


async def test_the_reader_knows_the_cut_off_once_the_account_is_connected_to_xero(
    environment: Environment, salesbinder: FakeSalesBinderServer
) -> None:
    async with await session(environment) as connection:
        await source.connect(OneConnection(connection), environment, ME, ACCOUNT, "acme-key")
        assert (await store.load(connection, ACCOUNT)).cut_off is None
        await connection.execute(
            "INSERT INTO connections.accounts (account, tenant_id, tenant_name, auth_kind, client_id,"
            " client_secret_encrypted, enabled_at, connected_at)"
            " VALUES ('acme', 't', 'T', 'client_credentials', 'c', '', '2026-01-31T00:00:00Z', now())"
        )
        assert (await store.load(connection, ACCOUNT)).cut_off == datetime(2026, 1, 31, tzinfo=UTC)


async def test_history_is_planned_told_and_cancelled(
    environment: Environment, salesbinder: FakeSalesBinderServer, tmp_path: Path
) -> None:
    shop = salesbinder.world.shops[ACCOUNT]
    customer = acts.create_party(shop, "customer", name="Widgets & Co")
    lines = [{"name": "A", "price": 100}]
    invoices = [acts.create_document(shop, "invoice", customer, lines) for _ in range(3)]
    acts.pay(shop, invoices[0], "100")
    salesbinder.world.clock.advance(60)
    since = datetime.now(UTC) - timedelta(days=1)
    path = tmp_path / "told"
    async with await session(environment) as connection:
        database = OneConnection(connection)
        await source.connect(database, environment, ME, ACCOUNT, "acme-key")
        with pytest.raises(ActionRefused, match="not been read whole"):
            await source.plan_backfill(connection, ME, ACCOUNT, since)
        await read_all(environment, connection, path)
        assert told(path) == []
        planned = await source.plan_backfill(connection, ME, ACCOUNT, since)
        assert (planned.plan.documents, planned.plan.paid) == (3, 1)
        assert await source.backfill(database, ME, ACCOUNT, since) == 3
        assert await source.cancel_backfill(database, ME, ACCOUNT) == 3
        assert await source.backfill(database, ME, ACCOUNT, since) == 3
        await read_all(environment, connection, path)
        assert sorted(told(path)) == sorted(
            [("invoice.created", each) for each in invoices] + [("invoice.payment_applied", invoices[0])]
        )
        (standing,) = await source.standing(connection, ME, ACCOUNT)
        assert standing.history == 0
        cursor = await connection.execute(
            "SELECT act, result FROM web.acts WHERE act <> 'source_connect' ORDER BY id"
        )
        assert [(row[0], row[1]["documents"]) for row in await cursor.fetchall()] == [
            ("source_backfill", 3), ("source_backfill_cancel", 3), ("source_backfill", 3),
        ]  # fmt: skip
        assert (await source.plan_backfill(connection, ME, ACCOUNT, since)).plan.documents == 0


async def test_a_cancelled_backfill_tells_what_it_left_out_no_more_either(
    environment: Environment, salesbinder: FakeSalesBinderServer, tmp_path: Path
) -> None:
    """It may be in Xero by hand by now."""
    shop = salesbinder.world.shops[ACCOUNT]
    customer = acts.create_party(shop, "customer", name='"left_out":true')
    lines = [{"name": "A", "price": 100}]
    gone, waiting = (acts.create_document(shop, "invoice", customer, lines) for _ in range(2))
    salesbinder.world.clock.advance(60)
    since, path = datetime.now(UTC) - timedelta(days=1), tmp_path / "told"
    async with await session(environment) as connection:
        database = OneConnection(connection)
        await source.connect(database, environment, ME, ACCOUNT, "acme-key")
        await read_all(environment, connection, path)
        before = await keeping.kept(connection, ACCOUNT, [customer, gone, waiting])
        assert await source.backfill(database, ME, ACCOUNT, since) == 2
        await connection.execute(_LEFT_OUT, [gone])
        assert (await keeping.kept(connection, ACCOUNT, [gone]))["invoice", gone].left_out
        assert await source.cancel_backfill(database, ME, ACCOUNT) == 1
        assert await keeping.kept(connection, ACCOUNT, [customer, gone, waiting]) == before
        await store.hint(connection, ACCOUNT, [gone])
        await read_all(environment, connection, path)
        assert told(path) == []


_LEFT_OUT = """
WITH gone AS (
    UPDATE source.records SET history = false,
        body = convert_to(replace(convert_from(body, 'UTF8'), '"left_out":false', '"left_out":true'), 'UTF8')
    WHERE record_id = %s RETURNING record_id
)
DELETE FROM source.wanted w USING gone WHERE w.record_id = gone.record_id
"""


async def test_what_was_told_in_part_is_planned_and_told_whole(
    environment: Environment, salesbinder: FakeSalesBinderServer, tmp_path: Path
) -> None:
    shop = salesbinder.world.shops[ACCOUNT]
    customer = acts.create_party(shop, "customer", name="Widgets & Co")
    lines = [{"name": "A", "price": 100}]
    part, unpaid, none = (acts.create_document(shop, "invoice", customer, lines) for _ in range(3))
    acts.pay(shop, part, "40")
    salesbinder.world.clock.advance(60)
    since, path = datetime.now(UTC) - timedelta(days=1), tmp_path / "told"
    async with await session(environment) as connection:
        database = OneConnection(connection)
        await source.connect(database, environment, ME, ACCOUNT, "acme-key")
        await read_all(environment, connection, path)
        acts.pay(shop, part, "60")
        acts.pay(shop, unpaid, "60")
        salesbinder.world.clock.advance(60)
        await store.hint(connection, ACCOUNT, [part, unpaid])
        await read_all(environment, connection, path)
        live = [("invoice.payment_applied", part), ("invoice.payment_applied", unpaid)]
        assert sorted(told(path)) == sorted(live)
        planned = await source.plan_backfill(connection, ME, ACCOUNT, since)
        assert (planned.plan.documents, planned.plan.paid) == (2, 1)
        records = await keeping.kept(connection, ACCOUNT, [part, unpaid, none])
        untold = {key[1] for key, kept in records.items() if not kept.is_whole}
        assert untold == {part, none}
        # An older version does not note it: each invoice of which stock was taken may have been paid before.
        await connection.execute(_AS_AN_OLDER_VERSION)
        planned = await source.plan_backfill(connection, ME, ACCOUNT, since)
        records = await keeping.kept(connection, ACCOUNT, [part, unpaid, none])
        assert planned.plan.documents == sum(not kept.is_whole for kept in records.values()) == 3
        assert await source.backfill(database, ME, ACCOUNT, since) == 3
        await read_all(environment, connection, path)
        assert sorted(told(path)[2:]) == sorted(
            [("invoice.created", each) for each in (part, unpaid, none)]
            + [("invoice.payment_applied", each) for each in (part, part, unpaid)]
        )
        assert (await source.plan_backfill(connection, ME, ACCOUNT, since)).plan.documents == 0


_AS_AN_OLDER_VERSION = """
UPDATE source.records
SET body = convert_to((convert_from(body, 'UTF8')::jsonb #- '{known,whole}')::text, 'UTF8')
"""


async def test_a_hint_and_a_deep_read_are_wanted_in_the_database(
    environment: Environment, salesbinder: FakeSalesBinderServer, tmp_path: Path
) -> None:
    shop = salesbinder.world.shops[ACCOUNT]
    customer = acts.create_party(shop, "customer", name="Widgets & Co")
    invoice = acts.create_document(shop, "invoice", customer, [{"name": "A", "price": 100}])
    async with await session(environment) as connection:
        await source.connect(OneConnection(connection), environment, ME, ACCOUNT, "acme-key")
        await read_all(environment, connection, tmp_path / "told")
        assert not await store.hint(connection, "other", [])
        assert await store.hint(connection, ACCOUNT, ids_in(f"{invoice} {customer}".encode()))
        rows = await (
            await connection.execute("SELECT record_id, why, entity FROM source.wanted ORDER BY entity")
        ).fetchall()
        assert rows == [(customer, "hint", "customer"), (invoice, "hint", "invoice")]
        account = await store.load(connection, ACCOUNT)
        assert account.standing.hinted is not None
        await connection.execute("DELETE FROM source.wanted")
        await connection.execute("UPDATE source.records SET deep_at = '-infinity' WHERE deep_at IS NOT NULL")
        await connection.execute(
            "UPDATE source.records SET deep_at = now() - interval '1 day' WHERE entity = 'invoice'"
        )
        account = await store.load(connection, ACCOUNT)
        assert [(wish.record_id, wish.why) for wish in account.wishes.values()] == [(invoice, "deep")]


async def test_an_account_has_an_address_for_webhooks_from_the_start_and_another_one_when_it_is_renewed(
    environment: Environment, salesbinder: FakeSalesBinderServer
) -> None:
    async with await session(environment) as connection:
        database = OneConnection(connection)
        with pytest.raises(ActionRefused, match="not connected"):
            await source.hook(connection, environment, ME, ACCOUNT)
        await source.connect(database, environment, ME, ACCOUNT, "acme-key")
        first = await source.hook(connection, environment, ME, ACCOUNT)
        assert first is not None
        assert await hooks.known(connection) == {key_hash(first.token): ACCOUNT}
        await source.connect(database, environment, ME, ACCOUNT, "acme-key")
        assert await source.hook(connection, environment, ME, ACCOUNT) == first
        await hooks.came(connection, ACCOUNT, [])
        second = await source.renew_hook(database, environment, ME, ACCOUNT)
        assert (second.token != first.token, second.last_at) == (True, None)
        assert await hooks.known(connection) == {key_hash(second.token): ACCOUNT}
        with pytest.raises(ActionRefused, match="not connected"):
            await source.renew_hook(database, environment, Actor("bea", ("beta",)), ACCOUNT)
        rows = await (await connection.execute("SELECT target::text FROM web.acts")).fetchall()
        assert len(rows) == 3
        assert first.token not in str(rows) and second.token not in str(rows)
        dump = await (await connection.execute("SELECT to_jsonb(h)::text FROM source.hooks h")).fetchall()
        assert second.token not in str(dump)


async def test_the_probe_asks_within_the_limits(
    environment: Environment, salesbinder: FakeSalesBinderServer
) -> None:
    shop = salesbinder.world.shops[ACCOUNT]
    customer = acts.create_party(shop, "customer", name="Widgets & Co")
    acts.create_document(shop, "invoice", customer, [{"name": "A", "price": 100}])
    async with await session(environment) as connection:
        await source.connect(OneConnection(connection), environment, ME, ACCOUNT, "acme-key")
        found = await asyncio.wait_for(probing.probed(connection, environment, ME, ACCOUNT), 60)
        assert any(each.question == "pageLimit=500" for each in found)
        row = await (await connection.execute("SELECT count(*) FROM source.calls")).fetchone()
        assert row is not None
        assert 10 < row[0] <= 25


async def test_a_document_is_watched_until_ctrl_c_and_what_moved_is_in_the_report(
    environment: Environment, salesbinder: FakeSalesBinderServer, tmp_path: Path
) -> None:
    shop = salesbinder.world.shops[ACCOUNT]
    customer = acts.create_party(shop, "customer", name="Widgets & Co")
    invoice = acts.create_document(shop, "invoice", customer, [{"name": "A", "price": 100}])
    async with await session(environment) as connection:
        await source.connect(OneConnection(connection), environment, ME, ACCOUNT, "acme-key")
    path = tmp_path / "report.md"
    variables = {
        "SBX_DATABASE_URL": str(environment.database_url),
        "SBX_DATA_DIR": str(tmp_path),
        "SBX_SALESBINDER_API_URL": salesbinder.api_url,
    }
    words = ("source", "probe", ACCOUNT, "--watch", str(shop.document(invoice).number), "--report", str(path))
    running = await asyncio.create_subprocess_exec(
        Path(sys.executable).with_name("sbx"), *words,
        env={**os.environ, **variables}, stdout=PIPE, stderr=PIPE,
    )  # fmt: skip
    assert running.stderr is not None

    async def until_said(text: bytes) -> None:
        assert running.stderr is not None
        while text not in (line := await running.stderr.readline()):
            assert line, text

    async with asyncio.timeout(120):
        await until_said(b"watching: ")
        acts.pay(shop, invoice, 40)
        await until_said(b"a payment: ")
        running.send_signal(signal.SIGINT)
        told, _ = await running.communicate()
    assert running.returncode == 0
    report = path.read_text()
    assert told.decode() == report
    assert "- a payment: modified moved by" in report
    assert "- Reset Invoice: not learnt: watch an invoice" in report
    assert "Widgets" not in report
