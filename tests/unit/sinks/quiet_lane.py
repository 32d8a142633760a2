"""A lane and its runner without a database: what the lane reads of its connection is in a variable."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

import pytest

from connections import store
from connections.facts import OrganisationFacts
from connections.settings import Settings
from runtime.environment import Environment
from runtime.secrets import SecretBox
from sinks.lanes.bursts import BurstGate
from sinks.lanes.lane import Lane
from sinks.lanes.runner import LaneRunner
from sinks.lanes.session import Pool, Session
from sinks.ledger import store as ledger
from sinks.ledger.store import Lease

CONNECTED_AT = datetime(2026, 3, 1, tzinfo=UTC)
FACTS = OrganisationFacts(name="Demo", base_currency="USD", fetched_at=datetime(2026, 3, 2, tzinfo=UTC))


def connected(**changes: Any) -> store.Connection:
    """A connection as it is read from the database."""
    values: dict[str, Any] = {
        "account": "acme",
        "tenant_id": "t-1",
        "tenant_name": "Demo",
        "client_id": "c",
        "enabled_at": CONNECTED_AT,
        "connected_at": CONNECTED_AT,
        "status": "connected",
        "status_reason": "",
        "paused_at": None,
        "paused_by": None,
        "paused_reason": None,
        "written": {},
        "settings": Settings.from_rows({}, CONNECTED_AT),
        "facts": FACTS,
    }
    return store.Connection(**{**values, **changes})


class NoDatabase:
    """A pool whose transactions do nothing."""

    autocommit = True

    @asynccontextmanager
    async def connection(self) -> AsyncIterator["NoDatabase"]:
        yield self

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        yield


class ReadSession(Session):
    """A session that reads its connection from ``kept``."""

    kept: store.Connection | None

    async def reload(self) -> None:
        """Read it."""
        self.connection = self.kept


def quiet_runner(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kept: store.Connection) -> LaneRunner:
    """Return a runner that has read ``kept``; its lane's lease is never lost."""

    async def held(_connection: ledger.Connection, _lease: Lease) -> None:
        return

    monkeypatch.setattr(ledger, "check_fence", held)
    pool = cast(Pool, NoDatabase())
    environment = Environment.read({"SBX_DATA_DIR": str(tmp_path)})
    session = ReadSession("acme", pool, environment, SecretBox.open(tmp_path, None))
    session.connection = session.kept = kept
    runner = LaneRunner(Lane(Lease("acme", 1, 1), pool, session, 1.0), BurstGate())
    runner.connection_changed = False
    return runner


def database_has(runner: LaneRunner, kept: store.Connection | None) -> None:
    """Have an operator's change committed."""
    cast(ReadSession, runner.lane.session).kept = kept
