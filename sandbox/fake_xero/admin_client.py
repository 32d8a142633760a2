"""A small synchronous client for the `/_fake/` endpoints."""

import json
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import Request, urlopen

_TIMEOUT = 120.0  # seconds


class FakeAdminError(Exception):
    """The fake refused; the text says why."""


class FakeXeroAdmin:
    """Looks into a running fake and steers it. `url` is its address, such as `http://127.0.0.1:8080`."""

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

    def state(self, tenant_id: str | None = None) -> Any:
        """Return the books of one organisation, or of all by tenant id. Amounts are strings."""
        return self._call("GET", "state", **({"tenant_id": tenant_id} if tenant_id else {}))

    def counters(self) -> Any:
        """Return calls by endpoint, status and organisation, elements, 429s by kind, replays."""
        return self._call("GET", "counters")

    def reset_counters(self) -> None:
        """Empty the call log and the counters."""
        self._call("DELETE", "counters")

    def calls(self, since: int = 0) -> list[dict[str, Any]]:
        """Return the call log after call number `since`."""
        found: list[dict[str, Any]] = self._call("GET", "calls", since=since)
        return found

    def invalid_bodies(self) -> list[dict[str, Any]]:
        """Return the bodies that strict mode has refused."""
        found: list[dict[str, Any]] = self._call("GET", "invalid-bodies")
        return found

    def forget_invalid_bodies(self) -> None:
        """Forget them, for tests that send invalid bodies on purpose."""
        self._call("DELETE", "invalid-bodies")

    def reset(self) -> None:
        """Go back to one empty organisation; also resets tokens, keys, faults and limits."""
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

    def add_tenant(self, name: str, **settings: Any) -> str:
        """Add an organisation (tenant_id, base_currency, currencies, client_ids); returns its tenant id."""
        return str(self._call("POST", "tenants", {"name": name, **settings})["tenant_id"])

    def add_client(self, client_id: str, client_secret: str, **settings: Any) -> None:
        """Add an app (tenant_ids: default all; unlimited)."""
        self._call("POST", "clients", {"client_id": client_id, "client_secret": client_secret, **settings})

    def connections(self, **settings: Any) -> Any:
        """Connect or disconnect (lists of tenant ids) an app (client_id)."""
        return self._call("POST", "connections", settings)

    def limits(self, **settings: Any) -> Any:
        """Set minute, day, concurrent, app_minute: for all, or for a tenant_id (and client_id)."""
        return self._call("POST", "limits", settings)

    def tokens(self, **settings: Any) -> Any:
        """Set the lifetime (seconds) of new access tokens, or expire=True the present ones."""
        return self._call("POST", "tokens", settings)

    def seed(self, tenant_id: str, **parts: Any) -> Any:
        """Put data into the books (see seed.py); returns the ids."""
        return self._call("POST", "seed", {"tenant_id": tenant_id, **parts})
