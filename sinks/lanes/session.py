"""One account's way to Xero: its connection as last read, a token, and the client."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Protocol

import psycopg

from connections import store
from runtime.crash_points import crash_point
from runtime.database import Connection, single_reads
from runtime.environment import Environment
from runtime.secrets import SecretBox, SecretKeyError
from sinks.lanes.budget import CONCURRENT
from sinks.ledger.entries import now_utc
from sinks.xero.client import Answer, Request, XeroClient
from sinks.xero.oauth import Token, TokenRefused, TokenUnavailable, mint_token, refresh_token

CALL_DEADLINE = 50.0
"""Seconds after which a call counts as unanswered, even if a response is still trickling in."""


class Pool(Protocol):
    """The source of database connections: psycopg's ``AsyncConnectionPool``."""

    def connection(self) -> AbstractAsyncContextManager[Connection]:
        """Lend a connection to a block; its changes are committed at the end of the block."""


class Session:
    """Everything that a lane needs to talk to Xero for its account.

    Args:
        fetching: how many sessions of this process may fetch tokens at once.
    """

    def __init__(
        self,
        account: str,
        pool: Pool,
        environment: Environment,
        box: SecretBox,
        fetching: asyncio.Semaphore | None = None,
    ) -> None:
        self.account = account
        self.connection: store.Connection | None = None
        self.needs_key = ""
        """Why the stored credentials cannot be read; blank while they can."""
        self._pool = pool
        self._environment = environment
        self._box = box
        self._client: XeroClient | None = None
        self._token = ""
        self._refused = ""
        self._token_until = datetime.min.replace(tzinfo=UTC)
        self._threads = ThreadPoolExecutor(CONCURRENT, thread_name_prefix=f"xero-{account}")
        self._minting = asyncio.Lock()
        self._fetching = fetching or asyncio.Semaphore(1)

    async def reload(self) -> None:
        """Read the connection again, after somebody changed it."""
        async with single_reads(self._pool.connection()) as connection:
            found = await store.load_connection(connection, self.account)
        before = self.connection
        moved = before is None or found is None or before.tenant_id != found.tenant_id
        if found is not None and moved:
            self._client = XeroClient(self._environment.xero_api_url, found.tenant_id, CALL_DEADLINE)
        if before is None or found is None or before.connected_at != found.connected_at:
            self._token = ""
        self.connection = found

    async def token(self) -> str:
        """Return a bearer token that is good for another minute; fetched by one at a time.

        Raises:
            TokenRefused: the credentials are not accepted.
            TokenUnavailable: the identity server could not be asked.
        """
        async with self._minting:
            fetched = bool(self._token) and now_utc() < self._token_until
            while not fetched:
                fetched = await self._fetch_present_token()
            return self._token

    def token_refused(self, token: str) -> bool:
        """Note that Xero did not accept ``token``: the next call gets a new one. Return False if that was
        already known.
        """
        news = token == self._token
        if news:
            self._token, self._refused = "", token
        return news

    async def _fetch_present_token(self) -> bool:
        """Fetch a token. Return False if somebody reconnected the account meanwhile: token or refusal are of
        the earlier credentials.
        """
        before = self._connected_at
        try:
            await self._fetch_token()
        except TokenRefused:
            if self._connected_at == before:
                raise
        if self._connected_at != before:
            self._token = ""
            return False
        return True

    @property
    def _connected_at(self) -> datetime | None:
        return None if self.connection is None else self.connection.connected_at

    async def _fetch_token(self) -> None:
        async with single_reads(self._pool.connection()) as connection:
            if self._use_kept(await store.load_credentials(connection, self.account)):
                return
        arguments = self._environment.psycopg("sbx-deliver-token")
        # Not one of the pool's: a slow identity server would keep the lanes from committing.
        async with self._fetching, await psycopg.AsyncConnection.connect(**arguments) as connection:
            renewed = await self._renew_token(connection)
        if renewed is not None:
            # Not used before it is stored: if that fails, the previous refresh token works 30 minutes more.
            self._token, self._token_until = renewed

    async def _renew_token(self, connection: Connection) -> tuple[str, datetime] | None:
        """Return a new token, kept in the database, with the time until which it is used; None if another
        process was first. The row is locked while Xero is asked: a refresh token is used by one at a time.
        """
        rate = self._environment.clock_rate
        async with connection.transaction():
            credentials = await store.load_credentials(connection, self.account, lock=True)
            if self._use_kept(credentials):
                return None
            token = await asyncio.get_running_loop().run_in_executor(
                self._threads, self._ask_for_token, credentials
            )
            lifetime = max(token.expires_in - 60.0, token.expires_in / 2) / rate
            until = now_utc() + timedelta(seconds=lifetime)
            encrypted = self._box.encrypt(token.access_token)
            renewed = None if token.refresh_token is None else self._box.encrypt(token.refresh_token)
            await store.save_token(connection, self.account, encrypted, until, renewed)
            crash_point("token.before_commit")
        crash_point("token.after_commit")
        return token.access_token, until

    def _ask_for_token(self, credentials: store.Credentials) -> Token:
        """Call the identity server once. The caller holds the row of the tokens: a refresh token is used
        by one at a time.
        """
        url, client_id = self._environment.xero_token_url, credentials.client_id
        try:
            secret, refresh = (
                None if kept is None else self._box.decrypt(kept)
                for kept in (credentials.client_secret_encrypted, credentials.refresh_token_encrypted)
            )
        except SecretKeyError as error:
            # Xero has refused nothing: the account waits until the secret can be read.
            self.needs_key = str(error)
            raise TokenUnavailable(str(error)) from error
        self.needs_key = ""
        if refresh is None:
            return mint_token(url, client_id, secret or "")
        try:
            return refresh_token(url, client_id, secret, refresh)
        except TokenRefused as error:
            raise TokenRefused(
                f"Xero no longer renews the access that was given in the browser ({error}): it was "
                "taken away, or not used for 60 days; give it again with "
                f"'sbx connect {self.account} --browser'"
            ) from error

    def _use_kept(self, credentials: store.Credentials) -> bool:
        """Use the token that an earlier process fetched, while it is good."""
        if credentials.token_encrypted is None or credentials.expires_at is None:
            return False
        try:
            token = self._box.decrypt(credentials.token_encrypted)
        except SecretKeyError:
            return False  # encrypted with an older key: the secret itself will tell
        if credentials.expires_at <= now_utc() or token == self._refused:
            return False
        self._token, self._token_until, self.needs_key = token, credentials.expires_at, ""
        return True

    def written(self, request: Request) -> Request:
        """Return the request as it will go out, without the token, to be written down beforehand. Without a
        connection nothing goes out.
        """
        return request if self._client is None else self._client.written(request)

    async def call(self, request: Request, token: str, send_by: float) -> Answer:
        """Send one request in a thread of the account's own. Nobody sees the token in its answer.

        Raises:
            NotSent, NoAnswer: as ``XeroClient.call``.
        """
        assert self._client is not None
        answer = await asyncio.get_running_loop().run_in_executor(
            self._threads, self._client.call, request, token, send_by
        )
        return replace(answer, body=answer.body.replace(token.encode(), b"***"))

    def close(self) -> None:
        """Let go of threads and sockets; calls under way end by their deadline."""
        self._threads.shutdown(wait=False)
        if self._client is not None:
            self._client.close()
