from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from sandbox.fake_xero.server import FakeXeroServer
from tests.integration.sinks.shops import Maker, Shop, connected_shop, delivering


@pytest.fixture
def xero(shared_dir: Path) -> Iterator[FakeXeroServer]:
    with FakeXeroServer(strict=shared_dir / "spec" / "xero_accounting.yaml.gz") as server:
        yield server
        assert server.admin.invalid_bodies() == []


@pytest.fixture
async def shop(database_url: str, xero: FakeXeroServer, tmp_path: Path) -> AsyncIterator[Shop]:
    """A connected account, nothing at work."""
    yield await connected_shop(database_url, xero, tmp_path)


@pytest.fixture
async def open_shop(shop: Shop) -> AsyncIterator[Shop]:
    """A connected account with its delivery at work."""
    async with delivering(shop):
        yield shop


@pytest.fixture
def maker() -> Maker:
    return Maker()
