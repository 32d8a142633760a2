"""Connect a demo's account, as ``sbx connect``, ``sbx settings set`` and ``sbx source connect`` do."""

from collections.abc import Mapping
from datetime import datetime

from runtime.environment import Environment
from sandbox.fake_xero.world import DEFAULT_CLIENT, DEFAULT_SECRET, DEFAULT_TENANT
from sbx.actions import settings, source
from sbx.actions.connect import Wanted, by_secret
from sbx.actions.facts import answered
from sbx.cli.acting import actor, connected
from sbx.cli.errors import OperationFailed


async def connect_xero(
    used: Environment, account: str, enabled_at: datetime, chosen: Mapping[str, str]
) -> None:
    """Connect the account to the fake Xero and set it up.

    Raises:
        OperationFailed: the organisation was not read.
    """
    wanted = Wanted(account, DEFAULT_TENANT, DEFAULT_CLIENT, DEFAULT_SECRET, enabled_at)
    async with connected("sbx demo", used) as (database, connection):
        request = await by_secret(database, used, actor(), wanted)
        await settings.change(database, actor(), account, chosen, insist=True)
        trouble = await answered(connection, request)
    if trouble is not None:
        raise OperationFailed(f"the fake Xero was not read: {trouble}", "see the logs of the deliver worker")


async def connect_salesbinder(used: Environment, account: str, key: str) -> None:
    """Connect the account to the fake SalesBinder."""
    async with connected("sbx demo", used) as (database, _):
        await source.connect(database, used, actor(), account, key)
