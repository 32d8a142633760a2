"""What one client takes of the page, others have all the same."""

import asyncio
import re
import socket
import threading
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, ExitStack, contextmanager
from dataclasses import dataclass, field
from types import SimpleNamespace

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from sbx.web import connections, overload
from sbx.web.overload import LIMITS, BodyDeadline, Turns, kind_of
from sbx.web.problems import Problem


async def test_one_user_has_so_many_exports_and_others_have_theirs() -> None:
    turns = Turns()
    async with AsyncExitStack() as under_way:
        for _ in range(LIMITS["export"].at_once):
            await under_way.enter_async_context(turns.hold("export", "ann"))
        with pytest.raises(Problem) as refused:
            await under_way.enter_async_context(turns.hold("export", "ann"))
        assert (refused.value.status, refused.value.code) == (503, "too_busy")
        assert int(refused.value.headers["Retry-After"]) > 0
        async with turns.hold("export", "bob"), turns.hold("request", "ann"), turns.hold("stream", "ann"):
            pass
    async with turns.hold("export", "ann"):
        pass
    assert turns == Turns(), "nothing is kept of those who have ended"


async def test_requests_wait_for_their_turn_and_not_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(LIMITS, "request", overload.Limit(at_once=1, waiting=1, seconds=0.2))
    turns, came = Turns(), []

    async def ask(name: str, seconds: float) -> None:
        async with turns.hold("request", "ann"):
            came.append(name)
            await asyncio.sleep(seconds)

    first = asyncio.create_task(ask("first", 0.05))
    await asyncio.sleep(0)
    second = asyncio.create_task(ask("second", 0.5))
    await asyncio.sleep(0)
    with pytest.raises(Problem, match="too many requests"):  # behind the one that waits
        await ask("third", 0)
    await first
    with pytest.raises(Problem, match="too many requests"):  # it has waited long enough
        await ask("fourth", 0)
    await second
    assert came == ["first", "second"]
    assert turns == Turns()


async def test_a_request_that_is_broken_off_while_it_waits_leaves_its_place(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(LIMITS, "request", overload.Limit(at_once=1, waiting=1, seconds=60))
    turns = Turns()
    async with turns.hold("request", "ann"):
        waiting = asyncio.create_task(turns.hold("request", "ann").__aenter__())
        await asyncio.sleep(0)
        waiting.cancel()
        await asyncio.gather(waiting, return_exceptions=True)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(turns.hold("request", "ann").__aenter__(), 0.05)
    assert turns == Turns()


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/api/v1/entries.csv", "export"),
        ("/api/v1/entries.jsonl", "export"),
        ("/accounts/acme/reconcile.csv", "export"),
        ("/live", "stream"),
        ("/api/v1/stream", "stream"),
        ("/", "request"),
        ("/api/v1/entries", "request"),
    ],
)
def test_what_a_request_is(path: str, kind: str) -> None:
    assert kind_of(path) == kind


@dataclass
class Served:
    """A server with uvicorn's own loop, on a port of this machine."""

    port: int
    ended: threading.Event = field(default_factory=threading.Event)
    """Set when the endless answer is no longer made."""

    def connect(self, source: str = "127.0.0.1") -> socket.socket:
        opened = socket.create_connection(("127.0.0.1", self.port), timeout=20, source_address=(source, 0))
        opened.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        return opened

    def get(self, opened: socket.socket) -> str:
        opened.sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        return answer(opened)


def answer(opened: socket.socket) -> str:
    """Read one answer, head and body."""
    text, length = "", 1
    while "\r\n\r\n" not in text or len(text.partition("\r\n\r\n")[2]) < length:
        part = opened.recv(4096)
        assert part, text
        text += part.decode()
        found = re.search(r"content-length: (\d+)", text)
        length = int(found[1]) if found else length
    return text


@contextmanager
def serving(trusted: tuple[str, ...] = ()) -> Iterator[Served]:
    async def short(_request: Request) -> Response:
        return PlainTextResponse("here")

    async def take(request: Request) -> Response:
        return PlainTextResponse(f"{len(await request.body())}")

    async def endless(_request: Request) -> Response:
        async def body() -> AsyncIterator[bytes]:
            try:
                while True:
                    await asyncio.sleep(0)  # as one does that asks the database
                    yield b"x" * 65536
            finally:
                served.ended.set()

        return StreamingResponse(body())

    routes = [Route("/", short), Route("/take", take, methods=["POST"]), Route("/endless", endless)]
    app = Starlette(routes=routes, middleware=[Middleware(BodyDeadline)])
    app.state.services = SimpleNamespace(environment=SimpleNamespace(web_trusted_proxies=trusted))
    listening = socket.create_server(("127.0.0.1", 0))
    served = Served(listening.getsockname()[1])
    config = uvicorn.Config(
        app, http=connections.BoundedProtocol, log_config=None, timeout_graceful_shutdown=1
    )
    server = uvicorn.Server(config)
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]})
    thread.start()
    try:
        yield served
    finally:
        server.should_exit = True
        thread.join(20)
        listening.close()


def is_closed(opened: socket.socket) -> bool:
    """Wait until the server has closed the connection."""
    try:
        return opened.recv(1) == b""
    except ConnectionResetError:
        return True


def test_half_a_request_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "HEAD_SECONDS", 0.6)
    with serving() as served, served.connect() as silent, served.connect() as slow, served.connect() as good:
        assert "here" in served.get(good)
        began = time.monotonic()
        slow.sendall(b"GET / HTTP/1.1\r\n")
        with pytest.raises(OSError, match=r"pipe|reset"):  # in drops, each of them in time
            while time.monotonic() < began + 15:
                slow.sendall(b"X-A: b\r\n")
                time.sleep(0.1)
        assert is_closed(silent)
        assert "here" in served.get(good)  # it has rested for longer than that between its requests
        good.sendall(b"GET /")
        assert is_closed(good)


def test_an_answer_that_nobody_reads_is_not_made_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "STALLED_SECONDS", 0.6)
    with serving() as served, served.connect() as opened:
        opened.sendall(b"GET /endless HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert served.ended.wait(20)


def test_a_body_that_does_not_come_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(overload, "BODY_SECONDS", 0.3)
    with serving() as served, served.connect() as opened:
        head = b"POST /take HTTP/1.1\r\nHost: localhost\r\nContent-Length: 10\r\n\r\n"
        opened.sendall(head + b"123")
        assert "408" in opened.recv(4096).decode().splitlines()[0]
        with served.connect() as good:
            good.sendall(head + b"1234567890")
            assert answer(good).endswith("10")


def test_one_source_has_so_many_connections_and_others_have_theirs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "MOST_OF_A_SOURCE", 3)
    with serving() as served, ExitStack() as all_of_them:
        many = [all_of_them.enter_context(served.connect()) for _ in range(6)]
        assert ["200" in served.get(one).splitlines()[0] for one in many] == [True] * 3 + [False] * 3
        with served.connect() as more:
            assert is_closed(more)
        with served.connect("127.0.0.2") as other:
            assert "here" in served.get(other)
        for one in many[:3]:
            one.close()
        time.sleep(0.2)
        with served.connect() as later:
            assert "here" in served.get(later)


def test_too_many_of_a_source_are_told_to_come_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "MOST_OF_A_SOURCE", 1)
    with serving() as served, served.connect(), served.connect() as second:
        told = served.get(second).lower()
        assert "503" in told.splitlines()[0]
        assert "retry-after: 5" in told
    with serving(trusted=("127.0.0.0/8",)) as served, served.connect(), served.connect() as second:
        assert "here" in served.get(second)
