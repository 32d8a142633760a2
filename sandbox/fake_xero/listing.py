"""GET of a collection: filters, order and pages."""

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from .books.errors import BadQuery
from .books.ledger import Books, fold
from .books.reading import parse_day
from .query import Where, comparable, comparable_with_accents, sort
from .resources import Resource

_DEFAULT_PAGE = 100
_MAX_PAGE = 1000
_MAX_ROWS = 100_000
_TRUE = frozenset({"true", "1"})

# Xero's list parameter (names of parameters know no case) -> dotted name of the field it filters
_LISTS = {
    "invoicenumbers": "InvoiceNumber",
    "contactids": "Contact.ContactID",
    "statuses": "Status",
}


def list_records(
    books: Books, resource: Resource, query: Mapping[str, str], headers: Mapping[str, str]
) -> tuple[list[dict[str, Any]], dict[str, int] | None]:
    """Return the records as shown, and the `pagination` part if a page was asked for."""
    found = _filtered(books, resource, query, headers)
    if order := query.get("order"):
        found = sort(found, order, resource.fields, resource.title)
    if not resource.paged or "page" not in query:
        if len(found) > _MAX_ROWS:
            raise BadQuery(f"The request would return more than {_MAX_ROWS} records: use paging")
        return [resource.show(books, record, False) for record in found], None
    page, size = _whole(query, "page", 1), min(_whole(query, "pagesize", _DEFAULT_PAGE), _MAX_PAGE)
    part = found[(page - 1) * size : page * size]
    pagination = {
        "page": page,
        "pageSize": size,
        "pageCount": -(-len(found) // size),
        "itemCount": len(found),
    }
    return [resource.show(books, record, True) for record in part], pagination


def _whole(query: Mapping[str, str], name: str, default: int) -> int:
    value = query.get(name, "")
    if not value:
        return default
    if not value.isdigit() or int(value) < 1:
        raise BadQuery(f"{name} must be a whole number from 1, not {value!r}")
    return int(value)


def _filtered(
    books: Books, resource: Resource, query: Mapping[str, str], headers: Mapping[str, str]
) -> list[Any]:
    folds = books.behaviour.where_folds_accents or resource.plural != "Contacts"
    compared = comparable if folds else comparable_with_accents
    where = Where(query["where"], resource.fields, resource.title, compared) if query.get("where") else None
    quick = resource.candidates(books, where.equal) if where else None
    found: Iterable[Any]
    if query.get("ids"):
        found = _by_ids(books, resource, query)
    else:
        found = resource.all(books) if quick is None else quick
    if where is not None:
        found = filter(where.test, found)
    for parameter, name in _LISTS.items():
        if name in resource.fields and query.get(parameter):
            wanted = {fold(value) for value in query[parameter].split(",")}
            getter = resource.fields[name]
            found = [record for record in found if fold(getter(record) or "") in wanted]
    if resource.plural == "Contacts" and query.get("includearchived", "").lower() not in _TRUE:
        found = [record for record in found if record.status != "ARCHIVED"]
    if resource.plural == "PurchaseOrders":
        found = _orders(found, query)
    if query.get("searchterm"):
        form = fold if books.behaviour.search_folds_accents else comparable_with_accents
        term = form(query["searchterm"])
        getters = [resource.fields[name] for name in resource.search]
        found = [record for record in found if any(term in form(get(record) or "") for get in getters)]
    if since := _since(headers.get("if-modified-since")):
        found = [record for record in found if record.updated and record.updated > since]
    return list(found)


def _by_ids(books: Books, resource: Resource, query: Mapping[str, str]) -> list[Any]:
    records = (resource.find(books, key.strip()) for key in query["ids"].split(","))
    return [record for record in records if record is not None]


def _orders(found: Iterable[Any], query: Mapping[str, str]) -> list[Any]:
    """List purchase orders, which have filters of their own: status, dateFrom, dateTo."""
    status = query.get("status")
    start, end = parse_day(query.get("datefrom")) or date.min, parse_day(query.get("dateto")) or date.max
    return [order for order in found if (not status or order.status == status) and start <= order.date <= end]


def _since(header: str | None) -> datetime | None:
    if not header:
        return None
    try:
        moment = datetime.fromisoformat(header)
    except ValueError:
        try:
            moment = parsedate_to_datetime(header)
        except ValueError:
            raise BadQuery(f"If-Modified-Since is not a date: {header!r}") from None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
