"""The eight topics: their names and layout on the broker, and the code that creates them.

Partition counts must never change once a topic holds keyed messages: the order per record depends on the
key's partition.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient
from kafka.errors import TopicAlreadyExistsError

from contracts.events.reader import EVENT_TYPES
from streams import StageName
from streams.topic_ids import admin_of

COMMANDS = "xero.commands"
RESULTS = "integration.results"
DEAD_LETTERS = "integration.dead-letters"
LEDGER = "integration.ledger"

ENTITY_OF_TOPIC: Mapping[str, str] = {kind.topic: kind.entity for kind in EVENT_TYPES.values()}
SOURCES = tuple(ENTITY_OF_TOPIC)
"""The topics that publishers write change events to."""
TOPICS_OF: Mapping[StageName, tuple[str, ...]] = {
    "transform": SOURCES,
    "deliver": (COMMANDS,),
    "project": (RESULTS,),
}
"""The topics that each stage reads."""


def group_of(stage: StageName) -> str:
    """Return the consumer group of a stage."""
    return f"sbx-{stage}"


MAX_MESSAGE_BYTES = 4 * 1024 * 1024
"""Largest message of every topic but the dead letters'. Events are refused by us above 1,000,000 bytes."""
MAX_DEAD_LETTER_BYTES = 5 * 1024 * 1024
"""A dead letter is a message of another topic with headers added, so its topic takes more."""

_DAY_MS = 24 * 60 * 60 * 1000
FOR_EVER = -1
_SMALL_SEGMENT = 4 * 1024 * 1024


@dataclass(frozen=True)
class Topic:
    """One topic as it should be on the broker. ``retention_ms`` is -1 for "kept for ever"."""

    name: str
    partitions: int
    retention_ms: int
    max_message_bytes: int = MAX_MESSAGE_BYTES
    compacted: bool = False
    """True if only the newest message of each key is kept."""

    @property
    def configs(self) -> dict[str, str]:
        """The topic's settings as Kafka names them."""
        configs = {
            "retention.ms": str(self.retention_ms),
            "max.message.bytes": str(self.max_message_bytes),
            "cleanup.policy": "compact" if self.compacted else "delete",
        }
        if self.compacted:  # read whole at each start, so outdated messages are removed soon
            configs |= {"segment.bytes": str(_SMALL_SEGMENT), "min.cleanable.dirty.ratio": "0.1"}
        return configs


def layout(partitions: int = 12, retention_days: int = 30) -> tuple[Topic, ...]:
    """Return all topics. ``partitions`` is of the keyed topics, ``retention_days`` of commands
    and results.
    """
    limited = retention_days * _DAY_MS
    return (
        *(Topic(name, partitions, FOR_EVER) for name in SOURCES),
        Topic(COMMANDS, partitions, limited),
        Topic(RESULTS, partitions, limited),
        Topic(DEAD_LETTERS, 1, FOR_EVER, MAX_DEAD_LETTER_BYTES),
        Topic(LEDGER, 1, FOR_EVER, compacted=True),
    )


@dataclass(frozen=True)
class TopicOutcome:
    """What ``create_topics`` or ``check_topics`` found of one topic. ``differences`` are sentences about one
    that was there.
    """

    name: str
    status: Literal["created", "already there", "missing"]
    differences: tuple[str, ...] = ()


def create_topics(
    kafka: Mapping[str, Any], topics: Sequence[Topic] | None = None, *, replication_factor: int = 1
) -> list[TopicOutcome]:
    """Create what is missing and compare the rest. Existing topics are never changed.

    Args:
        kafka: kafka-python's client arguments (``bootstrap_servers``, security).
        topics: what to create, all eight with their usual layout when left out.
        replication_factor: copies of each partition, 3 on a broker cluster that matters.

    Raises:
        kafka.errors.KafkaError: the broker refused (too few brokers for the factor, permission) or is away.
    """
    wanted = layout() if topics is None else topics
    with admin_of(kafka) as admin:
        created = _created(admin, wanted, replication_factor)
        existing = [topic for topic in wanted if topic.name not in created]
        differences = _differences(admin, existing) if existing else {}
        # A topic is known to every broker only a moment after it was created.
        admin.wait_for_topics([topic.name for topic in wanted])
    return [
        TopicOutcome(topic.name, "created")
        if topic.name in created
        else TopicOutcome(topic.name, "already there", tuple(differences[topic.name]))
        for topic in wanted
    ]


def check_topics(kafka: Mapping[str, Any], topics: Sequence[Topic] | None = None) -> list[TopicOutcome]:
    """Compare the broker's topics with what they should be; nothing is created or changed.

    Args:
        kafka: kafka-python's client arguments (``bootstrap_servers``, security).
        topics: what there should be, all eight with their usual layout when left out.

    Raises:
        kafka.errors.KafkaError: the broker is away or refuses us.
    """
    wanted = layout() if topics is None else topics
    with admin_of(kafka) as admin:
        present = set(admin.list_topics())
        existing = [topic for topic in wanted if topic.name in present]
        differences = _differences(admin, existing) if existing else {}
    return [
        TopicOutcome(topic.name, "already there", tuple(differences[topic.name]))
        if topic.name in present
        else TopicOutcome(topic.name, "missing")
        for topic in wanted
    ]


def create_ledger_topic(kafka: Mapping[str, Any]) -> bool:
    """Create ``integration.ledger`` where an older installation lacks it, copied as often as the commands'
    topic is; true when it was made.

    Raises:
        kafka.errors.KafkaError: the broker is away or refuses us.
    """
    with admin_of(kafka) as admin:
        if LEDGER in admin.list_topics():
            return False
        [commands] = admin.describe_topics([COMMANDS])
        copies = len(commands["partitions"][0]["replica_nodes"])
        [topic] = [topic for topic in layout() if topic.name == LEDGER]
        made = _create(admin, topic, copies)
        admin.wait_for_topics([LEDGER])
        return made


def missing_topics(kafka: Mapping[str, Any], names: Sequence[str]) -> list[str]:
    """Return those of ``names`` that the broker does not have.

    Raises:
        kafka.errors.KafkaError: the broker is away or refuses us.
    """
    with admin_of(kafka) as admin:
        present = set(admin.list_topics())
    return [name for name in names if name not in present]


def _created(admin: KafkaAdminClient, wanted: Sequence[Topic], replication_factor: int) -> set[str]:
    """Create those that are not there, in one request; return the names of those that we have created."""
    present = set(admin.list_topics())
    missing = [topic for topic in wanted if topic.name not in present]
    try:
        if missing:
            admin.create_topics({topic.name: _new(topic, replication_factor) for topic in missing})
    except TopicAlreadyExistsError:  # somebody else creates them in this moment
        return {topic.name for topic in missing if _create(admin, topic, replication_factor)}
    return {topic.name for topic in missing}


def _create(admin: KafkaAdminClient, topic: Topic, replication_factor: int) -> bool:
    """Create one topic; False when it is there already."""
    try:
        admin.create_topics({topic.name: _new(topic, replication_factor)})
    except TopicAlreadyExistsError:
        return False
    return True


def _new(topic: Topic, replication_factor: int) -> dict[str, Any]:
    return {
        "num_partitions": topic.partitions,
        "replication_factor": replication_factor,
        "configs": topic.configs,
    }


def _differences(admin: KafkaAdminClient, topics: Sequence[Topic]) -> dict[str, list[str]]:
    """Return how each existing topic differs from the expected layout, in sentences with the remedy."""
    names = [topic.name for topic in topics]
    partitions = {entry["name"]: len(entry["partitions"]) for entry in admin.describe_topics(names)}
    configs = _configs_of(admin, names)
    found: dict[str, list[str]] = {name: [] for name in names}
    for topic in topics:
        if partitions[topic.name] != topic.partitions:
            found[topic.name].append(
                f"it has {partitions[topic.name]} partitions instead of {topic.partitions}: "
                "leave it so while it holds messages, "
                "since another count moves keys to other partitions and loses their order"
            )
        for key, wanted in topic.configs.items():
            actual = configs[topic.name].get(key)
            if actual != wanted:
                found[topic.name].append(
                    f"{key} is {actual} instead of {wanted}: kafka-configs.sh --alter --entity-type topics "
                    f"--entity-name {topic.name} --add-config {key}={wanted}"
                )
    return found


def _configs_of(admin: KafkaAdminClient, names: Sequence[str]) -> dict[str, dict[str, str]]:
    """Return the values of the settings we care about, by topic and key, the broker's defaults included."""
    keys = dict.fromkeys(Topic("", 1, FOR_EVER, compacted=True).configs, "")
    resources = [ConfigResource(ConfigResourceType.TOPIC, name, keys) for name in names]
    described = admin.describe_configs(resources, config_filter="all")
    return {
        name: {key: setting["value"] for key, setting in settings.items()}
        for name, settings in described["topic"].items()
    }
