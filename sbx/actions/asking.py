"""Questions to SalesBinder beside the reader's, within the limits of the account."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Final

from runtime.environment import Environment
from runtime.secrets import SecretBox
from sbx.actions.actors import Connection, Database, OneConnection
from sbx.actions.refused import not_possible
from sources.client import Client, api_address
from sources.salesbinder.verdicts import Answer
from sources.sample import Ask
from sources.schedule.questions import Question
from sources.store import calls
from sources.store.calls import Wait

Tell = Callable[[str], None]
"""Takes a sentence for the person who waits."""
PATIENCE: Final = timedelta(minutes=3)
"""So long at most a question waits at a time: a first block is shorter, a repeated one soon longer."""
_WORTH_A_WORD: Final = timedelta(seconds=5)


class Beside:
    """Asks about a connected account beside its reader; or about one that is to be connected."""

    def __init__(
        self,
        database: Database,
        account: str,
        client: Client,
        *,
        tell: Tell | None = None,
        patience: timedelta = PATIENCE,
        with_another_key: bool = False,
        is_connected: bool = True,
    ) -> None:
        self._is_connected = is_connected
        self._database, self._account, self._client = database, account, client
        self._tell, self._patience, self._with_another_key = tell, patience, with_another_key

    async def ask(self, question: Question) -> Answer:
        """Return the answer, once a call is free; a block is waited out, also one that this question meets.

        Raises:
            ActionRefused: that would take too long.
            NoAnswer: none came.
        """
        while True:
            await self._until_free()
            answer = await self._client.ask(question)
            if answer.verdict != "blocked" or not self._is_connected:
                return answer
            async with self._database.connection() as connection:
                await calls.note_block(connection, self._account, answer.retry_after)

    async def _until_free(self) -> None:
        """Return once a call has been counted."""
        while (wait := await self._reserved()) is not None:
            why, seconds = _why(self._account, wait), -int(-wait.time.total_seconds() // 1)
            if wait.time > self._patience:
                raise not_possible(
                    f"{why}: nothing may be asked for {seconds} s",
                    f"try again then; sbx source status {self._account} says how it stands",
                )
            if self._tell is not None and wait.time > _WORTH_A_WORD:
                self._tell(f"{why}: waiting {seconds} s")
            await asyncio.sleep(wait.time.total_seconds())

    async def _reserved(self) -> Wait | None:
        async with self._database.connection() as connection:
            if not self._is_connected:
                return await calls.reserve_first_call(connection, self._account)
            return await calls.reserve_call(
                connection, self._account, with_another_key=self._with_another_key
            )


def _why(account: str, wait: Wait) -> str:
    if wait.trouble is None:
        return f"the calls of '{account}' are used up for the moment"
    if wait.trouble == calls.BLOCKED:
        return f"SalesBinder has blocked '{account}' for too many calls"
    return f"SalesBinder does not answer the reader of '{account}' ({wait.trouble})"


@asynccontextmanager
async def asking(
    connection: Connection,
    environment: Environment,
    account: str,
    encrypted: bytes,
    tell: Tell | None = None,
) -> AsyncIterator[Ask]:
    """Lend a function that asks SalesBinder as ``Beside`` does.

    Raises:
        SecretKeyError: the account's API key cannot be decrypted.
    """
    key = SecretBox.of(environment).decrypt(encrypted)
    async with Client(api_address(account, environment.salesbinder_api_url), key) as client:
        yield Beside(OneConnection(connection), account, client, tell=tell).ask
