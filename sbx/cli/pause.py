"""``sbx pause`` and ``sbx resume``: hold an account, let it go on."""

import asyncio
from typing import Annotated

import typer

from sbx.actions.pause import Hold, perform
from sbx.cli.acting import ADDRESS, actor, connected
from sbx.cli.options import Account, AsJson
from sbx.cli.terminal import print_json


def pause(
    account: Account,
    reason: Annotated[str, typer.Option(help="Why; the log shows it.")] = "by an operator",
    as_json: AsJson = False,
) -> None:
    """Hold an account: nothing is sent to Xero.

    What comes in waits, in order, until it is resumed.
    """
    changed = asyncio.run(_perform("pause", account, reason))
    _report(account, True, changed, as_json)


def resume(account: Account, as_json: AsJson = False) -> None:
    """Let a paused account go on."""
    changed = asyncio.run(_perform("resume", account, ""))
    _report(account, False, changed, as_json)


async def _perform(hold: Hold, account: str, note: str) -> bool:
    async with connected(f"sbx {hold}") as (database, _):
        return await perform(database, actor(), ADDRESS, hold, account, note)


def _report(account: str, paused: bool, changed: bool, as_json: bool) -> None:
    if as_json:
        print_json({"account": account, "paused": paused, "changed": changed})
        return
    word = "paused" if paused else "not paused"
    print(f"{account} is {word if changed else word + ' already'}")
