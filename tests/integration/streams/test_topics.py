"""Creating topics on a real broker."""

from kafka.admin import ConfigResource, ConfigResourceType, KafkaAdminClient

from streams.topics import FOR_EVER, Topic, check_topics, create_topics, layout, missing_topics
from tests.integration.streams.conftest import ROOT


def test_topics_are_created_once_with_their_layout(kafka: str, unique: str) -> None:
    topics = [
        Topic(f"{unique}.{topic.name}", topic.partitions, topic.retention_ms, topic.max_message_bytes)
        for topic in layout(partitions=3, retention_days=7)
    ]
    where = {"bootstrap_servers": kafka}
    names = [topic.name for topic in topics]
    assert missing_topics(where, names) == names

    assert [outcome.status for outcome in create_topics(where, topics)] == ["created"] * 8
    again = create_topics(where, topics)
    assert [(outcome.status, outcome.differences) for outcome in again] == [("already there", ())] * 8
    assert missing_topics(where, names) == []

    admin = KafkaAdminClient(bootstrap_servers=kafka)
    partitions = {topic["name"]: len(topic["partitions"]) for topic in admin.describe_topics(names)}
    resources = [ConfigResource(ConfigResourceType.TOPIC, name) for name in names]
    configs = admin.describe_configs(resources)["topic"]
    admin.close()
    shown = {
        name.removeprefix(f"{unique}."): (
            partitions[name],
            configs[name]["retention.ms"]["value"],
            configs[name]["max.message.bytes"]["value"],
        )
        for name in names
    }
    week = str(7 * 24 * 3600 * 1000)
    assert shown == {
        "salesbinder.customers": (3, "-1", "4194304"),
        "salesbinder.suppliers": (3, "-1", "4194304"),
        "salesbinder.invoices": (3, "-1", "4194304"),
        "salesbinder.purchase-orders": (3, "-1", "4194304"),
        "xero.commands": (3, week, "4194304"),
        "integration.results": (3, week, "4194304"),
        "integration.dead-letters": (1, "-1", "5242880"),
        "integration.ledger": (1, "-1", "4194304"),
    }


def test_what_differs_is_named_with_its_remedy(kafka: str, unique: str) -> None:
    where = {"bootstrap_servers": kafka}
    create_topics(where, [Topic(unique, 2, FOR_EVER)])

    (outcome,) = create_topics(where, [Topic(unique, 12, 1000)])

    assert outcome.status == "already there"
    partitions, retention = outcome.differences
    assert "2 partitions instead of 12" in partitions
    assert retention.startswith("retention.ms is -1 instead of 1000")
    assert f"--entity-name {unique} --add-config retention.ms=1000" in retention


def test_a_check_names_what_is_missing_or_differs_and_changes_nothing(kafka: str, unique: str) -> None:
    where = {"bootstrap_servers": kafka}
    wanted = [Topic(f"{unique}.there", 2, FOR_EVER), Topic(f"{unique}.missing", 2, FOR_EVER)]
    create_topics(where, [Topic(f"{unique}.there", 1, FOR_EVER)])

    there, missing = check_topics(where, wanted)

    assert (there.status, len(there.differences)) == ("already there", 1)
    assert (missing.status, missing.differences) == ("missing", ())
    assert missing_topics(where, [f"{unique}.missing"]) == [f"{unique}.missing"]


def test_docs_name_every_topic_with_its_layout() -> None:
    rows = {
        cells[1].strip(" `"): cells
        for cells in (
            line.split("|") for line in (ROOT / "docs" / "topics.md").read_text("utf-8").splitlines()
        )
        if len(cells) == 10
    }
    for topic in layout():
        cells = [cell.strip() for cell in rows[topic.name]]
        kept = "for ever" if topic.retention_ms == FOR_EVER else f"{topic.retention_ms // 86_400_000} days"
        size = f"{topic.max_message_bytes // 1024**2} MB"
        assert cells[6:9] == [str(topic.partitions), kept, size]
