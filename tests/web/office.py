"""The page as a server in a thread, a client that keeps cookies, and a log with real commands behind it."""

import asyncio
import json
import re
import threading
from collections.abc import Awaitable, Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from http.cookies import SimpleCookie
from pathlib import Path
from typing import Any, TypeVar
from unittest.mock import patch
from urllib.parse import urlencode, urlsplit

import psycopg
import urllib3
from psycopg.rows import dict_row

from connections.addresses import Addresses
from contracts.events.reader import event_to_kafka, read_event
from contracts.results import EntryResult, Result, State, decode_result
from log_projection.projection import apply
from mappers.commands import to_command
from runtime.environment import Environment
from sbx.actions import users
from sbx.actions.actors import Actor, Connection
from sbx.actions.roles import Role
from sbx.actions.users import hash_password
from sbx.web import database
from sbx.web.auth import sessions
from sbx.web.auth.gate import SESSION_COOKIE, cookie_name
from sbx.web.listening import address, bind
from sbx.web.server import new_server
from sinks.ledger.entries import entry_of_row, result_of
from sinks.ledger.intake import take_in
from tests.integration.log_projection import made
from tests.integration.sinks.shops import PATIENCE, Maker

PASSWORD = "correct horse battery"
NOW = made.NOW
SET_UP = Actor("set up")
T = TypeVar("T")


@dataclass
class Answer:
    """What came back."""

    status: int
    headers: Any
    data: bytes

    @property
    def text(self) -> str:
        return self.data.decode()

    @property
    def json(self) -> Any:
        return json.loads(self.data)


@dataclass
class Client:
    """A browser without eyes: keeps cookies, follows nothing by itself."""

    base: str
    token: str | None = None
    cookies: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._http = urllib3.PoolManager(retries=False)

    def __call__(self, method: str, path: str, **arguments: Any) -> Answer:
        headers = dict(arguments.pop("headers", {}))
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        if self.cookies:
            headers["Cookie"] = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        answer = self._http.request(
            method, self.base + path, headers=headers, redirect=False, timeout=PATIENCE, **arguments
        )
        for line in answer.headers.getlist("set-cookie"):
            for name, morsel in SimpleCookie(line).items():
                self.cookies[name] = morsel.value
        return Answer(answer.status, answer.headers, answer.data)

    def get(self, path: str, **parameters: Any) -> Answer:
        """A page, or an address of the API."""
        return self("GET", path + (f"?{urlencode(parameters, doseq=True)}" if parameters else ""))

    def form(self, path: str, fields: dict[str, Any], **headers: str) -> Answer:
        """A form as a browser sends it."""
        body = urlencode(fields, doseq=True)
        sent = {"Content-Type": "application/x-www-form-urlencoded", **headers}
        return self("POST", path, body=body, headers=sent)

    def post(self, path: str, value: Any, **headers: str) -> Answer:
        """JSON to the API."""
        return self("POST", path, body=json.dumps(value), headers=headers)

    def sign_in(self, name: str, password: str = PASSWORD) -> Answer:
        """By the form of the page."""
        token = form_token(self.get("/sign-in").text)
        return self.form("/sign-in", {"form_token": token, "name": name, "password": password})

    def follow(self, key: str, **headers: str) -> Answer:
        """Open a link for signing in, and press its button."""
        page = self("GET", f"/sign-in/once?key={key}", headers=headers)
        return self.form("/sign-in/once", {"form_token": form_token(page.text), "key": key}, **headers)

    def mark(self) -> str:
        """The mark that this session's forms carry."""
        return form_token(self.get("/issues").text)

    def events(self, path: str, count: int, **headers: str) -> list[dict[str, str]]:
        """The first so many server-sent events of a stream, each with its fields."""
        sent = {"Cookie": "; ".join(f"{k}={v}" for k, v in self.cookies.items()), **headers}
        if self.token:
            sent["Authorization"] = f"Bearer {self.token}"
        answer = self._http.request(
            "GET", self.base + path, headers=sent, preload_content=False, timeout=urllib3.Timeout(PATIENCE)
        )
        assert answer.status == 200, answer.read()
        found: list[dict[str, str]] = []
        text = ""
        try:
            while len(found) < count:
                text += answer.read1(65536).decode()
                *whole, text = text.replace("\r\n", "\n").split("\n\n")
                found += [event for block in whole if "data" in (event := _event(block))]
        finally:
            answer.close()
        return found

    def close(self) -> None:
        """Give its connections back."""
        self._http.clear()


@cache
def _hashed() -> str:
    """Once a run: a hash is slow on purpose."""
    return hash_password(PASSWORD)


def _event(block: str) -> dict[str, str]:
    pairs = (line.partition(": ") for line in block.splitlines() if not line.startswith(":"))
    return {name: value for name, _, value in pairs}


def replayed(office: "Office", state: str = "cancelled", account: str | None = "acme") -> int:
    """A replay in the ledger that has read 150 of 200 messages; its number."""
    place = {"topic": "salesbinder.invoices", "partition": 0, "first": 0, "next": 150, "end": 200}
    totals = {"events": 100, "done": 80, "under_way": 1, "failed": 7, "unknown": 7, "event_id_reused": 1}
    totals |= {"overtaken": 1, "inserted": 7, "retried": 5}
    selection = {"topics": ["salesbinder.invoices"]} | ({"account": account} if account else {})
    [row] = office.rows(
        "INSERT INTO ledger.replays (state, actor, selection, ranges, totals)"
        " VALUES (%s, 'cli:bob', %s, %s, %s) RETURNING replay_id",
        state,
        json.dumps(selection),
        json.dumps([place]),
        json.dumps(totals | {"unreadable": {"event_amount_invalid": 3}}),
    )
    return int(row["replay_id"])


def form_token(html: str) -> str:
    """The mark of the forms of a page."""
    found = re.search(r'name="form_token" value="([0-9a-f]+)"', html)
    assert found is not None, html
    return found[1]


@dataclass
class Office:
    """A running page with its database."""

    url: str
    database_url: str
    data_dir: Path

    @property
    def session_cookie(self) -> str:
        return self.cookie(SESSION_COOKIE)

    def cookie(self, name: str) -> str:
        """The cookie's name at this page's address."""
        return cookie_name(name, urlsplit(self.url).port)

    def do(self, act: Callable[[Connection], Awaitable[T]]) -> T:
        """Do something in the database."""

        async def run() -> T:
            async with await psycopg.AsyncConnection.connect(
                self.database_url, autocommit=True
            ) as connection:
                return await act(connection)

        # In a thread: Playwright's synchronous interface has a loop running in this one.
        with ThreadPoolExecutor(1) as thread:
            return thread.submit(lambda: asyncio.run(run())).result()

    def rows(self, query: str, *parameters: Any) -> list[dict[str, Any]]:
        with psycopg.connect(self.database_url, row_factory=dict_row) as connection:
            return connection.execute(query.encode(), parameters).fetchall()

    def prepare(self, act: Callable[[Connection], Awaitable[T]]) -> T:
        """Do something before the test, of which no act remains."""
        done = self.do(act)
        self.rows("DELETE FROM web.acts WHERE actor = %s RETURNING 1", SET_UP.name)
        return done

    def user(self, name: str, role: Role = "operator", accounts: Sequence[str] = ()) -> None:
        self.prepare(lambda c: users.add(c, SET_UP, name, role, None, accounts))
        self.rows("UPDATE web.users SET password_hash = %s WHERE name = %s RETURNING 1", _hashed(), name)

    def client(self, name: str | None = None) -> Client:
        """A client, with a session of the user's where a name is given."""
        client = Client(self.url)
        if name is not None:
            client.cookies[self.session_cookie] = self.do(lambda c: sessions.start(c, name))
        return client

    def api(self, name: str) -> Client:
        """A client with a token of the user."""
        return Client(self.url, token=self.prepare(lambda c: users.new_token(c, SET_UP, name, "test", 1)))

    def log(self, *results: Result) -> None:
        """Bring the log up to these results."""
        self.do(lambda c: apply(c, results))

    def failed_invoices(self, count: int, account: str = "acme", code: str = "number_taken") -> list[str]:
        """Real commands that have failed, in ledger and log; their ids."""
        maker = Maker(account)
        events = [maker.created(maker.document(maker.customer(f"Shop {n}"), 7000 + n)) for n in range(count)]
        commands = []
        for offset, event in enumerate(events):
            topic, key, value, headers = event_to_kafka(event)
            commands.append(to_command(read_event(topic, key, value, headers), topic, 0, offset))
        self.do(lambda c: take_in(c, commands))
        ids = [command.command_id for command in commands]
        self.change(
            ids, f"state = 'failed', reason_code = '{code}', version = version + 1, finished_at = now()"
        )
        return ids

    def change(self, ids: Sequence[str], assignments: str) -> None:
        """Change commands as only a test may, and tell the log."""
        with psycopg.connect(self.database_url, row_factory=dict_row) as connection:
            statement = f"UPDATE ledger.commands SET {assignments} WHERE command_id = ANY(%s::uuid[])"  # noqa: S608
            connection.execute(statement.encode(), [list(ids)])
        rows = self.rows("SELECT * FROM ledger.commands WHERE command_id = ANY(%s::uuid[])", list(ids))
        self.log(*(result_of(entry_of_row(row), Addresses()) for row in rows))

    def publish(self) -> None:
        """Bring what waits in the outbox into the log."""
        rows = self.rows("DELETE FROM ledger.outbox RETURNING id, value")
        ordered = sorted(rows, key=lambda row: int(row["id"]))
        self.log(*(decode_result(bytes(row["value"])) for row in ordered))


@contextmanager
def serving(
    database_url: str, data_dir: Path, patience: float = 60.0, /, **variables: str
) -> Iterator[Office]:
    """The page at work for as long as the block runs.

    ``patience`` is for how many seconds it waits for a connection: those for people may not suffice
    beside other tests.
    """
    known = {"SBX_DATABASE_URL": database_url, "SBX_DATA_DIR": str(data_dir)}
    environment = Environment.read(known | variables)
    listening = bind("127.0.0.1", 0)
    with patch.object(database, "_PATIENCE_SECONDS", patience):
        server = new_server(environment)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        yield Office(address(listening), database_url, data_dir)
    finally:
        server.should_exit = True
        thread.join(PATIENCE)
        listening.close()
        assert not thread.is_alive()


def entry(entry_id: str = "e1", version: int = 0, state: State = "queued", **changes: Any) -> EntryResult:
    """An entry of the log alone."""
    return made.entry(entry_id, version, state, **({"currency": "CAD"} | changes))
