"""The endpoints under `/_fake/`: look inside, act, move the clock, script faults. No authentication."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response

from . import seeding
from .access import PERMISSIONS
from .acts import Refused
from .api import by_hand
from .hints import Endpoint
from .limits import Limiter
from .shop import Shop
from .shopkeeper import Shopkeeper
from .switches import switches
from .truth import Change
from .world import DEFAULT_SHOP, World

Handler = Callable[[World, dict[str, Any]], Any]
_ENCODER = msgspec.json.Encoder(decimal_format="string")


def _answer(value: Any, status: int = 200) -> Response:
    return Response(_ENCODER.encode(value), status, media_type="application/json")


async def handle(world: World, request: Request) -> Response:
    """Serve `/_fake/{name}`: GET takes the query, POST and DELETE a JSON object."""
    name = request.path_params["name"]
    handler = _HANDLERS.get((request.method, name))
    if handler is None:
        return _answer({"error": f"no such endpoint: {request.method} /_fake/{name}"}, 404)
    body = await request.body()
    try:
        given = msgspec.json.decode(body) if body else dict(request.query_params)
        return _answer(handler(world, given))
    except Refused as error:
        return _answer({"error": str(error), "errors": error.errors}, 400)
    except (LookupError, TypeError, ValueError, msgspec.DecodeError) as error:
        return _answer({"error": f"{type(error).__name__}: {error}"}, 400)


def _shop(world: World, given: dict[str, Any]) -> Shop:
    name = given.pop("shop", DEFAULT_SHOP)
    if name not in world.shops:
        raise LookupError(f"no shop {name!r}: there are {', '.join(world.shops)}")
    return world.shops[name]


def _act(world: World, given: dict[str, Any]) -> Any:
    return {"result": by_hand(_shop(world, given), given)}


def _keep(world: World, given: dict[str, Any]) -> Any:
    """Act `steps` times; a shopkeeper goes on where that of the same seed and settings stopped."""
    shop, steps = _shop(world, given), int(given.pop("steps", 1))
    name = f"{shop.name} {msgspec.json.encode(given).decode()}"
    keeper = world.keepers.get(name)
    if not isinstance(keeper, Shopkeeper) or keeper.shop is not shop:
        keeper = world.keepers[name] = Shopkeeper(shop, **given)
    return [_change(change) for change in keeper.run(steps)]


def _fill(world: World, given: dict[str, Any]) -> Any:
    return seeding.fill(_shop(world, given), **given)


def _change(change: Change) -> dict[str, Any]:
    return {**asdict(change), "is_event": change.is_event}


def _truth(world: World, given: dict[str, Any]) -> Any:
    shop = _shop(world, given)
    with shop.lock:
        return shop.truth.as_dict()


def _history(world: World, given: dict[str, Any]) -> Any:
    shop = _shop(world, given)
    return [_change(change) for change in shop.truth.changes(int(given.get("since", 0)))]


def _shown(shop: Shop) -> dict[str, Any]:
    return {"name": shop.name, "key": shop.key, "switches": shop.switches.as_dict()}


def _add_shop(world: World, given: dict[str, Any]) -> Any:
    wanted = switches(given.get("switches") or {})
    return _shown(world.add_shop(given["name"], wanted, given.get("seed")))


def _remove_shop(world: World, given: dict[str, Any]) -> Any:
    del world.shops[given["name"]]
    return {}


def _user(world: World, given: dict[str, Any]) -> Any:
    shop = _shop(world, given)
    user = shop.owner
    if "permissions" in given:
        if unknown := set(given["permissions"]) - set(PERMISSIONS):
            raise ValueError(f"permission {min(unknown)!r} is unknown: use one of {', '.join(PERMISSIONS)}")
        user.permissions = set(given["permissions"])
    user.assigned_only = bool(given.get("assigned_only", user.assigned_only))
    if key := given.get("new_key"):
        shop.new_key(None if key is True else str(key))
    return {"id": user.id, "key": user.key, "permissions": sorted(user.permissions)}


def _limits(world: World, given: dict[str, Any]) -> Any:
    world.limiter = Limiter(world.clock.seconds)
    world.limiter.minute, world.limiter.burst = given.get("minute"), given.get("burst")
    return {"minute": world.limiter.minute, "burst": world.limiter.burst}


def _add_webhook(world: World, given: dict[str, Any]) -> Any:
    hints = _shop(world, given).hints
    endpoint = Endpoint(given["url"], given.get("secret", "secret"), len(hints.deliveries) + 1)
    hints.endpoints.append(endpoint)
    return asdict(endpoint)


def _webhooks(world: World, given: dict[str, Any]) -> Any:
    hints = _shop(world, given).hints
    sent = [{**asdict(held), "body": held.body.decode()} for held in hints.deliveries]
    return {"endpoints": [asdict(held) for held in hints.endpoints], "deliveries": sent}


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


def _rule(rule: Any) -> dict[str, Any]:
    return {name: getattr(rule, name) for name in rule.__slots__ if not name.startswith("_")}


def _add_fault(world: World, given: dict[str, Any]) -> Any:
    for name in ("seconds", "probability", "fraction"):
        if name in given:
            given[name] = float(given[name])
    return _rule(world.faults.add(**given))


def _clear_faults(world: World, given: dict[str, Any]) -> Any:
    world.faults.clear(int(given["fault_id"]) if "fault_id" in given else None)
    return {}


_HANDLERS: dict[tuple[str, str], Handler] = {
    ("GET", "health"): lambda world, given: {"status": "ok"},
    ("POST", "act"): _act,
    ("POST", "keep"): _keep,
    ("POST", "fill"): _fill,
    ("GET", "truth"): _truth,
    ("GET", "history"): _history,
    ("GET", "shops"): lambda world, given: [_shown(shop) for shop in world.shops.values()],
    ("POST", "shops"): _add_shop,
    ("DELETE", "shops"): _remove_shop,
    ("POST", "user"): _user,
    ("POST", "limits"): _limits,
    ("GET", "webhooks"): _webhooks,
    ("POST", "webhooks"): _add_webhook,
    ("GET", "counters"): lambda world, given: world.counters(),
    ("DELETE", "counters"): _reset_counters,
    ("GET", "calls"): lambda world, given: world.call_log(int(given.get("since", 0))),
    ("POST", "reset"): _reset,
    ("GET", "clock"): _clock,
    ("POST", "clock"): _move_clock,
    ("GET", "faults"): lambda world, given: [_rule(rule) for rule in world.faults.rules],
    ("POST", "faults"): _add_fault,
    ("DELETE", "faults"): _clear_faults,
}
