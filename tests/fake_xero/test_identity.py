"""Facts about tokens and connections (reference §5)."""

from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

import pytest
from xero_python.exceptions import HTTPStatusException

from .client import Xero, parse


def token(xero: Xero, **form: str) -> Any:
    form = {"client_id": "demo-client", "client_secret": "demo-secret", **form}
    return xero.http.request(
        "POST", f"{xero.server.identity_url}/connect/token", fields=form, encode_multipart=False
    )


def code(xero: Xero, **query: str) -> str:
    query = {
        "response_type": "code",
        "client_id": "demo-client",
        "redirect_uri": "http://127.0.0.1:1/back",
        "scope": "offline_access accounting.invoices",
        "state": "s1",
        **query,
    }
    url = f"{xero.server.identity_url}/identity/connect/authorize?{urlencode(query)}"
    answer = xero.http.request("GET", url, redirect=False)
    back = parse_qs(urlsplit(answer.headers["Location"]).query)
    assert (answer.status, back["state"]) == (302, ["s1"])
    return str(back["code"][0])


def test_client_credentials_give_a_thirty_minute_token_without_refresh_token(xero: Xero) -> None:
    body = parse(token(xero, grant_type="client_credentials").data)
    assert (body["expires_in"], body["token_type"], "refresh_token" in body) == (1800, "Bearer", False)


@pytest.mark.parametrize("wrong", [{"client_id": "x"}, {"client_secret": "x"}])
def test_a_wrong_client_is_invalid_client(xero: Xero, wrong: dict[str, str]) -> None:
    answer = token(xero, grant_type="client_credentials", **wrong)
    assert (answer.status, parse(answer.data)) == (400, {"error": "invalid_client"})


def test_tokens_end_after_thirty_minutes(xero: Xero) -> None:
    xero.admin.set_clock(rate=0)
    xero.client.get_client_credentials_token()
    xero.admin.advance(1799)
    assert xero.raw("GET", "Currencies").status == 200
    xero.admin.advance(2)
    answer = xero.raw("GET", "Currencies")
    assert (answer.status, parse(answer.data)["Title"]) == (401, "Unauthorized")


def test_the_lifetime_of_tokens_can_be_set(xero: Xero) -> None:
    xero.admin.tokens(lifetime=5)
    assert parse(token(xero, grant_type="client_credentials").data)["expires_in"] == 5


def test_a_call_without_a_known_token_is_401(xero: Xero) -> None:
    assert xero.raw("GET", "Currencies", Authorization="Bearer nonsense").status == 401


def test_a_tenant_that_the_token_is_not_connected_to_is_403(xero: Xero) -> None:
    other = xero.admin.add_tenant("Other", client_ids=[])
    answer = xero.raw("GET", "Currencies", xero_tenant_id=other)
    assert answer.status == 403
    body = parse(answer.data)
    assert (body["Title"], body["Detail"]) == ("Forbidden", "AuthenticationUnsuccessful")
    with pytest.raises(HTTPStatusException) as caught:
        xero.api.get_currencies(other)
    assert caught.value.status == 403


def test_a_custom_connection_needs_no_tenant_id(xero: Xero) -> None:
    assert xero.api.get_organisations("").organisations[0].name == "Demo Company"


def test_connections_list_the_tenants(xero: Xero) -> None:
    other = xero.admin.add_tenant("Other")
    found = {part.tenant_id: part.tenant_name for part in xero.identity.get_connections()}
    assert found == {xero.tenant_id: "Demo Company", other: "Other"}


def test_a_connection_taken_away_ends_access(xero: Xero) -> None:
    xero.identity.delete_connection(xero.identity.get_connections()[0].id)
    assert xero.raw("GET", "Currencies").status == 403


def test_the_code_flow_gives_a_refresh_token_that_rotates_with_a_grace(xero: Xero) -> None:
    redirect_uri = "http://127.0.0.1:1/back"
    given = {"grant_type": "authorization_code", "code": code(xero), "redirect_uri": redirect_uri}
    first = parse(token(xero, **given).data)
    assert parse(token(xero, **given).data) == {"error": "invalid_grant"}  # a code works once
    refresh = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    second = parse(token(xero, **refresh).data)
    assert second["refresh_token"] != first["refresh_token"]
    xero.admin.advance(1700)
    assert token(xero, **refresh).status == 200
    xero.admin.advance(200)
    assert parse(token(xero, **refresh).data) == {"error": "invalid_grant"}


def test_a_refresh_token_lasts_sixty_days(xero: Xero) -> None:
    given = {"grant_type": "authorization_code", "redirect_uri": "http://127.0.0.1:1/back"}
    first = parse(token(xero, code=code(xero), **given).data)
    xero.admin.advance(61 * 86_400)
    refresh = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"]}
    assert parse(token(xero, **refresh).data) == {"error": "invalid_grant"}


def test_a_code_lives_five_minutes(xero: Xero) -> None:
    given = {
        "grant_type": "authorization_code",
        "redirect_uri": "http://127.0.0.1:1/back",
        "code": code(xero),
    }
    xero.admin.advance(301)
    assert parse(token(xero, **given).data) == {"error": "invalid_grant"}


def test_an_app_without_a_secret_must_prove_that_it_asked(xero: Xero) -> None:
    xero.admin.add_client("public", "")
    query = {"response_type": "code", "client_id": "public", "redirect_uri": "http://127.0.0.1:1/back"}
    url = f"{xero.server.identity_url}/identity/connect/authorize?{urlencode(query)}"
    assert xero.http.request("GET", url, redirect=False).status == 400
    # The pair of RFC 7636, appendix B.
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    asked = {"client_id": "public", "code_challenge": challenge, "code_challenge_method": "S256"}
    public = {"client_id": "public", "client_secret": ""}
    given = {"grant_type": "authorization_code", "redirect_uri": "http://127.0.0.1:1/back", **public}
    wrong = token(xero, **given, code=code(xero, **asked), code_verifier=verifier[::-1])
    assert parse(wrong.data) == {"error": "invalid_grant"}
    first = parse(token(xero, **given, code=code(xero, **asked), code_verifier=verifier).data)
    refresh = {"grant_type": "refresh_token", "refresh_token": first["refresh_token"], **public}
    assert token(xero, **refresh).status == 200
    credentials = token(xero, grant_type="client_credentials", **public)
    assert parse(credentials.data) == {"error": "invalid_client"}
