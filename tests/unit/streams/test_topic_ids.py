"""Commits say of which topic they are."""

import pytest

from streams import topic_ids as module
from streams.topic_ids import TopicsRead

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
