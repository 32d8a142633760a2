"""Preview the calls to Xero; nothing is sent and nothing is kept."""

from collections.abc import Sequence

from contracts.commands import Command
from runtime.environment import Environment
from sbx.actions.actors import Actor, Connection
from sbx.actions.refused import ActionRefused, not_possible
from sinks.preview import NothingKnown, Previewed
from sinks.preview import preview as planned


async def preview(
    connection: Connection, actor: Actor, environment: Environment, account: str, commands: Sequence[Command]
) -> Previewed:
    """Plan commands of an account by today's settings, all at once, as the lane would.

    Raises:
        ActionRefused: the account is not the actor's to see, or nothing is known of its organisation.
    """
    if not actor.sees(account):
        raise ActionRefused("not_found", f"'{account}' is not among the accounts that you can see.")
    try:
        return await planned(connection, environment, account, commands)
    except NothingKnown as error:
        remedy = f"run 'sbx settings check {account}', which reads its accounts and tax rates"
        raise not_possible(str(error), remedy) from error
