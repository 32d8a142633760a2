"""The variables ``SBX_NOTIFY_…``: who is notified, and how long a wait is too long."""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from urllib.parse import SplitResult, urlsplit

from runtime.environment import InvalidEnvironment

_SPAN = re.compile(r"([1-9][0-9]{0,5})\s*(m|h|d)")
_UNITS = {"m": timedelta(minutes=1), "h": timedelta(hours=1), "d": timedelta(days=1)}
_ADDRESS = re.compile(r"[^@\s,<>]+@[^@\s,<>]+")


@dataclass(frozen=True, kw_only=True)
class NotifySettings:
    """Receivers and options. Receivers' addresses hold secrets and are never shown."""

    webhook_url: str | None = field(default=None, repr=False)
    smtp_url: str | None = field(default=None, repr=False)
    email_to: tuple[str, ...] = ()
    email_from: str = ""
    oldest_waiting: timedelta = timedelta(hours=1)
    page_url: str = ""
    """Address of the page, for links; blank means no links."""

    @property
    def channels(self) -> list[str]:
        """Return the channels that are set up."""
        given = {"webhook": self.webhook_url, "email": self.smtp_url}
        return [name for name, url in given.items() if url is not None]

    @classmethod
    def read(cls, environ: Mapping[str, str]) -> "NotifySettings":
        """Return the settings, checked.

        Raises:
            InvalidEnvironment: a value is invalid; names variable and remedy, never a secret.
        """
        given = {name: value.strip() for name, value in environ.items() if value.strip()}
        webhook, smtp = given.get("SBX_NOTIFY_WEBHOOK_URL"), given.get("SBX_NOTIFY_SMTP_URL")
        if webhook is not None:
            _check_url("SBX_NOTIFY_WEBHOOK_URL", webhook, ("http", "https"), "https://host/path")
        if smtp is not None:
            _check_url("SBX_NOTIFY_SMTP_URL", smtp, ("smtp", "smtps"), "smtps://user:password@host:465")
        to = tuple(part.strip() for part in given.get("SBX_NOTIFY_EMAIL_TO", "").split(",") if part.strip())
        sender = given.get("SBX_NOTIFY_EMAIL_FROM", "")
        if smtp is not None:
            _check_addresses("SBX_NOTIFY_EMAIL_TO", to)
            _check_addresses("SBX_NOTIFY_EMAIL_FROM", (sender,) if sender else ())
        page = given.get("SBX_NOTIFY_PAGE_URL", "").rstrip("/")
        if page:
            _check_url("SBX_NOTIFY_PAGE_URL", page, ("http", "https"), "https://host")
        return cls(
            webhook_url=webhook,
            smtp_url=smtp,
            email_to=to,
            email_from=sender,
            oldest_waiting=_span("SBX_NOTIFY_OLDEST_WAITING", given.get("SBX_NOTIFY_OLDEST_WAITING", "1h")),
            page_url=page,
        )


def _check_url(variable: str, value: str, schemes: tuple[str, ...], example: str) -> None:
    try:
        parts: SplitResult = urlsplit(value)
        usable = parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:
        usable = False
    if not usable:
        raise InvalidEnvironment(variable, "…", "cannot be used", f"write it as {example}")


def _check_addresses(variable: str, addresses: tuple[str, ...]) -> None:
    if not addresses:
        raise InvalidEnvironment(variable, "", "is not set", "SBX_NOTIFY_SMTP_URL needs it")
    for address in addresses:
        if not _ADDRESS.fullmatch(address):
            raise InvalidEnvironment(
                variable, address, "is not an e-mail address", "name@host, separated by commas"
            )


def _span(variable: str, value: str) -> timedelta:
    found = _SPAN.fullmatch(value.lower())
    if found is None:
        raise InvalidEnvironment(variable, value, "is not a duration", "write it as 30m, 2h or 1d")
    return int(found[1]) * _UNITS[found[2]]
