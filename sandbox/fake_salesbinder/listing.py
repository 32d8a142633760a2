"""Lists of v2: filters, order, pages and the odd envelope (reference §2)."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from . import render
from .access import User, allowed
from .errors import ApiError
from .records import CUSTOMER, ESTIMATE, INVOICE, ORDER, PROSPECT, SUPPLIER, Document, Party
from .shop import LAG, LOG_LAG, Shop
from .statuses import status
from .store import Kind, Records
from .switches import Switches

Query = Mapping[str, str]
DEFAULT_LIMIT, HIGHEST_LIMIT = 20, 200
_HOUR, _MONTH = 3600, 30 * 86_400  # seconds
_PARTIES, _DOCUMENTS = (CUSTOMER, PROSPECT, SUPPLIER), (INVOICE, ESTIMATE, ORDER)
_SWAPPED = {ESTIMATE: INVOICE, INVOICE: ESTIMATE}


@dataclass(frozen=True, slots=True)
class Page:
    """What of a list is shown: rows `start` to `end` of `count`, page `number` of `pages`."""

    number: int
    pages: int
    count: int
    start: int
    end: int


def customers(shop: Shop, user: User, query: Query) -> dict[str, Any]:
    """Return `GET /customers.json`."""
    contexts = _contexts(shop, user, query, _PARTIES)
    found = _found(shop.store.parties, shop, contexts, query, _party_order(shop.switches))
    found = _matching(found, _party_tests(shop, user, query))
    return _listed(
        shop, query, "customers", "customer", found, lambda held: render.party(shop, held, row=True)
    )


def documents(shop: Shop, user: User, query: Query) -> dict[str, Any]:
    """Return `GET /documents.json`."""
    contexts = _contexts(shop, user, query, _DOCUMENTS)
    found = _found(shop.store.documents, shop, contexts, query, _document_order(shop.switches))
    found = _matching(found, _document_tests(shop, user, query))
    return _listed(shop, query, "documents", "document", found, lambda held: render.document_row(shop, held))


def _found(
    records: Records[Kind],
    shop: Shop,
    contexts: frozenset[int],
    query: Query,
    order: Callable[[Iterable[Kind]], list[Kind]],
) -> list[Kind]:
    """Return the records of these contexts in their order, archived ones left out if they are hidden."""

    def listed(all_of_them: Iterable[Kind]) -> list[Kind]:
        return order(
            held for held in all_of_them if held.context_id in contexts and not is_hidden(shop, held)
        )

    lag = LAG if shop.switches.list_lag == "seconds" else 0.0
    found = records.ordered(contexts, listed, lag)
    since = _since(query, "modifiedSince", shop.switches.since_reading)
    if since is None:
        return found
    inclusive = shop.switches.modified_since == "inclusive"
    return [held for held in found if held.modified > since or (inclusive and held.modified == since)]


def _matching(found: list[Kind], tests: list[Callable[[Kind], bool]]) -> list[Kind]:
    return [held for held in found if all(test(held) for test in tests)] if tests else found


def deleted_log(shop: Shop, query: Query) -> dict[str, Any]:
    """Return `GET /deleted_log.json`: id, context, record and time of each deletion, nothing else."""
    switches, now = shop.switches, shop.clock.seconds()
    since = _since(query, "deletedSince", "exact")
    inclusive = switches.deleted_since == "inclusive"
    wanted = _whole(query.get("contextId"))
    swapped = switches.log_context_ids == "swapped"
    rows = [
        {
            "id": held.number,
            "context_id": context,
            "record_id": held.record_id,
            "created": render.moment(held.created),
        }
        for held in shop.store.log
        if not (switches.log_lag == "minute" and now - held.seconds < LOG_LAG)
        and not (switches.log_kept == "month" and now - held.seconds > _MONTH)
        and (since is None or held.created > since or (inclusive and held.created == since))
        for context in [_SWAPPED.get(held.context_id, held.context_id) if swapped else held.context_id]
        if wanted is None
        or wanted == (context if switches.log_context_filter == "as_rows" else held.context_id)
    ]
    if switches.log_order == "newest":
        rows.reverse()
    return _listed(shop, query, switches.log_key, switches.log_key, rows, lambda row: row)


def sees(shop: Shop, user: User, held: Party | Document) -> bool:
    """Return whether a record is the user's to see, its permission for the context aside."""
    if not user.assigned_only:
        return True
    party = shop.store.parties.get(held.party_id) if isinstance(held, Document) else held
    return party is not None and party.assigned_to == user.id


def is_hidden(shop: Shop, held: Party | Document) -> bool:
    """Return whether lists leave a record out because it is archived."""
    return held.archived and shop.switches.archived_in_lists == "hidden"


def _contexts(shop: Shop, user: User, query: Query, known: tuple[int, ...]) -> frozenset[int]:
    wanted: tuple[int | None, ...] = (_whole(query.get("contextId")),)
    if not query.get("contextId"):
        if shop.switches.without_context == "error":
            raise ApiError(400, "contextId is required")
        wanted = known if shop.switches.without_context == "everything" else known[:1]
    asked = {context for context in wanted if context in known and context is not None}
    permitted = frozenset(context for context in asked if allowed(user, context, shop.switches))
    if asked and not permitted and shop.switches.missing_permission != "empty":
        raise ApiError(int(shop.switches.missing_permission))
    return permitted


def _since(query: Query, name: str, reading: str) -> datetime | None:
    asked = _whole(query.get(name))
    if asked is None:
        return None
    off = {"exact": 0, "hour_early": -_HOUR, "hour_late": _HOUR}[reading]
    try:
        return datetime.fromtimestamp(asked + off, UTC)
    except (OverflowError, ValueError):  # milliseconds: a year that there will never be
        return datetime.max.replace(tzinfo=UTC)


def _party_tests(shop: Shop, user: User, query: Query) -> list[Callable[[Party], bool]]:
    tests: list[Callable[[Party], bool]] = []
    if user.assigned_only:
        tests.append(lambda held: sees(shop, user, held))
    if wanted := query.get("emailAddress"):
        tests.append(lambda held: held.fields["office_email"] == wanted)
    if account_number := query.get("accountNumber"):
        tests.append(lambda held: str(held.number) == account_number)
    if query.get("s"):
        name = query.get("field", "name")
        tests.append(
            _search(query, lambda held: held.number if name == "customer_number" else held.fields.get(name))
        )
    return tests


def _document_tests(shop: Shop, user: User, query: Query) -> list[Callable[[Document], bool]]:
    tests: list[Callable[[Document], bool]] = []
    if user.assigned_only:
        tests.append(lambda held: sees(shop, user, held))
    if customer_id := query.get("customerId"):
        tests.append(lambda held: held.party_id == customer_id)
    if document_number := query.get("documentNumber"):
        tests.append(lambda held: str(held.number) == document_number)
    if account_number := query.get("accountNumber"):
        tests.append(lambda held: str(shop.party(held.party_id).number) == account_number)
    if query.get("s"):
        values: dict[str, Callable[[Document], Any]] = {
            "document_number": lambda held: held.number,
            "status_id": lambda held: status(held, shop.switches)[0],
            "customer_id": lambda held: held.party_id,
            "issue_date": lambda held: held.issue_date.isoformat(),
            "name": lambda held: held.name,
        }
        tests.append(_search(query, values.get(query.get("field", "document_number"), values["name"])))
    return tests


def _search(query: Query, value: Callable[[Any], Any]) -> Callable[[Any], bool]:
    wanted = query["s"].casefold()
    if _is_true(query.get("exact")):
        return lambda held: str(value(held) or "").casefold() == wanted
    return lambda held: wanted in str(value(held) or "").casefold()


def _party_order(switches: Switches) -> Callable[[Iterable[Party]], list[Party]]:
    if switches.account_order == "name":
        return lambda found: sorted(found, key=lambda held: (held.name.casefold(), held.number))
    return lambda found: sorted(
        found, key=lambda held: held.number, reverse=switches.account_order == "newest"
    )


def _document_order(switches: Switches) -> Callable[[Iterable[Document]], list[Document]]:
    if switches.document_order == "modified":
        return lambda found: sorted(found, key=lambda held: (held.modified, held.number), reverse=True)
    return lambda found: sorted(found, key=lambda held: held.number, reverse=True)


def _listed(
    shop: Shop, query: Query, plural: str, singular: str, found: list[Any], shown: Callable[[Any], Any]
) -> dict[str, Any]:
    page = _page(shop, query, len(found))
    rows = [shown(held) for held in found[page.start : page.end]]
    whole = str if shop.switches.envelope_numbers == "strings" else int
    envelope = {"count": whole(page.count), "page": whole(page.number), "pages": whole(page.pages)}
    if _is_true(query.get("compact")):
        return {**envelope, singular if shop.switches.compact_key == "singular" else plural: rows}
    return {**envelope, plural: _shape(rows, shop.switches)}


def _page(shop: Shop, query: Query, count: int) -> Page:
    limit = _whole(query.get("pageLimit")) or DEFAULT_LIMIT
    if limit > HIGHEST_LIMIT:
        if shop.switches.above_page_limit == "error":
            raise ApiError(400, f"pageLimit must be between 1 and {HIGHEST_LIMIT}")
        limit = HIGHEST_LIMIT if shop.switches.above_page_limit == "cap" else DEFAULT_LIMIT
    number = _whole(query.get("page")) or 1
    pages = -(-count // limit)
    if number > max(pages, 1) and shop.switches.after_last_page == "404":
        raise ApiError(404)
    start = (number - 1) * limit
    return Page(number, pages or int(shop.switches.empty_pages), count, start, start + limit)


def _shape(rows: list[Any], switches: Switches) -> list[Any]:
    if not rows:
        return [[]] if switches.empty_rows == "nested_empty" else []
    if switches.rows_shape == "flat":
        return rows
    return [rows] if switches.rows_shape == "nested" else [[row] for row in rows]


def _whole(given: str | None) -> int | None:
    return int(given) if given and given.isascii() and given.isdigit() else None


def _is_true(given: str | None) -> bool:
    return (given or "").casefold() in ("true", "1")
