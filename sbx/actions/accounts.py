"""Connections as one user may see them: pages and API read them through this and nothing else."""

from connections import store
from sbx.web.auth.users import User
from sbx.web.database import Connection
from sbx.web.problems import Problem


async def connected(connection: Connection, user: User, account: str) -> store.Connection:
    """The account's connection.

    Raises:
        Problem: 404; what is not there and what is not theirs look the same.
    """
    found = await store.load_connection(connection, account) if user.sees(account) else None
    if found is None:
        message = "There is no such connection, or it belongs to an account that you do not see."
        raise Problem(404, "not_found", message)
    return found
