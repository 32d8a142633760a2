"""How far a group is behind."""

from kafka import TopicPartition

from streams.broker import behind

A, B = TopicPartition("t", 0), TopicPartition("t", 1)


def test_what_is_not_committed_counts() -> None:
    assert behind({A: 10, B: 5}, {A: 7}, {A: 0, B: 0}) == 8


def test_what_retention_removed_does_not_count() -> None:
    assert behind({A: 10}, {}, {A: 9}) == 1


def test_what_came_later_does_not_count() -> None:
    assert behind({A: 10}, {A: 50}, {A: 0}) == 0
