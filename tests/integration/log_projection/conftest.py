from collections.abc import AsyncIterator

import psycopg
import pytest

from tests.integration.log_projection.made import Connection


@pytest.fixture
async def log(database_url: str) -> AsyncIterator[Connection]:
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
        yield connection
