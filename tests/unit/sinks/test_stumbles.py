"""Errors of Xero's own over one command, while others pass or while nothing does."""

from sinks.lanes.stumbles import OTHERS, STUMBLES, Stumbles


def test_one_that_xero_alone_stumbles_over() -> None:
    stumbles = Stumbles()
    for _ in range(STUMBLES):
        assert stumbles.status("bad") is None
        stumbles.over("bad", 500)
        stumbles.passed(["good"])
    assert (stumbles.status("bad"), stumbles.status("good")) == (500, None)
    stumbles.ended(["bad"])
    assert stumbles.status("bad") is None


def test_while_everything_gets_errors_nothing_is_to_blame() -> None:
    stumbles = Stumbles()
    for _ in range(10 * STUMBLES):
        stumbles.over("one", 503)
        stumbles.over("other", 503)
    assert stumbles.status("one") is stumbles.status("other") is None


def test_what_passed_before_or_was_its_own_says_nothing() -> None:
    stumbles = Stumbles()
    for _ in range(OTHERS):
        stumbles.passed(["good"])
    for _ in range(STUMBLES):
        stumbles.over("bad", 500)
        stumbles.passed(["bad"])
    assert stumbles.status("bad") is None


def test_where_half_of_everything_gets_errors_nothing_is_to_blame() -> None:
    stumbles = Stumbles()
    for _ in range(10 * STUMBLES):
        for one in ("one", "other", "third"):
            stumbles.over(one, 500)
            stumbles.passed([f"like {one}"])
        assert {stumbles.status(one) for one in ("one", "other", "third")} == {None}
