"""Webhooks and mail through a proxy, with certificates of the company's authority."""

import json
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from sbx.notify.channels import NotDelivered, deliver, trial_message
from sbx.notify.settings import NotifySettings
from tests.unit.outgoing.authority import Authority, served
from tests.unit.outgoing.connect_proxy import ConnectProxy

HOOK = "hooks.chat.test"
MAIL = "mail.chat.test"


class Mailbox:
    def __init__(self) -> None:
        self.mails: list[bytes] = []

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        self.mails.append(envelope.content)
        return "250 OK"


@contextmanager
def mail_server(context: ssl.SSLContext, *, at_once: bool) -> Iterator[tuple[Mailbox, int]]:
    """``at_once``: TLS from the first byte on; else by STARTTLS."""
    mailbox = Mailbox()
    tls: dict[str, Any] = {"ssl_context": context} if at_once else {"tls_context": context}
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    controller = Controller(mailbox, hostname="127.0.0.1", port=port, **tls)
    controller.start()
    try:
        yield mailbox, port
    finally:
        controller.stop()


def settings(**given: str) -> NotifySettings:
    return NotifySettings.read({f"SBX_NOTIFY_{name}": value for name, value in given.items()})


def by_mail(url: str) -> NotifySettings:
    return settings(SMTP_URL=url, EMAIL_FROM="sbx@chat.test", EMAIL_TO="ann@chat.test")


def test_a_webhook_through_the_tunnel(
    proxy: ConnectProxy, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SBX_CA_FILE", str(authority.file))
    with served(authority.context(HOOK)) as hook:
        proxy.names[HOOK] = hook.port
        deliver("webhook", trial_message(), settings(WEBHOOK_URL=f"https://{HOOK}/s3cret"))
        assert json.loads(hook.received[0][3])["alerts"][0]["kind"] == "test"
    assert proxy.asked == [f"CONNECT {HOOK}:443 HTTP/1.1"]


def test_a_plain_webhook_is_forwarded(proxy: ConnectProxy) -> None:
    with served() as hook:
        proxy.names[HOOK] = hook.port
        deliver("webhook", trial_message(), settings(WEBHOOK_URL=f"http://{HOOK}/s3cret"))
        assert hook.received[0][1] == "/s3cret"
        proxy.login = "u:p"
        with pytest.raises(NotDelivered, match="asks for a login") as raised:
            deliver("webhook", trial_message(), settings(WEBHOOK_URL=f"http://{HOOK}/s3cret"))
    assert "s3cret" not in str(raised.value)


@pytest.mark.parametrize("at_once", [False, True])
def test_mail_through_the_tunnel(
    at_once: bool, proxy: ConnectProxy, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SBX_CA_FILE", str(authority.file))
    with mail_server(authority.context(MAIL), at_once=at_once) as (mailbox, port):
        proxy.names[MAIL] = port
        deliver("email", trial_message(), by_mail(f"{'smtps' if at_once else 'smtp'}://{MAIL}"))
    assert b"This is a test message" in mailbox.mails[0]
    assert proxy.asked == [f"CONNECT {MAIL}:{465 if at_once else 587} HTTP/1.1"]


@pytest.mark.parametrize("channel", ["webhook", "email"])
@pytest.mark.parametrize(
    ("refusal", "login", "said"),
    [(b"403 Forbidden", "", "403 Forbidden"), (b"", "sbx:other", "asks for a login")],
)
def test_a_refused_tunnel_is_told_without_secrets(
    channel: str, refusal: bytes, login: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with ConnectProxy(refusal=refusal, login=login) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://sbx:hidden-pass@{proxy.address}")
        given = settings(WEBHOOK_URL=f"https://{HOOK}/s3cret")
        given = given if channel == "webhook" else by_mail(f"smtps://u:s3cret@{MAIL}")
        with pytest.raises(NotDelivered) as raised:
            deliver(channel, trial_message(), given)
    assert said in str(raised.value) and proxy.address in str(raised.value)
    assert "s3cret" not in str(raised.value) and "hidden" not in str(raised.value)


@pytest.mark.parametrize("channel", ["webhook", "email"])
def test_an_unknown_authority_is_told_with_what_to_do(
    channel: str, proxy: ConnectProxy, authority: Authority
) -> None:
    with served(authority.context(HOOK, MAIL)) as server:
        proxy.names.update({HOOK: server.port, MAIL: server.port})
        given = settings(WEBHOOK_URL=f"https://{HOOK}/s3cret")
        given = given if channel == "webhook" else by_mail(f"smtps://{MAIL}")
        with pytest.raises(NotDelivered, match="SBX_CA_FILE") as raised:
            deliver(channel, trial_message(), given)
    assert "s3cret" not in str(raised.value) and server.received == []


@pytest.mark.parametrize("channel", ["webhook", "email"])
def test_a_proxy_that_hangs(channel: str, proxy: ConnectProxy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sbx.notify.channels._SECONDS", timedelta(seconds=1).total_seconds())
    proxy.is_mute = True
    given = settings(WEBHOOK_URL=f"https://{HOOK}/x") if channel == "webhook" else by_mail(f"smtp://{MAIL}")
    with pytest.raises(NotDelivered, match="did not answer within 1 s"):
        deliver(channel, trial_message(), given)
