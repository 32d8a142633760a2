"""Raw record batches at random: ``python -m tests.reliability.fuzz_records --seed 7 --batches 3000``.

A writer of batches that lies in every field sends them to a real broker with raw requests, mixed with valid
events and with transactions that end either way. What the broker refuses is counted. Whatever it takes must
end as exactly one dead letter, every valid event as a command; every stage must be the same process at the
end, and none may have had 300 MB of memory.
"""

import json
import os
import random
import subprocess
import sys
import tempfile
import time
import zlib
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any

import psycopg
import typer
from confluent_kafka import Producer
from crc32c import crc32c
from kafka import TopicPartition

from contracts.commands import decode_command
from contracts.events.reader import event_to_kafka
from sandbox import EmbeddedStack
from sbx import migrations
from streams.batches import Passed, Unreadable
from streams.fetching import committed_consumer
from streams.standings import standings
from streams.topics import (
    COMMANDS,
    DEAD_LETTERS,
    FOR_EVER,
    MAX_MESSAGE_BYTES,
    RESULTS,
    SOURCES,
    create_topics,
    layout,
)
from tests.record_batches import CODECS, Header, Wire, batch, old_message, record, sized, varint

ROOT = Path(__file__).resolve().parents[2]
STAGES = {"transform": SOURCES, "deliver": (COMMANDS,), "project": (RESULTS,)}
MOST_MEGABYTES = 300
_PARTITIONS = 12
_PATIENCE = 480.0

KEPT = [replace(topic, retention_ms=FOR_EVER) for topic in layout()]
"""The topics, but that the broker removes nothing for its age: batches may be of any."""

Place = tuple[str, int, int]


@dataclass
class Outcome:
    """What became of the batches."""

    sent: Counter[str] = field(default_factory=Counter)
    refused: Counter[int] = field(default_factory=Counter)
    """By the broker's error code; -1 where it hung up."""
    taken: dict[Place, int] = field(default_factory=dict)
    """Last offset of each batch that the broker took, by where it begins; none of its records is valid."""
    valid: set[str] = field(default_factory=set)
    """Records of the valid events that were committed."""
    letters: list[tuple[str, int, int, int]] = field(default_factory=list)
    commands: Counter[str] = field(default_factory=Counter)
    megabytes: dict[str, int] = field(default_factory=dict)
    problems: list[str] = field(default_factory=list)

    @property
    def records(self) -> int:
        """Records in the batches that the broker took."""
        return sum(last - first + 1 for (_, _, first), last in self.taken.items())

    def report(self) -> str:
        """All of it, in lines."""
        sent, refused = sum(self.sent.values()), sum(self.refused.values())
        memory = ", ".join(f"{stage} {size} MB" for stage, size in self.megabytes.items())
        return "\n".join(
            [
                f"{sent:,} batches sent: {refused:,} refused by the broker {dict(self.refused)}",
                f"{len(self.taken):,} taken, {self.records:,} records: {len(self.letters):,} dead letters",
                f"{len(self.valid):,} valid events among them: {sum(self.commands.values()):,} commands",
                f"memory at its highest: {memory}",
                *(self.problems or ["every record ended once; every stage is the same process"]),
            ]
        )


class Writer:
    """Writes batches at random; the same seed writes the same."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)

    def some(self, most: int) -> bytes:
        """Any bytes, mostly few."""
        size = int(most ** self.chance.random())
        pattern = self.chance.choice([b"\0", b"{", b"[", b"\xff\xfe", b'{"a":', self.chance.randbytes(64)])
        return (pattern * (size // len(pattern) + 1))[:size]

    def wild(self, delta: int, most: int) -> bytes:
        """A record that is no event and is written by the rules."""
        chance = self.chance
        key = chance.choice([None, b"", b"acme/x", self.some(most)])
        value = chance.choice([None, b"", self.some(most), self.some(most)])
        headers: list[Header] = [
            (self.some(min(most, 40)), chance.choice([None, b"", self.some(min(most, 4000))]))
            for _ in range(chance.choice([0, 0, 1, 3, 200]))
        ]
        # Times in the future the broker refuses, with all else in the batch.
        time_passed = chance.choice([0] * 200 + [1, -1, -(2**30), -(2**45), -(2**62), 2**40, 2**62])
        return record(delta, key, value, headers, time=time_passed)

    def lying(self, delta: int) -> bytes:
        """A record that lies about itself."""
        chance = self.chance
        lie = chance.randrange(6)
        if lie == 0:
            return record(delta, b"acme/x", b"v", length=chance.choice([0, 1, 3, 9, 2**31, -1, -9, 2**60]))
        if lie == 1:
            return record(delta, b"acme/x", b"v", headers_said=chance.choice([1, 7, -1, 2**31, 2**60]))
        if lie == 2:
            return record(chance.choice([-1, delta + 1, delta + 9, 2**31 - 1, -(2**31)]), b"k", b"v")
        if lie == 3:
            return record(delta, b"k", b"v", [(None, b"x")])
        if lie == 4:
            body = b"\0" + varint(0) + varint(delta) + varint(chance.choice([-2, 99, 2**40])) + b"kk"
            return varint(len(body)) + body
        return chance.randbytes(chance.randrange(1, 40))

    def batch(self) -> tuple[str, bytes]:
        """A batch, and of what kind it is."""
        chance = self.chance
        kind = chance.choices(
            ["wild", "large", "lying record", "lying batch", "bytes changed", "old format", "attributes",
             "bomb", "idempotent"],
            [30, 4, 18, 18, 10, 4, 8, 1, 5],
        )[0]  # fmt: skip
        count = chance.choice([1, 1, 2, 5, 40])
        most = chance.choice([20, 400, 5000])
        codec = chance.choice(list(CODECS))
        if kind == "large":
            count, most, codec = 1, 12_000_000, chance.choice([c for c in CODECS if c != "none"])
        records = b"".join(self.wild(number, most) for number in range(count))
        if kind == "lying record":
            spoilt = chance.randrange(count)
            parts = [self.wild(n, 20) if n != spoilt else self.lying(n) for n in range(count)]
            records = b"".join(parts)
        made: bytes
        if kind == "lying batch":
            lies: dict[str, list[Any]] = {
                "last": [count - 2, count, count + 5, -1, 2**31 - 1],
                "crc": [0, 7],
                "magic": [3, 5, -1, 127],
                "length": [0, 10, 48, 60, 2**31 - 1, -1],
                "base": [5, -1, 2**62],
                "time": [-1, -(2**62), 2**62],
                "end_time": [-1, -(2**62), 2**62, 0],
                "sequence": [5, 2**31 - 1],
                "producer": [9, 2**62],
            }
            name = chance.choice(list(lies))
            made = batch(records, count, codec=codec, **{name: chance.choice(lies[name])})
        elif kind == "attributes":
            made = batch(records, count, codec=codec, attributes=chance.randrange(-32768, 32768))
        elif kind == "idempotent":
            made = batch(
                records, count, codec=codec, producer=chance.randrange(10**6, 10**9), epoch=0, sequence=0
            )
        elif kind == "old format":
            made = old_message(
                b"k", self.some(50), magic=chance.choice([0, 1]), attributes=chance.choice([0, 1, 3])
            )
        elif kind == "bomb":
            made = bomb(chance.choice([65, 100, 300]))
        else:
            made = batch(records, count, codec=codec)
        if kind == "bytes changed":
            spoilt_bytes = bytearray(made)
            for _ in range(chance.randrange(1, 4)):
                spoilt_bytes[chance.randrange(len(made))] = chance.randrange(256)
            made = bytes(spoilt_bytes)
            if chance.random() < 0.7 and len(made) > 61:
                made = made[:17] + crc32c(made[21:]).to_bytes(4, "big") + made[21:]
        return kind, made


def bomb(megabytes: int) -> bytes:
    """A batch that becomes so large: 1000 MB are 1 MB on the wire."""
    size = megabytes << 20
    head = b"\0" + varint(0) + varint(0) + sized(b"acme/z") + varint(size)
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    out = bytearray(packer.compress(varint(len(head) + size + 1) + head))
    for _ in range(megabytes):
        out += packer.compress(bytes(1 << 20))
    out += packer.compress(varint(0)) + packer.flush()
    return batch(bytes(out), 1, attributes=1)


def valid_event(account: str, subject: str) -> tuple[str, bytes, bytes, list[tuple[str, bytes]]]:
    """Topic, key, value and headers."""
    return event_to_kafka(
        {
            "specversion": "1.0",
            "id": subject,
            "source": f"/salesbinder/{account}",
            "type": "salesbinder.customer.created",
            "subject": subject,
            "time": "2026-03-02T09:00:00Z",
            "data": {"customer": {"id": subject, "name": subject}},
        }
    )


def fuzz(
    kafka: str,
    database: str,
    logs: Path,
    *,
    seed: int,
    batches: int,
    account: str,
) -> Outcome:
    """Send the batches with all three stages running, and see what becomes of them."""
    outcome = Outcome()
    writer = Writer(seed)
    wire = Wire(kafka)
    with _stages(kafka, database, logs) as running:
        for number in range(batches):
            _send(wire, writer, outcome, account, number)
            if number % 50 == 49:
                _transact(kafka, writer, outcome, account, number)
        wire.close()
        _wait(kafka, running, outcome)
        for stage, process in running.items():
            outcome.megabytes[stage] = _peak(process.pid) if process.poll() is None else 0
            if process.poll() is not None:
                outcome.problems.append(f"{stage} ended with {process.poll()}")
            elif outcome.megabytes[stage] >= MOST_MEGABYTES:
                outcome.problems.append(f"{stage} had {outcome.megabytes[stage]} MB of memory")
    _judge(kafka, outcome, account)
    return outcome


def _send(wire: Wire, writer: Writer, outcome: Outcome, account: str, number: int) -> None:
    topic = writer.chance.choice([*SOURCES, *SOURCES, COMMANDS, RESULTS])
    partition = writer.chance.randrange(_PARTITIONS)
    kind, data = writer.batch()
    if len(data) > MAX_MESSAGE_BYTES:
        return
    outcome.sent[kind] += 1
    code, offset = wire.produce(topic, partition, data)
    if code:
        outcome.refused[code] += 1
    else:
        outcome.taken[topic, partition, offset] = offset + _count_of(data) - 1
    if writer.chance.random() < 0.3:
        subject = f"{account}-{number}"
        topic, key, value, headers = valid_event(account, subject)
        named = [(name.encode(), content) for name, content in headers]
        codec = writer.chance.choice(list(CODECS))
        code, _ = wire.produce(topic, partition, batch(record(0, key, value, named), 1, codec=codec))
        assert code == 0, f"the broker refused a valid event: {code}"
        outcome.valid.add(subject)


def _count_of(data: bytes) -> int:
    return int.from_bytes(data[23:27], "big", signed=True) + 1 if data[16] == 2 else 1


def _transact(kafka: str, writer: Writer, outcome: Outcome, account: str, number: int) -> None:
    """A transaction of valid events, which is committed, aborted, or left to be fenced."""
    producer = Producer(
        {"bootstrap.servers": kafka, "transactional.id": f"fuzz-{account}", "partitioner": "murmur2_random"}
    )
    producer.init_transactions(60)
    producer.begin_transaction()
    subjects = [f"{account}-t{number}-{n}" for n in range(10)]
    for subject in subjects:
        topic, key, value, headers = valid_event(account, subject)
        producer.produce(topic, key=key, value=value, headers=list[Any](headers))
    producer.flush()
    end = writer.chance.choice(["commit", "abort", "leave"])
    if end == "commit":
        producer.commit_transaction(60)
        outcome.valid.update(subjects)
    elif end == "abort":
        producer.abort_transaction(60)


@contextmanager
def _stages(kafka: str, database: str, logs: Path) -> Iterator[Mapping[str, "subprocess.Popen[bytes]"]]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SBX_")}
    kept |= {"SBX_KAFKA_BOOTSTRAP_SERVERS": kafka, "SBX_DATABASE_URL": database, "SBX_DATA_DIR": str(logs)}
    with ExitStack() as ending:
        running = {}
        for stage in STAGES:
            said = ending.enter_context((logs / f"{stage}.log").open("ab"))
            process = subprocess.Popen(
                [sys.executable, "-m", "streams", stage], cwd=ROOT, env=kept, stderr=said, stdout=said
            )
            ending.callback(process.wait)
            ending.callback(process.terminate)
            running[stage] = process
        yield running


def _wait(kafka: str, running: Mapping[str, "subprocess.Popen[bytes]"], outcome: Outcome) -> None:
    # The last transaction may have been left open: its successor ends it.
    Producer({"bootstrap.servers": kafka, "transactional.id": "fuzz-end"}).init_transactions(60)
    until = time.monotonic() + _PATIENCE
    for stage, topics in STAGES.items():
        while True:
            found = standings({"bootstrap_servers": kafka}, f"sbx-{stage}", topics)
            waiting = {tp: place for tp, place in found.items() if place.reached < place.end}
            if not waiting or running[stage].poll() is not None:
                break
            if time.monotonic() > until:
                outcome.problems.append(f"{stage} does not get on: {waiting}")
                break
            time.sleep(0.5)


def _peak(pid: int) -> int:
    said = Path(f"/proc/{pid}/status").read_text(encoding="utf-8")
    return int(next(line.split()[1] for line in said.splitlines() if line.startswith("VmHWM"))) // 1024


def _judge(kafka: str, outcome: Outcome, account: str) -> None:
    covered: Counter[Place] = Counter()
    for message in _all(kafka, DEAD_LETTERS):
        headers = dict(message.headers)
        topic, partition = headers["source_topic"].decode(), int(headers["source_partition"])
        first = int(headers["source_offset"])
        last = int(headers["source_last_offset"]) if "source_last_offset" in headers else first
        outcome.letters.append((topic, partition, first, last))
        covered.update((topic, partition, offset) for offset in range(first, last + 1))
    for (topic, partition, first), last in outcome.taken.items():
        for offset in range(first, last + 1):
            if (times := covered[topic, partition, offset]) != 1:
                outcome.problems.append(f"{topic}/{partition}/{offset} has {times} dead letters")
    for message in _all(kafka, COMMANDS):
        if (message.key or b"").startswith(f"{account}/".encode()):
            outcome.commands[decode_command(message.value).record_id] += 1
    if set(outcome.commands) != outcome.valid or set(outcome.commands.values()) - {1}:
        outcome.problems.append(
            f"valid events without a command: {sorted(outcome.valid - set(outcome.commands))[:9]}; "
            f"commands that should not be: {sorted(set(outcome.commands) - outcome.valid)[:9]}; "
            f"twice: {[name for name, times in outcome.commands.items() if times > 1][:9]}"
        )


def _all(kafka: str, topic: str) -> Iterator[Any]:
    """All messages of a topic that can be read."""
    consumer = committed_consumer({"bootstrap_servers": kafka}, group_id=None)
    partitions = [TopicPartition(topic, number) for number in sorted(consumer.partitions_for_topic(topic))]
    consumer.assign(partitions)
    consumer.seek_to_beginning(*partitions)
    ends = consumer.end_offsets(partitions)
    while any(consumer.position(partition) < ends[partition] for partition in partitions):
        for messages in consumer.poll(timeout_ms=1000).values():
            yield from (one for one in messages if not isinstance(one.value, Passed | Unreadable))
    consumer.close()


def main(
    seed: Annotated[int, typer.Option(help="The same seed sends the same.")] = 1,
    batches: Annotated[int, typer.Option(min=1)] = 3000,
) -> None:
    """Fuzz the stages with record batches."""
    with tempfile.TemporaryDirectory(prefix="sbx-fuzz-") as directory, EmbeddedStack(directory) as stack:
        create_topics({"bootstrap_servers": stack.bootstrap_servers}, KEPT)
        migrations.migrate(stack.database_url)
        logs = Path(directory) / "logs"
        logs.mkdir()
        outcome = fuzz(
            stack.bootstrap_servers, stack.database_url, logs, seed=seed, batches=batches, account="fuzz"
        )
        with psycopg.connect(stack.database_url) as connection:
            entries: dict[str, int] = dict(
                connection.execute(
                    "SELECT reason_code, count(*) FROM integrations_log.entries "
                    "WHERE state = 'failed' GROUP BY reason_code"
                ).fetchall()
            )
        print(json.dumps({"sent": outcome.sent, "failed entries": entries}))
        print(outcome.report())
        if outcome.problems:
            for stage in STAGES:
                print((logs / f"{stage}.log").read_text(encoding="utf-8")[-3000:], file=sys.stderr)
    sys.exit(1 if outcome.problems else 0)


if __name__ == "__main__":
    typer.run(main)
