"""A proxy as companies run them: it resolves names itself, makes tunnels, forwards plain requests, may ask
for a login, and has its bad days.
"""

import socket
import threading
import time
from base64 import b64encode
from dataclasses import dataclass, field

_PATIENCE = 20.0


@dataclass
class ConnectProxy:
    """Serves in threads of its own until it is closed."""

    names: dict[str, int] = field(default_factory=dict)
    """Names that only the proxy knows, and the port of this machine that each stands for."""
    login: str = ""
    """``user:password`` that it asks for."""
    refusal: bytes = b""
    """Status and phrase with which it refuses everybody."""
    pause: float | None = None
    """Seconds before each byte of its answer; None: at once."""
    is_mute: bool = False
    """Takes connections and never answers."""
    host: str = "127.0.0.1"
    asked: list[str] = field(default_factory=list)
    """First lines of the requests."""
    heads: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        family = socket.AF_INET6 if ":" in self.host else socket.AF_INET
        self._listening = socket.create_server((self.host, 0), family=family)
        self.port: int = self._listening.getsockname()[1]
        shown = f"[{self.host}]" if ":" in self.host else self.host
        self.address = f"{shown}:{self.port}"
        self.url = f"http://{self.address}"
        threading.Thread(target=self._serve, daemon=True).start()

    def __enter__(self) -> "ConnectProxy":
        return self

    def __exit__(self, *_: object) -> None:
        self._listening.close()

    def _serve(self) -> None:
        while True:
            try:
                client, _ = self._listening.accept()
            except OSError:
                return
            threading.Thread(target=self._handle, args=(client,), daemon=True).start()

    def _handle(self, client: socket.socket) -> None:
        client.settimeout(_PATIENCE)
        with client:
            try:
                self._answer(client)
            except OSError:
                return  # the client has gone

    def _answer(self, client: socket.socket) -> None:
        head = _head(client)
        line = head.split(b"\r\n", 1)[0].decode()
        if not line:
            return
        self.asked.append(line)
        self.heads.append(head)
        if self.is_mute:
            client.recv(1)
            return
        wanted = b"Proxy-Authorization: Basic " + b64encode(self.login.encode())
        if self.login and wanted not in head:
            self._say(client, b"HTTP/1.1 407 Who are you?\r\nContent-Length: 0\r\n\r\n")
            client.shutdown(socket.SHUT_WR)
            client.recv(65_536)  # a body that is on its way: unread, it would break the line
        elif self.refusal:
            self._say(client, b"HTTP/1.1 " + self.refusal + b"\r\nContent-Length: 0\r\n\r\n")
        else:
            self._lead_on(client, line, head)

    def _lead_on(self, client: socket.socket, line: str, head: bytes) -> None:
        method, target, _ = line.split(" ")
        authority = target if method == "CONNECT" else target.split("/")[2]
        name = authority.rpartition(":")[0] or authority
        try:
            onward = socket.create_connection(("127.0.0.1", self.names[name]), 5)
        except (KeyError, OSError):
            self._say(client, b"HTTP/1.1 502 No such host\r\nContent-Length: 0\r\n\r\n")
            return
        with onward:
            onward.settimeout(_PATIENCE)
            if method == "CONNECT":
                self._say(client, b"HTTP/1.1 200 Connection established\r\nVia: test\r\n\r\n")
            else:
                path = "/" + "/".join(target.split("/")[3:])
                close = b"\r\nConnection: close\r\n\r\n"  # each request is asked for its login
                onward.sendall(head.replace(target.encode(), path.encode(), 1).replace(b"\r\n\r\n", close))
            other = threading.Thread(target=_pump, args=(onward, client), daemon=True)
            other.start()
            _pump(client, onward)
            other.join(_PATIENCE)

    def _say(self, client: socket.socket, answer: bytes) -> None:
        if self.pause is None:
            client.sendall(answer)
            return
        for place in range(len(answer)):
            time.sleep(self.pause)
            client.sendall(answer[place : place + 1])


def _head(client: socket.socket) -> bytes:
    head = b""
    while not head.endswith(b"\r\n\r\n") and (byte := client.recv(1)):
        head += byte
    return head


def _pump(source: socket.socket, sink: socket.socket) -> None:
    try:
        while data := source.recv(65_536):
            sink.sendall(data)
        sink.shutdown(socket.SHUT_WR)
    except OSError:
        return  # one of the two has gone
