"""The accounting API without HTTP: a request on one organisation's books in, an answer out."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from . import history, render
from .books import credit_notes, shapes
from .books.errors import BadBody, BadQuery, NotFound, Refused
from .books.ledger import Books
from .books.model import Document
from .books.reading import elements_of, parse_day
from .listing import list_records
from .resources import RESOURCES, Resource
from .wire import ZERO_ID, api_exception, decode, envelope, ms_day, validation_exception

MAX_BODY = 3_500_000  # bytes; the older, tighter one of the two limits that Xero's docs have named
_FALSE = frozenset({"false", "0"})
_DAYS = (
    "Date",
    "DueDate",
    "DeliveryDate",
    "ExpectedArrivalDate",
    "ExpectedPaymentDate",
    "PlannedPaymentDate",
)


@dataclass(slots=True)
class ApiRequest:
    """One call, after authentication. `path` follows `/api.xro/2.0/`; names in `query` are lower case."""

    method: str
    path: str
    query: Mapping[str, str]
    headers: Mapping[str, str]
    body: bytes
    user: str = history.SYSTEM
    details: str = ""
    force_summary: bool = False  # a fault: summarise although the caller asked not to


@dataclass(slots=True)
class ApiAnswer:
    """Status and body; `plural` names the list in it, `elements` counts the elements of the request."""

    status: int
    body: Any
    plural: str = ""
    elements: int = 0
    text: str | None = field(default=None)


def answer(books: Books, request: ApiRequest) -> ApiAnswer:
    """Serve one request. Every refusal becomes the answer that Xero gives."""
    try:
        return _route(books, request)
    except BadBody as error:
        return ApiAnswer(400, api_exception(14, "PostDataInvalidException", str(error)))
    except BadQuery as error:
        return ApiAnswer(400, api_exception(16, "QueryParseException", str(error)))
    except NotFound:
        return ApiAnswer(404, None, text="The resource you're looking for cannot be found")


def _route(books: Books, request: ApiRequest) -> ApiAnswer:
    name, _, key = request.path.strip("/").partition("/")
    if len(request.body) > MAX_BODY:
        return ApiAnswer(413, None, text="Request Entity Too Large")
    if name in _READ_ONLY and request.method == "GET" and not key:
        plural = "Organisations" if name == "Organisation" else name
        return ApiAnswer(200, envelope(books.now(), plural, _READ_ONLY[name](books, request)), plural)
    if name == "CreditNotes" and "/Allocations" in key:
        return _allocations(books, request, key)
    resource = RESOURCES.get(name)
    if resource is None:
        raise NotFound(name)
    if key.endswith("/History"):
        return _history(books, resource, request, key.removesuffix("/History"))
    if request.method == "GET":
        return _read(books, resource, request, key)
    if request.method in {"PUT", "POST"}:
        return _write(books, resource, request, key)
    return ApiAnswer(405, None, text="The requested resource does not support http method")


def _read(books: Books, resource: Resource, request: ApiRequest, key: str) -> ApiAnswer:
    now = books.now()
    if key:
        found = resource.find(books, key)
        if found is None:
            raise NotFound(key)
        return ApiAnswer(
            200, envelope(now, resource.plural, [resource.show(books, found, True)]), resource.plural
        )
    shown, pagination = list_records(books, resource, request.query, request.headers)
    body = envelope(now, resource.plural, shown)
    if pagination:
        body["pagination"] = pagination
    return ApiAnswer(200, body, resource.plural)


def _history(books: Books, resource: Resource, request: ApiRequest, key: str) -> ApiAnswer:
    """GET /{Endpoint}/{id}/History."""
    if request.method != "GET" or resource.plural == "Accounts":
        return ApiAnswer(405, None, text="The requested resource does not support http method")
    found = resource.find(books, key)
    if found is None:
        return ApiAnswer(404, None, text="The document with the supplied id was not found for this endpoint.")
    shown = history.shown(books, _id_of(resource, found))
    return ApiAnswer(200, envelope(books.now(), "HistoryRecords", shown), "HistoryRecords")


def _write(books: Books, resource: Resource, request: ApiRequest, key: str) -> ApiAnswer:
    """PUT creates, POST upserts, POST /{id} updates. Each element stands alone: a batch is not atomic."""
    elements = elements_of(decode(request.body), resource.plural)
    shapes.check(resource.plural, elements)
    target = None
    if key:
        if request.method == "PUT":
            return ApiAnswer(405, None, text="The requested resource does not support http method")
        target = resource.find(books, key)
        if target is None:
            raise NotFound(key)
        elements = elements[:1]
    elif resource.one_at_a_time:
        elements = elements[:1]
    places = 4 if request.query.get("unitdp") == "4" else 2
    shown = [_write_one(books, resource, element, request, target, places) for element in elements]
    return _conclude(books, resource.plural, shown, request)


def _write_one(
    books: Books, resource: Resource, element: dict[str, Any], request: ApiRequest, target: Any, places: int
) -> dict[str, Any]:
    writer = resource.create if request.method == "PUT" else resource.upsert
    assert (
        writer is not None and resource.update is not None
    )  # every resource listed in RESOURCES can be written
    try:
        if target is not None:
            record = resource.update(books, target, element, places)
        else:
            record = writer(books, element, places)
    except Refused as refused:
        return _failed(resource, element, target, refused.messages)
    except BadBody as error:  # what the check of shapes does not know
        return _failed(resource, element, target, [str(error)])
    record_id = _id_of(resource, record)
    created = record_id not in books.history
    history.remember(books, record, record_id, element, created, request.user, request.details)
    shown = resource.show(books, record, True)
    warnings = resource.warnings(element, record)
    shown["StatusAttributeString"] = "WARNING" if warnings else "OK"
    if warnings:
        shown["Warnings"] = [{"Message": message} for message in warnings]
    return shown


def _failed(resource: Resource, element: dict[str, Any], target: Any, messages: list[str]) -> dict[str, Any]:
    """Return the elements of the request, with their errors. A record that does not exist yet has an all-zero
    id.
    """
    shown = {name: value for name, value in element.items() if value is not None}
    for name in _DAYS:
        if name in shown and (day := parse_day(shown[name])):
            shown[name] = ms_day(day)
    if target is not None:
        shown[resource.id_field] = _id_of(resource, target)
    else:
        shown.setdefault(resource.id_field, ZERO_ID)
    errors_flag = "HasValidationErrors" if resource.plural in {"Contacts", "Payments"} else "HasErrors"
    shown[errors_flag] = True
    shown["StatusAttributeString"] = "ERROR"
    shown["ValidationErrors"] = [{"Message": message} for message in messages]
    return shown


def _id_of(resource: Resource, record: Any) -> str:
    return str(getattr(record, _ID_ATTRIBUTES.get(resource.plural, "document_id")))


_ID_ATTRIBUTES = {
    "Contacts": "contact_id", "Payments": "payment_id", "Items": "item_id", "Accounts": "account_id",
}  # fmt: skip


def _conclude(books: Books, plural: str, shown: list[dict[str, Any]], request: ApiRequest) -> ApiAnswer:
    """Return the answer; if summarised (the default), a 400 that lists only failures, although the rest is in
    the books.
    """
    summarise = request.force_summary or request.query.get("summarizeerrors", "true").lower() not in _FALSE
    failed = [element for element in shown if element["StatusAttributeString"] == "ERROR"]
    if failed and summarise:
        for element in failed:
            del element["StatusAttributeString"]
        return ApiAnswer(400, validation_exception(failed), "Elements", len(shown))
    if summarise:
        for element in shown:
            del element["StatusAttributeString"]
    return ApiAnswer(200, envelope(books.now(), plural, shown), plural, len(shown))


def _allocations(books: Books, request: ApiRequest, key: str) -> ApiAnswer:
    """PUT /CreditNotes/{id}/Allocations and DELETE /CreditNotes/{id}/Allocations/{AllocationID}."""
    note_key, _, allocation_id = key.partition("/Allocations")
    note = RESOURCES["CreditNotes"].find(books, note_key)
    if note is None:
        raise NotFound(note_key)
    allocation_id = allocation_id.strip("/")
    if request.method == "DELETE" and allocation_id:
        return _take_back(books, note, allocation_id)
    if request.method != "PUT" or allocation_id:
        return ApiAnswer(405, None, text="The requested resource does not support http method")
    shown = []
    elements = elements_of(decode(request.body), "Allocations")
    shapes.check("Allocations", elements)
    for element in elements:
        try:
            allocation = credit_notes.allocate(books, note, element)
            history.remember_credit(books, allocation.invoice, request.user, request.details)
            made = render.allocation(allocation)
            shown.append({**made, "StatusAttributeString": "OK"})
        except (Refused, BadBody) as error:
            messages = error.messages if isinstance(error, Refused) else [str(error)]
            errors = [{"Message": message} for message in messages]
            failed = {"Date": ms_day(books.today())} | element | {"ValidationErrors": errors}
            shown.append({**failed, "StatusAttributeString": "ERROR"})
    return _conclude(books, "Allocations", shown, request)


def _take_back(books: Books, note: Document, allocation_id: str) -> ApiAnswer:
    try:
        gone = credit_notes.take_back(books, note, allocation_id)
    except Refused as refused:
        errors = [{"Message": message} for message in refused.messages]
        failed = {"AllocationID": allocation_id, "ValidationErrors": errors}
        return ApiAnswer(400, validation_exception([failed]), "Elements", 1)
    return ApiAnswer(200, render.allocation(gone, deleted=True), "", 1)


def _organisations(books: Books, request: ApiRequest) -> list[dict[str, Any]]:
    return [render.organisation(books)]


def _tax_rates(books: Books, request: ApiRequest) -> list[dict[str, Any]]:
    wanted = request.query.get("taxtype")
    return [render.tax_rate(rate) for rate in books.tax_rates.values() if wanted in {None, rate.tax_type}]


def _currencies(books: Books, request: ApiRequest) -> list[dict[str, Any]]:
    return [{"Code": code, "Description": name} for code, name in books.currencies.items()]


def _none(books: Books, request: ApiRequest) -> list[dict[str, Any]]:
    return []


_READ_ONLY = {
    "Organisation": _organisations,
    "Organisations": _organisations,
    "TaxRates": _tax_rates,
    "Currencies": _currencies,
    "TrackingCategories": _none,
    "BrandingThemes": _none,
}
