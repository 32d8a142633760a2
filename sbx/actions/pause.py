"""Pause or resume an account in the operator's name, with a note, recorded with all other acts."""

from typing import Literal, get_args

from connections import store
from sbx.actions import audit
from sbx.actions.accounts import connected
from sbx.actions.actors import Actor, Database

Hold = Literal["pause", "resume"]
HOLDS: tuple[Hold, ...] = get_args(Hold)


async def perform(database: Database, actor: Actor, hold: Hold, account: str, note: str) -> bool:
    """Do it; return False if the account was in that state already.

    Raises:
        ActionRefused: a pause without a note; 404, the account is not connected, or the actor cannot see it.
    """
    note = audit.checked_note(note, needed=hold == "pause")
    async with database.connection() as connection:
        await connected(connection, actor, account)
        async with audit.recorded(connection, actor, hold, {"account": account}, note) as record:
            if hold == "pause":
                changed = await store.pause(connection, account, actor=actor.name, reason=note)
            else:
                changed = await store.resume(connection, account, actor=actor.name)
            record.result["changed"] = changed
    return changed
