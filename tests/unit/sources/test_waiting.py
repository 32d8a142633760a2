"""A worker whose broker is away when it begins waits in place, says so in one line, stops when told."""

import asyncio
import socket
from pathlib import Path
from typing import Any

import pytest
from aiokafka.errors import KafkaConnectionError
from structlog.testing import capture_logs

from runtime.environment import Environment
from sources import publishing
from sources.publishing import Stopped, publisher


class Producer:
    """The library's producer at a broker that is away for so many tries."""

    away = 0
    made: list["Producer"]

    def __init__(self, **_: Any) -> None:
        self.is_stopped = False
        Producer.made.append(self)

    async def start(self) -> None:
        if len(Producer.made) <= Producer.away:
            raise KafkaConnectionError("Unable to bootstrap from [('kafka', 9092)]")

    async def stop(self) -> None:
        self.is_stopped = True


@pytest.fixture
def environment(tmp_path: Path) -> Environment:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        port = closed.getsockname()[1]
    return Environment(data_dir=tmp_path, kafka_bootstrap_servers=f"127.0.0.1:{port}")


@pytest.fixture(autouse=True)
def at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(publishing, "_AGAIN_SECONDS", 0.01)
    Producer.made = []


async def test_it_waits_until_the_broker_answers_and_tells_it_once(
    environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publishing, "AIOKafkaProducer", Producer)
    monkeypatch.setattr(Producer, "away", 30)
    waits: list[str] = []
    with capture_logs() as logs:
        async with publisher(environment, asyncio.Event(), waits.append):
            pass
    assert [each["event"] for each in logs] == ["waiting for Kafka", "Kafka answers"]
    assert len(waits) == 31
    assert "Unable to bootstrap" in waits[0]
    assert waits[-1] == ""
    assert all(each.is_stopped for each in Producer.made), "nothing is left open"


async def test_a_broker_that_answers_at_once_is_not_spoken_of(
    environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(publishing, "AIOKafkaProducer", Producer)
    monkeypatch.setattr(Producer, "away", 0)
    with capture_logs() as logs:
        async with publisher(environment):
            pass
    assert logs == []


async def test_it_is_told_to_stop_while_it_waits(
    environment: Environment, caplog: pytest.LogCaptureFixture
) -> None:
    """At a port where nobody listens, with the real library, whose own lines are left out."""
    stop = asyncio.Event()
    asyncio.get_running_loop().call_later(0.5, stop.set)
    with pytest.raises(Stopped):
        async with asyncio.timeout(30), publisher(environment, stop):
            raise AssertionError("nobody listens there")
    assert [each for each in caplog.records if each.name.startswith("aiokafka")] == []
