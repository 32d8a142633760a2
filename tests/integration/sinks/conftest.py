from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from contracts.results import EntryResult
from runtime.archive import Archive
from sandbox.fake_xero.server import FakeXeroServer
from streams.archiving import Archiving
from streams.batch_writer import Pool
from tests.integration.sinks.archives import DAYS
from tests.integration.sinks.desks import Desks
from tests.integration.sinks.shops import (
    Maker,
    Office,
    Shop,
    connect,
    connected_shop,
    delivering,
    environment_of,
)


@pytest.fixture(scope="session")
def shared_xero() -> Iterator[FakeXeroServer]:
    """One fake for all: every test has an organisation of its own in it."""
    with FakeXeroServer() as server:
        yield server


@pytest.fixture(scope="module")
def office(
    module_database_url: str, shared_xero: FakeXeroServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Office]:
    """One delivery at work for all accounts of a module."""
    environment = environment_of(module_database_url, shared_xero, tmp_path_factory.mktemp("data"))
    with Office(environment, shared_xero) as office:
        yield office


@pytest.fixture
async def books(office: Office) -> AsyncIterator[Shop]:
    """A connected account at work. Whatever the test made fail is explained without a gap."""
    shop = office.new_shop()
    await connect(shop)
    yield shop
    office.xero.admin.clear_faults()  # the next test's calls are not to meet what this one has left
    assert_explained(await shop.told())


@pytest.fixture
def make(books: Shop) -> Maker:
    """Events of the account ``books``."""
    return Maker(books.account)


@pytest.fixture
async def pool(books: Shop) -> AsyncIterator[Pool]:
    url = str(books.environment.database_url)
    async with Pool(url, min_size=1, max_size=4, open=False) as pool:
        yield pool


@pytest.fixture
async def archiving(
    pool: Pool, tmp_path: Path, books: Shop, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Archiving]:
    """The database is a module's, so it is given a new archive for each test."""
    async with await books.connect() as connection:
        await connection.execute(
            "UPDATE ledger.archive SET id = gen_random_uuid(), claimed_at = NULL, worker = '', "
            "until = '-infinity', begins_at = '-infinity'"
        )
        await connection.execute("TRUNCATE ledger.archive_parts")
    monkeypatch.setattr("streams.archiving.REST_SECONDS", 0.0)
    monkeypatch.setattr("streams.archiving.RESTS_PER_BITE", 0)
    yield Archiving(pool, Archive(tmp_path / "archive"), DAYS)


def assert_explained(results: list[EntryResult]) -> None:
    """Every sentence of the log is whole."""
    texts = [text for r in results for text in (r.reason, r.remedy)]
    assert [text for text in texts if "…" in text] == []
    assert [r for r in results if r.state == "failed" and not (r.reason and r.remedy)] == []


@pytest.fixture
def xero() -> Iterator[FakeXeroServer]:
    with FakeXeroServer() as server:
        yield server


@pytest.fixture
async def shop(database_url: str, xero: FakeXeroServer, tmp_path: Path) -> AsyncIterator[Shop]:
    """A connected account, nothing at work."""
    yield await connected_shop(database_url, xero, tmp_path)


@pytest.fixture
async def open_shop(shop: Shop) -> AsyncIterator[Shop]:
    """A connected account with its delivery at work."""
    async with delivering(shop):
        yield shop


@pytest.fixture
def maker() -> Maker:
    return Maker()


@pytest.fixture
async def desks(shop: Shop) -> AsyncIterator[Desks]:
    found = Desks(shop)
    yield found
    for desk in (*found.living, *found.earlier):
        await desk.die()
