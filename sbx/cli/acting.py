"""Act from the command line: run the actions of ``sbx.actions`` in the name of the user at the terminal."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg

from runtime.environment import Environment
from sbx.actions.actors import Actor, Connection, OneConnection
from sbx.cli import environment


def actor() -> Actor:
    """Return the person who runs this command."""
    return Actor(environment.actor())


@asynccontextmanager
async def connected(
    command: str, used: Environment | None = None
) -> AsyncIterator[tuple[OneConnection, Connection]]:
    """Open a connection in autocommit mode, and the same connection as a database for actions.

    Args:
        command: ``sbx retry``; the database shows it as the program's name.
        used: the environment, where the command has read it already.
    """
    used = used or environment.required(database=True)
    opened = await psycopg.AsyncConnection.connect(**used.psycopg(command), autocommit=True)
    async with opened as connection:
        yield OneConnection(connection), connection
