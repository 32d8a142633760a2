"""What the clients of both fakes' `/_fake/` endpoints have in common: calls, their log, the clock, faults."""

import json
from typing import Any, ClassVar
from urllib.error import HTTPError
from urllib.parse import urlencode
from urllib.request import ProxyHandler, Request, build_opener

_PAST_PROXIES = build_opener(ProxyHandler({}))
"""A fake is on this machine."""


class FakeAdminError(Exception):
    """The fake refused; the text says why."""


class FakeAdmin:
    """Looks into a running fake and steers it. `url` is its address, such as `http://127.0.0.1:8080`."""

    _timeout: ClassVar[float] = 120.0
    """Seconds."""

    def __init__(self, url: str) -> None:
        self.url = url.rstrip("/")

    def _call(self, method: str, name: str, body: Any = None, **query: Any) -> Any:
        address = f"{self.url}/_fake/{name}" + (f"?{urlencode(query)}" if query else "")
        data = None if body is None else json.dumps(body, default=str).encode()
        request = Request(address, data, {"Content-Type": "application/json"}, method=method)
        try:
            with _PAST_PROXIES.open(request, timeout=self._timeout) as answer:
                return json.load(answer)
        except HTTPError as error:
            raise FakeAdminError(f"{method} /_fake/{name}: {error.read().decode()}") from error

    def reset_counters(self) -> None:
        """Empty the call log and the counters."""
        self._call("DELETE", "counters")

    def calls(self, since: int = 0) -> list[dict[str, Any]]:
        """Return the call log after call number `since`."""
        found: list[dict[str, Any]] = self._call("GET", "calls", since=since)
        return found

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
