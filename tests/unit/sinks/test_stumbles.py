"""Errors of Xero's own over one command, while others pass or while nothing does."""

from sinks.lanes.stumbles import OTHERS, STUMBLES, Stumbles


def test_one_that_xero_alone_stumbles_over() -> None:
    stumbles = Stumbles()
    for _ in range(STUMBLES):
        assert stumbles.status("bad") is None
        stumbles.broke(["bad"], 500, alone=True)
        stumbles.passed(["good"])
    assert (stumbles.status("bad"), stumbles.status("good")) == (500, None)
    stumbles.ended(["bad"])
    assert stumbles.status("bad") is None


def test_while_everything_gets_errors_nothing_is_to_blame() -> None:
    stumbles = Stumbles()
    for _ in range(10 * STUMBLES):
        stumbles.broke(["one"], 503, alone=True)
        stumbles.broke(["other"], 503, alone=True)
    assert stumbles.status("one") is stumbles.status("other") is None


def test_what_passed_before_or_was_its_own_says_nothing() -> None:
    stumbles = Stumbles()
    for _ in range(OTHERS):
        stumbles.passed(["good"])
    for _ in range(STUMBLES):
        stumbles.broke(["bad"], 500, alone=True)
        stumbles.passed(["bad"])
    assert stumbles.status("bad") is None


def test_where_half_of_everything_gets_errors_nothing_is_to_blame() -> None:
    stumbles = Stumbles()
    for _ in range(10 * STUMBLES):
        for one in ("one", "other", "third"):
            stumbles.broke([one], 500, alone=True)
            stumbles.passed([f"like {one}"])
        assert {stumbles.status(one) for one in ("one", "other", "third")} == {None}


def test_a_call_counts_once_however_many_it_carries() -> None:
    """Half of all calls get errors; those that pass are full ones."""
    stumbles = Stumbles()
    for _ in range(10 * STUMBLES):
        stumbles.broke(["one"], 500, alone=True)
        stumbles.broke([f"other {n}" for n in range(20)], 500, alone=False)
        stumbles.passed([f"like it {n}" for n in range(20)])
    assert stumbles.status("one") is None


def test_errors_that_it_brought_upon_others_speak_against_it() -> None:
    stumbles = Stumbles()
    for _ in range(STUMBLES):
        stumbles.broke(["bad", "good"], 500, alone=False)
        stumbles.broke(["bad"], 500, alone=True)
        stumbles.passed(["good"])
    assert (stumbles.status("bad"), stumbles.status("good")) == (500, None)
