"""Hold an account, or let it go on: in the operator's name, with a note, written down with all other acts."""

from typing import Literal, get_args

from connections import store
from sbx.actions import retry
from sbx.actions.accounts import connected
from sbx.web.auth.users import User
from sbx.web.database import Database

Hold = Literal["pause", "resume"]
HOLDS: tuple[Hold, ...] = get_args(Hold)


async def perform(database: Database, user: User, address: str, hold: Hold, account: str, note: str) -> bool:
    """Do it; false when the account was so already.

    Raises:
        Problem: 400, a pause without a note; 404, the account is not connected, or not the user's to see.
    """
    note = retry.checked_note(note, needed=hold == "pause")
    async with database.connection() as connection:
        await connected(connection, user, account)
        number = await retry.begin(connection, user, address, hold, {"account": account}, note)
        if hold == "pause":
            changed = await store.pause(connection, account, actor=user.name, reason=note)
        else:
            changed = await store.resume(connection, account, actor=user.name)
        await retry.end(connection, number, {"changed": changed})
    return changed
