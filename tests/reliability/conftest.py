from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from sandbox.fake_xero.server import FakeXeroServer
from tests.integration.sinks.shops import Maker, Shop, connected_shop


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
