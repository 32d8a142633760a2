"""What is logged of an account whose reading ended by itself."""

import asyncio
from collections.abc import Sequence

import psycopg
import pytest
from structlog.testing import capture_logs

from sources.worker import _ended, _Reading

GONE = psycopg.OperationalError("the connection is lost")


@pytest.mark.parametrize(
    ("errors", "logged"),
    [([GONE], 0), ([GONE, psycopg.InterfaceError("closed")], 0), ([GONE, KeyError("rows")], 1)],
)
async def test_of_the_databases_own_trouble_only_the_workers_session_tells(
    errors: Sequence[Exception], logged: int
) -> None:
    """The reader and the comparison end together, so their errors come as a group."""

    async def end() -> None:
        raise ExceptionGroup("both", errors)

    task = asyncio.create_task(end())
    await asyncio.wait({task})
    with capture_logs() as logs:
        await _ended("acme", _Reading(b"", task, asyncio.Event()))
    assert len(logs) == logged
