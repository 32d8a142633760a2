"""Kafka, PostgreSQL and Xero go away, die and hang, and workers come and go, amid the work: nothing
is lost, nothing is done twice, all of it goes on by itself, and the status says what is wrong meanwhile.
"""

import signal
import time
from collections.abc import Iterator

import psutil
import pytest

from sandbox.fake_xero.server import FakeXeroServer
from tests.reliability.estate import Estate
from tests.reliability.proxy import Proxy

pytestmark = [pytest.mark.reliability, pytest.mark.long]

SALES = 40


@pytest.fixture(scope="module")
def estate(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Estate]:
    """One for all: what an outage has broken for good breaks the tests after it, too."""
    with FakeXeroServer(subprocess=True) as xero:
        xero.admin.fault("latency", times=None, seconds=0.05)
        xero.admin.limits(minute=100_000, day=100_000)
        with Estate(tmp_path_factory.mktemp("estate"), xero) as estate:
            estate.sell(2)
            estate.finish()
            yield estate


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL], ids=["term", "kill"])
def test_the_broker_ends_and_comes_back(how: signal.Signals, estate: Estate) -> None:
    estate.sell(SALES)
    estate.end_kafka(how)
    assert estate.says("Kafka at", "does not answer")
    estate.start_kafka()
    estate.sell(SALES)
    estate.finish()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGKILL], ids=["fast", "kill"])
def test_the_database_ends_and_comes_back(how: signal.Signals, estate: Estate) -> None:
    estate.sell(SALES)
    estate.end_postgres(how)
    assert estate.says("the database", "does not answer")
    estate.sell(SALES)
    estate.start_postgres()
    estate.finish()


@pytest.mark.parametrize("service", ["kafka", "postgres", "xero"])
def test_connections_are_cut_over_and_over(service: str, estate: Estate) -> None:
    proxy = _proxy(estate, service)
    for _ in range(3):
        estate.sell(SALES // 2)
        proxy.cut()
    estate.finish()


@pytest.mark.parametrize("service", ["kafka", "postgres"])
def test_connections_hang(service: str, estate: Estate) -> None:
    estate.sell(SALES)
    proxy = _proxy(estate, service)
    proxy.stall()
    try:
        named = "Kafka at" if service == "kafka" else "the database"
        assert estate.says(named, "does not answer")
    finally:
        proxy.go_on()
    estate.sell(SALES)
    estate.finish()


def test_xero_cannot_be_reached(estate: Estate) -> None:
    estate.xero_proxy.refuse()
    try:
        estate.sell(SALES)
        estate.wait(
            "the status says that Xero is away",
            lambda: [account["held"] for account in estate.status()["accounts"]] == ["xero_unavailable"],
        )
    finally:
        estate.xero_proxy.go_on()
    estate.finish()


def test_xero_hangs_for_seconds(estate: Estate) -> None:
    estate.sell(SALES)
    estate.xero_proxy.stall()
    time.sleep(3.0)
    assert [account["name"] for account in estate.status()["accounts"]] == ["acme"]
    estate.xero_proxy.cut()
    estate.xero_proxy.go_on()
    estate.finish()


@pytest.mark.parametrize("stage", ["transform", "deliver", "project"])
def test_workers_are_added_and_removed_under_load(stage: str, estate: Estate) -> None:
    estate.sell(SALES)
    more = estate.add_worker(stage)
    estate.wait(f"two of {stage}", lambda: estate.status()["stages"][stage]["processes"] == 2)
    estate.sell(SALES)
    estate.remove_worker(more)
    estate.sell(SALES)
    estate.finish()


def test_a_worker_sleeps_for_longer_than_its_lease(estate: Estate) -> None:
    """Another one takes the account. The sleeper, awake again, does nothing more for it."""
    estate.sell(2)
    estate.wait("a lease", lambda: bool(estate.rows("SELECT 1 FROM ledger.leases WHERE expires_at > now()")))
    sleeper = estate.worker("deliver")
    more = estate.add_worker("deliver")
    estate.wait("two of deliver", lambda: estate.status()["stages"]["deliver"]["processes"] == 2)
    before = estate.rows("SELECT fence FROM ledger.leases")
    estate.sell(SALES)
    _suspend_between_transactions(estate, sleeper)
    try:
        estate.rows("UPDATE ledger.leases SET expires_at = now() RETURNING 1")  # rather than waiting 70 s
        estate.wait(
            "the other one has the account",
            lambda: estate.rows("SELECT fence FROM ledger.leases") > before,
        )
        estate.sell(SALES)
    finally:
        sleeper.resume()
    estate.finish()
    estate.remove_worker(more)


def _suspend_between_transactions(estate: Estate, sleeper: psutil.Process) -> None:
    """One that sleeps within a transaction keeps the account until the database ends that, after a minute."""
    while True:
        sleeper.suspend()
        if estate.rows("SELECT 1 FROM ledger.leases FOR UPDATE SKIP LOCKED"):
            return
        sleeper.resume()
        time.sleep(0.05)


def _proxy(estate: Estate, service: str) -> Proxy:
    return {"kafka": estate.kafka_proxy, "postgres": estate.postgres_proxy, "xero": estate.xero_proxy}[
        service
    ]
