from collections.abc import AsyncIterator, Iterator
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
def maker() -> Maker:
    return Maker()
