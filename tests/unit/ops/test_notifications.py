"""What a notification says."""

from datetime import UTC, datetime
from typing import get_args

import pytest

from sbx.notify.alerts import Kind
from sbx.notify.channels import Message, Told

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.mark.parametrize("kind", get_args(Kind))
def test_each_kind_of_alert_has_a_title(kind: str) -> None:
    told = Told(kind, "acme", "Something is wrong.", "mend it", "/", NOON, None)
    message = Message("m1", NOON, [told])
    title = message.subject.removeprefix("SalesBinder to Xero, acme: ")
    assert title and title in message.text("").lower()
    assert "acme: Something is wrong." in message.text("")
