"""A lane stands back while commands of its account pour in, and never for long."""

from sinks.rush import Rush


def test_a_few_commands_hold_nobody_up() -> None:
    rush = Rush()
    for second in range(10):
        rush.came(["acme"] * 3, 10.0 + second)
        assert rush.wait("acme", 10.0 + second) == 0.0


def test_a_lane_waits_until_it_is_calm() -> None:
    rush = Rush()
    rush.came(["acme"] * 500, 10.0)
    assert 0.0 < rush.wait("acme", 10.05) <= 0.3
    assert rush.wait("acme", 10.4) == 0.0


def test_one_accounts_rush_holds_no_other() -> None:
    rush = Rush()
    rush.came(["acme"] * 500 + ["other"], 10.0)
    assert rush.wait("other", 10.05) == 0.0


def test_a_rush_that_does_not_end_leaves_the_lane_half_of_the_time() -> None:
    rush = Rush()
    free = 0
    for step in range(1600):
        now = 10.0 + step / 100
        rush.came(["acme"] * 500, now)
        free += rush.wait("acme", now) == 0.0
    assert 700 <= free <= 900
