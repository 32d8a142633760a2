import uuid
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from runtime.environment import Environment
from sandbox.fake_xero.server import FakeXeroServer
from streams.topics import create_topics
from tests.integration.sinks.shops import Maker, Shop, connected_shop, environment_of
from tests.reliability.stages import STAGES, Stages


@pytest.fixture
def xero() -> Iterator[FakeXeroServer]:
    with FakeXeroServer(subprocess=True) as server:
        yield server


@pytest.fixture
async def shop(database_url: str, xero: FakeXeroServer, tmp_path: Path) -> AsyncIterator[Shop]:
    """A connected account, nothing at work."""
    yield await connected_shop(database_url, xero, tmp_path)


@pytest.fixture
def fast_shop(shop: Shop, xero: FakeXeroServer) -> Shop:
    """The same in a world whose clock runs twenty times as fast: waits of seconds pass in tenths."""
    shop.environment = replace(shop.environment, clock_rate=20.0)
    xero.admin.set_clock(rate=20.0)
    return shop


@pytest.fixture
def maker() -> Maker:
    return Maker()


@pytest.fixture(scope="module")
def fake() -> Iterator[FakeXeroServer]:
    """One for a module's accounts, each with an organisation of its own, beyond the reach of limits."""
    with FakeXeroServer(subprocess=True) as server:
        server.admin.limits(minute=1000, day=100_000)
        yield server


@pytest.fixture(scope="module")
def environment(
    module_database_url: str, fake: FakeXeroServer, tmp_path_factory: pytest.TempPathFactory
) -> Environment:
    """Of the workers that work for them."""
    return environment_of(module_database_url, fake, tmp_path_factory.mktemp("data"))


@pytest.fixture(scope="module")
def stages(
    kafka: str, environment: Environment, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stages]:
    """The three stages; what other tests left in the topics is done, and nobody runs."""
    create_topics({"bootstrap_servers": kafka})
    running = Stages(kafka, environment, tmp_path_factory.mktemp("stages"))
    for stage in STAGES:
        running.start(stage)
    maker = Maker(f"before-{uuid.uuid4().hex[:8]}")
    running.publish([maker.contact("created", maker.customer("Nobody"))])
    running.survive(maker.account, {"failed": 1}, {})
    running.kill_all()
    yield running
    running.kill_all()
