"""A small synchronous client for the `/_fake/` endpoints."""

from typing import Any

from sandbox.admin_client import FakeAdmin


class FakeSalesBinderAdmin(FakeAdmin):
    """Looks into a running fake and steers it. `url` is its address; without a `shop`, `demo` is meant."""

    _timeout = 60.0

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

    def reset(self) -> None:
        """Go back to one empty shop; also resets faults and limits."""
        self._call("POST", "reset")
