"""Which organisation credentials are for (``GET /connections``), found out before anything is stored."""

from dataclasses import dataclass

import msgspec
from urllib3.exceptions import HTTPError
from urllib3.util import Timeout

from contracts.nul import without_nul
from runtime.invalid import InvalidEnvironment
from runtime.outgoing.pools import in_words, pool_manager
from sinks.xero.oauth import Token, TokenRefused, TokenUnavailable, mint_token

_TIMEOUT = Timeout(total=20.0)
_NO_SUCH_PAGE = (404, 405)


@dataclass(frozen=True)
class Tenant:
    """One organisation that the credentials may work in."""

    tenant_id: str
    name: str


class CredentialsUnusable(Exception):
    """Credentials that cannot be used. ``problem`` says why, ``remedy`` what to do."""

    def __init__(self, problem: str, remedy: str) -> None:
        self.problem = problem
        self.remedy = remedy
        super().__init__(problem)


class TenantUnclear(CredentialsUnusable):
    """The organisation cannot be determined without its id."""

    def __init__(self, problem: str) -> None:
        super().__init__(problem, "name the organisation by its id")


class _Listed(msgspec.Struct, rename="camel"):
    tenant_id: str
    tenant_name: str | None = None
    tenant_type: str = "ORGANISATION"


def verify(
    token_url: str, connections_url: str, client_id: str, client_secret: str, tenant_id: str | None
) -> Tenant:
    """Return the organisation that these client credentials are for; ``tenant_id`` names the one that is
    meant.

    Raises:
        CredentialsUnusable: Xero refuses them, cannot be asked, or they are for other organisations.
        TenantUnclear: they are for several, and none was named.
    """
    return tenant_of(connections_url, token_for(token_url, client_id, client_secret), tenant_id)


def token_for(token_url: str, client_id: str, client_secret: str) -> Token:
    """Return a token for these client credentials.

    Raises:
        CredentialsUnusable: Xero refuses them, or cannot be asked.
    """
    try:
        return mint_token(token_url, client_id, client_secret)
    except TokenRefused as error:
        raise CredentialsUnusable(
            f"Xero refuses the credentials of client {client_id}: {error}",
            "copy them again from Xero's developer portal; the app must be a custom connection",
        ) from error
    except TokenUnavailable as error:
        raise CredentialsUnusable(str(error), "try again, or correct SBX_XERO_IDENTITY_URL") from error


def tenant_of(connections_url: str, token: Token, tenant_id: str | None) -> Tenant:
    """Return the organisation that a token is for; ``tenant_id`` names the one that is meant.

    Raises:
        CredentialsUnusable: it is for other organisations, or Xero cannot be asked.
        TenantUnclear: it is for several, and none was named.
    """
    listed = _connections(connections_url, token.access_token)
    if listed is None and tenant_id is None:
        raise TenantUnclear("Xero lists no organisations here")
    if listed is None:
        return Tenant(str(tenant_id), "")
    return _chosen(listed, tenant_id)


def _chosen(listed: list[Tenant], tenant_id: str | None) -> Tenant:
    shown = ", ".join(f"{one.tenant_id} ({one.name})" for one in listed)
    if not listed:
        raise CredentialsUnusable(
            "the credentials are right, but no organisation is connected to the app",
            "choose the organisation in Xero, for a custom connection in the developer portal; connect again",
        )
    if tenant_id is None:
        if len(listed) > 1:
            raise TenantUnclear(f"the app is connected to several organisations: {shown}")
        return listed[0]
    for one in listed:
        if one.tenant_id.lower() == tenant_id.strip().lower():
            return one
    raise CredentialsUnusable(f"the app is not connected to {tenant_id}", f"it is connected to: {shown}")


def _connections(url: str, token: str) -> list[Tenant] | None:
    """Return the organisations of the token; an empty list if there is no such page."""
    headers = {"Authorization": f"Bearer {token}", "Accept": "application/json"}
    try:
        with pool_manager(url, timeout=_TIMEOUT) as http:
            answer = http.request("GET", url, headers=headers)
            if answer.status in _NO_SUCH_PAGE:
                # Xero's guide and its SDK spell the path differently; a stand-in may know only one of them.
                answer = http.request("GET", url.replace("/connections", "/Connections"), headers=headers)
            if answer.status in _NO_SUCH_PAGE:
                return None
            if answer.status != 200:
                raise CredentialsUnusable(
                    f"Xero answered {answer.status} to GET {url}", "try again in a minute"
                )
            listed = msgspec.json.decode(answer.data, type=list[_Listed])
    except InvalidEnvironment as error:
        raise CredentialsUnusable(f"{error.variable} {error.problem}", error.remedy) from error
    except HTTPError as error:
        raise CredentialsUnusable(
            f"Xero at {url} cannot be reached: {in_words(error, url)}", "try again in a minute"
        ) from error
    except msgspec.DecodeError as error:
        raise CredentialsUnusable(
            f"the answer of {url} is no list of organisations: {error}", "check SBX_XERO_API_URL"
        ) from error
    return [
        Tenant(one.tenant_id, without_nul(one.tenant_name or ""))
        for one in listed
        if one.tenant_type != "PRACTICE"
    ]
