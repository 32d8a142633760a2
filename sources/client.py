"""Ask SalesBinder's API, with one hard deadline per call.

The key travels in the Authorization header alone: it is in no address, no log line and no error. Redirects
are not followed, because the key would go along; a ``.netrc`` is not used.
"""

import asyncio
import re
from base64 import b64encode
from typing import Any, Final, Literal
from urllib.parse import quote, urlencode, urlsplit

import aiohttp
from yarl import URL

from runtime.outgoing.sessions import in_words, new_session, way_to
from sources.salesbinder.verdicts import Answer, read_date, read_limits, read_retry_after
from sources.schedule.questions import Question

DEADLINE: Final = 30.0
"""Seconds for a call, however slowly its answer drips in."""
CONNECT_TIMEOUT: Final = 5.0
MAX_BODY: Final = 64_000_000
"""Bytes of an answer; 200 documents with all their lines are far below."""
_DEFAULT: Final = "https://{account}.salesbinder.com/api/2.0"
_CHUNK: Final = 65_536

Silence = Literal["unreachable", "too_slow", "too_large"]


class NoAnswer(Exception):
    """There is no answer, or none that can be read whole. The text names the path, never the key."""

    def __init__(self, silence: Silence, path: str, detail: str) -> None:
        self.silence: Silence = silence
        super().__init__(f"{path}: {detail}")


class UnsafeAddress(ValueError):
    """The API's address would send the key unprotected, or contains one."""


def api_address(account: str, template: str | None = None) -> str:
    """Return the address of an account's API, from ``SBX_SALESBINDER_API_URL`` if that is given.

    Raises:
        UnsafeAddress: it is not https on another machine, or has a user or password in it.
    """
    address = (template or _DEFAULT).replace("{account}", quote(account, safe="")).rstrip("/")
    parts = urlsplit(address)
    if parts.username or parts.password:
        raise UnsafeAddress(
            "SBX_SALESBINDER_API_URL has a user or key in it: leave it out, and use sbx source connect"
        )
    is_local = parts.hostname in ("localhost", "127.0.0.1", "::1")
    if parts.scheme != "https" and not (parts.scheme == "http" and is_local):
        raise UnsafeAddress(
            f"SBX_SALESBINDER_API_URL is {address}: the key would travel unprotected; use https"
        )
    return address


class Client:
    """Asks one account's API. Use it as an asynchronous context manager."""

    def __init__(
        self, address: str, key: str, *, deadline: float = DEADLINE, is_bearer: bool = False
    ) -> None:
        """Take the address (``api_address``) and the account's API key; a bearer's is one of version 3.

        Raises:
            ValueError: the key has characters that no header takes; the text does not show it.
        """
        if not re.fullmatch(r"[\x21-\x39\x3b-\x7e]+", key):
            raise ValueError(
                "the API key is blank, or has blanks, colons or letters that no key has: copy it again"
            )
        self._address = address
        self._deadline = deadline
        basic = "Basic " + b64encode(f"{key}:x".encode()).decode()
        self._headers = {"Authorization": f"Bearer {key}" if is_bearer else basic}
        self._session: aiohttp.ClientSession | None = None
        self._way: dict[str, Any] = {}

    def __repr__(self) -> str:
        return f"Client({self._address})"

    async def __aenter__(self) -> "Client":
        self._way = way_to(self._address)
        self._session = new_session(
            timeout=aiohttp.ClientTimeout(total=None, sock_connect=CONNECT_TIMEOUT),
            headers={"Accept": "application/json", "User-Agent": "salesbinder-xero"},
        )
        return self

    async def __aexit__(self, *_: Any) -> None:
        if self._session is not None:
            await self._session.close()

    async def ask(self, question: Question) -> Answer:
        """Return the answer, whatever its status.

        Raises:
            NoAnswer: none came whole within the deadline.
        """
        assert self._session is not None
        try:
            async with asyncio.timeout(self._deadline):
                return await self._ask(self._session, question)
        except TimeoutError:
            through = f" through the proxy {self._way['proxy'].authority}" if self._way else ""
            raise NoAnswer(
                "too_slow", question.path, f"no whole answer within {self._deadline:g} s{through}"
            ) from None
        except aiohttp.ClientError as error:
            # Not "from": the library's tracebacks hold the request with its headers.
            raise NoAnswer("unreachable", question.path, in_words(error, self._address)) from None

    async def _ask(self, session: aiohttp.ClientSession, question: Question) -> Answer:
        address = f"{self._address}/{question.path}"
        if question.parameters:
            address += "?" + urlencode(question.parameters)
        where = URL(address, encoded=True)
        async with session.get(where, headers=self._headers, allow_redirects=False, **self._way) as answer:
            body = bytearray()
            async for chunk in answer.content.iter_chunked(_CHUNK):
                body += chunk
                if len(body) > MAX_BODY:
                    raise NoAnswer("too_large", question.path, f"more than {MAX_BODY:,} bytes")
            date = read_date(answer.headers.get("Date"))
            wait = read_retry_after(answer.headers.get("Retry-After"), date)
            return Answer(answer.status, bytes(body), date, wait, read_limits(answer.headers))
