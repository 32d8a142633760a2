"""Tokens and refusals of earlier credentials, when an account is reconnected while a token is fetched."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import cast

import pytest

from runtime.environment import Environment
from runtime.secrets import SecretBox
from sinks.lanes.session import Pool, Session
from sinks.xero.oauth import TokenRefused
from tests.unit.sinks.quiet_lane import CONNECTED_AT, connected

FAR = datetime(2999, 1, 1, tzinfo=UTC)
Fetching = Callable[["Asked"], Awaitable[None]]


class Asked(Session):
    """A session whose fetches are given, one after the other."""

    fetches: list[Fetching]

    async def _fetch_token(self) -> None:
        await self.fetches.pop(0)(self)

    def reconnect(self) -> None:
        """What reading the connection does once an operator has reconnected the account."""
        self.connection = connected(connected_at=CONNECTED_AT + timedelta(days=1))
        self._token = ""

    def has(self, token: str) -> None:
        self._token, self._token_until = token, FAR


@pytest.fixture
def session(tmp_path: Path) -> Asked:
    environment = Environment.read({"SBX_DATA_DIR": str(tmp_path)})
    session = Asked("acme", cast(Pool, None), environment, SecretBox.open(tmp_path, None))
    session.connection = connected()
    return session


async def gives_new(session: Asked) -> None:
    session.has("new")


async def refuses(_session: Asked) -> None:
    raise TokenRefused("invalid_client")


async def test_a_token_of_the_earlier_credentials_is_not_used(session: Asked) -> None:
    async def late(session: Asked) -> None:
        session.reconnect()
        session.has("old")

    session.fetches = [late, gives_new]
    assert await session.token() == "new"


async def test_a_refusal_of_the_earlier_credentials_does_not_count(session: Asked) -> None:
    async def late(session: Asked) -> None:
        session.reconnect()
        raise TokenRefused("invalid_client")

    session.fetches = [late, gives_new]
    assert await session.token() == "new"


async def test_a_refusal_of_the_present_credentials_counts(session: Asked) -> None:
    session.fetches = [refuses, gives_new]
    with pytest.raises(TokenRefused):
        await session.token()


async def test_facts_that_are_read_meanwhile_take_no_token_away(session: Asked) -> None:
    async def late(session: Asked) -> None:
        session.connection = connected(facts=None)
        session.has("one")

    session.fetches = [late]
    assert await session.token() == "one"
