"""The HTTP side of the API: authentication, limits, idempotency and faults around `accounting.answer`."""

import asyncio
import random
from collections.abc import AsyncIterator
from hashlib import sha256
from typing import Any

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse

from sandbox.serving import drop

from . import history, identity
from .accounting import ApiRequest, answer
from .faults import Fault
from .idempotency import MAX_LENGTH, KeyReused, fingerprint
from .limits import Exceeded
from .strict import StrictBodies
from .tokens import App
from .wire import api_exception, decode, encode, problem
from .world import Call, StoredAnswer, World

Faults = dict[str, Fault]
_JSON = "application/json; charset=utf-8"
_TEXT = "text/plain; charset=utf-8"
_PIECES = 20


class Api:
    """Serves `/api.xro/2.0/…`, `/connections` and the identity service of one world."""

    def __init__(self, world: World, strict: StrictBodies | None = None) -> None:
        self.world = world
        self.strict = strict
        self._late: set[asyncio.Task[None]] = set()

    async def accounting(self, request: Request) -> Response:
        """Return a call of the accounting API."""
        body = await request.body()
        path = request.path_params["path"]
        app, tenant_id, refusal = self._authenticate(request)
        call = self._log(request, path, app, tenant_id, body)
        if app is None or tenant_id is None or refusal is not None:
            return self._finish(call, refusal or _unauthorised("AuthenticationUnsuccessful"))
        faults = {} if app.unlimited else self.world.faults.pick(request.method, path, app.client_id)
        call.faults = list(faults)
        if late := faults.get("late_apply"):
            self._apply_late(request, path, body, app, tenant_id, late.seconds)
            if late.status is None:
                return self._drop(request, call)
            return self._finish(call, _response(_stored(late.status, None)))
        exceeded = None if app.unlimited else self.world.limiter.enter(app.client_id, tenant_id)
        if exceeded is not None:
            return self._finish(call, self._limited(app, tenant_id, exceeded, call))
        try:
            response = await self._serve(request, call, path, body, app, tenant_id, faults)
        except BaseException:
            self._leave(app, tenant_id)
            raise
        if slow := faults.get("trickle"):
            return self._trickle(response, slow, app, tenant_id)
        self._leave(app, tenant_id)
        return response

    def _leave(self, app: App, tenant_id: str) -> None:
        if not app.unlimited:
            self.world.limiter.leave(app.client_id, tenant_id)

    def _trickle(self, whole: Response, slow: Fault, app: App, tenant_id: str) -> Response:
        """Return the same answer in pieces; the call counts as in flight until the last one."""

        async def pieces() -> AsyncIterator[bytes]:
            body = bytes(whole.body)
            size = max(1, -(-len(body) // _PIECES))
            try:
                for start in range(0, len(body), size):
                    await slow.wait(slow.seconds / _PIECES)
                    yield body[start : start + size]
            finally:
                self._leave(app, tenant_id)

        return StreamingResponse(pieces(), whole.status_code, dict(whole.headers))

    async def _serve(
        self, request: Request, call: Call, path: str, body: bytes, app: App, tenant_id: str, faults: Faults
    ) -> Response:
        if slow := faults.get("latency"):
            await slow.wait()
        if "drop_before" in faults:
            return self._drop(request, call)
        if somebody := faults.get("by_hand"):
            self._change_by_hand(somebody.value, request, tenant_id)
        early = self._answer_before(app, tenant_id, faults, call)
        if early is None:
            stored = self._apply(request, path, body, app, tenant_id, call, faults)
        else:
            stored = early
        if slow := faults.get("latency_after"):
            await slow.wait()
        if "drop_after" in faults:
            return self._drop(request, call)
        response = _response(stored)
        response.headers.update(self._limit_headers(app, tenant_id))
        if call.rate_limit_problem:
            _limit_problem(response, call.rate_limit_problem, faults["rate_limit"].retry_after)
        return self._finish(call, response)

    def _change_by_hand(self, text: str, request: Request, tenant_id: str) -> None:
        wanted = decode(text.encode())
        asked = ApiRequest(wanted["method"], wanted["path"], {}, request.headers, encode(wanted["body"]))
        done = answer(self.world.books[tenant_id], asked)
        if done.status != 200:
            raise ValueError(f"by_hand: {text} was refused: {done.body}")

    def _answer_before(self, app: App, tenant_id: str, faults: Faults, call: Call) -> StoredAnswer | None:
        """Return the answer of a fault that keeps the call from being applied."""
        if "expired_token" in faults:
            return _stored(401, problem("Unauthorized", 401, "TokenExpired: token expired"))
        if "unavailable" in faults:
            return _stored(
                503, problem("Service Unavailable", 503, "The Xero API is temporarily unavailable")
            )
        if fault := faults.get("rate_limit"):
            call.rate_limit_problem = fault.problem
            return _stored(429, None)
        return None

    def _apply(
        self, request: Request, path: str, body: bytes, app: App, tenant_id: str, call: Call, faults: Faults
    ) -> StoredAnswer:
        """Return the stored answer of the Idempotency-Key, or a new one, in one step of the event loop."""
        key = request.headers.get("idempotency-key")
        if not key or request.method == "GET":
            return self._answer(request, path, body, tenant_id, faults, call)
        if len(key) > MAX_LENGTH:
            text = f"Idempotency Key must be at most {MAX_LENGTH} characters."
            return _stored(400, api_exception(0, "ValidationException", text))
        print_ = fingerprint(request.method, _as_sent(request), tenant_id, body)
        try:
            found = self.world.keys.look_up(app.client_id, key, print_)
        except KeyReused:
            text = f"Idempotency Key: {key} is used with a different request."
            return _stored(400, api_exception(0, "ValidationException", text))
        if found is not None:
            call.replayed, call.elements = True, found.elements
            return found
        fresh = self._answer(request, path, body, tenant_id, faults, call)
        self.world.keys.store(app.client_id, key, print_, fresh)
        return fresh

    def _answer(
        self, request: Request, path: str, body: bytes, tenant_id: str, faults: Faults, call: Call
    ) -> StoredAnswer:
        if fault := faults.get("error_before"):
            return _broken(fault.status or 500)
        if (fault := faults.get("stumble")) and fault.value.encode() in body:
            return _broken(500)
        if fault := faults.get("answer"):
            said = fault.value.replace("{authorization}", request.headers.get("authorization", ""))
            return StoredAnswer(fault.status or 400, _JSON, said.encode(), 0)
        if self.strict is not None and body:
            errors = self.strict.check(self.world, request.method, path, body)
            if errors:
                return _stored(400, api_exception(0, "StrictMode", "; ".join(errors)))
        query = {name.lower(): value for name, value in request.query_params.items()}
        summarise = "summarise" in faults or "unnamed" in faults
        user, details = self._whose(request, call)
        asked = ApiRequest(
            request.method, path, query, request.headers, body, user, details, force_summary=summarise
        )
        result = answer(self.world.books[tenant_id], asked)
        call.elements = result.elements
        if fault := faults.get("error_after"):
            return _broken(fault.status or 500)
        if fault := faults.get("not_json"):
            page = b"<html><body><h1>Bad Gateway</h1></body></html>"
            return StoredAnswer(fault.status or 200, "text/html", page, result.elements)
        if result.text is not None:
            return StoredAnswer(result.status, _TEXT, result.text.encode(), 0)
        _distort(result.body, result.plural, faults)
        return StoredAnswer(result.status, _JSON, encode(result.body), result.elements)

    def _whose(self, request: Request, call: Call) -> tuple[str, str]:
        """Return the user and the details that a call leaves in histories."""
        app = self.world.tokens.apps[call.client_id or ""]
        if app.unlimited:
            return request.headers.get("x-fake-user", history.BOOKKEEPER), ""
        return history.SYSTEM, f"Received through the Xero API from {app.client_id}"

    def _apply_late(
        self, request: Request, path: str, body: bytes, app: App, tenant_id: str, seconds: float
    ) -> None:
        """Let a request whose caller is gone arrive later."""

        async def arrive() -> None:
            await self.world.clock.sleep(seconds)
            call = self._log(request, path, app, tenant_id, body)
            call.faults = ["late_arrival"]
            if self.world.limiter.enter(app.client_id, tenant_id) is None:
                call.status = self._apply(request, path, body, app, tenant_id, call, {}).status
                self.world.limiter.leave(app.client_id, tenant_id)
            else:
                call.status = 429
            self.world.end_call(call)

        task = asyncio.get_running_loop().create_task(arrive())
        self._late.add(task)
        task.add_done_callback(self._late.discard)

    def _authenticate(self, request: Request) -> tuple[App | None, str | None, Response | None]:
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        app, expired = self.world.tokens.owner(token.strip()) if scheme.lower() == "bearer" else (None, False)
        if app is None:
            return None, None, _unauthorised("AuthenticationUnsuccessful")
        if expired:
            return app, None, _unauthorised("TokenExpired: token expired")
        tenant_id = request.headers.get("xero-tenant-id") or None
        if tenant_id is None and len(app.connections) == 1:  # a custom connection needs no tenant id
            tenant_id = next(iter(app.connections))
        if tenant_id is None or tenant_id not in app.connections or tenant_id not in self.world.books:
            return app, None, _stored_response(403, problem("Forbidden", 403, "AuthenticationUnsuccessful"))
        return app, tenant_id, None

    def _log(self, request: Request, path: str, app: App | None, tenant_id: str | None, body: bytes) -> Call:
        call = Call(
            number=0,
            at=round(self.world.clock.seconds(), 3),
            method=request.method,
            path=path,
            query=request.url.query,
            client_id=app.client_id if app else None,
            tenant_id=tenant_id,
            idempotency_key=request.headers.get("idempotency-key"),
            body_bytes=len(body),
            headers_digest=_digest(request),
        )
        return self.world.begin_call(call)

    def _limit_headers(self, app: App, tenant_id: str) -> dict[str, str]:
        return self.world.limiter.headers(app.client_id, tenant_id)

    def _limited(self, app: App, tenant_id: str, exceeded: Exceeded, call: Call) -> Response:
        call.rate_limit_problem = exceeded.problem
        response = Response(b"", 429, self._limit_headers(app, tenant_id))
        _limit_problem(response, exceeded.problem, exceeded.retry_after)
        return response

    def _finish(self, call: Call, response: Response) -> Response:
        call.status = response.status_code
        self.world.end_call(call)
        return response

    def _drop(self, request: Request, call: Call) -> Response:
        """Close the connection without an answer."""
        self.world.end_call(call)
        return drop(request)

    async def identity_token(self, request: Request) -> Response:
        """POST /connect/token, with those faults that make sense there."""
        body = await request.body()
        form = identity.form_of(body)
        call = self._log(request, "connect/token", None, None, body)
        call.client_id = form.get("client_id")
        app = self.world.tokens.apps.get(form.get("client_id", ""))
        spared = app is not None and app.unlimited
        faults = {} if spared else self.world.faults.pick("POST", "connect/token", form.get("client_id"))
        call.faults = list(faults)
        if slow := faults.get("latency"):
            await slow.wait()
        if "drop_before" in faults:
            return self._drop(request, call)
        if "unavailable" in faults or "error_before" in faults:
            return self._finish(call, _response(_broken(503 if "unavailable" in faults else 500)))
        response = identity.token(self.world, form, request.headers.get("authorization", ""))
        if "drop_after" in faults:
            return self._drop(request, call)
        return self._finish(call, response)

    async def identity_revoke(self, request: Request) -> Response:
        """POST /connect/revocation."""
        form = identity.form_of(await request.body())
        return identity.revoke(self.world, form, request.headers.get("authorization", ""))

    async def identity_authorize(self, request: Request) -> Response:
        """GET /identity/connect/authorize."""
        return identity.authorize(self.world, request)

    async def connections(self, request: Request) -> Response:
        """GET /connections, DELETE /connections/{id}."""
        scheme, _, token = request.headers.get("authorization", "").partition(" ")
        app, expired = self.world.tokens.owner(token.strip()) if scheme.lower() == "bearer" else (None, False)
        if app is None or expired:
            return _unauthorised("TokenExpired: token expired" if expired else "AuthenticationUnsuccessful")
        if request.method == "DELETE":
            wanted = request.path_params["connection_id"]
            app.connections = {tenant: id_ for tenant, id_ in app.connections.items() if id_ != wanted}
            return Response(status_code=204)
        return identity.connections(self.world, app)


def _as_sent(request: Request) -> bytes:
    """Return path and query, byte for byte: written differently, they are another request to Xero."""
    return bytes(request.scope["raw_path"]) + b"?" + bytes(request.scope["query_string"])


def _digest(request: Request) -> str:
    apart = (b"authorization", b"host", b"connection", b"content-length")
    told = sorted(pair for pair in request.headers.raw if pair[0].lower() not in apart)
    return sha256(repr(told).encode()).hexdigest()[:16]


def _stored(status: int, body: Any) -> StoredAnswer:
    return StoredAnswer(status, _JSON, b"" if body is None else encode(body), 0)


def _broken(status: int) -> StoredAnswer:
    return _stored(status, problem("An error occurred", status, "An error occurred in Xero."))


def _response(stored: StoredAnswer) -> Response:
    return Response(stored.body, stored.status, media_type=stored.content_type)


def _stored_response(status: int, body: Any) -> Response:
    return _response(_stored(status, body))


def _unauthorised(detail: str) -> Response:
    response = _stored_response(401, problem("Unauthorized", 401, detail))
    response.headers["WWW-Authenticate"] = 'Bearer error="invalid_token"'
    return response


def _limit_problem(response: Response, kind: str, retry_after: int | None) -> None:
    response.headers["X-Rate-Limit-Problem"] = kind
    if retry_after is not None:
        response.headers["Retry-After"] = str(retry_after)


def _distort(body: Any, plural: str, faults: Faults) -> None:
    elements = body.get(plural) if plural and isinstance(body, dict) else None
    if not elements:
        return
    if fault := faults.get("shuffle"):
        random.Random(fault.seed).shuffle(elements)
        if len(elements) > 1 and fault.seed == 0:
            elements.append(elements.pop(0))
    if "unnamed" in faults and plural == "Elements":
        elements[:] = [{"ValidationErrors": element["ValidationErrors"]} for element in elements]
    if fault := faults.get("unknown_enum"):
        elements[0][fault.name] = fault.value
