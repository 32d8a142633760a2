"""Shops that live side by side in one installation, until all of them have been read and delivered."""

import asyncio
import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import psycopg
from psycopg import AsyncConnection

from connections import store as connections
from runtime.secrets import SecretBox
from sbx.cli.demo.shop import TAX_SETTINGS, add_taxes
from sources.schedule.layers import LISTINGS
from sources.store import store
from tests.integration.sinks.shops import Shop, connect
from tests.reliability.shops.clock import FIRST, FastClock
from tests.reliability.shops.installation import Installation
from tests.reliability.shops.shop import ReadShop
from tests.unit.sources.meeting import START

_LOOK = 0.02
_PATIENCE = 600.0
"""Seconds of this machine until something is taken to be stuck."""
_SETTLED = 75.0
"""Seconds of SalesBinder's after which all that lags has come."""
_WEEK = 8 * 86_400.0
"""After so long each sweep and each deep read has come."""
_LOOKED_AGAIN = timedelta(minutes=20)
"""After so long a record was looked at again four times."""
_KILL_EVERY = 8.0
_OUTAGE_EVERY = 20.0
_LAYERS = sum(len(listings) for layer, listings in LISTINGS.items() if layer != "open")
_STANDING = """
SELECT a.account,
       (SELECT count(*) FROM source.wanted w WHERE w.account = a.account AND w.tries < 4) AS wanted,
       (SELECT count(*) FROM source.records r WHERE r.account = a.account AND r.deep_at <= n.now) AS deep,
       (SELECT count(*) FROM source.outbox o WHERE o.account = a.account) AS untold,
       (SELECT count(*) FROM source.scans s WHERE s.account = a.account AND s.key NOT LIKE 'open/%%'
         AND (convert_from(s.finished, 'UTF8')::jsonb ->> 'started')::timestamptz >= %s) AS scanned,
       a.trouble
FROM source.accounts a, (SELECT fast.clock_timestamp() AS now) n WHERE a.account = ANY(%s)
"""


@dataclass
class Play:
    """What happens, and what strikes meanwhile."""

    installation: Installation
    clock: FastClock
    pace: float
    shops: Sequence[ReadShop]
    chance: random.Random
    faults: bool = False
    kills: bool = False
    outages: bool = False
    _outages: Iterator[Callable[[], None]] = field(default_factory=lambda: iter(()))

    def open(self) -> None:
        """Connect all shops on both sides, and wait until stock is taken: nothing is there yet."""
        for shop in self.shops:
            asyncio.run(self._connect(shop))
        self._wait("stock is taken", self._has_stock)
        self._pass(_SETTLED)

    def _has_stock(self) -> bool:
        return not any(row["layers"] for row in self._unread(START))

    async def _connect(self, shop: ReadShop) -> None:
        installation = self.installation
        shop.tenant_id = installation.xero.admin.add_tenant(shop.account)
        add_taxes(installation.xero.admin, shop.tenant_id)
        environment = installation.environment
        sold = Shop(shop.account, environment, installation.xero, tenant_id=shop.tenant_id)
        await connect(sold)
        settings = {"edit_authorised": "push", "reconcile_every": "off", **TAX_SETTINGS, **shop.settings}
        key = SecretBox.open(environment.data_dir, environment.secret_key).encrypt(shop.shop.key)
        # By the fast clock: the account is connected when its shop is.
        async with await AsyncConnection.connect(
            f"{installation.database_url}{FIRST}", autocommit=True
        ) as connection:
            await connections.set_settings(connection, shop.account, settings, "test")
            await store.connect(connection, shop.account, key)

    def live(self, changes: int) -> None:
        """Let so many changes happen in each shop."""
        kill, outage = time.monotonic() + _KILL_EVERY, time.monotonic() + _OUTAGE_EVERY
        lives = True
        while lives:
            busy = [shop.live(changes, self.pace, with_faults=self.faults) for shop in self.shops]
            lives = any(busy)
            if self.kills and time.monotonic() > kill:
                self.installation.kill(self.chance)
                kill = time.monotonic() + self.chance.random() * 2 * _KILL_EVERY
            if self.outages and time.monotonic() > outage:
                self._outage()
                outage = time.monotonic() + self.chance.random() * 2 * _OUTAGE_EVERY
            self.installation.check()
            time.sleep(_LOOK)

    def _outage(self) -> None:
        strike = next(self._outages, None)
        if strike is None:
            self._outages = iter(self.installation.outages(self.chance))
            strike = next(self._outages)
        strike()

    def settle(self) -> None:
        """Let nothing go wrong any more, and weeks pass, until nothing is left to be read or delivered."""
        for shop in self.shops:
            shop.behave()
        self._pass(_SETTLED)
        for _ in range(2):
            self.clock.jump(_WEEK)
            since = self.clock.now()
            left: dict[str, datetime | None] = {shop.account: None for shop in self.shops}
            self._wait("all is read", partial(self._is_read, since, left))
        self._wait("all is delivered", self.installation.is_done)

    def close(self) -> None:
        """Let nobody read the shops any more."""
        names = [shop.account for shop in self.shops]
        with psycopg.connect(self.installation.database_url) as connection:
            # The reader's order of locks: who has the lease comes first.
            connection.execute("SELECT 1 FROM source.leases WHERE account = ANY(%s) FOR UPDATE", [names])
            connection.execute("DELETE FROM source.accounts WHERE account = ANY(%s)", [names])

    def _pass(self, seconds: float) -> None:
        until = self.clock.seconds() + seconds
        while self.clock.seconds() < until:
            self.installation.check()
            time.sleep(_LOOK)

    def _is_read(self, since: datetime, left: dict[str, datetime | None]) -> bool:
        """Return True once each layer of each shop was read since, and each look again has come.

        Where a status is shown under changing names, something is always to be looked at again.
        """
        now = self.clock.now()
        for row in self._unread(since):
            account = row["account"]
            if account not in left or row["deep"] or row["untold"] or row["trouble"] or row["layers"]:
                continue
            scanned = left[account] = left[account] or now
            if not row["wanted"] or now > scanned + _LOOKED_AGAIN:
                del left[account]
        return not left

    def _unread(self, since: datetime) -> list[dict[str, Any]]:
        """Return what is left to be read of each shop; ``layers`` are those that were not read since."""
        rows = self.installation.rows(_STANDING, since, [shop.account for shop in self.shops])
        return [row | {"layers": _LAYERS - row["scanned"]} for row in rows]

    def _wait(self, what: str, holds: Callable[[], bool]) -> None:
        until = time.monotonic() + _PATIENCE
        while not holds():
            self.installation.check()
            assert time.monotonic() < until, f"not in {_PATIENCE:.0f} s: {what}; {self._unread(START)}"
            time.sleep(0.5)
