"""The fake as these tests call it: without a socket, on a clock that stands still, without limits."""

import base64
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from sandbox.fake_salesbinder import Shop, World, api
from sandbox.fake_salesbinder.switches import switches

NOW = datetime(2026, 3, 2, 9, 0, tzinfo=UTC)
NO_LIMIT = 10**9


@dataclass(frozen=True)
class Reply:
    """What the fake answered."""

    status: int
    body: bytes
    headers: dict[str, str]

    @property
    def json(self) -> Any:
        return json.loads(self.body)


class Caller:
    """One shop called acme under these switches, and calls to it with its key."""

    def __init__(self, **given: str) -> None:
        self.world = World(now=NOW)
        self.world.limiter.minute = self.world.limiter.burst = NO_LIMIT
        self.shop: Shop = self.world.add_shop("acme", switches(given))

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        key: str | None = None,
        prefix: str = "acme/",
        headers: dict[str, str] | None = None,
        address: str = "127.0.0.1",
        **query: Any,
    ) -> Reply:
        """Call v2 (`path` such as `customers.json`) with the shop's key or another."""
        token = base64.b64encode(f"{self.shop.key if key is None else key}:x".encode()).decode()
        sent = {"authorization": f"Basic {token}"} if headers is None else headers
        asked = "&".join(f"{name}={value}" for name, value in query.items())
        content = b"" if body is None else json.dumps(body, default=str).encode()
        request = api.Request(method, f"/{prefix}api/2.0/{path}", asked, sent, content, address)
        done = api.answer(self.world, request)
        return Reply(done.status, done.body, done.headers)

    def get(self, path: str, **query: Any) -> Reply:
        """GET."""
        return self.call("GET", path, **query)

    def rows(self, path: str, **query: Any) -> list[Any]:
        """Return the rows of a list, in the nested shape."""
        body = self.get(path, **query).json
        found = next(value for name, value in body.items() if name not in ("count", "page", "pages"))
        return [row for part in found for row in part]

    def detail(self, document_id: str) -> Any:
        """Return a document's detail."""
        return self.get(f"documents/{document_id}.json").json["document"]

    def account(self, party_id: str) -> Any:
        """Return an account's detail."""
        return self.get(f"customers/{party_id}.json").json["customer"]

    def v3(self, path: str, **query: Any) -> Reply:
        """GET of v3 with the shop's key."""
        asked = "&".join(f"{name}={value}" for name, value in query.items())
        sent = {"authorization": f"Bearer sb_live_{self.shop.key}"}
        done = api.answer(self.world, api.Request("GET", f"/acme/api/v3/{path}", asked, sent))
        return Reply(done.status, done.body, done.headers)
