from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from sandbox.fake_xero.server import FakeXeroServer
from tests.integration.sinks.shops import Shop, connected_shop, delivering


@pytest.fixture
def xero() -> Iterator[FakeXeroServer]:
    with FakeXeroServer() as server:
        yield server


@pytest.fixture
async def open_shop(database_url: str, xero: FakeXeroServer, tmp_path: Path) -> AsyncIterator[Shop]:
    """The account ``acme`` of the examples, connected, with its delivery at work."""
    shop = await connected_shop(database_url, xero, tmp_path)
    async with delivering(shop):
        yield shop
