"""A fake SalesBinder and the worker that reads it, beside the rest of an installation."""

import asyncio
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Self

import psycopg

from bench.processes import StageProcess
from bench.rig import Rig
from runtime.secrets import SecretBox
from sandbox.fake_salesbinder import FakeSalesBinderServer
from sandbox.fake_salesbinder.admin_client import FakeSalesBinderAdmin
from sources.schedule.layers import LISTINGS
from sources.store import hooks, store

CUSTOMERS, INVOICES = 20_000, 100_000
"""Of the large shop."""
PAGES = (CUSTOMERS + INVOICES) // 200 + 2
"""Of its lists: suppliers and orders have an empty one each."""
NO_LIMIT = 10**9
_FILLED_AT_ONCE = 5
_SBX = ("-c", "import sys; from sbx.cli.main import main; sys.exit(main())")
_STOCK_TAKEN = "SELECT count(*) FROM source.scans WHERE key LIKE 'all/%' AND finished IS NOT NULL"
# A row of source.calls is the memory that a call was made: without any, no limit is ever reached.
_NO_BUDGET = """
CREATE FUNCTION source.forget() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END';
CREATE TRIGGER forget BEFORE INSERT ON source.calls FOR EACH ROW EXECUTE FUNCTION source.forget()
"""


class SourceRig(Rig):
    """An installation, and a SalesBinder with which shops can be connected."""

    salesbinder: FakeSalesBinderServer

    def __enter__(self) -> Self:
        super().__enter__()
        try:
            self.salesbinder = self._open.enter_context(FakeSalesBinderServer(subprocess=True))
        except BaseException:
            self._open.close()
            raise
        return self

    @property
    def environ(self) -> dict[str, str]:
        """The variables of processes that belong to it."""
        return super().environ | {"SBX_SALESBINDER_API_URL": self.salesbinder.api_url}

    def start_source(self) -> StageProcess:
        """Start ``sbx worker source``."""
        command = (*_SBX, "worker", "source")
        process = StageProcess("source", self.environ, self.directory, command=command)
        self.stages["source"] = process
        alive = "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'sbx-source-holder'"
        self.wait(lambda: self.query(alive)[0][0] > 0, "the worker runs", 60)
        return process

    def connect_sources(self, accounts: Sequence[str]) -> dict[str, str]:
        """Connect shops of the fake's; the tokens of their addresses for webhooks, by account."""
        data_dir = self.directory / "data"
        data_dir.mkdir(exist_ok=True)
        return asyncio.run(connect_shops(self.database_url, data_dir, accounts))

    def wait_for_stock(
        self, shops: int, seconds: float, every: float = 0.1, look: Callable[[], None] = lambda: None
    ) -> None:
        """Wait until stock was taken of so many shops, and call ``look`` meanwhile. Raises TooSlow."""
        lists = shops * len(LISTINGS["all"])

        def is_taken() -> bool:
            look()
            return bool(self.query(_STOCK_TAKEN)[0][0] >= lists)

        self.wait(is_taken, "stock is taken", seconds, every)

    def lift_source_limits(self) -> None:
        """Let the reader, and SalesBinder, count no calls: nothing waits for a limit from now on."""
        with psycopg.connect(self.database_url, autocommit=True) as connection:
            connection.execute(_NO_BUDGET)
        self.salesbinder.admin.limits(minute=NO_LIMIT, burst=NO_LIMIT)


async def connect_shops(database_url: str, data_dir: Path, accounts: Sequence[str]) -> dict[str, str]:
    """Connect shops whose keys are the fake's; the tokens of their addresses for webhooks, by account."""
    box = SecretBox.open(data_dir, None)
    tokens: dict[str, str] = {}
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
        for account in accounts:
            await store.connect(connection, account, box.encrypt(f"{account}-key"))
            await hooks.make(connection, account, box)
            hook = await hooks.of(connection, account, box)
            assert hook is not None
            tokens[account] = hook.token
    return tokens


def fill(admin: FakeSalesBinderAdmin, shop: str) -> None:
    """Make the large shop."""
    admin.add_shop(shop)
    part: dict[str, Any] = {
        "customers": CUSTOMERS // _FILLED_AT_ONCE,
        "invoices": INVOICES // _FILLED_AT_ONCE,
    }
    for seed in range(_FILLED_AT_ONCE):
        admin.fill(shop=shop, seed=seed, **part)
    # What is made in the second of the connection counts as new.
    admin.advance(5)
