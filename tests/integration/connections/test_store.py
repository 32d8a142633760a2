"""Connections on a real PostgreSQL: what is kept on reconnect, what is announced, what is recorded."""

import asyncio
from collections.abc import AsyncIterator, Coroutine
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import psycopg
import pytest
from psycopg import AsyncConnection

from connections.facts import Account, OrganisationFacts
from connections.settings import InvalidSetting
from connections.store import (
    CHANNEL,
    ConnectionRefused,
    Db,
    NotConnected,
    OtherOrganisation,
    load_connection,
    load_credentials,
    load_many,
    mark_lost,
    pause,
    resume,
    save_connection,
    save_facts,
    save_token,
    set_settings,
    settings_history,
)

T = TypeVar("T")
CUT_OFF = datetime(2026, 1, 31, tzinfo=UTC)
FACTS = OrganisationFacts(
    name="Demo",
    base_currency="USD",
    fetched_at=datetime(2026, 2, 1, tzinfo=UTC),
    accounts=(Account(account_id="a-1", code="090", name="Bank", type="BANK", status="ACTIVE"),),
    currencies=frozenset({"USD", "EUR"}),
)


@pytest.fixture
async def conn(database_url: str) -> AsyncIterator[Db]:
    async with await AsyncConnection.connect(database_url, autocommit=True) as connection:
        yield connection


async def connect(conn: Db, account: str = "acme", tenant_id: str = "t-1", **changes: Any) -> None:
    values: dict[str, Any] = {
        "tenant_name": "Demo",
        "client_id": "c",
        "client_secret_encrypted": b"s",
        "actor": "ann",
        "enabled_at": None,
    }
    await save_connection(conn, account=account, tenant_id=tenant_id, **{**values, **changes})


async def lose(conn: Db, reason: str) -> None:
    """Xero has refused the present credentials."""
    found = await load_connection(conn, "acme")
    assert found is not None
    assert await mark_lost(conn, "acme", reason, connected_at=found.connected_at)


async def test_a_first_connect(conn: Db) -> None:
    assert await load_connection(conn, "acme") is None
    before = datetime.now(UTC)
    await connect(conn)
    loaded = await load_connection(conn, "acme")
    assert loaded is not None
    assert (loaded.tenant_id, loaded.status, loaded.paused_at, loaded.facts) == (
        "t-1",
        "connected",
        None,
        None,
    )
    assert before - timedelta(seconds=5) < loaded.enabled_at == loaded.settings.enabled_at
    assert loaded.settings.payment_account is None


async def test_the_cut_off_stays_on_reconnect(conn: Db) -> None:
    await connect(conn, enabled_at=CUT_OFF)
    await set_settings(conn, "acme", {"sales_account": "210"}, "ann")
    await lose(conn, "revoked")
    await connect(conn, client_secret_encrypted=b"new")
    loaded = await load_connection(conn, "acme")
    assert loaded is not None
    assert loaded.enabled_at == CUT_OFF
    assert (loaded.status, loaded.status_reason, loaded.settings.sales_account) == ("connected", "", "210")
    assert (await load_credentials(conn, "acme")).client_secret_encrypted == b"new"
    with pytest.raises(ConnectionRefused, match="sbx settings set acme enabled_at=2026-02-01"):
        await connect(conn, enabled_at=CUT_OFF + timedelta(days=1))


async def test_a_reconnect_changes_the_way_of_connecting(conn: Db) -> None:
    await connect(conn, client_secret_encrypted=None, refresh_token_encrypted=b"r-1")
    until = datetime(2026, 2, 1, tzinfo=UTC)
    await save_token(conn, "acme", b"t-1", until, b"r-2")
    await save_token(conn, "acme", b"t-2", until)  # an answer without a refresh token takes none away
    kept = await load_credentials(conn, "acme")
    assert (kept.client_secret_encrypted, kept.refresh_token_encrypted) == (None, b"r-2")
    assert b"r-2" not in repr(kept).encode()
    await connect(conn)
    kept = await load_credentials(conn, "acme")
    assert (kept.client_secret_encrypted, kept.refresh_token_encrypted) == (b"s", None)
    with pytest.raises(psycopg.errors.CheckViolation):  # neither secret nor refresh token
        await connect(conn, client_secret_encrypted=None)


async def test_another_organisation_needs_to_be_meant(conn: Db) -> None:
    await connect(conn, enabled_at=CUT_OFF)
    await save_facts(conn, "acme", FACTS)
    with pytest.raises(OtherOrganisation, match="--new-organisation"):
        await connect(conn, tenant_id="t-2")
    await connect(conn, tenant_id="t-2", new_organisation=True)
    loaded = await load_connection(conn, "acme")
    assert loaded is not None
    assert (loaded.tenant_id, loaded.facts, loaded.enabled_at) == ("t-2", None, CUT_OFF)


async def test_an_account_is_a_sub_domain(conn: Db) -> None:
    with pytest.raises(ConnectionRefused, match="sub-domain"):
        await connect(conn, account="Acme Ltd")


async def test_settings_are_set_all_or_none_and_recorded(conn: Db) -> None:
    await connect(conn, enabled_at=CUT_OFF)
    made = await set_settings(conn, "acme", {"sales_tax.8.0": "output", "payment_account.Cash": "090"}, "ann")
    assert [(change.key, change.old, change.new) for change in made] == [
        ("sales_tax.8", None, "OUTPUT"),
        ("payment_account.cash", None, "090"),
    ]
    with pytest.raises(InvalidSetting, match="did you mean 'sales_account'"):
        await set_settings(conn, "acme", {"due_days": "10", "sale_account": "200"}, "bob")
    assert await set_settings(conn, "acme", {"sales_tax.8": "OUTPUT"}, "bob") == []
    await set_settings(
        conn, "acme", {"payment_account.CASH": "", "enabled_at": "2026-03-01T00:00:00+13:00"}, "bob"
    )
    loaded = await load_connection(conn, "acme")
    assert loaded is not None
    assert loaded.written == {"sales_tax.8": "OUTPUT"}
    assert loaded.settings.due_days == 30
    assert loaded.settings.enabled_at == datetime(2026, 2, 28, 11, tzinfo=UTC)
    history = await settings_history(conn, "acme")
    assert [(change.actor, change.key, change.old, change.new) for change in history] == [
        ("ann", "tenant_id", None, "t-1"),
        ("ann", "enabled_at", None, "2026-01-31T00:00:00Z"),
        ("ann", "sales_tax.8", None, "OUTPUT"),
        ("ann", "payment_account.cash", None, "090"),
        ("bob", "payment_account.cash", "090", None),
        ("bob", "enabled_at", "2026-01-31T00:00:00Z", "2026-02-28T11:00:00Z"),
    ]
    assert all(change.at is not None for change in history)


async def test_the_history_of_one_key(conn: Db) -> None:
    await connect(conn)
    await set_settings(conn, "acme", {"due_days": "7", "sales_tax.8.0": "OUTPUT"}, "ann")
    await set_settings(conn, "acme", {"due_days": None}, "bob")
    found = await settings_history(conn, "acme", "due_days")
    assert [(one.old, one.new, one.actor) for one in found] == [(None, "7", "ann"), ("7", None, "bob")]
    assert all(one.at is not None for one in found)
    assert [one.new for one in await settings_history(conn, "acme", "sales_tax.8")] == ["OUTPUT"]
    assert await settings_history(conn, "acme", "currency") == []


async def test_the_cut_off_cannot_be_unset(conn: Db) -> None:
    await connect(conn)
    with pytest.raises(InvalidSetting, match="no default"):
        await set_settings(conn, "acme", {"enabled_at": ""}, "ann")


async def test_history_is_append_only(conn: Db) -> None:
    await connect(conn)
    with pytest.raises(psycopg.errors.RaiseException, match="append-only"):
        await conn.execute("UPDATE connections.settings_history SET actor = 'nobody'")
    with pytest.raises(psycopg.errors.RaiseException, match="append-only"):
        await conn.execute("DELETE FROM connections.settings_history")


async def test_nothing_is_done_without_a_connection(conn: Db) -> None:
    with pytest.raises(NotConnected, match="sbx connect ghost"):
        await set_settings(conn, "ghost", {"due_days": "10"}, "ann")
    with pytest.raises(NotConnected):
        await pause(conn, "ghost", actor="ann", reason="x")
    with pytest.raises(NotConnected):
        await resume(conn, "ghost", actor="ann")
    with pytest.raises(NotConnected):
        await mark_lost(conn, "ghost", "x", connected_at=CUT_OFF)
    with pytest.raises(NotConnected):
        await save_facts(conn, "ghost", FACTS)
    with pytest.raises(NotConnected):
        await load_credentials(conn, "ghost")
    with pytest.raises(NotConnected):
        await save_token(conn, "ghost", b"t", CUT_OFF)


async def test_pause_and_resume(conn: Db) -> None:
    await connect(conn)
    assert await pause(conn, "acme", actor="ann", reason="stock-taking")
    assert not await pause(conn, "acme", actor="bob", reason="other")
    loaded = await load_connection(conn, "acme")
    assert loaded is not None
    assert (loaded.paused_by, loaded.paused_reason) == ("ann", "stock-taking")
    assert await resume(conn, "acme", actor="bob")
    assert not await resume(conn, "acme", actor="bob")
    loaded = await load_connection(conn, "acme")
    assert loaded is not None
    assert loaded.paused_at is None
    assert (await settings_history(conn, "acme"))[-1].actor == "bob"


async def test_facts_come_back_as_they_were(conn: Db) -> None:
    await connect(conn)
    await save_facts(conn, "acme", FACTS)
    loaded = await load_connection(conn, "acme")
    assert loaded is not None
    assert loaded.facts == FACTS


async def test_facts_of_another_shape_count_as_not_fetched(conn: Db) -> None:
    await connect(conn)
    await save_facts(conn, "acme", FACTS)
    await conn.execute("""UPDATE connections.facts SET body = '{"name": 7}'""")
    loaded = await load_connection(conn, "acme")
    assert loaded is not None
    assert loaded.facts is None


async def test_many_at_once(conn: Db) -> None:
    for account in ("b", "a", "c"):
        await connect(conn, account=account)
    assert list(await load_many(conn)) == ["a", "b", "c"]
    assert list(await load_many(conn, ["c", "ghost"])) == ["c"]
    assert await load_many(conn, []) == {}


async def test_one_renews_the_token_while_others_wait_and_a_pause_does_not(
    conn: Db, database_url: str
) -> None:
    await connect(conn)
    renewed: list[str] = []
    asking, answered = asyncio.Event(), asyncio.Event()

    async def renew(name: str) -> None:
        async with await AsyncConnection.connect(database_url) as own, own.transaction():
            credentials = await load_credentials(own, "acme", lock=True)
            if credentials.token_encrypted is None:
                asking.set()
                await answered.wait()
                await save_token(own, "acme", b"token", CUT_OFF)
                renewed.append(name)

    both = asyncio.gather(renew("one"), renew("two"))
    async with asyncio.timeout(240):
        await asking.wait()
        await pause(conn, "acme", actor="ann", reason="x")
        answered.set()
        await both
    assert len(renewed) == 1
    credentials = await load_credentials(conn, "acme")
    assert (credentials.token_encrypted, credentials.expires_at) == (b"token", CUT_OFF)
    assert "token" not in repr(credentials).replace("token_encrypted", "")


async def test_connecting_again_drops_the_old_token(conn: Db) -> None:
    await connect(conn)
    await save_token(conn, "acme", b"token", CUT_OFF)
    await connect(conn)
    assert (await load_credentials(conn, "acme")).token_encrypted is None


async def once_it_waits(conn: Db, work: Coroutine[Any, Any, T]) -> "asyncio.Task[T]":
    """Start work of a session of its own; return once that waits for a lock of somebody else."""
    task = asyncio.create_task(work)
    async with asyncio.timeout(60):
        while True:
            cursor = await conn.execute(
                "SELECT count(*) FROM pg_locks WHERE NOT granted AND pid IN "
                "(SELECT pid FROM pg_stat_activity WHERE datname = current_database())"
            )
            row = await cursor.fetchone()
            assert row is not None
            assert not task.done()
            if row[0]:
                return task
            await asyncio.sleep(0.02)


async def test_who_waits_for_the_tokens_gets_the_credentials_that_came_meanwhile(
    conn: Db, database_url: str
) -> None:
    """Refreshing with a new token and the client of before would be refused."""
    await connect(conn, client_id="old")

    async def renew() -> tuple[str, bytes | None]:
        async with await AsyncConnection.connect(database_url) as own, own.transaction():
            found = await load_credentials(own, "acme", lock=True)
            return found.client_id, found.refresh_token_encrypted

    async with await AsyncConnection.connect(database_url) as operator, operator.transaction():
        await connect(operator, client_id="new", refresh_token_encrypted=b"r-1")
        renewing = await once_it_waits(conn, renew())
    assert await renewing == ("new", b"r-1")


async def test_credentials_that_were_given_meanwhile_are_not_lost(conn: Db, database_url: str) -> None:
    await connect(conn)
    before = await load_connection(conn, "acme")
    assert before is not None

    async def lost() -> bool:
        async with await AsyncConnection.connect(database_url) as own:
            return await mark_lost(own, "acme", "revoked", connected_at=before.connected_at)

    async with await AsyncConnection.connect(database_url) as operator, operator.transaction():
        await connect(operator, client_secret_encrypted=b"new")
        losing = await once_it_waits(conn, lost())
    assert not await losing
    after = await load_connection(conn, "acme")
    assert after is not None
    assert (after.status, after.status_reason) == ("connected", "")


async def test_facts_of_an_organisation_that_was_left_meanwhile_are_not_kept(
    conn: Db, database_url: str
) -> None:
    await connect(conn)

    async def keep() -> bool:
        async with await AsyncConnection.connect(database_url) as own:
            return await save_facts(own, "acme", FACTS, "t-1")

    async with await AsyncConnection.connect(database_url) as operator, operator.transaction():
        await connect(operator, tenant_id="t-2", new_organisation=True)
        keeping = await once_it_waits(conn, keep())
    assert not await keeping
    after = await load_connection(conn, "acme")
    assert after is not None
    assert (after.tenant_id, after.facts) == ("t-2", None)
    assert await save_facts(conn, "acme", FACTS, "t-2")


async def test_every_change_is_announced_once_committed(conn: Db, database_url: str) -> None:
    async with await AsyncConnection.connect(database_url, autocommit=True) as listener:
        await listener.execute(f"LISTEN {CHANNEL}")
        await connect(conn)
        await set_settings(conn, "acme", {"due_days": "10"}, "ann")
        await set_settings(conn, "acme", {"due_days": "10"}, "ann")  # nothing new: not announced
        await pause(conn, "acme", actor="ann", reason="x")
        await resume(conn, "acme", actor="ann")
        await lose(conn, "x")
        await save_facts(conn, "acme", FACTS)
        heard = [notify.payload async for notify in listener.notifies(timeout=60, stop_after=6)]
        heard += [notify.payload async for notify in listener.notifies(timeout=0.5)]
    assert heard == ["acme"] * 6


async def test_two_first_connects_at_once_make_one_connection(conn: Db, database_url: str) -> None:
    async def first(tenant_id: str) -> str:
        async with await AsyncConnection.connect(database_url) as own:
            try:
                await connect(own, tenant_id=tenant_id)
            except OtherOrganisation:
                return "refused"
            return "connected"

    assert sorted(await asyncio.gather(first("t-1"), first("t-2"))) == ["connected", "refused"]
