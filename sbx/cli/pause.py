"""``sbx pause`` and ``sbx resume``: stop sending for an account, and continue."""

import asyncio

from sbx.actions.pause import Hold, perform
from sbx.cli.acting import actor, connected
from sbx.cli.terminal import print_json


def pause(account: str, reason: str, as_json: bool) -> None:
    """Run ``sbx pause``."""
    asyncio.run(_perform("pause", account, reason, as_json))


def resume(account: str, as_json: bool) -> None:
    """Run ``sbx resume``."""
    asyncio.run(_perform("resume", account, "", as_json))


async def _perform(hold: Hold, account: str, note: str, as_json: bool) -> None:
    async with connected(f"sbx {hold}") as (database, _):
        changed = await perform(database, actor(), hold, account, note)
    if as_json:
        print_json({"account": account, "paused": hold == "pause", "changed": changed})
    else:
        print(f"{account} is {'' if hold == 'pause' else 'not '}paused{'' if changed else ' already'}")
