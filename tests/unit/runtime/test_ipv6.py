"""Addresses of IPv6, wherever one is given or shown."""

import urllib.request
from pathlib import Path

import pytest

from runtime.addresses import host_and_port
from runtime.environment import Environment, InvalidEnvironment
from runtime.outgoing.pools import pool_manager
from runtime.probes import Probes
from sbx.cli import targets
from sbx.web import listening
from tests.unit.outgoing.authority import served
from tests.unit.outgoing.connect_proxy import ConnectProxy


def read(**variables: str) -> Environment:
    return Environment.read({f"SBX_{name}": value for name, value in variables.items()})


class Alive(Probes):
    def dead(self) -> list[str]:
        return []

    def problems(self) -> list[str]:
        return []


@pytest.mark.parametrize(("host", "asked"), [("::", "[::1]"), ("::1", "[::1]"), ("::", "127.0.0.1")])
def test_metrics_are_served_there(host: str, asked: str) -> None:
    server = Alive("test", read(METRICS_HOST=host)).serve()
    assert server is not None
    try:
        with urllib.request.urlopen(f"http://{asked}:{server.server_port}/healthz", timeout=10) as answer:
            assert answer.status == 200
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize(
    ("host", "shown"),
    [("::1", "[::1]"), ("::", "[::]"), ("127.0.0.1", "127.0.0.1"), ("localhost", "localhost")],
)
def test_targets_of_metrics(host: str, shown: str) -> None:
    assert len(set(targets.free_ports(host, 3))) == 3
    assert host_and_port(host, 9100) == f"{shown}:9100"


def test_the_targets_are_found_again(tmp_path: Path) -> None:
    server = Alive("test", read(METRICS_HOST="::1")).serve()
    assert server is not None
    address = host_and_port("::1", server.server_port)
    targets.write(tmp_path, [targets.Target("deliver-1", "deliver", address)])
    try:
        assert [targets.ask_ready(target)[0] for target in targets.read(tmp_path)] == [True]
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("host", ["::1", "::"])
def test_the_page_listens_there(host: str) -> None:
    with listening.bind(host, 0) as page:
        assert listening.address(page) == f"http://localhost:{page.getsockname()[1]}"
        with pytest.raises(listening.AddressInUse, match=r"\[::1?\]:[0-9]+ cannot"):
            listening.bind(host, page.getsockname()[1])


def test_kafka_in_brackets() -> None:
    environment = read(KAFKA_BOOTSTRAP_SERVERS="[::1]:9092,b:2")
    assert environment.kafka_python()["bootstrap_servers"] == ["[::1]:9092", "b:2"]
    assert environment.faust()["broker"] == ["kafka://[::1]:9092", "kafka://b:2"]


@pytest.mark.parametrize("given", ["::1:9092", "fd00::1:9092", "[::1]", "[::1]9092", "[nothing]:9092"])
def test_kafka_without_brackets_is_refused(given: str) -> None:
    with pytest.raises(InvalidEnvironment, match=r"\[fd00::1\]:9092"):
        read(KAFKA_BOOTSTRAP_SERVERS=given)


def test_the_database() -> None:
    environment = read(DATABASE_URL="postgresql://me:hidden@[::1]:5433/books")
    assert environment.database_url_shown == "postgresql://me@[::1]:5433/books"


def test_stand_ins() -> None:
    environment = read(
        XERO_API_URL="http://[::1]:9",
        XERO_IDENTITY_URL="http://[::1]:9",
        SALESBINDER_API_URL="http://[::1]:9/api/2.0",
    )
    assert environment.xero_connections_url == "http://[::1]:9/connections"


def test_a_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    with served() as stand_in, ConnectProxy({"xero.test": stand_in.port}, host="::1") as proxy:
        assert proxy.url.startswith("http://[::1]:")
        for name in ("HTTP_PROXY", "http_proxy"):
            monkeypatch.setenv(name, proxy.url)
        with pool_manager("http://xero.test/") as pool:
            assert pool.request("GET", "http://xero.test/").status == 200
    assert proxy.asked == ["GET http://xero.test/ HTTP/1.1"]
