"""Whether a ledger is behind what Kafka knows of it."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from sinks.ledger.generation import Mark, Standing, Told, accounts_behind, is_another, why_behind
from sinks.recover.taking_up import doubts
from streams.ledger_topic import kept, take_in

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
OURS = Standing(
    number=2,
    generation="g2",
    intake=7,
    intake_at=AT,
    held_at=None,
    held_args={},
    marks={"acme": 5, "bolt": 3},
    marked_at={"acme": AT, "bolt": AT},
)


def told(number: int = 2, generation: str = "g2", **marks: int) -> Told:
    names = {n if n == "intake" else f"account/{n}": Mark(generation, m) for n, m in marks.items()}
    return Told(number, generation, names)


@pytest.mark.parametrize(
    "known",
    [
        Told(),
        told(),
        told(intake=7, acme=5, bolt=3),
        told(acme=4),
        told(number=1, generation="g1", acme=900, intake=900),
    ],
    ids=["nothing known", "no marks", "as high", "lower", "of a ledger before this one"],
)
def test_as_new_as_what_it_wrote(known: Told) -> None:
    assert why_behind(OURS, known) == ""
    assert accounts_behind(OURS, known) == []
    assert doubts(OURS, known, {"acme", "bolt"}) == []


def test_one_call_that_it_does_not_know_is_enough() -> None:
    known = told(intake=7, acme=6, bolt=3)
    assert "acme" in why_behind(OURS, known)
    [doubt] = doubts(OURS, known, {"acme", "bolt"})
    assert (doubt.account, doubt.since) == ("acme", AT - timedelta(hours=1))


def test_an_account_that_it_does_not_know_at_all() -> None:
    [doubt] = doubts(OURS, told(cut=1), {"acme"})
    assert (doubt.account, doubt.since) == ("cut", None)


def test_actions_that_were_taken_in_and_never_sent_put_no_account_in_doubt() -> None:
    known = told(intake=8, acme=5)
    assert why_behind(OURS, known) != ""
    assert doubts(OURS, known, {"acme"}) == []


@pytest.mark.parametrize("known", [told(3, "g3", acme=1), told(2, "other", acme=1)], ids=["newer", "twin"])
def test_another_ledger_was_at_work(known: Told) -> None:
    assert is_another(OURS, known)
    assert accounts_behind(OURS, known) == ["acme"]
    assert "Kafka names ledger" in why_behind(OURS, known)


def test_everything_is_in_doubt_when_kafka_cannot_tell() -> None:
    found = doubts(OURS, Told(), {"acme", "new"}, everything=True)
    assert [(d.account, d.since) for d in found] == [("acme", AT - timedelta(hours=1)), ("new", None)]


def test_the_highest_mark_counts_in_whatever_order_messages_come() -> None:
    found = Told()
    for number, generation, mark in ((1, "g1", 90), (2, "g2", 4), (2, "g2", 6), (2, "g2", 5), (1, "g1", 99)):
        message = kept(number, "account/acme", Mark(generation, mark))
        take_in(found, message.key, message.value)
    assert (found.number, found.generation) == (2, "g2")
    assert found.of("g2", "account/acme") == 6
    assert found.of("g1", "account/acme") == 0


@pytest.mark.parametrize(
    ("key", "value"), [(None, None), (b"\xff", b"{}"), (b"intake", b"nonsense"), (b"intake", b'{"mark": 1}')]
)
def test_what_is_no_mark_is_passed_over(key: bytes | None, value: bytes | None) -> None:
    found = Told()
    take_in(found, key, value)
    assert found == Told()


def test_a_ledger_without_marks_is_not_behind_itself() -> None:
    assert why_behind(replace(OURS, marks={}, marked_at={}, intake=0), Told(2, "g2")) == ""
