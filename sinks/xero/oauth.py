"""Tokens from Xero's identity server: for client credentials, for a browser's code, for a refresh token.

Sources: developer.xero.com, "custom connections": grant ``client_credentials``, HTTP Basic, tokens of 30
minutes, no refresh token. "The PKCE flow" and "the standard authorization code flow": an app without a secret
names itself in the body; a refresh token lasts 60 days and is replaced at every use, the one before works for
30 more minutes, in case the answer was lost.
"""

import base64
import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from urllib.parse import urlencode

import msgspec

from contracts.reasons import ReasonCode
from runtime.invalid import InvalidEnvironment
from runtime.secrets import mask_head
from sinks.xero.call_guard import NotSent, machine_seconds
from sinks.xero.client import Answer, NoAnswer, Request, XeroClient

SCOPES = "accounting.invoices accounting.payments accounting.contacts accounting.settings"
BROWSER_SCOPES = f"{SCOPES} offline_access"
"""With ``offline_access`` a refresh token comes along."""
_TIMEOUT = 20.0
_INVALID_GRANT = "invalid_grant"
_MOST_QUOTED = 2_000
"""Characters of the server's own words."""


class TokenRefused(Exception):
    """The identity server does not give a token for these credentials: a person must reconnect."""


class TokenUnavailable(Exception):
    """The identity server could not be asked: worth another try. ``why`` says who is in trouble."""

    def __init__(self, message: str, why: ReasonCode = "xero_unavailable") -> None:
        self.why: ReasonCode = why
        super().__init__(message)


@dataclass(frozen=True, slots=True)
class Token:
    """A bearer token and how many seconds it is good for."""

    access_token: str = field(repr=False)
    expires_in: float
    refresh_token: str | None = field(default=None, repr=False)
    """The token with which the next one is fetched; None with client credentials."""


class _TokenAnswer(msgspec.Struct):
    access_token: str
    expires_in: float = 1800.0
    refresh_token: str | None = None


class _TokenError(msgspec.Struct):
    error: str = ""
    error_description: str = ""


def mint_token(token_url: str, client_id: str, client_secret: str) -> Token:
    """Return a token for client credentials.

    Raises:
        TokenRefused: wrong client id, secret or scope; quotes the server.
        TokenUnavailable: no response, or one that is not about the credentials.
    """
    return _ask(token_url, {"grant_type": "client_credentials", "scope": SCOPES}, client_id, client_secret)


def question(url: str, client_id: str, redirect_uri: str, state: str, verifier: str) -> str:
    """Return the address at which somebody agrees in the browser (RFC 6749 section 4.1, RFC 7636).

    ``state`` comes back with the answer, ``verifier`` is kept for ``exchange_code``.
    """
    challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
    query = {
        "response_type": "code",
        "client_id": client_id,
        "redirect_uri": redirect_uri,
        "scope": BROWSER_SCOPES,
        "state": state,
        "code_challenge": challenge,
        "code_challenge_method": "S256",
    }
    return f"{url}?{urlencode(query)}"


def exchange_code(
    token_url: str, client_id: str, client_secret: str | None, code: str, redirect_uri: str, verifier: str
) -> Token:
    """Return the first tokens of a connection that somebody has just allowed in the browser.

    ``redirect_uri`` is the one of the request, ``verifier`` the text from which its ``code_challenge`` was
    made.

    Raises:
        TokenRefused: wrong client id or secret, or the code is older than five minutes.
        TokenUnavailable: no response, or one that is not about the code.
    """
    grant = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": redirect_uri,
        "code_verifier": verifier,
    }
    return _ask(token_url, grant, client_id, client_secret)


def refresh_token(token_url: str, client_id: str, client_secret: str | None, refresh: str) -> Token:
    """Return new tokens for a refresh token, which the response replaces.

    Raises:
        TokenRefused: it has expired, was taken away, or was replaced more than 30 minutes ago.
        TokenUnavailable: no answer; the same refresh token works for 30 more minutes.
    """
    grant = {"grant_type": "refresh_token", "refresh_token": refresh}
    return _ask(token_url, grant, client_id, client_secret)


def _ask(token_url: str, grant: Mapping[str, str], client_id: str, client_secret: str | None) -> Token:
    named = {**grant, "client_id": client_id}
    hidden = [grant[name] for name in ("code", "code_verifier", "refresh_token") if name in grant]
    if client_secret is None:
        return _read(_post(token_url, named, {}), token_url, hidden)
    basic = base64.b64encode(f"{client_id}:{client_secret}".encode()).decode()
    answer = _post(token_url, grant, {"Authorization": f"Basic {basic}"})
    if answer.status in (400, 401) and _error(answer).error != _INVALID_GRANT:
        # Xero's guide sends the credentials as HTTP Basic, its SDK in the body; a server may know only one.
        answer = _post(token_url, {**named, "client_secret": client_secret}, {})
    return _read(answer, token_url, [client_secret, basic, *hidden])


def _post(token_url: str, form: Mapping[str, str], headers: Mapping[str, str]) -> Answer:
    try:
        client = XeroClient(token_url, "", _TIMEOUT)
    except InvalidEnvironment as error:
        raise TokenUnavailable(str(error), "proxy_refuses") from error
    try:
        return client.call(
            Request("POST", "", {}, urlencode(form).encode(), None),
            "",
            machine_seconds() + _TIMEOUT,
            headers={**headers, "Content-Type": "application/x-www-form-urlencoded"},
        )
    except (NotSent, NoAnswer) as error:
        why = error.why if isinstance(error, NotSent) else "xero_unavailable"
        said = f"Xero's identity server at {token_url} cannot be reached: {error}"
        raise TokenUnavailable(said, why) from error
    finally:
        client.close()


def _read(answer: Answer, token_url: str, secrets: Iterable[str]) -> Token:
    if answer.status == 200:
        try:
            token = msgspec.json.decode(answer.body, type=_TokenAnswer)
        except msgspec.DecodeError as error:
            raise TokenUnavailable(f"the answer of {token_url} is not a token: {error}") from error
        return Token(token.access_token, token.expires_in, token.refresh_token)
    if answer.status in (400, 401, 403):
        told = _error(answer)
        said = f"{told.error} {told.error_description}".strip() or f"HTTP {answer.status}"
        raise TokenRefused(mask_head(said, _MOST_QUOTED, secrets))
    raise TokenUnavailable(f"Xero's identity server answered {answer.status}")


def _error(answer: Answer) -> _TokenError:
    try:
        return msgspec.json.decode(answer.body, type=_TokenError)
    except msgspec.DecodeError:
        return _TokenError()
