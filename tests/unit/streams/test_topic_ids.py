"""Commits say of which topic they are."""

from typing import Any

import pytest
from kafka import OffsetAndMetadata, TopicPartition

from streams import topic_ids as module
from streams.topic_ids import TopicsRead, committed_offsets

OLD, NEW = "qM4hMxGhTyS0CkSd3w1Xdw", "0kQk1kZpR2e2yXoVg3d6Lg"


def read(**ids: str) -> TopicsRead:
    topics = TopicsRead()
    topics.begin(ids)
    return topics


def test_a_commit_of_another_topic_of_the_same_name_counts_for_nothing() -> None:
    before, now = read(t=OLD), read(t=NEW)
    assert now.is_ours("t", now.label("t"))
    assert not now.is_ours("t", before.label("t"))


@pytest.mark.parametrize("label", ["", "by hand", "leader_epoch=3"])
def test_commits_of_others_and_of_earlier_versions_say_nothing_and_count(label: str) -> None:
    assert read(t=NEW).is_ours("t", label)


def test_a_broker_without_ids_is_taken_at_its_offsets() -> None:
    topics = read()
    assert topics.label("t") == ""
    assert topics.is_ours("t", read(t=OLD).label("t"))


@pytest.mark.parametrize(
    ("now", "others"),
    [({"a": OLD, "b": OLD}, []), ({"a": NEW, "b": OLD}, ["a"]), ({"a": NEW, "b": NEW}, ["a", "b"]),
     ({"a": NEW}, []), ({}, [])],
)  # fmt: skip
def test_topics_are_made_again_once_all_are_there(
    now: dict[str, str], others: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A worker that starts while one of them is missing would end for that."""
    topics = read(a=OLD, b=OLD)
    monkeypatch.setattr(module, "topic_ids", lambda kafka, names: now)
    assert topics.made_again({}) == others


class Admin:
    """A broker with a group that came as far as ``committed`` says."""

    def __init__(self, **committed: OffsetAndMetadata) -> None:
        self._found = {TopicPartition(topic, 0): one for topic, one in committed.items()}

    def list_group_offsets(self, groups: dict[str, None]) -> dict[str, Any]:
        return dict.fromkeys(groups, self._found)

    def close(self) -> None:
        pass

    def describe_topics(self, names: list[str]) -> list[dict[str, Any]]:
        return [{"name": name, "topic_id": NEW} for name in names if name != "gone"]


def test_how_far_a_group_has_come_in_the_topics_that_there_are() -> None:
    ours, other = read(t=NEW).label("t"), read(t=OLD).label("t")
    admin: Any = Admin(
        ours=OffsetAndMetadata(5, ours, -1),
        other=OffsetAndMetadata(7, other, -1),
        by_hand=OffsetAndMetadata(9, "", -1),
        never=OffsetAndMetadata(-1, "", -1),
        gone=OffsetAndMetadata(3, other, -1),
    )
    found = {tp.topic: offset for tp, offset in committed_offsets(admin, "sbx-x").items()}
    assert found == {"ours": 5, "by_hand": 9, "gone": 3}


@pytest.mark.parametrize(
    ("now", "back"),
    [({"a": 5, "b": 2}, []), ({"a": 9, "b": 2}, []), ({"a": 4, "b": 2}, ["a/0"]), ({}, ["a/0", "b/0"])],
)  # fmt: skip
def test_a_broker_that_knows_less_than_it_confirmed_has_gone_back(
    now: dict[str, int], back: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    topics = read(a=NEW, b=NEW)
    for topic, offset in {"a": 3, "b": 2, "other": 8}.items():
        topics.confirm(topic, 0, offset)
    topics.confirm("a", 0, 5)
    label = topics.label("a")
    admin = Admin(**{name: OffsetAndMetadata(offset, label, -1) for name, offset in now.items()})
    monkeypatch.setattr(module, "KafkaAdminClient", lambda **_: admin)
    assert topics.gone_back({}, "sbx-x", [("a", 0), ("b", 0), ("new", 0)]) == back
