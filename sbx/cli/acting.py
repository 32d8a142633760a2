"""Acting from the command line: the actions of ``sbx.actions``, in the name of whoever has the terminal."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import psycopg

from sbx.actions.actors import Connection, OneConnection, Terminal
from sbx.cli import environment

ADDRESS = "cli"
"""From where it was done, as the list of acts shows it."""


def actor() -> Terminal:
    """Whoever runs this command."""
    return Terminal(environment.actor())


@asynccontextmanager
async def connected(command: str) -> AsyncIterator[tuple[OneConnection, Connection]]:
    """A connection in autocommit mode, and the same as a database for actions.

    Args:
        command: ``sbx retry``; the database shows it as the program's name.
    """
    used = environment.required(database=True)
    opened = await psycopg.AsyncConnection.connect(**used.psycopg(command), autocommit=True)
    async with opened as connection:
        yield OneConnection(connection), connection
