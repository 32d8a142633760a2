"""Requests that others make of a lane, since only the lane calls Xero: read the organisation's facts
again.
"""

import uuid
from dataclasses import dataclass
from datetime import datetime

from psycopg.rows import class_row

from runtime.crash_points import crash_point
from runtime.database import Connection
from runtime.sql import load_queries

_SQL = load_queries(__file__)


@dataclass(frozen=True, slots=True)
class Request:
    """One request; ``error`` says in words why it could not be done."""

    asked_at: datetime
    answered_at: datetime | None
    error: str | None


async def ask_facts(connection: Connection, account: str) -> uuid.UUID:
    """Ask for fresh facts. The request stays open: a lane that starts later answers it."""
    request_id = uuid.uuid4()
    async with connection.transaction():
        await connection.execute(_SQL["ask"], {"request_id": request_id, "account": account})
        await connection.execute(_SQL["wake"], {"account": account})
        crash_point("ask.before_commit")
    crash_point("ask.after_commit")
    return request_id


async def answer(connection: Connection, request_id: uuid.UUID) -> tuple[bool, str | None]:
    """Return whether the request is done, and what went wrong."""
    row = await (await connection.execute(_SQL["answer"], {"request_id": request_id})).fetchone()
    return (False, None) if row is None else (row[0], row[1])


async def newest(connection: Connection, account: str) -> Request | None:
    """Return the account's last request; None if nobody has asked."""
    async with connection.cursor(row_factory=class_row(Request)) as cursor:
        await cursor.execute(_SQL["newest"], {"account": account})
        return await cursor.fetchone()
