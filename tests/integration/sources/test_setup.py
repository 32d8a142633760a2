"""An account set up from nothing, against both fakes: stopped anywhere, it goes on there."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
from typer.testing import CliRunner

from log_projection.projection import apply
from runtime.environment import Environment
from sandbox.fake_salesbinder import FakeSalesBinderServer, acts
from sandbox.fake_xero.server import FakeXeroServer
from sbx.actions.actors import Actor, OneConnection
from sbx.actions.refused import ActionRefused
from sbx.actions.setup import setups
from sbx.actions.setup.holding import HELD
from sbx.cli import setup as work
from sbx.cli.command_line import app
from sources.store import store
from tests.integration.sinks.shops import Shop, connect, delivering, environment_of
from tests.integration.sources.reconciling import Source, invoice

ME = Actor("me")
ACCOUNT = "acme"


@pytest.fixture
def salesbinder() -> Iterator[FakeSalesBinderServer]:
    with FakeSalesBinderServer(seed=3) as server:
        server.world.limiter.minute = server.world.limiter.burst = 10**9
        yield server


@pytest.fixture
def xero() -> Iterator[FakeXeroServer]:
    with FakeXeroServer() as server:
        yield server


@pytest.fixture
async def source(
    database_url: str,
    xero: FakeXeroServer,
    tmp_path: Path,
    salesbinder: FakeSalesBinderServer,
    monkeypatch: pytest.MonkeyPatch,
) -> AsyncIterator[Source]:
    """A shop with documents, its account connected to nothing; lanes at work."""
    shop = Shop(ACCOUNT, environment_of(database_url, xero, tmp_path), xero)
    source = Source(shop, salesbinder)
    old = datetime.now(UTC) - timedelta(days=40)
    customer = acts.create_party(source.fake, "customer", name="Bolt & Co")
    lines = [{"name": "Fitting", "quantity": 2, "price": "50.00", "tax": 8}]
    acts.bring_old_invoice(source.fake, customer, lines, created=old, paid="108.00")
    document = acts.create_document(source.fake, "invoice", customer, lines)
    acts.pay(source.fake, document, "108.00", reference="Cash")
    # What is made within the second of the connection counts as new.
    salesbinder.world.clock.advance(2)
    variables = {
        "SBX_DATABASE_URL": database_url,
        "SBX_DATA_DIR": str(tmp_path),
        "SBX_XERO_API_URL": xero.api_url,
        "SBX_XERO_IDENTITY_URL": xero.identity_url,
        "SBX_SALESBINDER_API_URL": salesbinder.api_url,
        "SBX_XERO_CLIENT_ID": xero.client_id,
        "SBX_XERO_CLIENT_SECRET": xero.client_secret,
    }
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    # The log is told of nothing here by itself, so that nothing is seen arriving.
    monkeypatch.setattr(work, "_WATCHED_SECONDS", 1.0)
    async with delivering(shop):
        yield source


async def sbx(*arguments: str, stdin: str = "") -> tuple[int, str, str]:
    """Run a command; its exit code, stdout and stderr."""
    done = await asyncio.to_thread(CliRunner().invoke, app, [*arguments], input=stdin)
    return done.exit_code, done.stdout, done.stderr


async def steps(source: Source) -> dict[str, str]:
    async with await source.session() as connection:
        found = await setups.load(connection, ME, ACCOUNT)
    return {step.name: step.state for step in found.steps}


async def log_is_told(source: Source) -> None:
    """Bring the Integrations Log up to what happened, as its stage does."""
    results = await source.shop.told()
    async with await source.shop.connect() as connection:
        await apply(connection, results)


async def test_from_two_keys_to_the_first_document_in_xero(source: Source, tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text(f"{ACCOUNT}-key\n")
    code, out, _ = await sbx("setup", ACCOUNT, "--show")
    assert (code, out.splitlines()[0]) == (0, "acme: set-up: 7 steps left")
    code, out, err = await sbx("setup", ACCOUNT, "--yes", "--api-key-file", str(key))
    assert code == 1, err
    assert "acme: set-up: 1 step left" in err, "nothing has arrived yet"
    assert "Fitting" in out
    assert "OUTPUT" in out
    assert "paid 108.00" in out
    assert (await steps(source))["watch"] == "next"
    status = json.loads((await sbx("source", "status", ACCOUNT, "--json"))[1])
    assert status["setup_steps_left"] == 1
    assert "set-up: 1 step left" in (await sbx("source", "status", ACCOUNT))[1]
    async with await source.session() as connection:
        encrypted = (await store.accounts(connection))[ACCOUNT]
    await source.read(encrypted)
    assert (await steps(source))["watch"] == "next", "what was there before is not published"
    customer = next(iter(source.fake.truth.parties))
    number = source.fake.truth.documents[invoice(source.fake, customer)].number
    await source.read_changes(encrypted)
    assert source.shop.invoice(str(number))["total"] == "108.00"
    await log_is_told(source)
    code, out, _ = await sbx("setup", ACCOUNT, "--yes")
    assert (code, out.splitlines()[-1]) == (
        0,
        "acme is set up: SalesBinder is read, and its documents go to Xero",
    )
    async with await source.session() as connection:
        rows = await (await connection.execute("SELECT sample, steps_left FROM web.setups")).fetchall()
    assert rows == [(None, 0)], "nothing of the shop's is kept"


async def test_a_mistyped_account_leaves_nothing(source: Source, tmp_path: Path) -> None:
    key = tmp_path / "key"
    key.write_text(f"{ACCOUNT}-key")
    assert (await sbx("setup", "acmee", "--show"))[0] == 0
    code, _, err = await sbx("setup", "acmee", "--key-file", str(key))
    assert (code, "acmee.salesbinder.com" in err) == (1, True)
    async with await source.session() as connection:
        rows = await (await connection.execute("SELECT account FROM web.setups")).fetchall()
    assert rows == []


async def test_nothing_is_sent_before_it_is_switched_on(source: Source, tmp_path: Path) -> None:
    """Stopped before the last question, with what changed meanwhile."""
    key = tmp_path / "key"
    key.write_text(f"{ACCOUNT}-key")
    given = "\n".join(["090", "-", "OUTPUT", "", "y", "n", ""])
    code, _, err = await sbx("setup", ACCOUNT, "--api-key-file", str(key), stdin=given)
    assert code == 1, err
    assert "set-up: 2 steps left" in err
    assert await steps(source) == {
        **dict.fromkeys(("salesbinder", "xero", "settings", "start", "preview"), "done"),
        "switch_on": "next",
        "watch": "later",
    }
    customer = next(iter(source.fake.truth.parties))
    await source.read(await _key(source))
    document = invoice(source.fake, customer)
    await source.read_changes(await _key(source), waits=False)
    await asyncio.sleep(2)
    assert source.shop.books["invoices"] == []
    (row,) = await source.shop.rows("SELECT paused_reason FROM connections.accounts")
    assert row["paused_reason"] == HELD
    code, _, err = await sbx("setup", ACCOUNT, stdin="y\n")
    assert "it is on" in err
    await source.shop.idle()
    assert source.shop.invoice(str(source.fake.truth.documents[document].number))["status"] == "AUTHORISED"


async def test_another_setting_asks_for_another_look_and_a_lost_key_for_another_key(
    source: Source, tmp_path: Path
) -> None:
    key = tmp_path / "key"
    key.write_text(f"{ACCOUNT}-key")
    await sbx("setup", ACCOUNT, "--api-key-file", str(key), stdin="090\n-\nOUTPUT\n\ny\nn\n")
    assert (await steps(source))["switch_on"] == "next"
    await source.shop.settings(invoice_number_format="SB-{number}")
    assert (await steps(source))["preview"] == "next"
    async with await source.session() as connection:
        with pytest.raises(ActionRefused, match="Preview of real documents"):
            await setups.switch_on(OneConnection(connection), ME, ACCOUNT)
        await connection.execute("DELETE FROM source.accounts")
    assert (await steps(source))["salesbinder"] == "next"


async def test_what_failed_before_there_was_a_connection_is_tried_again(
    source: Source, tmp_path: Path
) -> None:
    key = tmp_path / "key"
    key.write_text(f"{ACCOUNT}-key")
    await sbx("source", "connect", ACCOUNT, "--api-key-file", str(key))
    await source.read(await _key(source))
    start = datetime.now(UTC) - timedelta(minutes=1)
    customer = next(iter(source.fake.truth.parties))
    document = invoice(source.fake, customer)
    await source.read_changes(await _key(source))
    assert [end for _, _, end in await source.shop.log()] == ["not_connected"]
    await log_is_told(source)
    number = source.fake.truth.documents[document].number
    given = "\n".join(["090", "-", "OUTPUT", start.isoformat(), "y", "y"])
    _, _, err = await sbx("setup", ACCOUNT, stdin=given + "\n")
    await source.shop.idle()
    assert "1 action from before is tried again" in err
    assert source.shop.invoice(str(number))["total"] == "108.00"


async def _key(source: Source) -> bytes:
    async with await source.session() as connection:
        return (await store.accounts(connection))[ACCOUNT]


def test_an_account_that_is_not_being_set_up_is_refused(database_url: str, tmp_path: Path) -> None:
    environment = Environment(database_url=database_url, data_dir=tmp_path)

    async def load() -> Any:
        arguments = environment.psycopg("test")
        async with await psycopg.AsyncConnection.connect(**arguments, autocommit=True) as connection:
            return await setups.load(connection, ME, ACCOUNT)

    with pytest.raises(ActionRefused, match="not being set up"):
        asyncio.run(load())


async def test_an_organisation_that_another_account_keeps_is_told_before_it_is_switched_on(
    source: Source, tmp_path: Path
) -> None:
    await connect(Shop("north", source.shop.environment, source.shop.xero))
    key = tmp_path / "key"
    key.write_text(f"{ACCOUNT}-key\n")
    code, _, err = await sbx("setup", ACCOUNT, "--yes", "--api-key-file", str(key))
    said = " ".join(err.split())
    assert said.count("is also the organisation of north. They keep the same books") == 2, err
    assert "fails as number_taken for the other: give one of them a form of its own" in said
    assert (code, (await steps(source))["switch_on"]) == (1, "done"), "it goes on all the same"
    async with await source.session() as connection:
        assert (await setups.load(connection, ME, ACCOUNT)).shared
        await connection.execute("DELETE FROM connections.accounts WHERE account = 'north'")
        assert not (await setups.load(connection, ME, ACCOUNT)).shared
