"""SalesBinder through a proxy, with a certificate of the company's authority."""

import logging
import time

import pytest

from sources.client import Client, NoAnswer, api_address
from sources.salesbinder.verdicts import Answer
from sources.schedule.questions import Question
from tests.unit.outgoing.authority import Authority, served
from tests.unit.outgoing.connect_proxy import ConnectProxy

HOST = "acme.salesbinder.test"


async def asked(*, deadline: float = 20.0) -> Answer:
    address = api_address("acme", "https://{account}.salesbinder.test/api/2.0")
    async with Client(address, "k3y", deadline=deadline) as client:
        return await client.ask(Question("customers.json", {"page": "1"}))


async def test_a_question_through_the_tunnel(
    proxy: ConnectProxy, authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SBX_CA_FILE", str(authority.file))
    proxy.login = "sbx:pr0xy-pass"
    monkeypatch.setenv("HTTPS_PROXY", f"http://sbx:pr0xy-pass@{proxy.address}")
    with served(authority.context(HOST)) as salesbinder:
        proxy.names[HOST] = salesbinder.port
        assert (await asked()).verdict == "answered"
        ((_, path, headers, _),) = salesbinder.received
    assert path == "/api/2.0/customers.json?page=1"
    assert headers["Authorization"].startswith("Basic ") and "Proxy-Authorization" not in headers
    assert proxy.asked == [f"CONNECT {HOST}:443 HTTP/1.1"]
    assert headers["Authorization"].encode() not in proxy.heads[0]


@pytest.mark.parametrize(
    ("refusal", "login", "said"),
    [
        (b"403 Forbidden", "", f"refuses a connection to {HOST}:443 (403 Forbidden)"),
        (b"502 Bad Gateway", "", f"cannot reach {HOST}:443 (502 Bad Gateway)"),
        (b"", "sbx:other", "asks for a login (407 Who are you?)"),
    ],
)
async def test_a_refused_tunnel_is_told_as_such(
    refusal: bytes, login: str, said: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with ConnectProxy(refusal=refusal, login=login) as proxy:
        monkeypatch.setenv("HTTPS_PROXY", f"http://sbx:hidden-pass@{proxy.address}")
        with pytest.raises(NoAnswer) as raised:
            await asked()
    assert said in str(raised.value) and proxy.address in str(raised.value)
    assert raised.value.silence == "unreachable"
    assert "hidden-pass" not in repr(raised.value) + caplog.text and raised.value.__cause__ is None


async def test_a_proxy_that_is_not_there(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTPS_PROXY", "http://sbx:hidden-pass@127.0.0.1:9")
    with pytest.raises(NoAnswer, match=r"the proxy 127\.0\.0\.1:9 cannot be reached") as raised:
        await asked()
    assert "hidden" not in str(raised.value)


@pytest.mark.parametrize("pause", [None, 0.2])
async def test_a_proxy_that_hangs_or_drips_ends_with_the_deadline(
    pause: float | None, proxy: ConnectProxy
) -> None:
    proxy.is_mute, proxy.pause = pause is None, pause
    with served() as salesbinder:
        proxy.names[HOST] = salesbinder.port
        began = time.monotonic()
        with pytest.raises(NoAnswer, match=f"through the proxy {proxy.address}") as raised:
            await asked(deadline=1.0)
    assert raised.value.silence == "too_slow" and time.monotonic() - began < 10


async def test_an_unknown_authority_is_told_with_what_to_do(
    proxy: ConnectProxy, authority: Authority
) -> None:
    with served(authority.context(HOST)) as salesbinder:
        proxy.names[HOST] = salesbinder.port
        with pytest.raises(NoAnswer, match=r"certificate of acme.*SBX_CA_FILE"):
            await asked()
        assert salesbinder.received == []
