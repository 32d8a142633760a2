"""What replays queued and Xero has not got yet: a replay has ended long before its actions have."""

from collections import Counter
from collections.abc import Iterable, Sequence

from log_projection.queries import Row
from runtime.database import fetch_all
from sbx.actions.actors import Connection
from sinks.replay.replay import SQL


async def with_waiting(connection: Connection, replays: Sequence[Row]) -> list[Row]:
    """Return replays, the newest first, each with ``waiting``: how many of its actions have not ended."""
    if not replays:
        return []
    rows = await fetch_all(connection, SQL["still_open"], {})
    return shared_out(replays, {(row["account"], row["actor"]): row["waiting"] for row in rows})


def shared_out(replays: Iterable[Row], still_open: dict[tuple[str, str], int]) -> list[Row]:
    """Share what is open by account and actor among the replays that queued it. Pure.

    The ledger keeps who queued an action and not by which replay. Actions go out in their order, so what is
    open is of the newest replays.
    """
    left = Counter(still_open)
    found = []
    for replay in replays:
        room = int(replay["queued"])
        for key in left:
            account, actor = key
            if actor == replay["actor"] and replay["account"] in ("", account):
                taken = min(room, left[key])
                left[key] -= taken
                room -= taken
        found.append(replay | {"waiting": int(replay["queued"]) - room})
    return found
