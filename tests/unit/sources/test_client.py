"""The client against a server of the test's own: deadlines, redirects, and where the key may be seen."""

import asyncio
import base64
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import pytest
from aiohttp import web

from sources import client as module
from sources.client import Client, NoAnswer, UnsafeAddress, api_address
from sources.salesbinder.verdicts import Answer, read_date, read_retry_after
from sources.schedule.budget import blocked_until
from sources.schedule.choice import DetailRequest, ListRequest
from sources.schedule.questions import Question, question
from sources.schedule.scans import Scan

KEY = "s3cret-k3y"
NOON = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def served(handler: Handler) -> AsyncIterator[str]:
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handler)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    port = runner.addresses[0][1]
    try:
        yield f"http://127.0.0.1:{port}/api/2.0"
    finally:
        await runner.cleanup()


async def asked(
    handler: Handler, path: str = "customers.json", deadline: float = 5, **parameters: str
) -> Answer:
    async with served(handler) as address, Client(address, KEY, deadline=deadline) as client:
        return await client.ask(Question(path, parameters))


async def test_the_key_travels_in_the_header_alone() -> None:
    seen: list[web.Request] = []

    async def handler(request: web.Request) -> web.Response:
        seen.append(request)
        return web.json_response({"customers": []})

    answer = await asked(handler, page="1", contextId="2")
    assert (answer.verdict, answer.body) == ("answered", b'{"customers": []}')
    assert answer.date is not None
    expected = base64.b64encode(f"{KEY}:x".encode()).decode()
    assert seen[0].headers["Authorization"] == f"Basic {expected}"
    assert dict(seen[0].query) == {"page": "1", "contextId": "2"}
    assert KEY not in str(seen[0].url)
    assert expected not in str(seen[0].url)


async def test_a_redirect_is_not_followed() -> None:
    paths = []

    async def handler(request: web.Request) -> web.Response:
        paths.append(request.path)
        raise web.HTTPFound("/elsewhere")

    assert (await asked(handler)).verdict == "redirected"
    assert paths == ["/api/2.0/customers.json"]


async def test_an_answer_that_drips_ends_with_the_deadline() -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        for _ in range(100):
            await response.write(b" ")
            await asyncio.sleep(0.05)
        return response

    with pytest.raises(NoAnswer, match=r"within 0\.3 s") as raised:
        await asked(handler, deadline=0.3)
    assert raised.value.silence == "too_slow"


async def test_an_answer_that_does_not_end_is_not_read_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_BODY", 100_000)

    async def handler(request: web.Request) -> web.Response:
        return web.Response(body=b"x" * 200_000)

    with pytest.raises(NoAnswer, match="more than") as raised:
        await asked(handler)
    assert raised.value.silence == "too_large"


@pytest.mark.parametrize(
    ("status", "verdict"),
    [(200, "answered"), (401, "key_refused"), (403, "not_permitted"), (404, "not_there"), (429, "blocked"),
     (500, "unavailable"), (522, "unavailable"), (418, "unavailable"), (301, "redirected")],
)  # fmt: skip
async def test_each_status_has_its_meaning(status: int, verdict: str) -> None:
    async def handler(_: web.Request) -> web.Response:
        return web.Response(status=status, text="<html>", headers={"Retry-After": "90"})

    answer = await asked(handler)
    assert answer.verdict == verdict
    assert answer.retry_after == timedelta(seconds=90)


async def test_no_error_and_no_log_line_shows_the_key(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    async with Client("http://127.0.0.1:9", KEY) as client:
        assert KEY not in repr(client)
        with pytest.raises(NoAnswer) as raised:
            await client.ask(Question("customers.json", {}))
    assert raised.value.silence == "unreachable"
    assert raised.value.__cause__ is None
    assert raised.value.__suppress_context__
    secrets = (KEY, base64.b64encode(f"{KEY}:x".encode()).decode())
    assert not any(secret in text for secret in secrets for text in (str(raised.value), caplog.text))


@pytest.mark.parametrize("key", ["", " ", "a b", "a:b", "a\nb", "kéy"])
def test_a_key_that_no_header_takes_is_refused_and_not_shown(key: str) -> None:
    with pytest.raises(ValueError, match="copy it again") as raised:
        Client("https://acme.salesbinder.com/api/2.0", key)
    assert not key.strip() or key not in str(raised.value)


def test_the_address_is_the_accounts_own_and_safe() -> None:
    assert api_address("acme") == "https://acme.salesbinder.com/api/2.0"
    assert (
        api_address("acme", "http://127.0.0.1:8080/{account}/api/2.0/")
        == "http://127.0.0.1:8080/acme/api/2.0"
    )
    assert api_address("acme", "http://localhost:1/api") == "http://localhost:1/api"
    for unsafe in (
        "http://acme.salesbinder.com/api/2.0",
        "https://key:x@acme.salesbinder.com/api/2.0",
        "ftp://x",
    ):
        with pytest.raises(UnsafeAddress) as raised:
            api_address("acme", unsafe)
        assert "key:x" not in str(raised.value)


def test_dates_and_waits_of_headers() -> None:
    assert read_date("Mon, 02 Mar 2026 12:00:00 GMT") == NOON
    assert read_date("soon") is read_date(None) is None
    assert read_retry_after("Mon, 02 Mar 2026 12:01:00 GMT", NOON) == timedelta(minutes=1)
    assert read_retry_after("Mon, 02 Mar 2026 11:00:00 GMT", NOON) == timedelta(0)
    assert read_retry_after("-5", NOON) is read_retry_after(None, NOON) is None


@pytest.mark.parametrize(
    "header",
    [
        "Fri, 31 Dec 99999999999999999999 23:59:59 GMT",
        "Sun, 06 Nov 1994 99999999999999:49:37 GMT",
        "Fri, 31 Dec 9999 23:59:59 -2359",
        "999999",
    ],
)
def test_an_absurd_date_or_wait_of_a_header_neither_breaks_the_reader_nor_holds_it_for_years(
    header: str,
) -> None:
    read_date(header)
    assert blocked_until(NOON, 1, read_retry_after(header, NOON)) <= NOON + timedelta(days=1)


# Questions


def test_lists_are_asked_for_by_context_page_and_whole_seconds() -> None:
    scan = Scan(
        layer="delta", listing="orders", started=NOON, since=NOON + timedelta(milliseconds=900), page=3
    )
    assert question(ListRequest(scan)) == Question(
        "documents.json",
        {"page": "3", "pageLimit": "200", "contextId": "11", "modifiedSince": str(int(NOON.timestamp()))},
    )


def test_the_log_is_asked_without_a_context() -> None:
    scan = Scan(layer="log", listing="log", started=NOON, since=NOON)
    assert question(ListRequest(scan)).parameters == {
        "page": "1",
        "pageLimit": "200",
        "deletedSince": str(int(NOON.timestamp())),
    }


def test_a_status_is_asked_for_by_its_id_and_a_detail_by_its_own() -> None:
    scan = Scan(layer="open", listing="invoices", started=NOON, status="9")
    asked = question(ListRequest(scan)).parameters
    assert (asked["field"], asked["exact"], asked["s"], asked["contextId"]) == ("status_id", "true", "9", "5")
    assert question(DetailRequest("a-b", "hint")) == Question("documents/a-b.json", {})
    assert question(DetailRequest("../x?y=1#z", "hint")).path == "documents/..%2Fx%3Fy%3D1%23z.json"


async def test_an_odd_id_stays_one_part_of_the_path() -> None:
    seen = []

    async def handler(request: web.Request) -> web.Response:
        seen.append(request.raw_path)
        return web.Response(status=404)

    await asked(handler, question(DetailRequest("../x?y", "hint")).path)
    assert seen == ["/api/2.0/documents/..%2Fx%3Fy.json"]
