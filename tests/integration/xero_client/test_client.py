"""The client on real sockets: exact bytes, once, in time, and never longer than its deadline."""

import socket
import threading
import time
from collections.abc import Iterator

import pytest

from sinks.xero.call_guard import NotSent, machine_seconds
from sinks.xero.client import NoAnswer, Request, XeroClient


class Listener:
    """A server of one connection at a time that answers with given bytes, slowly or never."""

    def __init__(self, *pieces: bytes, pause: float = 0.0) -> None:
        self.received: list[bytes] = []
        self._pieces, self._pause = pieces, pause
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self._socket.getsockname()[1]}/api.xro/2.0"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._socket.accept()
            except OSError:
                return
            with connection:
                self.received.append(_whole(connection))
                try:
                    for piece in self._pieces:
                        connection.sendall(piece)
                        time.sleep(self._pause)
                except OSError:
                    continue

    def close(self) -> None:
        self._socket.close()


def _whole(connection: socket.socket) -> bytes:
    received = b""
    while not received.endswith(b"}]}") and (piece := connection.recv(65536)):
        received += piece
    return received


REQUEST = Request("PUT", "/Invoices", {"summarizeErrors": "false"}, b'{"Invoices":[{"Total":1.10}]}', "key-1")
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-MinLimit-Remaining: 59\r\n\r\n{}"


@pytest.fixture
def listeners() -> Iterator[list[Listener]]:
    made: list[Listener] = []
    yield made
    for listener in made:
        listener.close()


def _call(listener: Listener, send_by: float = 60.0, deadline: float = 60.0) -> object:
    client = XeroClient(listener.url, "tenant", deadline)
    try:
        return client.call(REQUEST, "secret-token", machine_seconds() + send_by)
    finally:
        client.close()


def test_the_very_bytes_go_out_with_key_and_tenant(listeners: list[Listener]) -> None:
    listeners.append(listener := Listener(OK))
    answer = _call(listener)
    sent = listener.received[0]
    assert sent.endswith(b'{"Invoices":[{"Total":1.10}]}')
    assert b"PUT /api.xro/2.0/Invoices?summarizeErrors=false HTTP/1.1" in sent
    lower = sent.lower()
    assert b"idempotency-key: key-1" in lower
    assert b"xero-tenant-id: tenant" in lower
    assert b"authorization: bearer secret-token" in lower
    assert (answer.status, answer.headers["x-minlimit-remaining"]) == (200, "59")  # type: ignore[attr-defined]


@pytest.mark.parametrize("status", [b"429 Too Many", b"503 Unavailable", b"301 Moved"])
def test_no_hidden_retries(listeners: list[Listener], status: bytes) -> None:
    head = b"HTTP/1.1 " + status + b"\r\nRetry-After: 1\r\nLocation: /elsewhere\r\nContent-Length: 0\r\n\r\n"
    listeners.append(listener := Listener(head))
    _call(listener)
    assert len(listener.received) == 1


def test_nothing_leaves_after_send_by(listeners: list[Listener]) -> None:
    listeners.append(listener := Listener(OK))
    with pytest.raises(NotSent, match="time"):
        _call(listener, send_by=-0.1)
    time.sleep(0.05)
    assert listener.received in ([], [b""])


def test_an_answer_that_drips_in_is_cut_at_the_deadline(listeners: list[Listener]) -> None:
    listeners.append(
        listener := Listener(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n", *[b"x"] * 600, pause=0.1)
    )
    started = time.monotonic()
    with pytest.raises(NoAnswer):
        _call(listener, deadline=2.0)
    assert time.monotonic() - started < 30.0  # the whole answer takes 60


def test_a_dropped_line_is_no_answer_and_is_not_sent_again(listeners: list[Listener]) -> None:
    listeners.append(listener := Listener())
    with pytest.raises(NoAnswer):
        _call(listener)
    assert len(listener.received) == 1


def test_a_refused_connection_is_not_sent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as gone:
        port = gone.getsockname()[1]
    client = XeroClient(f"http://127.0.0.1:{port}", "tenant", 60.0)
    with pytest.raises(NotSent):
        client.call(REQUEST, "token", machine_seconds() + 60)
