"""Apps, their connections to organisations, and the tokens they hold."""

import secrets
from base64 import urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256

from .books.ledger import new_id

ACCESS_SECONDS = 1800.0
REFRESH_SECONDS = 60 * 86_400.0
GRACE_SECONDS = 1800.0  # an exchanged refresh token still works that long, in case the answer was lost
CODE_SECONDS = 300.0


class InvalidClient(Exception):
    """Wrong client id or secret."""


class InvalidGrant(Exception):
    """A code or refresh token that is unknown, expired or used up."""


@dataclass(slots=True)
class App:
    """A Xero app. `unlimited` ones know neither limits nor faults; those without a secret do PKCE only."""

    client_id: str
    client_secret: str
    unlimited: bool = False
    connections: dict[str, str] = field(default_factory=dict)  # tenant id -> connection id


@dataclass(slots=True)
class Grant:
    """The grant behind a code or refresh token."""

    client_id: str
    expires: float
    scope: str
    used_at: float | None = None
    redirect_uri: str | None = None
    challenge: str | None = None  # PKCE, S256


@dataclass(frozen=True, slots=True)
class Issued:
    """The tokens of one answer."""

    access_token: str
    refresh_token: str | None
    expires_in: int
    scope: str


class TokenOffice:
    """Gives out tokens and says whose they are. `seconds` is the fake's clock."""

    def __init__(self, seconds: Callable[[], float]) -> None:
        self._seconds = seconds
        self.reset()

    def reset(self) -> None:
        """Forget all apps and tokens."""
        self.access_seconds = ACCESS_SECONDS
        self.issued = 0
        self.apps: dict[str, App] = {}
        self._access: dict[str, tuple[str, float]] = {}  # token -> client id, expiry
        self._refresh: dict[str, Grant] = {}
        self._codes: dict[str, Grant] = {}

    def add_app(self, app: App) -> None:
        """Register an app, in place of one with the same id."""
        self.apps[app.client_id] = app

    def connect(self, client_id: str, tenant_id: str) -> None:
        """Connect an app to an organisation. Raises KeyError for an unknown app."""
        self.apps[client_id].connections.setdefault(tenant_id, new_id())

    def disconnect(self, client_id: str, tenant_id: str) -> None:
        """Take a connection away, as a customer does in Xero."""
        self.apps[client_id].connections.pop(tenant_id, None)

    def authenticate_app(self, client_id: str, client_secret: str) -> App:
        """Return the app with these credentials. Raises InvalidClient."""
        app = self.apps.get(client_id)
        if app is None or not secrets.compare_digest(app.client_secret, client_secret):
            raise InvalidClient(client_id)
        return app

    def client_credentials(self, app: App, scope: str) -> Issued:
        """Return a token for a custom connection: no refresh token comes with it. Raises InvalidClient."""
        if not app.client_secret:
            raise InvalidClient("an app without a secret")
        return self._issue(app, scope, refreshable=False)

    def new_code(self, client_id: str, scope: str, redirect_uri: str, challenge: str | None = None) -> str:
        """Return an authorisation code, as if somebody had agreed in the browser. KeyError for an unknown
        app.
        """
        code = secrets.token_urlsafe(24)
        expires = self._seconds() + CODE_SECONDS
        app = self.apps[client_id]
        self._codes[code] = Grant(
            app.client_id, expires, scope, redirect_uri=redirect_uri, challenge=challenge
        )
        return code

    def exchange_code(self, app: App, code: str, redirect_uri: str, verifier: str = "") -> Issued:
        """Return tokens for a code, once. Raises InvalidGrant."""
        grant = self._codes.pop(code, None)
        if grant is None or grant.client_id != app.client_id or grant.expires <= self._seconds():
            raise InvalidGrant(code)
        if grant.redirect_uri != redirect_uri:
            raise InvalidGrant("redirect_uri differs from that of the authorisation")
        if grant.challenge is not None and grant.challenge != _s256(verifier):
            raise InvalidGrant("code_verifier does not belong to the code_challenge")
        return self._issue(app, grant.scope, refreshable="offline_access" in grant.scope)

    def refresh(self, app: App, token: str) -> Issued:
        """Return new tokens for a refresh token; the old one works for 30 more minutes. Raises
        InvalidGrant.
        """
        grant, now = self._refresh.get(token), self._seconds()
        if grant is None or grant.client_id != app.client_id or grant.expires <= now:
            raise InvalidGrant(token)
        if grant.used_at is not None and now >= grant.used_at + GRACE_SECONDS:
            raise InvalidGrant(token)
        grant.used_at = now if grant.used_at is None else grant.used_at
        return self._issue(app, grant.scope, refreshable=True)

    def revoke(self, token: str) -> None:
        """Revoke a refresh token and the connections of its app."""
        if grant := self._refresh.pop(token, None):
            self.apps[grant.client_id].connections.clear()
            self.expire_access(grant.client_id)

    def _issue(self, app: App, scope: str, refreshable: bool) -> Issued:
        self.issued += 1
        access = secrets.token_urlsafe(32)
        self._access[access] = (app.client_id, self._seconds() + self.access_seconds)
        refresh = secrets.token_urlsafe(32) if refreshable else None
        if refresh:
            self._refresh[refresh] = Grant(app.client_id, self._seconds() + REFRESH_SECONDS, scope)
        return Issued(access, refresh, int(self.access_seconds), scope)

    def owner(self, access_token: str) -> tuple[App | None, bool]:
        """Return the app that holds an access token, and whether the token has expired."""
        found = self._access.get(access_token)
        if found is None:
            return None, False
        return self.apps.get(found[0]), found[1] <= self._seconds()

    def expire_access(self, client_id: str | None = None) -> None:
        """Let access tokens (of one app, or all) expire now."""
        for token, (owner, _) in self._access.items():
            if client_id in {None, owner}:
                self._access[token] = (owner, self._seconds())


def _s256(verifier: str) -> str:
    """Return the challenge of a verifier (RFC 7636)."""
    return urlsafe_b64encode(sha256(verifier.encode()).digest()).rstrip(b"=").decode()
