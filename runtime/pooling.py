"""Refuse a database address that leads to a pooler which assigns sessions per transaction. Advisory locks,
LISTEN and prepared statements belong to a session, and ours would go to another client a moment later.
"""

from typing import Any

import psycopg

_PID = "SELECT pg_backend_pid()"
_ROUNDS = 5


class PooledByTransaction(psycopg.OperationalError):
    """The address leads to a pooler that shares sessions between transactions."""

    def __init__(self) -> None:
        super().__init__(
            "SBX_DATABASE_URL leads to a pooler that hands sessions out by transaction (as pgbouncer with "
            "pool_mode=transaction does); name the database itself, or a pool with pool_mode=session"
        )


async def refuse(connection: psycopg.AsyncConnection[Any], arguments: dict[str, Any]) -> None:
    """See that ``connection``, in autocommit mode, has a session of its own.

    Args:
        arguments: of ``psycopg.connect``, for more connections like it.

    Raises:
        PooledByTransaction: it has not.
    """
    own = await _pid(connection)
    if own == connection.info.backend_pid:
        return  # the server itself told the client its process id: there is no pooler
    for _ in range(_ROUNDS):
        own = await _pid(connection)
        async with await psycopg.AsyncConnection.connect(**arguments) as other, other.transaction():
            # our transaction stays open: only a pooler would give its session to somebody else
            if await _pid(other) == own or await _pid(connection) != own:
                raise PooledByTransaction


def refuse_now(connection: psycopg.Connection[Any], arguments: dict[str, Any]) -> None:
    """Do the same as ``refuse``, for a blocking connection."""
    own = _pid_now(connection)
    if own == connection.info.backend_pid:
        return
    for _ in range(_ROUNDS):
        own = _pid_now(connection)
        with psycopg.connect(**arguments) as other, other.transaction():
            if _pid_now(other) == own or _pid_now(connection) != own:
                raise PooledByTransaction


async def _pid(connection: psycopg.AsyncConnection[Any]) -> int:
    # Not prepared: a prepared statement might already belong to another session.
    row = await (await connection.execute(_PID, prepare=False)).fetchone()
    assert row is not None
    return int(row[0])


def _pid_now(connection: psycopg.Connection[Any]) -> int:
    row = connection.execute(_PID, prepare=False).fetchone()
    assert row is not None
    return int(row[0])
