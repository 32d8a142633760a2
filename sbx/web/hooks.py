"""``/hooks/{token}``: where SalesBinder may say that something changed. Nothing of it is trusted: it only
makes the reader look now.

Anybody may send anything to it, so a request costs no more than reading its body: tokens are known in memory,
and of all that comes in a while one note per account goes to the database.
"""

import asyncio
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from time import monotonic
from typing import Final

import psycopg
import structlog
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response

from runtime.metrics import SOURCE_HOOKS
from runtime.secrets import key_hash
from runtime.spells import Spell
from runtime.trouble import about_the_database
from sbx.web.database import Database
from sources.hints import ids_in
from sources.store import hooks as store

log = structlog.stdlib.get_logger(__name__)

ANY_METHOD: Final = ("GET", "POST", "PUT", "PATCH", "DELETE")
"""Others would be led to the sign-in, which no program understands."""
_KNOWN_SECONDS: Final = 2.0
"""How long the tokens are taken as unchanged: a renewed one is known, and the old one unknown, after that."""
_LOOK_UP_SECONDS: Final = 1.0
"""How long a request waits for the database to know the tokens; after that those known before count."""
_BODY_SECONDS: Final = 10.0
"""How long a body may take; what has come by then is looked at."""
_REST_SECONDS: Final = 0.5
"""Between two notes to the database, so that a flood becomes a few."""
_AGAIN_SECONDS: Final = 2.0
_MOST: Final = 100
"""Ids per account that wait for the database."""
_UNKNOWN: Final = "There is no such address: the account's page and 'sbx source hook' show the present one.\n"
_HERE: Final = "This is where SalesBinder's webhooks may be sent, with POST.\n"


class NotKnown(Exception):
    """The database is away, and no token was known before."""


class Hooks:
    """What webhooks said, on its way to the database."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._accounts: dict[bytes, str] | None = None
        self._known_until = 0.0
        self._looking_up = asyncio.Lock()
        self._waiting: dict[str, dict[str, None]] = {}
        self._came = asyncio.Event()
        self._spell = Spell()

    async def account_of(self, token: str) -> str | None:
        """Return the account whose address it is; none if it is nobody's.

        Raises:
            NotKnown: the database is away since the start.
        """
        async with self._looking_up:
            if monotonic() >= self._known_until:
                with suppress(psycopg.Error, TimeoutError):
                    await asyncio.wait_for(self._look_up(), _LOOK_UP_SECONDS)
                self._known_until = monotonic() + _KNOWN_SECONDS
        if self._accounts is None:
            raise NotKnown
        return self._accounts.get(key_hash(token))

    async def _look_up(self) -> None:
        async with self._database.connection() as connection:
            self._accounts = await store.known(connection)

    def take(self, account: str, ids: Iterable[str]) -> None:
        """Take what a webhook said; it is noted at once, or as soon as the database is there."""
        waiting = self._waiting.setdefault(account, {})
        for record_id in ids:
            if len(waiting) < _MOST:
                waiting[record_id] = None
        self._came.set()

    @asynccontextmanager
    async def noting(self) -> AsyncIterator[None]:
        """Note while the block runs, whether or not the database is there."""
        task = asyncio.create_task(self._note())
        try:
            yield
        finally:
            task.cancel()
            await asyncio.gather(task, return_exceptions=True)

    async def _note(self) -> None:
        while True:
            await self._came.wait()
            self._came.clear()
            taken, self._waiting = self._waiting, {}
            try:
                async with self._database.connection() as connection:
                    for account in [*taken]:
                        await store.came(connection, account, [*taken[account]])
                        del taken[account]
                self._spell.over()
                await asyncio.sleep(_REST_SECONDS)
            except psycopg.Error as error:
                if not about_the_database(error):
                    log.exception("what webhooks said is dropped", accounts=sorted(taken))
                    continue
                self._spell.trouble(error)
                for account, ids in taken.items():
                    self.take(account, ids)
                await asyncio.sleep(_AGAIN_SECONDS)


async def hook(request: Request) -> Response:
    """``/hooks/{token}``: take what is posted, whatever it is."""
    hooks: Hooks = request.app.state.services.hooks
    try:
        account = await hooks.account_of(request.path_params["token"].rstrip("/"))
    except NotKnown:
        raise HTTPException(503, "The database is not responding.", {"Retry-After": "5"}) from None
    if account is None:
        SOURCE_HOOKS.labels("unknown").inc()
        return PlainTextResponse(_UNKNOWN, 404)
    if request.method in ("GET", "HEAD"):
        return PlainTextResponse(_HERE)
    body = await _body(request)
    SOURCE_HOOKS.labels("accepted").inc()
    hooks.take(account, ids_in(body + request.url.query.encode()))
    return PlainTextResponse("accepted\n", 202)


async def _body(request: Request) -> bytes:
    """Return the body, or what has come of it in time."""
    body = bytearray()
    with suppress(TimeoutError, ClientDisconnect):
        async with asyncio.timeout(_BODY_SECONDS):
            async for part in request.stream():
                body += part
    return bytes(body)
