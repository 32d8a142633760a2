"""v3's change feed, `GET /api/v3/sync` (reference §9): ids of changed documents, nothing else."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from .errors import ApiError
from .shop import Shop

RETENTION_DAYS = 90
_RESOURCES = ("item", "invoice", "estimate", "purchase_order")


def page(shop: Shop, path: str, query: Mapping[str, str]) -> dict[str, Any]:
    """Return a start or a page of changes. 400 for a bad cursor or question, 409 for one that is too old."""
    if path != "sync":
        raise ApiError(404)
    limit = int(query.get("limit", "100")) if query.get("limit", "100").isdigit() else 0
    if not 1 <= limit <= 500 or sum(name in query for name in ("start", "since", "cursor")) != 1:
        raise ApiError(400)
    resources = query.get("resources", ",".join(_RESOURCES)).split(",")
    if not set(resources) <= set(_RESOURCES):
        raise ApiError(400)
    if query.get("start") == "now":
        cursor = f"c{len(shop.hints.feed)}"
        return {
            "object": "sync_start",
            "resources": resources,
            "retention_days": RETENTION_DAYS,
            "cursor": cursor,
        }
    after = (
        _after_cursor(shop, query["cursor"])
        if "cursor" in query
        else _after_moment(shop, query.get("since", ""))
    )
    later = [entry for entry in shop.hints.feed[after:] if entry.resource in resources]
    shown = later[:limit]
    last = shown[-1].number if shown else len(shop.hints.feed)
    changes = [
        {"resource": held.resource, "id": held.record_id, "operation": held.operation} for held in shown
    ]
    return {
        "object": "sync_page",
        "resources": resources,
        "changes": changes,
        "has_more": len(later) > limit,
        "next_cursor": f"c{last}",
    }


def _after_cursor(shop: Shop, cursor: str) -> int:
    number = cursor.removeprefix("c")
    if not (cursor.startswith("c") and number.isdigit() and int(number) <= len(shop.hints.feed)):
        raise ApiError(400)
    after = int(number)
    if after < len(shop.hints.feed) and _is_too_old(shop, shop.hints.feed[after].moment):
        raise ApiError(409, "rebuild_required")
    return after


def _after_moment(shop: Shop, since: str) -> int:
    try:
        moment = float(since) if since.isdigit() else datetime.fromisoformat(since).timestamp()
    except ValueError:
        raise ApiError(400) from None
    if moment > shop.clock.now().timestamp():
        raise ApiError(400)
    if _is_too_old(shop, moment):
        raise ApiError(409, "rebuild_required")
    return sum(entry.moment < moment for entry in shop.hints.feed)


def _is_too_old(shop: Shop, moment: float) -> bool:
    return shop.clock.now().timestamp() - moment > RETENTION_DAYS * 86_400
