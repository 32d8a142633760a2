"""Questions to SalesBinder beside the reader's, within the limits of the account."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from runtime.environment import Environment
from runtime.secrets import SecretBox
from sbx.actions.actors import Connection
from sources.client import Client, api_address
from sources.salesbinder.verdicts import Answer
from sources.sample import Ask
from sources.schedule.questions import Question
from sources.store import calls


@asynccontextmanager
async def asking(
    connection: Connection, environment: Environment, account: str, encrypted: bytes
) -> AsyncIterator[Ask]:
    """Lend a function that asks SalesBinder once a call is free; it raises ``NoAnswer``.

    Raises:
        SecretKeyError: the account's API key cannot be decrypted.
    """
    key = SecretBox.open(environment.data_dir, environment.secret_key).decrypt(encrypted)
    async with Client(api_address(account, environment.salesbinder_api_url), key) as client:

        async def ask(question: Question) -> Answer:
            await _until_free(connection, account)
            return await client.ask(question)

        yield ask


async def _until_free(connection: Connection, account: str) -> None:
    """Return once a call has been counted."""
    while True:
        wait = await calls.reserve_call(connection, account)
        if not wait:
            return
        await asyncio.sleep(wait.total_seconds())
