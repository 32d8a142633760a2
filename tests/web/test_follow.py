"""`sbx log --follow`: what changes after a position, in the order of the changes."""

from log_projection import queries
from log_projection.queries import Filters
from sbx.actions.actors import Connection
from sbx.cli.log import changes
from tests.web.office import Office, entry


def test_what_changed_and_matches_is_told_in_its_order(office: Office) -> None:
    office.log(entry("a"), entry("b", account="beta"))
    position = office.do(queries.position)
    office.log(entry("c"), entry("d", account="beta"))
    office.log(entry("a", 1, "failed", reason_code="number_taken", reason="It is taken."))

    async def first(connection: Connection) -> list[tuple[str, str]]:
        found: list[tuple[str, str]] = []
        async for rows in changes(connection, Filters(account="acme"), position):
            found = [(row["entry_id"], row["state"]) for row in rows]
            break
        return found

    assert office.do(first) == [("c", "queued"), ("a", "failed")]
