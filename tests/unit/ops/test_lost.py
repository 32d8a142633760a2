"""What was lost on the way, in words that lead to its mending."""

from typing import Any

from log_projection.losses import Removed, replay_of
from sbx.cli.lost import SHOWN, in_words


def row(offset: int, partition: int = 3) -> dict[str, Any]:
    place = {"topic": "salesbinder.invoices", "partition": partition, "offset": offset}
    return {**place, "replay": replay_of(place)}


def test_it_is_told_how_many_of_what_and_what_to_do() -> None:
    text = Removed("deliver", "xero.commands", 1, 7, 11).in_words()
    assert "xero.commands, partition 1: 5 offsets (7 to 11) were removed" in text
    assert "'sbx replay --yes'" in text
    assert "1 offset (7) was removed" in Removed("transform", "t", 0, 7, 7).in_words()
    assert "published again" in Removed("transform", "t", 0, 7, 7).in_words()


def test_a_lost_command_names_its_replay() -> None:
    text = in_words([row(7)])
    assert "command_lost" in text
    assert "'sbx replay --topic salesbinder.invoices --partition 3 --offset 7 --yes'" in text


def test_one_command_brings_a_partition_back() -> None:
    text = in_words([row(9), row(7), row(8), row(1, 2)])
    assert text.startswith("4 entries")
    assert "--partition 2 --offset 1 --yes'; 'sbx replay" in text
    assert text.endswith("--partition 3 --offset 7-9 --yes'")


def test_of_many_partitions_all_are_covered() -> None:
    text = in_words([row(number, number) for number in range(12)])
    assert text.count("--topic") == 5
    assert text.endswith("and 'sbx replay --yes' for all the others")


def test_more_than_are_named_are_told() -> None:
    text = in_words([row(number) for number in range(SHOWN)])
    assert text.startswith("1,000 or more entries")
    assert text.endswith("there may be more")
