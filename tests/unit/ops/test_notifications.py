"""What a notification says."""

from datetime import UTC, datetime, timedelta
from typing import get_args

import pytest

from sbx.notify.alerts import Kind, standing
from sbx.notify.channels import Message, Told

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)


@pytest.mark.parametrize("kind", get_args(Kind))
def test_each_kind_of_alert_has_a_title(kind: str) -> None:
    told = Told(kind, "acme", "Something is wrong.", "mend it", "/", NOON, None)
    message = Message("m1", NOON, [told])
    title = message.subject.removeprefix("SalesBinder to Xero, acme: ")
    assert title and title in message.text("").lower()
    assert "acme: Something is wrong." in message.text("")


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("record_unclear", "A row of the list log cannot be read: record is 7; it is no record."),
        (
            "record_foreign",
            "The answer about a row of the list log is about something else: record is 7; it is no record.",
        ),
        ("list_odd", "The list log of 'acme' contradicts itself: it is no record."),
    ],
)
def test_what_is_wrong_with_a_list_or_its_rows_says_what(code: str, said: str) -> None:
    row = {"account": "acme", "code": code, "list": "log", "field": "record", "value": "7", "now": NOON}
    row |= {"problem": "it is no record", "remedy": "Look.", "since": NOON - timedelta(hours=1)}
    (alert,) = standing([], [], [], [], timedelta(hours=1), lists=[row])
    assert (alert.text, alert.remedy) == (said, "Look.")


def test_a_name_calls_nobody_and_leads_nowhere_in_a_chat() -> None:
    text = "Contact '<!channel> <https://evil.example|our page> A & B' could not be posted."
    message = Message("m1", NOON, [Told("issue", "acme", text, "see <it>", "/issues?a=1&b=2", NOON, None)])
    body = message.to_json("https://page.example")
    shown = body["text"]
    assert "<" not in shown and ">" not in shown
    assert "&lt;!channel&gt; &lt;https://evil.example|our page&gt; A &amp; B" in shown
    assert "https://page.example/issues?a=1&amp;b=2" in shown and "'" in shown
    told = body["alerts"][0]
    assert (told["text"], told["remedy"]) == (text, "see <it>"), "programs get it as it is"
    assert "<!channel>" in message.text(""), "and so does mail, which is plain text"
