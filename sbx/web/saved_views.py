"""Views of the log that a user keeps by name: filters and order, as in the page's address."""

from urllib.parse import parse_qsl, urlencode

from runtime.database import fetch_all, fetch_one
from runtime.sql import load_queries
from sbx.actions.actors import Connection
from sbx.web.problems import Problem
from sbx.web.view.filters import VIEW

MOST = 50
"""Views that one user may keep."""
LONGEST_NAME = 60
_SQL = load_queries(__file__)


async def names(connection: Connection, user_name: str) -> list[str]:
    """Return the names of a user's views."""
    return [row["name"] for row in await fetch_all(connection, _SQL["names"], [user_name])]


async def opened(
    connection: Connection, user_name: str, pairs: list[tuple[str, str]]
) -> list[tuple[str, str]]:
    """Return the names and values of an address, with those of the view that it names.

    Raises:
        Problem: 404, the user has no view of this name.
    """
    name = next((value for key, value in pairs if key == VIEW), "").strip()
    others = [(key, value) for key, value in pairs if key != VIEW]
    if not name:
        return others
    row = await fetch_one(connection, _SQL["query"], [user_name, name.replace("\0", "")])
    if row is None:
        raise Problem(404, "not_found", f"You have no view named '{name}'.", VIEW)
    given = {key for key, _ in others}
    return [(key, value) for key, value in parse_qsl(row["query"]) if key not in given] + others


async def save(connection: Connection, user_name: str, name: str, pairs: list[tuple[str, str]]) -> None:
    """Keep these names and values of an address under a name; one of the same name is replaced.

    Raises:
        Problem: 400, the name cannot be one, or the user has too many views.
    """
    if not name or len(name) > LONGEST_NAME or not name.isprintable():
        message = f"A view's name has 1 to {LONGEST_NAME} characters. Choose another one."
        raise Problem(400, "bad_request", message, "name")
    values = {"user_name": user_name, "name": name, "query": urlencode(pairs), "most": MOST}
    if (await connection.execute(_SQL["save"], values)).rowcount == 0:
        raise Problem(400, "bad_request", f"You have {MOST} views. Delete one of them first.", "name")


async def delete(connection: Connection, user_name: str, name: str) -> None:
    """Forget a view; do nothing if there is none of this name."""
    await connection.execute(_SQL["delete"], [user_name, name])
