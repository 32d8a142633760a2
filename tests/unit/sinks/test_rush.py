"""A lane gathers while commands of its account pour in, and never for long."""

from sinks.lanes.bursts import BurstGate


def test_a_few_commands_hold_nobody_up() -> None:
    rush = BurstGate()
    for second in range(10):
        rush.came(["acme"] * 3, 10.0 + second)
        assert rush.wait("acme", 10.0 + second) == 0.0


def test_a_lane_waits_until_it_is_calm() -> None:
    rush = BurstGate()
    rush.came(["acme"] * 60, 10.0)
    assert 0.0 < rush.wait("acme", 10.05) <= 0.5
    assert rush.wait("acme", 10.6) == 0.0


def test_what_fills_calls_is_taken_up_at_once() -> None:
    rush = BurstGate()
    rush.came(["acme"] * 500, 10.0)
    assert rush.wait("acme", 10.05) == 0.0
    rush.taken_up("acme", 10.05)
    assert rush.wait("acme", 10.1) > 0.0


def test_one_accounts_rush_holds_no_other() -> None:
    rush = BurstGate()
    rush.came(["acme"] * 60 + ["other"], 10.0)
    assert rush.wait("other", 10.05) == 0.0


def test_a_rush_that_does_not_end_is_taken_up_in_whole_batches() -> None:
    rush = BurstGate()
    taken_up, since = [], 0
    for step in range(6000):  # a minute of 30 commands a second
        now = 10.0 + step / 100
        if step % 10 == 0:
            rush.came(["acme"] * 3, now)
            since += 3
        if step > 500 and rush.wait("acme", now) == 0.0:
            rush.taken_up("acme", now)
            taken_up.append(since)
            since = 0
    assert 8 <= len(taken_up) <= 13
    assert all(140 <= count <= 160 for count in taken_up[1:])


def test_a_slower_rush_is_taken_up_every_few_seconds() -> None:
    rush = BurstGate()
    waited = longest = 0
    for step in range(2000):  # twelve commands a second, which never fill a batch in time
        now = 10.0 + step / 100
        if step % 25 == 0:
            rush.came(["acme"] * 3, now)
        if rush.wait("acme", now) == 0.0:
            rush.taken_up("acme", now)
            waited = 0
        waited += 1
        longest = max(longest, waited)
    assert longest <= 510
