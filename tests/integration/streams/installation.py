"""Accounts that trade, and stages at work for them, on the run's broker and a database of the test's own."""

import asyncio
import json
import os
import subprocess
import sys
from pathlib import Path

import psycopg

from contracts.events.reader import event_to_kafka
from sandbox.fake_xero.server import FakeXeroServer
from streams.records import Outgoing
from tests.integration.sinks.shops import Maker, Shop, connect, environment_of
from tests.integration.streams.conftest import PATIENCE, ROOT, Broker, StageProcess, StartStage, eventually
from tests.reliability.sales import assert_books, sales

SALES = 6
EVENTS_A_SALE = 4


def errors(process: StageProcess) -> list[str]:
    """Lines of a stage's log that tell of an error, but for what Kafka's client says while the broker sorts
    out a group: it tries again.
    """
    lines = [json.loads(line) for line in process.log.splitlines() if line.startswith("{")]
    return [
        str(line["event"])
        for line in lines
        if line["level"] == "error" and not line["logger"].startswith("aiokafka")
    ]


class Installation:
    """Three accounts, each with an organisation of its own, and workers of the three stages."""

    def __init__(
        self, start: StartStage, traffic: Broker, database_url: str, xero: FakeXeroServer, directory: Path
    ) -> None:
        self.environment = environment_of(database_url, xero, directory / "data")
        self._start, self._traffic, self.url, self._xero = start, traffic, database_url, xero
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
        return [self._start(stage, self.url, tree, **own) for stage in stages]

    def migrate(self, tree: Path) -> None:
        """As an operator does, with the program in ``tree``."""
        subprocess.run(
            [sys.executable, "-c", "import sys; from sbx.cli.main import main; sys.exit(main())", "migrate"],
            cwd=tree,
            env={**os.environ, "SBX_DATABASE_URL": self.url},
            timeout=PATIENCE,
            check=True,
        )

    def sell(self, count: int = SALES) -> None:
        """So many sales more to each account."""
        for maker in self._makers:
            events = sales(maker, count, first=self._sold + 1)
            self._traffic.publish([Outgoing(t, k, v, tuple(h)) for t, k, v, h in map(event_to_kafka, events)])
        self._sold += count

    def finish(self) -> None:
        """Until the log shows all as completed; then each sale is in the books once."""
        wanted = {shop.account: {"completed": self._sold * EVENTS_A_SALE} for shop in self.shops}
        eventually(lambda: self.log() == wanted, f"{wanted}, but {self.log()}")
        for shop in self.shops:
            assert_books(shop.books, self._sold)

    def log(self) -> dict[str, dict[str, int]]:
        """Entries of each account by state."""
        found: dict[str, dict[str, int]] = {}
        with psycopg.connect(self.url, autocommit=True) as connection:
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
        with psycopg.connect(self.url, autocommit=True) as connection:
            [[count]] = connection.execute("SELECT count(*) FROM ledger.commands").fetchall()
        return int(count)
