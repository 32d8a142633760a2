"""The endpoints under `/_fake/`: look inside, seed, move the clock, script faults. No authentication."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from . import dump, seed
from .books.errors import BadBody, Refused
from .limits import Limits
from .tokens import App
from .wire import decode, encode_exact
from .world import DEFAULT_CLIENT, World

Handler = Callable[[World, dict[str, Any]], Any]


def _answer(value: Any, status: int = 200) -> Response:
    return Response(encode_exact(value), status, media_type="application/json")


async def handle(world: World, request: Request) -> Response:
    """Serve `/_fake/{name}`: GET takes the query, POST and DELETE a JSON object."""
    name = request.path_params["name"]
    handler = _HANDLERS.get((request.method, name))
    if handler is None:
        return _answer({"error": f"no such endpoint: {request.method} /_fake/{name}"}, 404)
    body = await request.body()
    try:
        given = decode(body) if body else dict(request.query_params)
        return _answer(handler(world, given))
    except Refused as error:
        return _answer({"error": str(error), "messages": error.messages}, 400)
    except (BadBody, KeyError, TypeError, ValueError, msgspec.ValidationError) as error:
        return _answer({"error": f"{type(error).__name__}: {error}"}, 400)


def _state(world: World, given: dict[str, Any]) -> Any:
    if tenant_id := given.get("tenant_id"):
        return dump.books(world.books[tenant_id])
    return {tenant_id: dump.books(books) for tenant_id, books in world.books.items()}


def _calls(world: World, given: dict[str, Any]) -> Any:
    return world.call_log(int(given.get("since", 0)))


def _reset(world: World, given: dict[str, Any]) -> Any:
    world.reset()
    return {}


def _reset_counters(world: World, given: dict[str, Any]) -> Any:
    world.forget_calls()
    return {}


def _clock(world: World, given: dict[str, Any]) -> Any:
    clock = world.clock
    return {"now": clock.now().isoformat(), "seconds": clock.seconds(), "rate": clock.rate}


def _move_clock(world: World, given: dict[str, Any]) -> Any:
    if "rate" in given:
        world.clock.set_rate(float(given["rate"]))
    if "now" in given:
        world.clock.set_now(datetime.fromisoformat(given["now"]))
    if "advance" in given:
        world.clock.advance(float(given["advance"]))
    return _clock(world, {})


def _faults(world: World, given: dict[str, Any]) -> Any:
    return [_shown(rule) for rule in world.faults.rules]


def _shown(rule: Any) -> dict[str, Any]:
    names = [name for name in rule.__slots__ if not name.startswith("_")]
    return {name: getattr(rule, name) for name in names}


def _add_fault(world: World, given: dict[str, Any]) -> Any:
    for name in ("seconds", "probability"):
        if name in given:
            given[name] = float(given[name])
    return _shown(world.faults.add(**given))


def _clear_faults(world: World, given: dict[str, Any]) -> Any:
    world.faults.clear(int(given["fault_id"]) if "fault_id" in given else None)
    return {}


def _add_tenant(world: World, given: dict[str, Any]) -> Any:
    books = world.add_tenant(**given)
    tenant_id = next(key for key, value in world.books.items() if value is books)
    return {"tenant_id": tenant_id, "name": books.name}


def _add_client(world: World, given: dict[str, Any]) -> Any:
    app = App(given["client_id"], given["client_secret"], bool(given.get("unlimited", False)))
    world.tokens.add_app(app)
    for tenant_id in given.get("tenant_ids", list(world.books)):
        world.tokens.connect(app.client_id, tenant_id)
    return {"client_id": app.client_id, "connections": app.connections}


def _connections(world: World, given: dict[str, Any]) -> Any:
    client_id = given.get("client_id", DEFAULT_CLIENT)
    for tenant_id in given.get("connect", []):
        world.tokens.connect(client_id, tenant_id)
    for tenant_id in given.get("disconnect", []):
        world.tokens.disconnect(client_id, tenant_id)
    return world.tokens.apps[client_id].connections


def _limits(world: World, given: dict[str, Any]) -> Any:
    """Set limits; without tenant_id, for all apps and organisations."""
    tenant_id = given.pop("tenant_id", None)
    client_id = given.pop("client_id", DEFAULT_CLIENT)
    base = world.limiter.defaults if tenant_id is None else world.limiter.limits(client_id, tenant_id)
    limits = Limits(**{**asdict(base), **{name: int(value) for name, value in given.items()}})
    if tenant_id is None:
        world.limiter.defaults = limits
    else:
        world.limiter.special[client_id, tenant_id] = limits
    return asdict(limits)


def _tokens(world: World, given: dict[str, Any]) -> Any:
    if "lifetime" in given:
        world.tokens.access_seconds = float(given["lifetime"])
    if given.get("expire"):
        world.tokens.expire_access(given.get("client_id"))
    return {"issued": world.tokens.issued, "lifetime": world.tokens.access_seconds}


def _seed(world: World, given: dict[str, Any]) -> Any:
    return seed.fill(world.books[given.pop("tenant_id")], given)


def _forget_invalid_bodies(world: World, given: dict[str, Any]) -> Any:
    world.strict_bodies.clear()
    return {}


_HANDLERS: dict[tuple[str, str], Handler] = {
    ("GET", "health"): lambda world, given: {"status": "ok"},
    ("GET", "state"): _state,
    ("GET", "counters"): lambda world, given: world.counters(),
    ("DELETE", "counters"): _reset_counters,
    ("GET", "calls"): _calls,
    ("GET", "invalid-bodies"): lambda world, given: world.strict_bodies,
    ("DELETE", "invalid-bodies"): _forget_invalid_bodies,
    ("POST", "reset"): _reset,
    ("GET", "clock"): _clock,
    ("POST", "clock"): _move_clock,
    ("GET", "faults"): _faults,
    ("POST", "faults"): _add_fault,
    ("DELETE", "faults"): _clear_faults,
    ("POST", "tenants"): _add_tenant,
    ("POST", "clients"): _add_client,
    ("POST", "connections"): _connections,
    ("POST", "limits"): _limits,
    ("POST", "tokens"): _tokens,
    ("POST", "seed"): _seed,
}
