"""The change feed of version 3: its answers are distrusted, and never needed."""

import json
from datetime import timedelta
from typing import Any

import pytest

from sandbox.fake_salesbinder import FakeSalesBinderServer, acts
from sources.client import Client, NoAnswer, UnsafeAddress
from sources.feed import Changes, FeedTrouble, SyncFeed, feed_address
from sources.salesbinder.verdicts import Answer
from sources.schedule.questions import Question

ONE, TWO = "14691a1c-589c-4e50-b8f8-948f9991d1f1", "a3f1f7c0-11f0-4f7c-8f34-0f4a3f5e7a11"


class Stub:
    """A client with one answer."""

    def __init__(self, status: int, body: Any = None, retry_after: timedelta | None = None) -> None:
        text = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.answer = Answer(status, text, None, retry_after)
        self.asked: list[dict[str, str]] = []

    async def ask(self, question: Question) -> Answer:
        self.asked.append({**question.parameters})
        return self.answer


async def told(stub: Stub, cursor: str | None = "c1") -> Changes:
    return await SyncFeed(stub).changes(cursor)  # type: ignore[arg-type]


def page(*changes: Any, more: Any = False, cursor: Any = "c2") -> dict[str, Any]:
    return {"object": "sync_page", "changes": list(changes), "has_more": more, "next_cursor": cursor}


async def test_it_begins_now_and_goes_on_with_the_cursor_alone() -> None:
    start = Stub(200, {"object": "sync_start", "cursor": "c1", "retention_days": 90})
    assert await told(start, None) == Changes((), "c1", False)
    assert start.asked == [{"start": "now", "resources": "invoice,purchase_order"}]
    going = Stub(200, page({"resource": "invoice", "id": ONE.upper(), "operation": "upsert"}, more=True))
    assert await told(going) == Changes((ONE,), "c2", True)
    assert going.asked == [{"cursor": "c1", "limit": "100"}]


async def test_rows_that_are_odd_are_left_out() -> None:
    odd: list[Any] = [
        None,
        7,
        [],
        {},
        {"id": None},
        {"id": 1},
        {"id": "../x"},
        {"id": ONE},
        {"id": ONE},
        {"id": TWO},
    ]
    assert (await told(Stub(200, page(*odd, more="yes")))) == Changes((ONE, TWO), "c2", False)


@pytest.mark.parametrize("status", [400, 409])
async def test_a_cursor_that_is_refused_loses_nothing(status: int) -> None:
    assert await told(Stub(status, {"error": "rebuild_required"})) == Changes((), None, True)
    with pytest.raises(FeedTrouble, match=str(status)):
        await told(Stub(status, {}), None)


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (401, {}, "refuses the key"),
        (403, {}, "refuses the key"),
        (302, {}, "302"),
        (404, {}, "404"),
        (500, {}, "500"),
        (200, b"<html>", "cannot be read"),
        (200, [], "cursor"),
        (200, {"changes": []}, "cursor"),
        (200, page(cursor=""), "cursor"),
        (200, page(cursor=7), "cursor"),
        (200, page(cursor="x" * 20_000), "cursor"),
        (200, page(cursor="a\0b"), "cursor"),
        (200, page() | {"changes": {"0": {}}}, "changes"),
    ],
)
async def test_answers_of_no_use_are_trouble(status: int, body: Any, said: str) -> None:
    with pytest.raises(FeedTrouble, match=said):
        await told(Stub(status, body))


async def test_no_answer_and_a_block_are_trouble_for_a_while() -> None:
    with pytest.raises(FeedTrouble) as raised:
        await told(Stub(429, {}, timedelta(seconds=40)))
    assert raised.value.wait == timedelta(seconds=40)

    class Silent:
        async def ask(self, question: Question) -> Answer:
            raise NoAnswer("too_slow", question.path, "no whole answer within 30 s")

    with pytest.raises(FeedTrouble, match="no whole answer"):
        await SyncFeed(Silent()).changes("c1")  # type: ignore[arg-type]


def test_it_lies_beside_version_2() -> None:
    assert feed_address("acme") == "https://acme.salesbinder.com/api/v3"
    assert feed_address("acme", "http://localhost:8/{account}/api/2.0/") == "http://localhost:8/acme/api/v3"
    with pytest.raises(UnsafeAddress, match="does not end with"):
        feed_address("acme", "https://proxy.example/{account}")
    with pytest.raises(UnsafeAddress, match="https"):
        feed_address("acme", "http://elsewhere.example/api/2.0")


async def test_the_fake_tells_what_changed_since() -> None:
    with FakeSalesBinderServer(seed=3) as server:
        shop = server.world.add_shop("acme")
        customer = acts.create_party(shop, "customer", name="Widgets & Co")
        address = feed_address("acme", server.api_url)
        async with Client(address, f"sb_live_{shop.key}", is_bearer=True) as client:
            feed = SyncFeed(client)
            begun = await feed.changes(None)
            invoices = [
                acts.create_document(shop, "invoice", customer, [{"name": "A", "price": 1}])
                for _ in range(101)
            ]
            first = await feed.changes(begun.cursor)
            rest = await feed.changes(first.cursor)
            assert (len(first.ids), first.is_more, rest.is_more) == (100, True, False)
            assert [*first.ids, *rest.ids] == invoices
            assert (await feed.changes(rest.cursor)).ids == ()
            server.world.clock.advance(91 * 86_400)
            assert (await feed.changes(begun.cursor)).cursor is None
        async with Client(address, "sb_live_wrong", is_bearer=True) as client:
            with pytest.raises(FeedTrouble, match="refuses the key"):
                await SyncFeed(client).changes(None)
