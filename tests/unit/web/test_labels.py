"""Values in words."""

import pytest

from sbx.web.view.labels import every


@pytest.mark.parametrize(
    ("interval", "said"), [("1d", "every day"), ("12h", "every 12 hours"), ("2w", "every 2 weeks")]
)
def test_an_interval_is_said_in_words(interval: str, said: str) -> None:
    assert every(interval) == said
