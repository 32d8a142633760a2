"""Replay of events that are done: read from the topics, looked up in the ledger; live events meanwhile."""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import islice, takewhile
from pathlib import Path
from typing import Any

import psutil
import psycopg
from kafka import KafkaConsumer, TopicPartition
from kafka.structs import OffsetAndMetadata
from psycopg import sql

from bench.figures import Figure, at_least, at_most, percentile
from bench.latency import first_after, one_by_one
from bench.processes import own_environ
from bench.rig import STAGES, Rig, send
from bench.sales import EVENTS_A_SALE, Message, sale, sales
from contracts.commands import encode_command
from contracts.events.reader import read_event
from mappers import to_command
from streams.broker import Broker
from streams.topics import SOURCES, group_of

EVENTS = 100_000
_BATCH = 2000
_COLUMNS = (
    "command_id",
    "account",
    "entity",
    "record_id",
    "action",
    "content_hash",
    "event_time",
    "body",
    "place",
)


def run() -> list[Figure]:
    """Measure events per second, beside a bare loop over the same topics; how long live events take
    meanwhile.
    """
    with Rig() as rig:
        rig.xero.admin.limits(minute=1_000_000, day=1_000_000)
        tenants = rig.connect(["bench", "live"])
        messages = islice(sales("bench", EVENTS // EVENTS_A_SALE + 1), EVENTS)
        for batch in _in_batches(messages):
            places = asyncio.run(send(rig.servers, [(m.topic, m.key, m.value, m.headers) for m in batch]))
            _fill(rig, batch, places)
        with psycopg.connect(rig.database_url, autocommit=True) as connection:
            connection.execute("VACUUM ANALYZE ledger.commands")
        _taken_in(rig)
        bare = _bare(rig)
        rig.start(*STAGES)
        rig.publish(sale("live", 1))
        rig.wait_until_completed(EVENTS_A_SALE, 120)
        before, offset = _ledger(rig), rig.clock_offset()
        seconds, used, sent = _replay(rig)
        assert _ledger(rig) == before, "a replay of what is done has changed the ledger"
        made = rig.xero.admin.calls()
        calls = [
            call["at"] + offset
            for call in made
            if call["tenant_id"] == tenants["live"] and call["method"] in ("PUT", "POST")
        ]
        waited = [(first_after(calls, moment) - moment) * 1000 for moment in sent]
        return [
            Figure(
                what="events replayed, all done",
                value=EVENTS / seconds,
                unit="events/s",
                base="bare kafka-python loop",
                base_value=EVENTS / bare,
                goal=at_least(5000),
            ),
            Figure(what="processor time", value=used / EVENTS * 1e6, unit="µs/event"),
            Figure(
                what="calls to Xero",
                value=sum(call["tenant_id"] == tenants["bench"] for call in made),
                unit="calls",
                goal=at_most(0),
            ),
            Figure(what="live events meanwhile", value=len(sent), unit="events"),
            Figure(what="live, published → at Xero, p50", value=percentile(waited, 0.5), unit="ms"),
            Figure(
                what="live, published → at Xero, p95",
                value=percentile(waited, 0.95),
                unit="ms",
                goal=at_most(1000),
            ),
        ]


def _in_batches(messages: Iterator[Message]) -> Iterator[list[Message]]:
    while batch := list(islice(messages, _BATCH)):
        yield batch


def _fill(rig: Rig, messages: Sequence[Message], places: Sequence[Any]) -> None:
    """Insert their commands, as if they had been done."""
    columns = sql.SQL(", ").join(map(sql.Identifier, (*_COLUMNS, "state", "outcome")))
    statement = sql.SQL("COPY ledger.commands ({}) FROM STDIN").format(columns)
    with psycopg.connect(rig.database_url) as connection, connection.cursor().copy(statement) as copy:
        for m, at in zip(messages, places, strict=True):
            event = read_event(m.topic, m.key, m.value, m.headers)
            command = to_command(event, at.topic, at.partition, at.offset)
            row = (command.command_id, command.account, command.entity, command.record_id, command.action)
            body = (event.content_hash, event.time, encode_command(command), command.event.place)
            copy.write_row((*row, *body, "completed", "posted"))


def _taken_in(rig: Rig) -> None:
    """Note for the transform stage that it has read everything."""
    consumer = KafkaConsumer(bootstrap_servers=rig.servers, group_id=group_of("transform"))
    with Broker({"bootstrap_servers": rig.servers}) as broker:
        ends = broker.ends(SOURCES)
    consumer.assign(list(ends))
    consumer.commit({partition: OffsetAndMetadata(end, "", -1) for partition, end in ends.items()})
    consumer.close()


def _bare(rig: Rig) -> float:
    """Return the seconds in which kafka-python reads the same messages and does nothing with them."""
    with Broker({"bootstrap_servers": rig.servers}) as broker:
        ends = broker.ends(SOURCES)
    consumer = KafkaConsumer(bootstrap_servers=rig.servers, group_id=None, enable_auto_commit=False)
    partitions = [TopicPartition(tp.topic, tp.partition) for tp in ends]
    began = time.monotonic()
    consumer.assign(partitions)
    for partition in partitions:
        consumer.seek(partition, 0)
    seen = 0
    while seen < EVENTS:
        seen += sum(map(len, consumer.poll(timeout_ms=1000, max_records=_BATCH).values()))
    seconds = time.monotonic() - began
    consumer.close()
    return seconds


def _replay(rig: Rig) -> tuple[float, float, list[float]]:
    """Return the seconds that ``sbx replay --yes`` takes, its start included, its processor time, and when
    live events were published while it ran.
    """
    environ = own_environ() | {
        "SBX_KAFKA_BOOTSTRAP_SERVERS": rig.servers,
        "SBX_DATABASE_URL": rig.database_url,
        "SBX_DATA_DIR": str(rig.directory / "data"),
    }
    started = "from sbx.cli.main import main; raise SystemExit(main())"
    before = psutil.Process().cpu_times()
    began = time.monotonic()
    replay = subprocess.Popen(
        [sys.executable, "-c", started, "replay", "--account", "bench", "--yes", "--json"],
        cwd=Path(__file__).resolve().parents[1],
        env=environ,
        stdout=subprocess.PIPE,
    )
    with ThreadPoolExecutor(1) as thread:
        ended = thread.submit(_ended, replay)
        live = takewhile(lambda _: not ended.done(), sales("live", EVENTS, first=2))
        sent, _ = asyncio.run(one_by_one(rig.servers, rig.database_url, live))
        output, end = ended.result()
    after = psutil.Process().cpu_times()
    totals = json.loads(output)
    assert (totals["done"], totals["inserted"], totals["retried"]) == (EVENTS, 0, 0), totals
    spent = after.children_user + after.children_system - before.children_user - before.children_system
    return end - began, spent, [moment for moment in sent if moment < end]


def _ended(replay: "subprocess.Popen[bytes]") -> tuple[bytes, float]:
    """Return its output, and when it had ended."""
    output, _ = replay.communicate()
    assert replay.returncode == 0
    return output, time.monotonic()


def _ledger(rig: Rig) -> tuple[object, ...]:
    """Return the numbers by which a change of the ledger would be noticed."""
    changes = "SELECT count(*), sum(version), max(seq) FROM ledger.commands WHERE account = 'bench'"
    return rig.query(changes)[0]
