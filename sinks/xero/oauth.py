"""Access tokens by client credentials (a Custom Connection): one POST to the identity server.

Source: developer.xero.com, "custom connections": grant ``client_credentials``, HTTP Basic, tokens of 30
minutes, no refresh token.
"""

import base64
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from urllib.parse import urlencode

import msgspec

from connections.secrets import mask
from sinks.xero.client import Answer, NoAnswer, NotSent, Request, XeroClient, machine_seconds

SCOPES = "accounting.invoices accounting.payments accounting.contacts accounting.settings"
_TIMEOUT = 20.0


class TokenRefused(Exception):
    """The identity server does not give a token for these credentials: a person must reconnect."""


class TokenUnavailable(Exception):
    """The identity server could not be asked: worth another try."""


@dataclass(frozen=True, slots=True)
class Token:
    """A bearer token and how many seconds it is good for."""

    access_token: str
    expires_in: float


class _TokenAnswer(msgspec.Struct):
    access_token: str
    expires_in: float = 1800.0


class _TokenError(msgspec.Struct):
    error: str = ""
    error_description: str = ""


def mint_token(token_url: str, client_id: str, client_secret: str) -> Token:
    """Ask for a token.

    Raises:
        TokenRefused: wrong client id, secret or scope; names what the server said.
        TokenUnavailable: no answer, or one that is not about the credentials.
    """
    grant = {"grant_type": "client_credentials", "scope": SCOPES}
    basic = base64.b64encode(f"{client_id}:{client_secret}".encode()).decode()
    answer = _post(token_url, grant, {"Authorization": f"Basic {basic}"})
    if answer.status in (400, 401):
        # Xero's guide sends the credentials as HTTP Basic, its SDK in the body; a server may know only one.
        answer = _post(token_url, {**grant, "client_id": client_id, "client_secret": client_secret}, {})
    return _read(answer, token_url, (client_secret, basic))


def _post(token_url: str, form: Mapping[str, str], headers: Mapping[str, str]) -> Answer:
    client = XeroClient(token_url, "", _TIMEOUT)
    try:
        return client.call(
            Request("POST", "", {}, urlencode(form).encode(), None),
            "",
            machine_seconds() + _TIMEOUT,
            headers={**headers, "Content-Type": "application/x-www-form-urlencoded"},
        )
    except (NotSent, NoAnswer) as error:
        raise TokenUnavailable(f"Xero's identity server at {token_url} cannot be reached: {error}") from error
    finally:
        client.close()


def _read(answer: Answer, token_url: str, secrets: Iterable[str]) -> Token:
    if answer.status == 200:
        try:
            token = msgspec.json.decode(answer.body, type=_TokenAnswer)
        except msgspec.DecodeError as error:
            raise TokenUnavailable(f"the answer of {token_url} is not a token: {error}") from error
        return Token(token.access_token, token.expires_in)
    if answer.status in (400, 401, 403):
        raise TokenRefused(mask(_why(answer), secrets))
    raise TokenUnavailable(f"Xero's identity server answered {answer.status}")


def _why(answer: Answer) -> str:
    try:
        error = msgspec.json.decode(answer.body, type=_TokenError)
    except msgspec.DecodeError:
        return f"HTTP {answer.status}"
    return f"{error.error} {error.error_description}".strip() or f"HTTP {answer.status}"
