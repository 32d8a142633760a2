"""What a set-up looks at in the shop: its newest documents, asked for within SalesBinder's limits."""

import msgspec

from runtime.environment import Environment
from runtime.secrets import SecretKeyError
from runtime.sql import load_queries
from sbx.actions.actors import Actor, Connection
from sbx.actions.asking import asking
from sbx.actions.refused import ActionRefused, not_possible
from sbx.actions.setup.setups import load
from sources.client import NoAnswer
from sources.sample import NotSampled, Sample, sample
from sources.store import store as source

_SQL = load_queries(__file__)
_encoder = msgspec.json.Encoder(enc_hook=str)
"""Fractions of SalesBinder's answers are texts of their own type."""


async def note_begun(connection: Connection, account: str) -> None:
    """Note that a look has begun, so that others wait for it."""
    await connection.execute(_SQL["begin_look"], {"account": account})


async def take_sample(connection: Connection, environment: Environment, actor: Actor, account: str) -> Sample:
    """Look at the shop's newest documents, within the account's limits, and keep what was found, or why
    nothing was.

    Raises:
        ActionRefused: there is no such set-up, no key yet, or SalesBinder does not answer.
    """
    await load(connection, actor, account)
    await note_begun(connection, account)
    try:
        found = await _look(connection, environment, account)
    except ActionRefused as refused:
        await connection.execute(_SQL["fail_look"], {"account": account, "problem": refused.message})
        raise
    kept = {"account": account, "sample": _encoder.encode(found).decode()}
    await connection.execute(_SQL["keep_sample"], kept)
    return found


async def _look(connection: Connection, environment: Environment, account: str) -> Sample:
    keys = await source.accounts(connection)
    if account not in keys:
        raise not_possible(
            f"'{account}' is not connected to SalesBinder", f"connect it: sbx source connect {account}"
        )
    try:
        async with asking(connection, environment, account, keys[account]) as ask:
            return await sample(ask)
    except NoAnswer as error:
        raise not_possible(f"SalesBinder does not answer: {error}", "try again later") from error
    except NotSampled as error:
        raise not_possible(str(error), error.remedy) from error
    except SecretKeyError as error:
        raise not_possible(
            f"the API key of '{account}' cannot be read: {error}", "give the API key of SalesBinder again"
        ) from error
