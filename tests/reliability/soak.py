"""Mixed traffic for a long time, with faults at random: ``python -m tests.reliability.soak --minutes 60``.

Random histories go through a whole installation, while Xero misbehaves all the time and now and then a
connection is cut, a service hangs or is restarted, a worker killed. Memory, file descriptors, connections,
lag and tables are printed as they change; at the end the books are held against the model, and what ought to
be flat is judged.
"""

import asyncio
import itertools
import random
import signal
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from statistics import median
from typing import Annotated

import psutil
import psycopg
import typer

from sandbox.fake_xero.server import FakeXeroServer
from tests.reliability.comparison import compare
from tests.reliability.estate import Estate, children
from tests.reliability.histories import ends_of, inject
from tests.reliability.history import ENABLED_AT, History, make_history
from tests.reliability.model import Model
from tests.reliability.proxy import Proxy

_STAGES = ("transform", "deliver", "project")
_NUMBERS_EACH = 100
"""Documents that a history may have."""
_EVERY = 10.0
"""Seconds from one sample to the next."""
_SLACK = {
    "memory MB": 15.0,
    "files": 10.0,
    "connections": 5.0,
    "lag": 200.0,
    "outbox": 200.0,
    "intents": 50.0,
}
"""What is flat may grow by a tenth, and by this much."""
_TABLES = """
    SELECT (SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()) - 1,
           (SELECT count(*) FROM ledger.outbox),
           (SELECT count(*) FROM ledger.intents WHERE answered_at IS NULL),
           (SELECT count(*) FROM ledger.commands),
           (SELECT sum(pg_total_relation_size(c.oid)) / 1e6 FROM pg_class c
            JOIN pg_namespace n ON n.oid = c.relnamespace
            WHERE c.relkind = 'r' AND n.nspname IN ('ledger', 'integrations_log', 'connections'))"""


@dataclass
class Traffic:
    """Histories that were published, one after the other, and what they must come to."""

    estate: Estate
    seed: int
    histories: list[History]

    def publish(self) -> None:
        number = len(self.histories)
        history = make_history(
            f"{self.seed * 1_000_000 + number}/soak", "acme", after=number * _NUMBERS_EACH, calm=False
        )
        self.estate.publish(history.events)
        self.histories.append(history)

    @property
    def whole(self) -> History:
        events = [event for history in self.histories for event in history.events]
        return History(str(self.seed), "acme", {}, [events])

    def ended(self) -> bool:
        ids = {event["id"] for event in self.whole.events}
        states = self.estate.states()
        return states.keys() <= {"completed", "failed"} and sum(states.values()) == len(ids)

    def wrong(self) -> list[str]:
        """In what the books and the log differ from the model."""
        ended = asyncio.run(ends_of(self.estate.shop, self.whole))
        settings = {"invoice_status": "authorised", "purchase_order_status": "authorised"}
        settings |= {"edit_authorised": "refuse", "refund_as": "credit_note", "received_as": "bill"}
        model = Model(settings, ENABLED_AT)
        for history in self.histories:
            model.feed(history.events, ended)
        books = self.estate.xero.admin.state(self.estate.xero.tenant_id)
        return compare(self.whole, model, ended, books)


def _outages(estate: Estate, chance: random.Random) -> dict[str, Callable[[], None]]:
    proxies = {"kafka": estate.kafka_proxy, "postgres": estate.postgres_proxy, "xero": estate.xero_proxy}
    found: dict[str, Callable[[], None]] = {}
    for name, proxy in proxies.items():
        found[f"{name} cut"] = proxy.cut

        found[f"{name} hangs"] = partial(_hang, proxy)
    for stage in _STAGES:
        found[f"{stage} killed"] = partial(_kill, estate, stage)

    def restart_kafka() -> None:
        estate.end_kafka(chance.choice((signal.SIGTERM, signal.SIGKILL)))
        estate.start_kafka()

    def restart_postgres() -> None:
        estate.end_postgres(chance.choice((signal.SIGINT, signal.SIGKILL)))
        estate.start_postgres()

    return found | {"kafka restarted": restart_kafka, "postgres restarted": restart_postgres}


def _hang(proxy: Proxy) -> None:
    proxy.stall()
    time.sleep(3.0)
    proxy.go_on()


def _kill(estate: Estate, stage: str) -> None:
    estate.worker(stage).kill()


def _sample(estate: Estate) -> dict[str, float]:
    """What is used now, of all stages together."""
    workers = [
        p for p in children() if p.cmdline()[-2:-1] == ["sbx.cli.local.child"] and p.cmdline()[-1] in _STAGES
    ]
    [(connections, outbox, intents, commands, tables)] = estate.rows(_TABLES)
    return {
        "memory MB": sum(p.memory_info().rss for p in workers) / 1e6 * len(_STAGES) / max(1, len(workers)),
        "files": sum(p.num_fds() for p in workers) * len(_STAGES) / max(1, len(workers)),
        "connections": connections,
        "lag": sum(stage["lag"] for stage in estate.status()["stages"].values()),
        "outbox": outbox,
        "intents": intents,
        "commands": commands,
        "tables MB": float(tables),
    }


def flat(samples: Sequence[Mapping[str, float]]) -> dict[str, tuple[float, float, bool]]:
    """Medians of the first and of the last third, and whether that is flat, of all that ought to be."""
    third = max(1, len(samples) // 3)
    judged = {}
    for name, slack in _SLACK.items():
        before = median(sample[name] for sample in samples[:third])
        after = median(sample[name] for sample in samples[-third:])
        judged[name] = before, after, after <= before * 1.1 + slack
    return judged


def main(
    minutes: Annotated[float, typer.Option(help="For how long.")] = 60.0,
    seed: Annotated[int, typer.Option(help="Of traffic and faults.")] = 1,
    pause: Annotated[float, typer.Option(help="Seconds between two histories of about 50 events.")] = 4.0,
    outage_every: Annotated[float, typer.Option(help="Seconds between two outages, on average.")] = 60.0,
) -> None:
    """Run. Exit code 1 when books or log differ from the model, or something that ought to be flat grew."""
    chance = random.Random(seed)
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as directory,
        FakeXeroServer(subprocess=True) as xero,
    ):
        xero.admin.limits(minute=100_000, day=10_000_000)
        inject(xero, seed, probability=0.01)
        with Estate(Path(directory), xero) as estate:
            traffic = Traffic(estate, seed, [])
            samples, struck = _run(traffic, chance, minutes * 60, pause, outage_every)
            began = time.monotonic()
            estate.wait("all that was published has ended", traffic.ended, 900)
            drained = time.monotonic() - began
            wrong = traffic.wrong()
            faults = sum(rule["hits"] for rule in xero.admin.faults())
    print(
        f"histories {len(traffic.histories)}, events {len(traffic.whole.events)}, "
        f"all ended {drained:.0f} s after the last"
    )
    print(f"faults of Xero {faults}; outages {len(struck)}: {', '.join(struck)}")
    print(f"differences from the model: {len(wrong)}")
    for text in wrong[:20]:
        print(f"  {text}")
    judged = flat(samples[min(3, len(samples) // 4) :])
    for name, (before, after, good) in judged.items():
        print(f"{name:12} {before:10.0f} -> {after:10.0f}  {'flat' if good else 'GREW'}")
    raise typer.Exit(1 if wrong or not all(good for _, _, good in judged.values()) else 0)


def _run(
    traffic: Traffic, chance: random.Random, seconds: float, pause: float, outage_every: float
) -> tuple[list[dict[str, float]], list[str]]:
    """Traffic and outages for so long; the samples, and the outages in their order."""
    samples: list[dict[str, float]] = []
    struck: list[str] = []
    outages = _outages(traffic.estate, chance)
    began = time.monotonic()
    next_sample, next_outage = began, began + chance.expovariate(1 / outage_every)
    for _ in itertools.count():
        now = time.monotonic()
        if now - began > seconds:
            return samples, struck
        traffic.publish()
        if now >= next_outage:
            name = chance.choice(sorted(outages))
            _say(f"{now - began:6.0f} s  {name}")
            try:
                outages[name]()
                struck.append(name)
            except (psutil.Error, ValueError) as error:  # the worker is just being started again
                _say(f"          not done: {error}")
            next_outage = time.monotonic() + chance.expovariate(1 / outage_every)
        if now >= next_sample:
            try:
                samples.append(_sample(traffic.estate))
            except (psycopg.Error, psutil.Error) as error:
                _say(f"{now - began:6.0f} s  no sample: {error}")
            else:
                _say(f"{now - began:6.0f} s  " + ", ".join(f"{k} {v:.0f}" for k, v in samples[-1].items()))
            next_sample = now + _EVERY
        time.sleep(pause)
    raise AssertionError


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


if __name__ == "__main__":
    typer.run(main)
