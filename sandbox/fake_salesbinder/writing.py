"""POST, PUT and DELETE of v2 (salesbinder.md §1.3): what other programs of the shop do through the API."""

from typing import Any

import msgspec

from . import acts, render
from .access import User
from .acts import OTHERS, Refused
from .errors import ApiError
from .records import CONTEXTS, INVOICE
from .shop import Shop
from .statuses import CANCELLED

Json = dict[str, Any]
_ROOTS = {"customers": "customer", "documents": "document", "transactions": "transaction"}


def write(shop: Shop, user: User, method: str, path: str, body: bytes) -> Json:
    """Carry out a write and return its answer. Raises ApiError, Refused (422) and LookupError (404)."""
    if "Modify" not in user.permissions:
        raise ApiError(403)
    resource, _, record_id = path.removesuffix(".json").partition("/")
    root = _ROOTS.get(resource)
    if root is None or not path.endswith(".json"):
        raise ApiError(404)
    if method == "DELETE" and record_id:
        return _delete(shop, resource, record_id)
    given = _root(body, root)
    if resource == "transactions" and method == "POST":
        return _pay(shop, given)
    if method == "POST" and not record_id:
        record_id = _create_party(shop, given) if resource == "customers" else _create_document(shop, given)
    elif method == "PUT" and record_id:
        if resource == "customers":
            acts.edit_party(shop, record_id, **given)
        else:
            _edit_document(shop, record_id, given)
    else:
        raise ApiError(405)
    if resource == "customers":
        return {"message": "Saved", "customer": render.party(shop, shop.party(record_id))}
    return {"message": "Saved", "document": render.document(shop, shop.document(record_id))}


def _root(body: bytes, root: str) -> Json:
    try:
        given = msgspec.json.decode(body)[root]
    except (msgspec.DecodeError, KeyError, TypeError):
        raise Refused(root, "_required", "This field is required") from None
    if not isinstance(given, dict):
        raise Refused(root, "_required", "This field is required")
    return given


def _delete(shop: Shop, resource: str, record_id: str) -> Json:
    if resource == "transactions":
        raise ApiError(404)
    (acts.delete_party if resource == "customers" else acts.delete_document)(shop, record_id)
    return {"message": "Deleted"}


def _pay(shop: Shop, given: Json) -> Json:
    document_id = str(given.get("document_id", ""))
    row_id = acts.pay(
        shop,
        document_id,
        given.get("amount", ""),
        reference=given.get("reference"),
        paid_on=given.get("transaction_date"),
    )
    row = next(row for row in shop.document(document_id).transactions if row.id == row_id)
    return {"message": "Saved", "transaction": render.transaction(shop, document_id, row)}


def _create_party(shop: Shop, given: Json) -> str:
    kind = CONTEXTS.get(_whole(given.get("context_id", 0)), "")
    return acts.create_party(shop, kind, **_without(given, "context_id"))


def _create_document(shop: Shop, given: Json) -> str:
    return acts.create_document(
        shop,
        CONTEXTS.get(_whole(given.get("context_id", 0)), ""),
        str(given.get("customer_id", "")),
        given.get("document_items") or [],
        name=given.get("name"),
        issue_date=given.get("issue_date"),
        others={name: given[name] for name in OTHERS if name in given},
    )


def _edit_document(shop: Shop, record_id: str, given: Json) -> None:
    document = shop.document(record_id)
    if _whole(given.get("status_id", 0)) == CANCELLED and document.context_id == INVOICE:
        acts.cancel_document(shop, record_id)
        return
    fields: Json = {name: given[name] for name in ("name", "issue_date") if name in given}
    if "customer_id" in given:
        fields["party_id"] = str(given["customer_id"])
    if "document_items" in given:
        fields["lines"] = _merged(document.standing_lines, given["document_items"])
    others = {name: given[name] for name in OTHERS if name in given}
    acts.edit_document(shop, record_id, others=others, **fields)


def _merged(held: Any, given: list[Json]) -> list[Json]:
    """Return all lines that are to stand: unlisted ones stay, `delete: 1` takes one out, others are added."""
    listed = {str(line["id"]): line for line in given if line.get("id")}
    kept = [listed.get(line.id, acts.as_input(line)) for line in held]
    added = [line for line in given if not line.get("id")]
    return [line for line in (*kept, *added) if not line.get("delete")]


def _whole(given: Any) -> int:
    return int(given) if str(given).isdigit() else 0


def _without(given: Json, *names: str) -> Json:
    return {name: value for name, value in given.items() if name not in (*names, "id", "kind")}
