"""Xero's API and identity server through a proxy, with certificates of the company's authority."""

import logging
import socket
import time

import pytest

from sinks.xero.call_guard import NotSent, machine_seconds
from sinks.xero.client import Answer, NoAnswer, Request, XeroClient
from sinks.xero.oauth import Token, TokenUnavailable, mint_token
from sinks.xero.tenants import CredentialsUnusable, tenant_of
from tests.unit.outgoing.authority import Authority, Handler, served
from tests.unit.outgoing.connect_proxy import ConnectProxy

HOST = "api.xero.test"
PUT = Request("PUT", "/Invoices", {}, b'{"Invoices":[]}', "key-1")


def call(url: str = f"https://{HOST}", *, deadline: float = 20.0) -> Answer:
    client = XeroClient(url, "tenant", deadline)
    try:
        return client.call(PUT, "bearer-token", machine_seconds() + 60)
    finally:
        client.close()


def test_a_call_through_the_tunnel(
    proxy: ConnectProxy, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SBX_CA_FILE", str(authority.file))
    proxy.login = "sbx:pr0xy-pass"
    monkeypatch.setenv("HTTPS_PROXY", f"http://sbx:pr0xy-pass@{proxy.address}")
    with served(authority.context(HOST)) as xero:
        proxy.names[HOST] = xero.port
        assert call().status == 200
        ((method, path, headers, body),) = xero.received
    assert (method, path, body) == ("PUT", "/Invoices", b'{"Invoices":[]}')
    assert headers["Authorization"] == "Bearer bearer-token" and headers["Host"] == HOST
    assert "Proxy-Authorization" not in headers
    assert proxy.asked == [f"CONNECT {HOST}:443 HTTP/1.1"]
    assert b"bearer-token" not in proxy.heads[0]


def test_token_and_organisations_through_the_tunnel(
    proxy: ConnectProxy, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    with served(authority.context(HOST)) as xero:
        proxy.names[HOST] = xero.port
        xero.answer = b'{"access_token": "t-1", "expires_in": 1800}'
        assert mint_token(f"https://{HOST}/connect/token", "id", "secret").access_token == "t-1"
        xero.answer = b'[{"tenantId": "o-1", "tenantName": "Acme"}]'
        assert tenant_of(f"https://{HOST}/connections", Token("t-1", 1800), None).name == "Acme"
    assert len(proxy.asked) == 2


def test_an_address_in_no_proxy_is_reached_directly(
    proxy: ConnectProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    with served() as xero:
        assert call(f"http://127.0.0.1:{xero.port}").status == 200
        monkeypatch.setenv("NO_PROXY", "xero.test")
        with pytest.raises(NotSent):  # nobody but the proxy knows the name
            call()
    assert proxy.asked == []


@pytest.mark.parametrize(
    ("refusal", "login", "said"),
    [
        (
            b"403 Forbidden by policy",
            "",
            "refuses a connection to api.xero.test:443 (403 Forbidden by policy)",
        ),
        (b"502 Bad Gateway", "", "cannot reach api.xero.test:443 (502 Bad Gateway)"),
        (b"", "sbx:other", "asks for a login (407 Who are you?)"),
    ],
)
def test_a_refused_tunnel_is_told_as_such_and_nothing_was_sent(
    refusal: bytes, login: str, said: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with ConnectProxy(refusal=refusal, login=login) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://sbx:hidden-pass@{proxy.address}")
        with pytest.raises(NotSent) as raised:
            call()
        assert said in str(raised.value) and proxy.address in str(raised.value)
        assert raised.value.why == "proxy_refuses"
        with pytest.raises(TokenUnavailable) as unavailable:
            mint_token(f"https://{HOST}/connect/token", "id", "secret")
        assert said in str(unavailable.value) and unavailable.value.why == "proxy_refuses"
        with pytest.raises(CredentialsUnusable) as unusable:
            tenant_of(f"https://{HOST}/connections", Token("t-1", 1800), None)
        assert said in str(unusable.value)
    shown = "".join(map(repr, (raised.value, raised.value.__cause__, unavailable.value))) + caplog.text
    assert "hidden-pass" not in shown and "c2J4" not in shown


@pytest.mark.parametrize("status", [407, 200])
def test_a_login_that_a_forwarding_proxy_wants(proxy: ConnectProxy, status: int) -> None:
    proxy.login = "sbx:x" if status == 407 else ""
    with served() as stand_in:
        proxy.names[HOST] = stand_in.port
        if status == 200:
            assert call(f"http://{HOST}").status == 200
            return
        with pytest.raises(NotSent, match="asks for a login") as raised:
            call(f"http://{HOST}")
    assert raised.value.why == "proxy_refuses" and stand_in.received == []


def test_a_proxy_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://sbx:hidden-pass@127.0.0.1:9")
    with pytest.raises(NotSent, match=r"the proxy 127\.0\.0\.1:9 cannot be reached") as raised:
        call()
    assert raised.value.why == "proxy_refuses" and "hidden" not in str(raised.value)


@pytest.mark.parametrize("pause", [None, 0.4])
def test_a_proxy_that_hangs_or_drips_does_so_no_longer_than_a_connection_may_take(
    pause: float | None, proxy: ConnectProxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its answer has some sixty bytes: at 0.4 s each it would take 24 s."""
    monkeypatch.setattr("sinks.xero.client.CONNECT_TIMEOUT", 1.5)
    proxy.is_mute, proxy.pause = pause is None, pause
    with served() as xero:
        proxy.names[HOST] = xero.port
        began = time.monotonic()
        with pytest.raises(NotSent, match="did not answer within") as raised:
            call()
    assert time.monotonic() - began < 15
    assert raised.value.why == "proxy_refuses"


def test_what_is_no_proxy(monkeypatch: pytest.MonkeyPatch) -> None:
    with served() as other:
        monkeypatch.setenv("HTTPS_PROXY", f"http://127.0.0.1:{other.port}")
        with pytest.raises(NotSent, match="501"):  # this one knows no CONNECT
            call()


def test_a_line_that_breaks_after_the_tunnel_was_made_is_perhaps_sent(
    proxy: ConnectProxy, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SBX_CA_FILE", str(authority.file))
    with served(authority.context(HOST)) as xero:
        proxy.names[HOST] = xero.port
        monkeypatch.setattr(Handler, "do_PUT", lambda handler: handler.connection.shutdown(socket.SHUT_RDWR))
        with pytest.raises(NoAnswer):
            call()


def test_an_unknown_authority_is_told_with_what_to_do(proxy: ConnectProxy, authority: Authority) -> None:
    with served(authority.context(HOST)) as xero:
        proxy.names[HOST] = xero.port
        with pytest.raises(NotSent, match=r"certificate of api\.xero\.test .*SBX_CA_FILE") as raised:
            call()
        assert raised.value.why == "xero_unavailable" and xero.received == []


def test_another_s_certificate_is_not_taken(
    proxy: ConnectProxy, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SBX_CA_FILE", str(authority.file))
    with served(authority.context("other.test")) as xero:
        proxy.names[HOST] = xero.port
        with pytest.raises(NotSent, match="certificate"):
            call()
        assert xero.received == []
