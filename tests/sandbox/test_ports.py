"""A port that another program takes between its choice and the service's start is replaced by another one."""

import signal
import socket
import sys
from pathlib import Path

import pytest

from sandbox import EmbeddedStack, ServiceFailed
from sandbox.errors import PortTaken
from sandbox.process import Command, Ports, Service, on_free_ports

SERVER = """
import socket, sys, time
listening = socket.socket()
try:
    listening.bind(("127.0.0.1", int(sys.argv[1])))
except OSError as error:
    sys.exit(f"could not bind: {error}")
listening.listen()
time.sleep(60)
"""


class Server:
    """A service that binds the port that it is given; the first ``unlucky`` ones are taken by then."""

    def __init__(self, tmp_path: Path, unlucky: int) -> None:
        self._tmp_path = tmp_path
        self._ports = Ports(tmp_path / "ports.json")
        self._unlucky = unlucky
        self._taken: list[socket.socket] = []
        self.service: Service | None = None
        self.port = 0

    def start(self) -> None:
        self.port = self._ports.take("server")["server"]
        if len(self._taken) < self._unlucky:
            self._taken.append(socket.create_server(("127.0.0.1", self.port)))
        argv = [sys.executable, "-c", SERVER, str(self.port)]
        log = self._tmp_path / "server.log"
        command = Command("Server", argv, log, signal.SIGTERM, "server", self._tmp_path)
        self.service = Service(command)
        self.service.wait_until(lambda: self._taken_by_us() is None and self._answers(), 240)

    def _taken_by_us(self) -> socket.socket | None:
        return next((one for one in self._taken if one.getsockname()[1] == self.port), None)

    def _answers(self) -> bool:
        with socket.socket() as probe:
            return probe.connect_ex(("127.0.0.1", self.port)) == 0

    def stop(self) -> None:
        if self.service is not None:
            self.service.stop()

    def close(self) -> None:
        self.stop()
        for one in self._taken:
            one.close()


@pytest.mark.parametrize("unlucky", [0, 1, 2])
def test_it_starts_on_another_port(tmp_path: Path, unlucky: int) -> None:
    server = Server(tmp_path, unlucky)
    try:
        on_free_ports(server.start, server.stop)
        assert server.service is not None and server.service.running
    finally:
        server.close()


def test_bad_luck_without_end_is_reported(tmp_path: Path) -> None:
    server = Server(tmp_path, 9)
    try:
        with pytest.raises(PortTaken, match="Its port was taken meanwhile"):
            on_free_ports(server.start, server.stop)
    finally:
        server.close()


def test_other_failures_are_not_tried_again(tmp_path: Path) -> None:
    starts = []

    def fails() -> None:
        starts.append(True)
        raise ServiceFailed("no space")

    with pytest.raises(ServiceFailed):
        on_free_ports(fails, lambda: None)
    assert len(starts) == 1


@pytest.mark.parametrize("service", ["kafka", "postgres"])
def test_a_stack_starts_on_another_port(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, service: str
) -> None:
    """The words of each service's log by which its bad luck is known."""
    choose, taken = Ports.take, list[socket.socket]()

    def take(self: Ports, *names: str) -> dict[str, int]:
        ports = choose(self, *names)
        if not taken:
            taken.append(socket.create_server(("127.0.0.1", ports[names[0]])))
        return ports

    monkeypatch.setattr(Ports, "take", take)
    with EmbeddedStack(tmp_path, kafka=service == "kafka", postgres=service == "postgres") as stack:
        address = stack.bootstrap_servers or stack.database_url
        [other] = taken
        assert f":{other.getsockname()[1]}" not in address
    other.close()
