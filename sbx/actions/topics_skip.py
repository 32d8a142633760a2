"""``sbx topics skip``: make a stage skip a record that it cannot get past. Plans first."""

import asyncio
import time
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from kafka import KafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient, MemberToRemove
from kafka.errors import KafkaError, NoError
from kafka.structs import OffsetAndMetadata

from sbx.actions import audit
from sbx.actions.actors import Actor, Database
from sbx.actions.refused import bad_request, not_possible
from sbx.actions.words import plural
from streams import StageName
from streams.batches import Passed, Unreadable
from streams.broker import Broker
from streams.dead_letters import DeadLetterReason, Letter, to_dead_letters, unreadable
from streams.fetching import committed_consumer
from streams.records import record_of
from streams.setting_aside import letter_of
from streams.topic_ids import topic_ids
from streams.topics import MAX_DEAD_LETTER_BYTES, TOPICS_OF, group_of

_READ_SECONDS = 5.0
_TRIES = 20


@dataclass(frozen=True)
class Step:
    """The offsets that would be skipped: ``first`` to ``last`` (inclusive) of one partition."""

    topic: str
    partition: int
    stage: StageName
    group: str
    first: int
    last: int
    members: int
    """Processes of the stage, which continue after it."""
    reads: str
    """A description of the message."""
    letter: Letter

    def to_json(self) -> dict[str, Any]:
        """Return the plan for scripts."""
        return {
            "topic": self.topic,
            "partition": self.partition,
            "offset": self.first,
            "last_offset": self.last,
            "stage": self.stage,
            "group": self.group,
            "processes": self.members,
            "reads": self.reads,
        }


def plan(kafka: Mapping[str, Any], topic: str, partition: int, offset: int, actor: str) -> Step:
    """Return the step that makes the topic's stage skip this offset.

    Raises:
        ActionRefused: no stage reads the topic, or it has no such partition.
        ActionRefused: the stage is past it, has not come to it, or it is not there.
        kafka.errors.KafkaError: the broker does not respond.
    """
    stage = next((stage for stage, topics in TOPICS_OF.items() if topic in topics), None)
    if stage is None:
        known = ", ".join(name for topics in TOPICS_OF.values() for name in topics)
        raise bad_request(f"no stage reads the topic {topic}", f"use one of: {known}")
    group, place = group_of(stage), TopicPartition(topic, partition)
    with Broker(kafka) as broker:
        starts, ends = broker.starts([topic]), broker.readable_ends([topic])
        committed, members = broker.committed(group), broker.group(group).members
    if place not in ends:
        raise bad_request(f"{topic} has no partition {partition}", f"use 0 to {len(ends) - 1}")
    stands = max(committed.get(place, 0), starts[place])
    if offset < stands:
        raise not_possible(f"{stage} is past offset {offset}: it is at {stands}", "nothing to do")
    if offset >= ends[place]:
        raise not_possible(
            f"{topic}, partition {partition}, ends before offset {offset}: at {ends[place]}",
            "see the offset named in the worker's log",
        )
    before, last, letter, reads = _read(kafka, place, stands, offset, actor)
    if before:
        raise not_possible(
            f"{plural(before, 'message')} before offset {offset} can be read and are not done: skipping "
            f"them would lose them. {stage} is at {stands}",
            f"if {stage} cannot get past that one, run: sbx topics skip {topic} {partition} {stands}",
        )
    return Step(topic, partition, stage, group, offset, last, members, reads, letter)


def _read(
    kafka: Mapping[str, Any], place: TopicPartition, stands: int, offset: int, actor: str
) -> tuple[int, int, Letter, str]:
    """Return how many messages can be read before it, its last offset, its letter, and its description."""
    why = f"{actor} skipped it with 'sbx topics skip'"
    letter = unreadable(place.topic, place.partition, offset, offset, why)
    before, nothing = 0, (letter, "a record that the broker does not hand out, or an aborted message")
    consumer = committed_consumer(kafka, group_id=None, enable_auto_commit=False)
    try:
        consumer.assign([place])
        consumer.seek(place, stands)
        until = time.monotonic() + _READ_SECONDS
        while consumer.position(place) <= offset and time.monotonic() < until:
            for message in consumer.poll(timeout_ms=500, max_records=500).get(place, ()):
                broken = message.value
                if isinstance(broken, Unreadable) and broken.first <= offset <= message.offset:
                    letter = letter_of(place.topic, place.partition, message.offset, message.key, broken)
                    return before, message.offset, letter, f"cannot be read: {broken.problem}"
                if message.offset < offset and not isinstance(broken, Unreadable | Passed):
                    before += 1
                if message.offset == offset and not isinstance(broken, Passed):
                    record = record_of(message)
                    defect = DeadLetterReason.of_record(record, "record_unreadable", why)
                    key = (message.key or b"").decode("utf-8", "backslashreplace")[:200]
                    reads = f"a message with key '{key}' and {len(broken or b''):,} bytes"
                    return before, offset, Letter(record, defect), reads
    except KafkaError as error:
        nothing = (letter, f"the broker does not hand it out: {error}")
    finally:
        consumer.close()
    return before, offset, *nothing


async def step_over(database: Database, kafka: Mapping[str, Any], actor: Actor, step: Step) -> None:
    """Do it, see ``_step_over``; Kafka has no part in the database's transactions.

    Raises:
        ActionRefused: the group could not be moved.
        kafka.errors.KafkaError: the broker does not respond.
    """
    target = {"topic": step.topic, "partition": step.partition, "offset": step.first}
    async with (
        database.connection() as connection,
        audit.announced(connection, actor, "topics_skip", target) as record,
    ):
        await asyncio.to_thread(_step_over, kafka, step)
        record.result["next"] = step.last + 1


def _step_over(kafka: Mapping[str, Any], step: Step) -> None:
    """Write the dead letter and the entry, then move the stage's group past the offset.

    If interrupted in between and run again, it writes the same letter again, which makes one entry.
    """
    ids = topic_ids(kafka, [step.topic])
    producer = KafkaProducer(**kafka, acks="all", max_request_size=MAX_DEAD_LETTER_BYTES)
    try:
        sent = [
            producer.send(one.topic, key=one.key or b"", value=one.value, headers=list(one.headers))
            for one in to_dead_letters([step.letter], ids, datetime.now(UTC))
        ]
        for one in sent:
            one.get(timeout=60)
    finally:
        producer.close()
    _move(kafka, step)


def _move(kafka: Mapping[str, Any], step: Step) -> None:
    """Commit for the group. The broker allows no outside commit while it has members: they are removed,
    rejoin by themselves within seconds, and read again what they were working on.
    """
    place = TopicPartition(step.topic, step.partition)
    admin = KafkaAdminClient(**kafka)
    try:
        for _ in range(_TRIES):
            members = admin.describe_groups([step.group])[step.group]["members"]
            leaving = [
                MemberToRemove(group_instance_id=one["group_instance_id"])
                if one.get("group_instance_id")
                else MemberToRemove(member_id=one["member_id"])
                for one in members
            ]
            if leaving:
                admin.remove_group_members(step.group, leaving)
            target = {place: OffsetAndMetadata(step.last + 1, "", -1)}
            if admin.alter_group_offsets(step.group, target)[place] is NoError:
                return
            time.sleep(0.2)
    finally:
        admin.close()
    raise not_possible(
        f"the group {step.group} could not be moved: its workers rejoin too quickly",
        f"stop the workers of {step.stage}, run this again, then start them",
    )
