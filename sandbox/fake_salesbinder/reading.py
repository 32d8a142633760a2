"""GET of v2: lists and details (reference §2, §3, §5)."""

from typing import Any

from . import listing, render
from .access import User, allowed
from .errors import ApiError
from .records import Document, Party
from .shop import LAG, Shop
from .store import Kind, Records


def get(shop: Shop, user: User, path: str, query: listing.Query) -> dict[str, Any]:
    """Return the body of `customers.json`, `documents/{id}.json` and so on. Raises ApiError."""
    resource, _, record_id = path.removesuffix(".json").partition("/")
    if not path.endswith(".json"):
        raise ApiError(404)
    if resource == "customers":
        if not record_id:
            return listing.customers(shop, user, query)
        return {"customer": render.party(shop, _visible(shop, user, _party(shop, record_id)))}
    if resource == "documents":
        if not record_id:
            return listing.documents(shop, user, query)
        return {"document": render.document(shop, _visible(shop, user, _document(shop, record_id)))}
    if resource == "deleted_log" and not record_id:
        return listing.deleted_log(shop, query)
    raise ApiError(404)


def another(shop: Shop, path: str) -> str:
    """Return the path of another record's detail, where there is one."""
    resource, slash, record_id = path.removesuffix(".json").partition("/")
    held: Records[Any] = shop.store.documents if resource == "documents" else shop.store.parties
    others = (record.id for record in held.all() if slash and record.id != record_id)
    return f"{resource}/{other}.json" if (other := next(others, None)) else path


def foreign_row(shop: Shop, path: str, query: listing.Query) -> Any:
    """Return a row of a context that a list was not asked for, or None."""
    wanted = query.get("contextId")
    if path == "documents.json":
        documents = (held for held in shop.store.documents.all() if str(held.context_id) != wanted)
        return next((render.document_row(shop, held) for held in documents), None)
    parties = (held for held in shop.store.parties.all() if str(held.context_id) != wanted)
    return next((render.party(shop, held, row=True) for held in parties), None)


def _party(shop: Shop, record_id: str) -> Party | None:
    return shop.store.parties.get(record_id, _lag(shop))


def _document(shop: Shop, record_id: str) -> Document | None:
    return shop.store.documents.get(record_id, _lag(shop))


def _lag(shop: Shop) -> float:
    return LAG if shop.switches.detail_lag == "seconds" else 0.0


def _visible(shop: Shop, user: User, held: Kind | None) -> Kind:
    if held is None or not listing.sees(shop, user, held):
        raise ApiError(404)
    if held.archived and shop.switches.archived_detail == "404":
        raise ApiError(404)
    if not allowed(user, held.context_id, shop.switches):
        missing = shop.switches.missing_permission
        raise ApiError(404 if missing == "empty" else int(missing))
    return held
