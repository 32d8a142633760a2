"""``sbx pause`` and ``sbx resume``: stop sending for an account, and continue."""

import asyncio

from sbx.actions.pause import Hold, perform
from sbx.cli.acting import actor, connected
from sbx.cli.terminal import print_json


def pause(account: str, reason: str, as_json: bool) -> None:
    """Run ``sbx pause``."""
    changed = asyncio.run(_perform("pause", account, reason))
    _report(account, True, changed, as_json)


def resume(account: str, as_json: bool) -> None:
    """Run ``sbx resume``."""
    changed = asyncio.run(_perform("resume", account, ""))
    _report(account, False, changed, as_json)


async def _perform(hold: Hold, account: str, note: str) -> bool:
    async with connected(f"sbx {hold}") as (database, _):
        return await perform(database, actor(), hold, account, note)


def _report(account: str, paused: bool, changed: bool, as_json: bool) -> None:
    if as_json:
        print_json({"account": account, "paused": paused, "changed": changed})
        return
    word = "paused" if paused else "not paused"
    print(f"{account} is {word if changed else word + ' already'}")
