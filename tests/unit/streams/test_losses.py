"""When a command counts as lost: not before all that could still bring it was read."""

from kafka import TopicPartition

from log_projection.losses import Removed
from streams.losses import passed, still_to_be_read
from streams.standings import Standing, removed_unread

A, B = TopicPartition("t", 0), TopicPartition("t", 1)


def test_passed_when_every_partition_is_read_as_far_as_it_went() -> None:
    before = {A: Standing(3, 0, 10), B: Standing(None, 0, 0)}
    assert not passed(before, {A: Standing(9, 0, 50), B: Standing(None, 0, 7)})
    assert passed(before, {A: Standing(10, 0, 50), B: Standing(None, 0, 7)})


def test_a_group_that_never_committed_has_read_nothing() -> None:
    before = {A: Standing(None, 0, 1)}
    assert not passed(before, before)


def test_what_was_removed_is_not_waited_for() -> None:
    assert passed({A: Standing(3, 0, 10)}, {A: Standing(3, 10, 10)})
    assert passed({A: Standing(None, 0, 10)}, {A: Standing(None, 10, 12)})


def test_a_topic_that_was_made_again_is_read_as_far_as_it_goes() -> None:
    before = {A: Standing(90, 0, 100), B: Standing(5, 0, 100)}
    assert passed(before, {A: Standing(None, 0, 0)})
    assert not passed(before, {A: Standing(2, 0, 3)})
    assert passed(before, {A: Standing(3, 0, 3)})


def test_an_event_that_is_read_again_may_still_bring_its_command() -> None:
    sources = {A: Standing(5, 0, 9)}
    assert [still_to_be_read("t", 0, offset, sources) for offset in (4, 5, 8, 9)] == [
        False,
        True,
        True,
        False,
    ]
    assert not still_to_be_read("t", 7, 5, sources)
    assert still_to_be_read("t", 0, 0, {A: Standing(None, 0, 9)})


def test_what_was_removed_unread() -> None:
    stands = {
        "deliver": {A: Standing(5, 9, 20), B: Standing(9, 9, 20)},
        "project": {A: Standing(None, 9, 20)},
    }
    assert removed_unread(stands) == [Removed("deliver", "t", 0, 5, 8)]
