"""A small synchronous client for the `/_fake/` endpoints."""

from typing import Any

from sandbox.admin_client import FakeAdmin


class FakeXeroAdmin(FakeAdmin):
    """Looks into a running fake and steers it. `url` is its address, such as `http://127.0.0.1:8080`."""

    def state(self, tenant_id: str | None = None) -> Any:
        """Return the books of one organisation, or of all by tenant id. Amounts are strings."""
        return self._call("GET", "state", **({"tenant_id": tenant_id} if tenant_id else {}))

    def counters(self) -> Any:
        """Return calls by endpoint, status and organisation, elements, 429s by kind, replays."""
        return self._call("GET", "counters")

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
