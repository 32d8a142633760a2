"""Calls: elements of one route put together, and the bytes that go to Xero. Pure."""

import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

from contracts.json import JsonObject
from sinks.xero.client import Request
from sinks.xero.elements import Element, StepKey, encode_body
from sinks.xero.names import folded
from sinks.xero.routes import ROUTES, Route

MAX_BODY = 3_000_000
MAX_QUERY = 2_500
"""Bytes of a query: longer addresses are refused by servers on the way."""
FULL_BATCH = 50
"""Most elements per call, as Xero's guide advises."""
_ORDERS_PER_PAGE = "500"


@dataclass(slots=True)
class QueuedElement:
    """One element of a call and the commands that it serves."""

    element: Element
    command_ids: list[str] = field(default_factory=list)
    limit: int = FULL_BATCH
    """Elements that its call may carry; fewer after a batch was refused as a whole."""


@dataclass(slots=True)
class Call:
    """One request to Xero, before it is written down."""

    intent_id: str
    route: Route
    parts: list[QueuedElement]
    request: Request

    @property
    def targets(self) -> list[StepKey]:
        """The targets of the call, in the order of its elements."""
        return [part.element.target for part in self.parts]

    @property
    def held(self) -> list[StepKey]:
        """All that no other call may be about meanwhile: targets, and names that contacts are given."""
        return [*self.targets, *(p.element.claim for p in self.parts if p.element.claim is not None)]


def make_call(parts: Sequence[QueuedElement]) -> Call:
    """Return a call of these elements, which are all of one route, with a new Idempotency-Key."""
    route = ROUTES[parts[0].element.route]
    intent_id = str(uuid.uuid4())
    first = parts[0].element
    query = {**route.query, **({} if "{id}" in route.path else first.query)}
    path = route.path.replace("{id}", quote(first.xero_id, safe=""))
    body: bytes | None = None
    if route.reads:
        if len(parts) > 1:
            path = route.path.removesuffix("/{id}")
            query |= _many(route, [part.element for part in parts])
    elif route.batch > 1 or "{id}" not in route.path:
        body = encode_body({route.envelope: [part.element.body for part in parts]})
    else:
        body = encode_body(first.body)
    key = None if route.reads else intent_id
    return Call(intent_id, route, list(parts), Request(route.method, path, query, body, key))


def _many(route: Route, elements: Sequence[Element]) -> dict[str, str]:
    """Return the query that reads several objects at once. Payments have no ``IDs``, but a filter; purchase
    orders have only their days. Objects not found that way are read one by one.
    """
    if route.envelope == "PurchaseOrders":
        days = sorted(element.query["DateFrom"] for element in elements)
        return {"DateFrom": days[0], "DateTo": days[-1], "page": "1", "pageSize": _ORDERS_PER_PAGE}
    if "InvoiceNumbers" in elements[0].query:
        return {"InvoiceNumbers": ",".join(element.wanted for element in elements)}
    if elements[0].wanted:
        return {"where": " OR ".join(element.query["where"] for element in elements)}
    if route.envelope == "Payments":
        return {"where": " OR ".join(f'PaymentID==guid("{element.xero_id}")' for element in elements)}
    ids = ",".join(element.xero_id for element in elements)
    return {"IDs": ids, "includeArchived": "true", "page": "1"}  # only a page shows records in full


def first_batch(parts: Sequence[QueuedElement]) -> tuple[list[QueuedElement], bool]:
    """Return the first elements of one route that go out as one call, at most the route's batch and
    ``MAX_BODY`` bytes, nothing twice; and whether others are left.
    """
    route = ROUTES[parts[0].element.route]
    largest = MAX_QUERY if route.reads else MAX_BODY
    cut: list[QueuedElement] = []
    taken: set[tuple[str, str]] = set()
    size, most = 0, route.batch
    for part in parts:
        weight = _weight(part.element)
        most = min(most, part.limit)
        about = _about(route, part.element)
        if cut and (len(cut) >= most or size + weight > largest or about & taken):
            return cut, True
        cut.append(part)
        taken |= about
        size += weight
    return cut, False


def _about(route: Route, element: Element) -> set[tuple[str, str]]:
    """Return the keys that two elements of one call must not share.

    Not the document, since the order inside a batch is not documented. Nor the key that results are matched
    by: of two documents with one number, Xero takes one, and both would be given that one. Nor the name of a
    contact: if Xero took none of the call, the second would have been refused for nothing.
    """
    about: set[tuple[str, str]] = {(element.target.kind, element.target.record_id)}
    if element.body is not None and (key := own_key(route, element.body)):
        about.add(("key", key))
    if element.target.kind == "contact" and element.body is not None and "Name" in element.body:
        about.add(("name", folded(str(element.body["Name"]))))
    return about


def _weight(element: Element) -> int:
    """Return the bytes that the element adds to its call."""
    if element.body is not None:
        return len(encode_body(element.body))
    if element.route in ("invoices.find", "bills.find") and "where" in element.query:
        return MAX_QUERY  # a name or number that cannot stand in a list is looked up on its own
    return len(quote(element.query.get("where", element.xero_id))) + 40


def own_key(route: Route, body: JsonObject) -> str:
    """Return the text by which an element and its result are matched; ``""`` when the object has none."""
    for name in route.keys:
        value: Any = body
        for part in name.split("."):
            value = value.get(part) if isinstance(value, Mapping) else None
        if value:
            return str(value).casefold()
    return ""
