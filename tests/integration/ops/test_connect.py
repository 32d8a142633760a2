"""Connecting in the browser, and working with the refresh token that it gives. This test is the browser."""

import asyncio
import signal
import socket
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
import urllib3

from contracts.results import AccountResult
from runtime.secrets import SecretBox
from sandbox.fake_xero.server import FakeXeroServer
from tests.integration.ops.sbx import Done, Sbx, environ
from tests.integration.sinks.shops import PATIENCE, Maker, Shop, delivering, environment_of
from tests.integration.sinks.test_secrets import everything_stored
from tests.reliability.crashing import Worker

APP = "app-without-secret"
HALF_AN_HOUR = 1801
"""Seconds: access tokens have ended then, and so has the grace of refresh tokens that were replaced."""


@dataclass
class Asking:
    """A `sbx connect` that waits for its answer."""

    process: "subprocess.Popen[str]"
    said: str
    question: str

    @property
    def redirect_uri(self) -> str:
        return parse_qs(urlsplit(self.question).query)["redirect_uri"][0]

    @property
    def state(self) -> str:
        return parse_qs(urlsplit(self.question).query)["state"][0]

    def agree(self) -> str:
        """Follow the address that was printed to Xero, and from there back; the page at the end."""
        answer = urllib3.request("GET", self.question, redirect=False, retries=False, timeout=120)
        assert answer.status == 302, answer.data
        back = answer.headers["Location"]
        assert back.startswith(self.redirect_uri)
        page = urllib3.request("GET", back, retries=False, timeout=120)
        assert page.status == 200
        return page.data.decode()

    def come_back(self, query: str) -> int:
        """The status of an answer that Xero did not give."""
        url = f"{self.redirect_uri}?{query}"
        return urllib3.request("GET", url, retries=False, timeout=120).status

    def end(self) -> Done:
        out, err = self.process.communicate(timeout=300)
        assert "Traceback" not in err, err
        return Done(self.process.returncode, out, self.said + err)


@dataclass
class Desk:
    """An account that is not connected, with all that it needs for it."""

    shop: Shop
    sbx: Sbx
    asking: list[Asking]

    def ask(self, *more: str, app: str | None = APP) -> Asking:
        """Start to connect in the browser, on a port that was free a moment before."""
        for _ in range(3):
            asking, said = self._ask(*more, app=app)
            if asking is not None:
                self.asking.append(asking)
                return asking
            if "is in use by another program" not in said:
                break
        raise AssertionError(said)

    def _ask(self, *more: str, app: str | None) -> tuple[Asking | None, str]:
        with socket.create_server(("127.0.0.1", 0)) as free:
            port = free.getsockname()[1]
        named = () if app is None else ("--client-id", app)
        process = self.sbx.start(
            "connect", self.shop.account, "--browser", *named, "--port", str(port), "--json", *more
        )
        assert process.stderr is not None
        said = ""
        while line := process.stderr.readline():
            said += line
            if "/connect/authorize?" in line:
                return Asking(process, said, line.strip()), said
        process.wait(240)
        return None, said

    def connect(self, *more: str) -> Done:
        """All of it, to the end."""
        asking = self.ask(*more)
        asking.agree()
        return asking.end()

    async def refresh_token(self) -> str:
        [row] = await self.shop.rows("SELECT refresh_token_encrypted AS kept FROM connections.tokens")
        box = SecretBox.open(self.shop.environment.data_dir, None)
        return box.decrypt(bytes(row["kept"]))

    async def works(self, maker: Maker, name: str) -> None:
        """A contact reaches Xero."""
        assert await self.shop.run(maker.contact("created", maker.customer(name))) == ["posted"]
        assert self.shop.contact(name)["status"] == "ACTIVE"

    async def connections(self) -> list[dict[str, Any]]:
        return await self.shop.rows(
            "SELECT tenant_id, auth_kind, client_id, client_secret_encrypted IS NULL AS public, enabled_at "
            "FROM connections.accounts"
        )


@pytest.fixture
def xero() -> Iterator[FakeXeroServer]:
    with FakeXeroServer() as server:
        server.admin.add_client(APP, "")
        yield server


@pytest.fixture
def desk(database_url: str, xero: FakeXeroServer, tmp_path: Path) -> Iterator[Desk]:
    shop = Shop("acme", environment_of(database_url, xero, tmp_path), xero)
    variables = environ(
        tmp_path,
        SBX_DATABASE_URL=database_url,
        SBX_XERO_API_URL=xero.api_url,
        SBX_XERO_IDENTITY_URL=xero.identity_url,
        SBX_XERO_APP_CLIENT_ID=APP,
        BROWSER="true",  # the command of that name, which shows nothing
    )
    desk = Desk(shop, Sbx(variables), [])
    yield desk
    for asking in desk.asking:
        if asking.process.poll() is None:
            asking.process.kill()
            asking.process.communicate(timeout=120)


@pytest.fixture
def maker() -> Maker:
    return Maker()


# The command


async def test_somebody_agrees_in_the_browser(
    desk: Desk, maker: Maker, capsys: pytest.CaptureFixture[str]
) -> None:
    asking = desk.ask("--enabled-at", "2026-01-01T00:00:00Z")
    question = parse_qs(urlsplit(asking.question).query)
    assert question["code_challenge_method"] == ["S256"]
    assert "offline_access" in question["scope"][0].split()
    assert f"registered with the app: {asking.redirect_uri}\n" in asking.said
    assert "go back to the terminal" in asking.agree()
    done = asking.end()
    assert done.code == 0, done.err
    assert done.json["tenant_id"] == desk.shop.tenant_id
    [row] = await desk.connections()
    assert (row["auth_kind"], row["client_id"], row["public"]) == ("authorization_code", APP, True)
    first = await desk.refresh_token()
    async with delivering(desk.shop):
        await desk.works(maker, "Alice")
    printed, stored = capsys.readouterr(), await everything_stored(desk.shop)
    for secret in (first, await desk.refresh_token()):
        for where in (done.out, done.err, *printed, stored):
            assert secret not in where
    calls = desk.shop.xero.admin.calls()
    assert {call["client_id"] for call in calls if "Contacts" in call["path"]} == {APP}


async def test_an_app_with_a_secret_may_do_it_too(desk: Desk) -> None:
    xero = desk.shop.xero
    asking = desk.ask("--client-secret", xero.client_secret, app=xero.client_id)
    asking.agree()
    assert asking.end().code == 0
    assert [row["public"] for row in await desk.connections()] == [False]
    wrong = desk.ask("--client-secret", "wrong-secret", app=xero.client_id)
    wrong.agree()
    done = wrong.end()
    assert done.code == 1
    assert "invalid_client" in done.err
    assert "wrong-secret" not in done.err


async def test_several_organisations_are_listed_and_one_is_named(desk: Desk) -> None:
    other = desk.shop.xero.admin.add_tenant("Other Company")
    desk.shop.xero.admin.connections(client_id=APP, connect=[other])
    done = desk.connect()
    assert done.code == 2
    assert f"{desk.shop.tenant_id} (Demo Company)" in done.err
    assert f"{other} (Other Company)" in done.err
    assert await desk.connections() == []
    assert desk.connect("--tenant", other).json["tenant_name"] == "Other Company"


async def test_an_answer_to_another_question_is_not_taken(desk: Desk) -> None:
    asking = desk.ask(app=None)  # the app of SBX_XERO_APP_CLIENT_ID
    assert asking.come_back("code=stolen&state=of-somebody-else") == 400
    assert asking.come_back("code=stolen") == 400
    asking.agree()
    done = asking.end()
    assert done.code == 0, done.err
    assert "does not belong to this request" in done.err
    assert "stolen" not in done.err


async def test_who_declines_is_told_what_to_do(desk: Desk) -> None:
    asking = desk.ask()
    assert asking.come_back(f"error=access_denied&state={asking.state}") == 200
    done = asking.end()
    assert done.code == 1
    assert "error: Xero did not grant access: access_denied\nremedy: " in done.err
    assert await desk.connections() == []


async def test_nobody_agrees_in_time(desk: Desk) -> None:
    asking = desk.ask("--timeout", "1")
    done = asking.end()
    assert done.code == 1
    assert "nobody allowed access in the browser within 1 s" in done.err
    assert asking.redirect_uri in done.err.partition("remedy:")[2]


async def test_ctrl_c_while_it_waits(desk: Desk) -> None:
    asking = desk.ask()
    asking.process.send_signal(signal.SIGINT)
    assert asking.end().code not in (0, None)
    assert await desk.connections() == []


def test_a_taken_port_is_named(desk: Desk) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = desk.sbx("connect", "acme", "--port", port)
    assert done.code == 1
    assert f"port {port} is in use" in done.err


def test_without_an_app_it_says_how_to_get_one(desk: Desk) -> None:
    done = desk.sbx("connect", "acme", "--port", "9001", SBX_XERO_APP_CLIENT_ID="")
    assert done.code == 2
    assert "SBX_XERO_APP_CLIENT_ID" in done.err
    assert "http://localhost:9001/callback" in done.err


# The refresh token


async def test_the_refresh_token_is_replaced_at_every_use(desk: Desk, maker: Maker) -> None:
    assert desk.connect("--enabled-at", "2026-01-01T00:00:00Z").code == 0
    known = {await desk.refresh_token()}
    for name in ("Alice", "Bob", "Carol"):
        desk.shop.xero.admin.advance(HALF_AN_HOUR)
        async with delivering(desk.shop):  # each time a worker that knows only what is kept
            await desk.works(maker, name)
        known.add(await desk.refresh_token())
    assert len(known) == 4


async def test_a_lost_answer_to_a_refresh_is_asked_for_again(desk: Desk, maker: Maker) -> None:
    assert desk.connect("--enabled-at", "2026-01-01T00:00:00Z").code == 0
    admin = desk.shop.xero.admin
    async with delivering(desk.shop):
        await desk.works(maker, "Alice")
        fault = admin.fault("drop_after", path="connect/token")
        admin.advance(HALF_AN_HOUR)
        await desk.works(maker, "Bob")
        assert [rule["hits"] for rule in admin.faults() if rule["fault_id"] == fault] == [1]
        admin.advance(HALF_AN_HOUR)
        await desk.works(maker, "Carol")
    assert not any(isinstance(r, AccountResult) and r.held == "connection_lost" for r in desk.shop.published)


async def test_a_worker_that_dies_with_a_refreshed_token_in_its_hand(desk: Desk, maker: Maker) -> None:
    assert desk.connect("--enabled-at", "2026-01-01T00:00:00Z").code == 0
    before = await desk.refresh_token()
    await desk.shop.send(maker.contact("created", maker.customer("Alice")))
    worker = Worker(desk.shop.environment, "token.before_commit")
    worker.go()
    await asyncio.to_thread(worker.dies)
    assert await desk.refresh_token() == before
    async with delivering(desk.shop):
        await desk.shop.idle()
        desk.shop.xero.admin.advance(HALF_AN_HOUR)
        await desk.works(maker, "Bob")
    assert desk.shop.contact("Alice")["status"] == "ACTIVE"


async def test_a_refused_refresh_holds_the_account_until_somebody_agrees_again(
    desk: Desk, maker: Maker
) -> None:
    """After 61 days without use. Settings and cut-off stay; what waited is sent."""
    assert desk.connect("--enabled-at", "2026-01-01T00:00:00Z").code == 0
    await desk.shop.settings(due_days="14")
    [before] = await desk.connections()
    desk.shop.xero.admin.advance(61 * 86_400)
    created = maker.contact("created", maker.customer("Alice"))
    async with delivering(desk.shop):
        await desk.shop.send(created)
        news = await _held(desk.shop, "connection_lost")
        assert "invalid_grant" in news.reason
        assert "'sbx connect acme --browser'" in news.reason
        assert await desk.refresh_token() not in news.reason
        assert await desk.shop.end(created) == "queued"
        done = await asyncio.to_thread(desk.connect)
        assert done.code == 0, done.err
        await desk.shop.idle()
    assert await desk.shop.end(created) == "posted"
    assert await desk.connections() == [before]
    assert desk.sbx("settings", "show", "acme", "--json").json["written"] == ["due_days"]


async def _held(shop: Shop, code: str) -> AccountResult:
    async with asyncio.timeout(PATIENCE):
        while True:
            for result in shop.published:
                if isinstance(result, AccountResult) and result.held == code:
                    return result
            await asyncio.sleep(0.05)
