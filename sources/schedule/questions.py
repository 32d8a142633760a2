"""What a request asks of SalesBinder's API 2.0: path and parameters. Pure.

``contextId`` is always sent, and ``limit`` never: it is not a parameter, and would bring pages of 20 rows.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final
from urllib.parse import quote

from contracts.events.types import CONTEXTS
from sources.salesbinder.deleted import LIST_NAMES
from sources.schedule.choice import DetailRequest, Request
from sources.schedule.layers import Listing
from sources.schedule.scans import Scan


@dataclass(frozen=True, slots=True)
class Resource:
    """A list of the API."""

    path: str
    names: tuple[str, ...]
    """The keys under which its rows may stand."""
    context: int | None


_ACCOUNTS: Final = ("customers", "customer")
_DOCUMENTS: Final = ("documents", "document")
RESOURCES: Final[Mapping[Listing, Resource]] = {
    "customers": Resource("customers.json", _ACCOUNTS, CONTEXTS["customer"]),
    "suppliers": Resource("customers.json", _ACCOUNTS, CONTEXTS["supplier"]),
    "invoices": Resource("documents.json", _DOCUMENTS, CONTEXTS["invoice"]),
    "orders": Resource("documents.json", _DOCUMENTS, CONTEXTS["purchase_order"]),
    # Without a context: those of the log contradict those of all other pages.
    "log": Resource("deleted_log.json", LIST_NAMES, None),
}


@dataclass(frozen=True, slots=True)
class Question:
    """A GET: path below the account's address, and parameters as texts."""

    path: str
    parameters: Mapping[str, str]


def question(request: Request) -> Question:
    """Return what the request asks."""
    if isinstance(request, DetailRequest):
        resource = "customers" if request.of_account else "documents"
        return Question(f"{resource}/{quote(request.record_id, safe='')}.json", {})
    return _of_list(request.scan)


def _of_list(scan: Scan) -> Question:
    resource = RESOURCES[scan.listing]
    parameters = {"page": str(scan.page), "pageLimit": str(scan.limit)}
    if resource.context is not None:
        parameters["contextId"] = str(resource.context)
    if scan.since is not None:
        since = "deletedSince" if scan.listing == "log" else "modifiedSince"
        parameters[since] = str(_epoch_seconds(scan.since))
    if scan.status is not None:
        parameters |= {"field": "status_id", "exact": "true", "s": scan.status}
    return Question(resource.path, parameters)


def _epoch_seconds(moment: datetime) -> int:
    """Return whole seconds, rounded down: milliseconds would be a moment to which nothing is newer."""
    return int(moment.astimezone(UTC).timestamp())
