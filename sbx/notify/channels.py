"""Send one message to a webhook or by e-mail. Errors never show the address, which holds secrets."""

import smtplib
import uuid
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from email.message import EmailMessage
from email.utils import format_datetime
from html import escape
from typing import Any
from urllib.parse import unquote, urlsplit

import structlog
import urllib3

from runtime.invalid import InvalidEnvironment
from runtime.outgoing import mail, pools
from runtime.outgoing.authorities import tls_context
from runtime.outgoing.proxies import ProxyTrouble
from sbx.notify.settings import NotifySettings

_SECONDS = 20.0
_TITLES = {
    "issue": "Failed",
    "paused": "Paused",
    "connection_lost": "Connection lost",
    "oldest_waiting": "Waiting",
    "reconciliation": "Differences",
    "reconciliation_broken_off": "Not compared",
    "source_trouble": "Source not answering",
    "source_list": "Source incomplete",
    "source_unread": "Source not read",
    "test": "Test",
}


log = structlog.stdlib.get_logger(__name__)


class NotDelivered(Exception):
    """The receiver did not accept it; the text says why, without secrets."""


@dataclass(frozen=True, slots=True)
class Told:
    """One alert in a message."""

    kind: str
    account: str
    text: str
    remedy: str
    path: str
    began_at: datetime
    ended_at: datetime | None


@dataclass(frozen=True, slots=True)
class Message:
    """Alerts that go out together. ``message_id`` stays the same through all attempts."""

    message_id: str
    made_at: datetime
    alerts: Sequence[Told]

    @property
    def subject(self) -> str:
        """Return the subject line."""
        accounts = ", ".join(sorted({alert.account for alert in self.alerts}))
        kinds = list(dict.fromkeys(_TITLES[alert.kind] for alert in self.alerts))
        count = f" ({len(self.alerts)})" if len(self.alerts) > 1 else ""
        return f"SalesBinder to Xero, {accounts}: {', '.join(kinds).lower()}{count}"

    def text(self, page_url: str) -> str:
        """Return the text for people."""
        return "\n\n".join([self.subject, *(_paragraph(alert, page_url) for alert in self.alerts)]) + "\n"

    def to_json(self, page_url: str) -> dict[str, Any]:
        """Return the body for programs; ``text`` is what chat programs show, in which a name of somebody's
        choosing is to call nobody (``<!channel>``) and to lead nowhere (``<https://…|our page>``).
        """
        return {
            "id": self.message_id,
            # The three characters that Slack names (docs.slack.dev, "Escaping text").
            "text": escape(self.text(page_url), quote=False),
            "alerts": [
                {
                    "kind": alert.kind,
                    "account": alert.account,
                    "text": alert.text,
                    "remedy": alert.remedy,
                    "link": page_url + alert.path if page_url else None,
                    "began_at": alert.began_at.isoformat(),
                    "ended_at": alert.ended_at.isoformat() if alert.ended_at else None,
                }
                for alert in self.alerts
            ],
        }


def _paragraph(alert: Told, page_url: str) -> str:
    over = f" (over since {alert.ended_at:%Y-%m-%d %H:%M} UTC)" if alert.ended_at else ""
    lines = [f"{_TITLES[alert.kind]}, {alert.account}{over}: {alert.text}", f"What to do: {alert.remedy}"]
    return "\n".join([*lines, page_url + alert.path] if page_url else lines)


def trial_message() -> Message:
    """Return the message that ``--test`` sends."""
    now = datetime.now(UTC)
    text = "This is a test message. You would have been notified of a problem here."
    told = Told("test", "test", text, "nothing, if it arrived where it should", "/", now, None)
    return Message(str(uuid.uuid4()), now, [told])


def deliver(channel: str, message: Message, settings: NotifySettings) -> None:
    """Deliver the message.

    Raises:
        NotDelivered: the receiver is unavailable or refuses; try again later.
    """
    if channel == "webhook":
        _post(message, settings)
    else:
        _mail(message, settings)


def _post(message: Message, settings: NotifySettings) -> None:
    url = str(settings.webhook_url)
    host = urlsplit(url).hostname
    try:
        with pools.pool_manager(url, timeout=_SECONDS) as pool:
            # Receivers that know the header drop messages that they have seen under the same key.
            headers = {"Idempotency-Key": message.message_id}
            answer = pool.request("POST", url, json=message.to_json(settings.page_url), headers=headers)
    except InvalidEnvironment as error:
        raise NotDelivered(str(error)) from None
    except urllib3.exceptions.HTTPError as error:
        # Not "from", and no text of the library's: both repeat the address.
        why = pools.in_words(error, url, quoted=False)
        raise NotDelivered(f"{host} cannot be reached ({why})") from None
    if answer.status == 407:
        raise NotDelivered(pools.login_wanted(url))
    if not 200 <= answer.status < 300:
        raise NotDelivered(f"{host} answered {answer.status}")


def _mail(message: Message, settings: NotifySettings) -> None:
    parts = urlsplit(str(settings.smtp_url))
    host = str(parts.hostname)
    try:
        # Not its context manager: trouble with the goodbye would undo a delivery.
        with closing(_connected(parts.scheme, host, parts.port)) as server:
            secure = parts.scheme == "smtps"
            if not secure and server.has_extn("starttls"):
                server.starttls(context=tls_context())
                server.ehlo()
                secure = True
            if parts.username is not None:
                if not secure:
                    raise NotDelivered(
                        f"{host} offers no TLS, and passwords are never sent without it: use smtps"
                    )
                server.login(unquote(parts.username), unquote(parts.password or ""))
            refused = server.send_message(mail_of(message, settings))
        if refused:
            log.warning("some receivers were refused", host=host, receivers=sorted(refused))
    except smtplib.SMTPResponseException as error:
        raise NotDelivered(f"{host} answered {error.smtp_code} ({type(error).__name__})") from None
    except (InvalidEnvironment, ProxyTrouble) as error:
        raise NotDelivered(f"{host} cannot be reached: {error}") from None
    except (smtplib.SMTPException, OSError) as error:
        raise NotDelivered(f"{host} cannot be used ({mail.in_words(error, host)})") from None


def _connected(scheme: str, host: str, port: int | None) -> smtplib.SMTP:
    with_tls = scheme == "smtps"
    server = mail.mail_server(host, port or (465 if with_tls else 587), _SECONDS, with_tls=with_tls)
    server.ehlo()
    return server


def mail_of(message: Message, settings: NotifySettings) -> EmailMessage:
    """Return the message as an e-mail, the same in every attempt."""
    mail = EmailMessage()
    mail["From"], mail["To"] = settings.email_from, ", ".join(settings.email_to)
    mail["Subject"] = " ".join(message.subject.split())
    mail["Date"] = format_datetime(message.made_at)
    mail["Message-ID"] = f"<{message.message_id}@{settings.email_from.rpartition('@')[2]}>"
    mail["Auto-Submitted"] = "auto-generated"
    mail.set_content(message.text(settings.page_url))
    return mail
