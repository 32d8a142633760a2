"""The API without its transport: one call in, one answer out. Tests may call it without any socket."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from email.utils import format_datetime
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from . import errors, mangle, reading, sync, writing
from .access import User
from .acts import ACTS, Refused
from .errors import ApiError
from .faults import Fault
from .shop import Shop
from .world import World

_JSON = "application/json; charset=UTF-8"
_V2, _V3 = "api/2.0/", "api/v3/"


@dataclass(frozen=True, slots=True)
class Request:
    """A call as it came. `path` without query; header names in lower case; `address` is the caller's."""

    method: str
    path: str
    query: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)
    body: bytes = b""
    address: str = "127.0.0.1"


@dataclass(slots=True)
class Answer:
    """What goes back, and the faults that the transport has to carry out."""

    status: int
    """0: the connection is dropped."""
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)


def answer(world: World, request: Request) -> Answer:
    """Serve a call of v2 or v3, with its line in the call log, its limits and its faults."""
    name, version, path = _split(request.path)
    found = _whose(world, request, name, version)
    shop = found[0] if found else world.shops.get(name or "")
    call = world.begin_call(
        request.method, request.path.lstrip("/"), request.query, shop.name if shop else None
    )
    target = f"{path}?{request.query}" if request.query else path
    call_faults = world.faults.pick(request.method, target, shop.name if shop else None)
    call.faults = [fault.kind for fault in call_faults]
    asked = shop or next(iter(world.shops.values()))
    try:
        if shop is None and name is not None:
            raise ApiError(404)
        with asked.lock:
            done = _served(world, request, version, path, found, asked, call_faults)
    except ApiError as error:
        kind, body = errors.body(error.status, str(error), request.path.lstrip("/"), asked.switches)
        done = Answer(error.status, body, {"Content-Type": kind, **error.headers})
    if any(fault.kind == "drop_after" for fault in call_faults):
        done = Answer(0, b"")
    done.faults = call_faults
    done.headers = {"Date": _date(world, call_faults), **done.headers}
    call.status = done.status or None
    world.end_call(call)
    return done


def _served(
    world: World,
    request: Request,
    version: str,
    path: str,
    found: tuple[Shop, User] | None,
    shop: Shop,
    faults: list[Fault],
) -> Answer:
    if any(fault.kind == "drop_before" for fault in faults):
        return Answer(0, b"")
    _before(world, faults, shop, request)
    if found is None:
        _refuse_key(shop)
    else:
        _count(world, request, shop, found[1], version)
    user = found[1] if found else shop.owner
    query = dict(parse_qsl(request.query, keep_blank_values=True))
    if version == _V3:
        return _encoded(sync.page(shop, path, query), [], None)
    if request.method == "GET":
        if any(fault.kind == "other_record" for fault in faults):
            path = reading.another(shop, path)
        mixed = any(fault.kind == "other_context" for fault in faults)
        foreign = reading.foreign_row(shop, path, query) if mixed else None
        return _encoded(reading.get(shop, user, path, query), faults, foreign)
    try:
        return _encoded(writing.write(shop, user, request.method, path, request.body), [], None)
    except Refused as error:
        return Answer(
            422, msgspec.json.encode({"message": {"errors": error.errors}}), {"Content-Type": _JSON}
        )
    except LookupError as error:
        raise ApiError(404) from error


def _before(world: World, faults: list[Fault], shop: Shop, request: Request) -> None:
    """Carry out the faults that answer in place of the API, and those that change the shop first."""
    for fault in faults:
        if fault.kind == "by_hand":
            by_hand(shop, msgspec.json.decode(fault.value))
        elif fault.kind == "status":
            raise ApiError(fault.status or 500)
        elif fault.kind == "not_found":
            raise ApiError(404)
        elif fault.kind == "redirect":
            raise ApiError(302, headers={"Location": fault.value or "https://elsewhere.example/login"})
        elif fault.kind == "rate_limit":
            world.limiter.block(_counted_by(shop, request), shop.switches, fault.seconds or None)


def by_hand(shop: Shop, wanted: dict[str, Any]) -> Any:
    """Carry out an act given as JSON: `act`, and its arguments by name. ValueError on an unknown one."""
    given = dict(wanted)
    name = given.pop("act", None)
    if name not in ACTS:
        raise ValueError(f"act {name!r} is unknown: use one of {', '.join(sorted(ACTS))}")
    return ACTS[name](shop, **given)


def _refuse_key(shop: Shop) -> None:
    if shop.switches.wrong_key == "302":
        raise ApiError(302, headers={"Location": f"https://{shop.name}.salesbinder.com/users/login"})
    raise ApiError(int(shop.switches.wrong_key))


def _count(world: World, request: Request, shop: Shop, user: User, version: str) -> None:
    if user.lost_access:
        raise ApiError(403)
    if version == _V3:
        return  # v3's allowance is another one (reference §8)
    blocked = world.limiter.enter(_counted_by(shop, request), shop.switches)
    if blocked is None:
        return
    if blocked.lost:
        user.lost_access = True
    seconds = str(max(1, -int(-blocked.seconds // 1)))
    raise ApiError(429, headers={"Retry-After": seconds} if shop.switches.retry_after == "seconds" else {})


def _counted_by(shop: Shop, request: Request) -> str:
    if shop.switches.limited_by == "account":
        return shop.name
    return request.address if shop.switches.limited_by == "address" else f"{shop.name} {_key(request)}"


def _encoded(body: dict[str, Any], faults: list[Fault], foreign_row: Any) -> Answer:
    shown = mangle.structure(body, faults, foreign_row)
    headers = {"Content-Type": _JSON, "X-Powered-By": "PHP/7.4", "Cache-Control": "no-store"}
    encoded = mangle.octets(msgspec.json.encode(shown), faults)
    if page := next((fault for fault in faults if fault.kind == "html"), None):
        status = page.status or 200
        return Answer(status, errors.page(status, "One moment, please"), {"Content-Type": "text/html"})
    return Answer(200, encoded, headers)


def _split(path: str) -> tuple[str | None, str, str]:
    """Return sub-domain (if the path begins with one), version (empty if unknown) and rest."""
    for version in (_V2, _V3):
        before, found, rest = path.lstrip("/").partition(version)
        if found:
            return before.strip("/") or None, version, rest
    return None, "", path.lstrip("/")


def _whose(world: World, request: Request, name: str | None, version: str) -> tuple[Shop, User] | None:
    key = _bearer(request) if version == _V3 else _key(request)
    return world.whose(key, name) if key else None


def _bearer(request: Request) -> str:
    before, found, key = request.headers.get("authorization", "").partition("Bearer sb_live_")
    return key if found and not before else ""


def _key(request: Request) -> str:
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        return ""
    try:
        return base64.b64decode(given, validate=True).decode().partition(":")[0]
    except (binascii.Error, UnicodeDecodeError):
        return ""


def _date(world: World, faults: list[Fault]) -> str:
    off = sum(fault.seconds for fault in faults if fault.kind == "clock_off")
    return format_datetime(world.clock.now() + timedelta(seconds=off), usegmt=True)
