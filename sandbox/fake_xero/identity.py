"""The identity service and `/connections`: tokens, the browser's consent, the list of organisations."""

from base64 import b64decode
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from .tokens import App, InvalidClient, InvalidGrant, Issued
from .wire import encode
from .world import World

_DEFAULT_SCOPE = "accounting.invoices accounting.payments accounting.contacts accounting.settings"


def _json(value: Any, status: int = 200) -> Response:
    return Response(encode(value), status, media_type="application/json")


def _refusal(error: str) -> Response:
    return _json({"error": error}, 400)


def _credentials(form: Mapping[str, str], authorization: str) -> tuple[str, str]:
    """Return client id and secret from the form or a Basic header."""
    if authorization.lower().startswith("basic "):
        try:
            user, _, password = b64decode(authorization[6:]).decode().partition(":")
        except ValueError as error:
            raise InvalidClient("unreadable Basic header") from error
        return user, password
    return form.get("client_id", ""), form.get("client_secret", "")


def token(world: World, form: Mapping[str, str], authorization: str) -> Response:
    """POST /connect/token."""
    try:
        app = world.tokens.authenticate_app(*_credentials(form, authorization))
        return _token_answer(_grant(world, app, form))
    except InvalidClient:
        return _refusal("invalid_client")
    except InvalidGrant:
        return _refusal("invalid_grant")
    except NotImplementedError:
        return _refusal("unsupported_grant_type")


def _grant(world: World, app: App, form: Mapping[str, str]) -> Issued:
    grant = form.get("grant_type")
    if grant == "client_credentials":
        return world.tokens.client_credentials(app, form.get("scope") or _DEFAULT_SCOPE)
    if grant == "refresh_token":
        return world.tokens.refresh(app, form.get("refresh_token", ""))
    if grant == "authorization_code":
        given = (form.get(name, "") for name in ("code", "redirect_uri", "code_verifier"))
        return world.tokens.exchange_code(app, *given)
    raise NotImplementedError(grant)


def _token_answer(issued: Issued) -> Response:
    body: dict[str, Any] = {
        "access_token": issued.access_token,
        "expires_in": issued.expires_in,
        "token_type": "Bearer",
        "scope": issued.scope,
    }
    if issued.refresh_token:
        body["refresh_token"] = issued.refresh_token
    return _json(body)


def authorize(world: World, request: Request) -> Response:
    """GET …/connect/authorize: somebody agrees at once and comes back with a code."""
    query = request.query_params
    redirect_uri = query.get("redirect_uri", "")
    app = world.tokens.apps.get(query.get("client_id", ""))
    challenge = query.get("code_challenge")
    if app is None or query.get("response_type") != "code" or not redirect_uri:
        return _refusal("invalid_request")
    if challenge is None and not app.client_secret:
        return _refusal("invalid_request")
    if challenge is not None and query.get("code_challenge_method") != "S256":
        return _refusal("invalid_request")
    code = world.tokens.new_code(app.client_id, query.get("scope", _DEFAULT_SCOPE), redirect_uri, challenge)
    answer = {"code": code, "scope": query.get("scope", "")}
    if "state" in query:
        answer["state"] = query["state"]
    return RedirectResponse(f"{redirect_uri}{'&' if '?' in redirect_uri else '?'}{urlencode(answer)}", 302)


def revoke(world: World, form: Mapping[str, str], authorization: str) -> Response:
    """POST /connect/revocation."""
    try:
        world.tokens.authenticate_app(*_credentials(form, authorization))
    except InvalidClient:
        return _refusal("invalid_client")
    world.tokens.revoke(form.get("token", ""))
    return Response(status_code=200)


def connections(world: World, app: App) -> Response:
    """GET /connections: the organisations that the token's app may work on."""
    now = world.clock.now().isoformat()
    return _json([
        {
            "id": connection_id,
            "authEventId": connection_id,
            "tenantId": tenant_id,
            "tenantType": "ORGANISATION",
            "tenantName": world.books[tenant_id].name,
            "createdDateUtc": now,
            "updatedDateUtc": now,
        }
        for tenant_id, connection_id in app.connections.items()
        if tenant_id in world.books
    ])  # fmt: skip


def form_of(body: bytes) -> dict[str, str]:
    """Return the fields of a form-encoded body."""
    return {name: values[-1] for name, values in parse_qs(body.decode("latin-1")).items()}
