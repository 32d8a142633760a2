"""How long attempts wait, and who counts as one source."""

import pytest

from sbx.web.auth.throttle import FOR_ANY_USER, FOR_ONE_USER, network_of


def test_each_attempt_too_many_waits_twice_as_long_up_to_a_minute() -> None:
    assert [FOR_ONE_USER.wait(count, 0.0) for count in (0, 4, 5, 6, 7, 10, 11, 500)] == [
        *(0.0, 0.0, 1.0, 2.0, 4.0, 32.0, 60.0, 60.0)
    ]
    assert FOR_ONE_USER.wait(7, 3.5) == 0.5
    assert FOR_ONE_USER.wait(7, 4.5) == 0.0
    assert FOR_ANY_USER.wait(29, 0.0) == 0.0
    assert FOR_ANY_USER.wait(5000, 0.0) == 5.0


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("203.0.113.9", "203.0.113.9"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("::ffff:203.0.113.9", "203.0.113.9"),
        ("unknown", "unknown"),
        ("", ""),
    ],
)
def test_a_source_is_an_address_or_a_household(address: str, network: str) -> None:
    assert network_of(address) == network
