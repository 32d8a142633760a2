"""Values in words."""

import pytest

from sbx.web.view.labels import every, reasons_by_kind


def test_reasons_are_listed_by_kind_without_warnings() -> None:
    listed = reasons_by_kind(["number_taken", "account_paused", "contact_shared", "contact_archived"])
    headings = [text for code, text in listed if code is None]
    assert headings == ["Failed in Xero or before it", "Waiting"]
    assert [code for code, _ in listed if code] == ["contact_archived", "number_taken", "account_paused"]


@pytest.mark.parametrize(
    ("interval", "said"), [("1d", "every day"), ("12h", "every 12 hours"), ("2w", "every 2 weeks")]
)
def test_an_interval_is_said_in_words(interval: str, said: str) -> None:
    assert every(interval) == said
