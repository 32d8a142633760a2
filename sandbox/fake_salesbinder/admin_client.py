"""A small synchronous client for the `/_fake/` endpoints."""

import json
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

_TIMEOUT = 60.0  # seconds


class FakeAdminError(Exception):
    """The fake refused; the text says why."""


class FakeSalesBinderAdmin:
    """Looks into a running fake and steers it. `url` is its address; without a `shop`, `demo` is meant."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")

    def _call(self, method: str, name: str, body: Any = None, **query: Any) -> Any:
        address = f"{self.url}/_fake/{name}" + (f"?{urlencode(query)}" if query else "")
        data = None if body is None else json.dumps(body, default=str).encode()
        request = Request(address, data, {"Content-Type": "application/json"}, method=method)
        try:
            with urlopen(request, timeout=_TIMEOUT) as answer:
                return json.load(answer)
        except HTTPError as error:
            raise FakeAdminError(f"{method} /_fake/{name}: {error.read().decode()}") from error

    def act(self, act: str, *, shop: str = "demo", **arguments: Any) -> Any:
        """Carry out an act of the shop by name (see acts/); returns what it returns, such as the new id."""
        return self._call("POST", "act", {"shop": shop, "act": act, **arguments})["result"]

    def keep(self, steps: int = 1, *, shop: str = "demo", seed: int = 0, **settings: Any) -> list[Any]:
        """Let the shopkeeper act `steps` times (see shopkeeper.py for settings); returns the changes."""
        given = {"shop": shop, "steps": steps, "seed": seed, **settings}
        found: list[Any] = self._call("POST", "keep", given)
        return found

    def fill(self, *, shop: str = "demo", customers: int, invoices: int, **settings: Any) -> Any:
        """Fill a shop with history: see seeding.py."""
        given = {"shop": shop, "customers": customers, "invoices": invoices, **settings}
        return self._call("POST", "fill", given)

    def truth(self, shop: str = "demo") -> dict[str, Any]:
        """Return what the shop truly holds, amounts as strings."""
        found: dict[str, Any] = self._call("GET", "truth", shop=shop)
        return found

    def history(self, shop: str = "demo", since: int = 0) -> list[dict[str, Any]]:
        """Return what truly happened after change number `since`."""
        found: list[dict[str, Any]] = self._call("GET", "history", shop=shop, since=since)
        return found

    def add_shop(self, name: str, *, seed: int = 0, **switches: str) -> dict[str, Any]:
        """Add a shop, or begin it again empty, with these switches; returns its name, key and switches."""
        found: dict[str, Any] = self._call(
            "POST", "shops", {"name": name, "seed": seed, "switches": switches}
        )
        return found

    def remove_shop(self, name: str) -> None:
        """Take a shop away: an account that is gone."""
        self._call("DELETE", "shops", {"name": name})

    def shops(self) -> list[dict[str, Any]]:
        """Return name, key and switches of each shop."""
        found: list[dict[str, Any]] = self._call("GET", "shops")
        return found

    def user(self, shop: str = "demo", **settings: Any) -> dict[str, Any]:
        """Change the shop's user: `permissions` (a list), `assigned_only`, `new_key` (True or a key)."""
        found: dict[str, Any] = self._call("POST", "user", {"shop": shop, **settings})
        return found

    def limits(self, *, minute: int | None = None, burst: int | None = None) -> None:
        """Set other limits than the switch's; without any, the switch's again. Ends all blocks."""
        self._call("POST", "limits", {"minute": minute, "burst": burst})

    def webhook(self, url: str, *, shop: str = "demo", secret: str = "secret") -> None:
        """Send the shop's webhooks to this address from now on."""
        self._call("POST", "webhooks", {"shop": shop, "url": url, "secret": secret})

    def webhooks(self, shop: str = "demo") -> dict[str, Any]:
        """Return the endpoints and all deliveries, sent or not."""
        found: dict[str, Any] = self._call("GET", "webhooks", shop=shop)
        return found

    def counters(self) -> Any:
        """Return calls by endpoint, status and shop."""
        return self._call("GET", "counters")

    def reset_counters(self) -> None:
        """Empty the call log and the counters."""
        self._call("DELETE", "counters")

    def calls(self, since: int = 0) -> list[dict[str, Any]]:
        """Return the call log after call number `since`."""
        found: list[dict[str, Any]] = self._call("GET", "calls", since=since)
        return found

    def reset(self) -> None:
        """Go back to one empty shop; also resets faults and limits."""
        self._call("POST", "reset")

    def clock(self) -> Any:
        """Return `now` (ISO), `seconds` since the start, `rate`."""
        return self._call("GET", "clock")

    def advance(self, seconds: float) -> None:
        """Move the clock ahead."""
        self._call("POST", "clock", {"advance": seconds})

    def set_clock(self, *, rate: float | None = None, now: str | None = None) -> None:
        """Run at `rate` fake seconds a second, or jump to an ISO moment."""
        given = {"rate": rate, "now": now}
        self._call("POST", "clock", {name: value for name, value in given.items() if value is not None})

    def fault(self, kind: str, **settings: Any) -> int:
        """Add a fault rule (see faults.py); returns its id."""
        return int(self._call("POST", "faults", {"kind": kind, **settings})["fault_id"])

    def faults(self) -> list[dict[str, Any]]:
        """Return the rules in force, with their hits."""
        found: list[dict[str, Any]] = self._call("GET", "faults")
        return found

    def clear_faults(self, fault_id: int | None = None) -> None:
        """Take away one rule, or all."""
        self._call("DELETE", "faults", {} if fault_id is None else {"fault_id": fault_id})
