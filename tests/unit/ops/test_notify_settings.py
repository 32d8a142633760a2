"""The variables of notifications: what is taken, and that a refusal shows no secret."""

from datetime import timedelta

import pytest

from runtime.environment import InvalidEnvironment
from sbx.notify.alerts import in_words
from sbx.notify.settings import NotifySettings

MAIL = {
    "SBX_NOTIFY_SMTP_URL": "smtps://me:s3cret@mail.example:465",
    "SBX_NOTIFY_EMAIL_TO": "a@b.example, c@d.example",
    "SBX_NOTIFY_EMAIL_FROM": "sbx@b.example",
}


def test_nothing_set_tells_nobody() -> None:
    settings = NotifySettings.read({"SBX_NOTIFY_WEBHOOK_URL": " "})
    assert settings.channels == []
    assert settings.oldest_waiting == timedelta(hours=1)


def test_both_channels() -> None:
    given = MAIL | {"SBX_NOTIFY_WEBHOOK_URL": "https://h.example/x", "SBX_NOTIFY_OLDEST_WAITING": "90m"}
    settings = NotifySettings.read(given)
    assert settings.channels == ["webhook", "email"]
    assert settings.email_to == ("a@b.example", "c@d.example")
    assert settings.oldest_waiting == timedelta(minutes=90)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("SBX_NOTIFY_WEBHOOK_URL", "ftp://h.example/s3cret"),
        ("SBX_NOTIFY_WEBHOOK_URL", "s3cret"),
        ("SBX_NOTIFY_WEBHOOK_URL", "https://[s3cret"),
        ("SBX_NOTIFY_SMTP_URL", "mail.example:s3cret"),
        ("SBX_NOTIFY_SMTP_URL", "smtp://me:s3cret@mail.example:99999"),
        ("SBX_NOTIFY_EMAIL_TO", "nobody"),
        ("SBX_NOTIFY_EMAIL_TO", ""),
        ("SBX_NOTIFY_EMAIL_FROM", ""),
        ("SBX_NOTIFY_OLDEST_WAITING", "soon"),
        ("SBX_NOTIFY_OLDEST_WAITING", "0h"),
        ("SBX_NOTIFY_PAGE_URL", "log.example"),
    ],
)
def test_what_cannot_be_used_is_refused_by_name(name: str, value: str) -> None:
    with pytest.raises(InvalidEnvironment) as refused:
        NotifySettings.read(MAIL | {name: value})
    assert refused.value.variable == name
    assert "s3cret" not in str(refused.value)


@pytest.mark.parametrize(("minutes", "words"), [(90, "90 min"), (60, "1 h"), (2880, "48 h"), (5, "5 min")])
def test_lengths_of_time_in_words(minutes: int, words: str) -> None:
    assert in_words(timedelta(minutes=minutes)) == words
