"""An upgrade while work goes on: workers of two versions side by side, over one migration.

The old version is the present program. The new one is a copy of it with one migration more.
"""

import asyncio
import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from contracts.events import event_to_kafka
from sandbox.fake_xero.server import FakeXeroServer
from streams.records import Outgoing
from tests.integration.sinks.shops import Maker, Shop, connect, environment_of
from tests.integration.streams.conftest import ROOT, Broker, StageProcess, StartStage, eventually
from tests.reliability.sales import assert_books, sales

ADDS = "ALTER TABLE ledger.commands ADD COLUMN made_up text NOT NULL DEFAULT 'x';\n"
BREAKS = "-- breaks older versions\n" + ADDS
SALES = 6
EVENTS_A_SALE = 4
_PACKAGES = (
    "connections",
    "contracts",
    "mappers",
    "sinks",
    "streams",
    "log_projection",
    "ops",
    "sandbox",
    "web",
)


def newer(directory: Path, migration: str) -> Path:
    """A copy of the program with one migration more."""
    tree = directory / "newer"
    for package in _PACKAGES:
        shutil.copytree(ROOT / package, tree / package, ignore=shutil.ignore_patterns("__pycache__"))
    (tree / "sinks" / "migrations" / "990_made_up.sql").write_text(migration)
    return tree


class Upgrade:
    """Three accounts, each with an organisation of its own, and workers of both versions."""

    def __init__(
        self, start: StartStage, traffic: Broker, database_url: str, xero: FakeXeroServer, directory: Path
    ) -> None:
        self.environment = environment_of(database_url, xero, directory / "data")
        self._start, self._traffic, self._url, self._xero = start, traffic, database_url, xero
        self.shops: list[Shop] = []
        self._makers: list[Maker] = []
        for number in range(3):
            name = f"up{number}x{os.urandom(4).hex()}"
            shop = Shop(name, self.environment, xero, tenant_id=xero.admin.add_tenant(name))
            asyncio.run(connect(shop))
            self.shops.append(shop)
            self._makers.append(Maker(name))
        self._sold = 0

    def start(self, *stages: str, tree: Path = ROOT) -> list[StageProcess]:
        """Workers of the program in ``tree``."""
        own = {"SBX_XERO_API_URL": self._xero.api_url, "SBX_XERO_IDENTITY_URL": self._xero.identity_url}
        return [self._start(stage, self._url, tree, **own) for stage in stages]

    def migrate(self, tree: Path) -> None:
        """As an operator does, with the program in ``tree``."""
        subprocess.run(
            [sys.executable, "-c", "import sys; from ops.main import main; sys.exit(main())", "migrate"],
            cwd=tree,
            env={**os.environ, "SBX_DATABASE_URL": self._url},
            timeout=120,
            check=True,
        )

    def sell(self) -> None:
        """So many sales more to each account."""
        for maker in self._makers:
            events = sales(maker, SALES, first=self._sold + 1)
            self._traffic.publish([Outgoing(t, k, v, tuple(h)) for t, k, v, h in map(event_to_kafka, events)])
        self._sold += SALES

    def finish(self) -> None:
        """Until the log shows all as completed; then each sale is in the books once."""
        wanted = {shop.account: {"completed": self._sold * EVENTS_A_SALE} for shop in self.shops}
        eventually(lambda: self.log() == wanted, f"{wanted}, but {self.log()}")
        for shop in self.shops:
            assert_books(shop.books, self._sold)

    def log(self) -> dict[str, dict[str, int]]:
        """Entries of each account by state."""
        found: dict[str, dict[str, int]] = {}
        with psycopg.connect(self._url, autocommit=True) as connection:
            rows = connection.execute(
                "SELECT account, state, count(*) FROM integrations_log.entries "
                "WHERE account = ANY(%s) GROUP BY 1, 2",
                [[shop.account for shop in self.shops]],
            )
            for account, state, count in rows:
                found.setdefault(account, {})[state] = count
        return found

    def commands(self) -> int:
        """Commands that the ledger has."""
        with psycopg.connect(self._url, autocommit=True) as connection:
            [[count]] = connection.execute("SELECT count(*) FROM ledger.commands").fetchall()
        return int(count)


@pytest.fixture
def upgrade(start_stage: StartStage, traffic: Broker, database_url: str, tmp_path: Path) -> Iterator[Upgrade]:
    with FakeXeroServer() as xero:
        xero.admin.fault("latency", times=None, seconds=0.05)
        yield Upgrade(start_stage, traffic, database_url, xero, tmp_path)


def test_over_a_migration_that_adds(upgrade: Upgrade, tmp_path: Path) -> None:
    """New workers started too early wait and say so; migrated under load; both versions work; old ones go."""
    tree = newer(tmp_path, ADDS)
    old = upgrade.start("transform", "deliver", "project")
    for process in old:
        process.wait_until_ready()
    upgrade.sell()
    new = upgrade.start("transform", "deliver", "project", tree=tree)
    eventually(lambda: "it lacks sinks/990_made_up.sql" in new[1].log, "the new version waits")
    upgrade.sell()
    upgrade.migrate(tree)
    upgrade.sell()
    upgrade.finish()
    for process in old:
        process.stop()
    upgrade.sell()
    upgrade.finish()
    assert "the database serves again" in new[1].log
    for process in old:
        assert "the database does not serve" not in process.log
    for process in (*old, *new):
        assert '"level": "error"' not in process.log
    for process in new:
        process.stop()


def test_over_a_migration_that_breaks_older_versions(upgrade: Upgrade, tmp_path: Path) -> None:
    """Old workers that run take in nothing more and say why; nothing is lost, and the new version goes on."""
    tree = newer(tmp_path, BREAKS)
    old = upgrade.start("transform", "deliver", "project")
    for process in old:
        process.wait_until_ready()
    upgrade.sell()
    upgrade.finish()
    upgrade.migrate(tree)
    upgrade.sell()
    for process in old[1:]:
        eventually(lambda p=process: "cannot work with sinks/990_made_up.sql" in p.log, "it waits")  # type: ignore[misc]
    before, log = upgrade.commands(), upgrade.log()
    time.sleep(3)
    assert (upgrade.commands(), upgrade.log()) == (before, log)
    for process in old:
        assert process.code() is None
        process.stop()
    new = upgrade.start("transform", "deliver", "project", tree=tree)
    upgrade.finish()
    for process in new:
        process.stop()
