"""How many steps of its set-up an account has left, for every page that is about it."""

from sbx.actions.actors import Actor, Connection
from sbx.actions.setup import setups
from sbx.actions.setup.checklist import in_words


async def setup_left(connection: Connection, actor: Actor, account: str) -> dict[str, str]:
    """Return the variables ``setup_left`` and ``setup_account`` of a page that says so; none once it is set
    up.
    """
    count = (await setups.counted(connection, actor, [account])).get(account, 0) if account else 0
    return {"setup_left": in_words(count), "setup_account": account} if count else {}
