"""A shop on the fake SalesBinder, a fake Xero, and the pipeline between them, as ``sbx up`` runs it."""

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from log_projection.projection import apply
from sandbox.fake_salesbinder import FakeSalesBinderServer, acts
from sandbox.fake_xero.server import FakeXeroServer
from sources.store import store
from tests.integration.sinks import shops
from tests.integration.sinks.shops import PATIENCE, environment_of
from tests.integration.sources.reconciling import LINES, Source, invoice
from tests.web import drifted
from tests.web.office import Office, serving

ACCOUNT, KEY = "acme", "acme-key"


@dataclass
class Town:
    """The page, the shop, and both sides of it."""

    office: Office
    source: Source
    xero: FakeXeroServer
    salesbinder: FakeSalesBinderServer

    def new_invoice(self) -> str:
        """Make an invoice of 108.00; returns its number."""
        fake = self.source.fake
        return str(fake.truth.documents[invoice(fake, next(iter(fake.truth.parties)))].number)


@contextmanager
def town(database_url: str, data_dir: Path) -> Iterator[Town]:
    """A shop with an older and a newer invoice and a payment by cash, connected to nothing."""
    with FakeSalesBinderServer(seed=3) as salesbinder, FakeXeroServer() as xero:
        salesbinder.world.limiter.minute = salesbinder.world.limiter.burst = 10**9
        shop = shops.Shop(ACCOUNT, environment_of(database_url, xero, data_dir), xero)
        source = Source(shop, salesbinder)
        customer = acts.create_party(source.fake, "customer", name="Bolt & Co")
        old = datetime.now(UTC) - timedelta(days=40)
        acts.bring_old_invoice(source.fake, customer, LINES, created=old, paid="108.00")
        document = acts.create_document(source.fake, "invoice", customer, LINES)
        acts.pay(source.fake, document, "108.00", reference="Cash")
        salesbinder.world.clock.advance(2)
        with serving(
            database_url,
            data_dir,
            SBX_XERO_API_URL=xero.api_url,
            SBX_XERO_IDENTITY_URL=xero.identity_url,
            SBX_SALESBINDER_API_URL=salesbinder.api_url,
        ) as office:
            yield Town(office, source, xero, salesbinder)


@contextmanager
def at_work(town: Town) -> Iterator[None]:
    """Lanes, a reader and the projection while the block runs, in a thread of their own."""
    stop, failed = threading.Event(), list[BaseException]()

    def run() -> None:
        try:
            asyncio.run(_work(town.source, stop))
        except BaseException as error:
            failed.append(error)
            raise

    thread = threading.Thread(target=run)
    with drifted.delivering(town.office):
        thread.start()
        try:
            yield
        finally:
            stop.set()
            thread.join(PATIENCE)
    assert not thread.is_alive()
    assert failed == []


async def _work(source: Source, stop: threading.Event) -> None:
    told = 0
    async with shops.delivering(source.shop):
        while not stop.is_set():
            async with await source.session() as connection:
                encrypted = (await store.accounts(connection)).get(ACCOUNT)
            if encrypted is not None:
                await source.read_changes(encrypted, waits=False)
            results = source.shop.published[told:]
            told += len(results)
            async with await source.shop.connect() as connection:
                await apply(connection, results)
            await asyncio.sleep(0.2)
