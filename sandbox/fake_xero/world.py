"""All that the fake knows: organisations, apps, tokens, limits, keys, faults, calls. In memory only."""

from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from sandbox.clock import Clock

from .books.chart import fill_defaults
from .books.ledger import Books, new_id
from .faults import FaultPlan
from .idempotency import IdempotencyStore
from .limits import Limiter
from .tokens import App, TokenOffice

DEFAULT_TENANT = "3e1c6a52-5d6b-4f6e-9a1c-0d2f5b7a8c11"
DEFAULT_CLIENT = "demo-client"
DEFAULT_SECRET = "demo-secret"
BY_HAND_CLIENT = "by-hand"
BY_HAND_SECRET = "by-hand-secret"
_LOG_LENGTH = 200_000


@dataclass(slots=True)
class Call:
    """A line of the call log. `at` and `answered_at` are the fake's time in seconds since its start."""

    number: int
    at: float
    method: str
    path: str
    query: str
    client_id: str | None
    tenant_id: str | None
    status: int | None = None  # None: the connection was dropped
    idempotency_key: str | None = None
    elements: int = 0
    replayed: bool = False
    rate_limit_problem: str | None = None
    faults: list[str] = field(default_factory=list)
    body_bytes: int = 0
    headers_digest: str = ""
    """Tells calls apart by their headers, without the token and those that each connection sets for
    itself.
    """
    answered_at: float | None = None


@dataclass(slots=True)
class StoredAnswer:
    """An answer as kept under an Idempotency-Key."""

    status: int
    content_type: str
    body: bytes
    elements: int


class World:
    """The one mutable state of a running fake."""

    def __init__(self, base_currency: str = "USD", currencies: Iterable[str] = ("EUR", "CAD")) -> None:
        self._base_currency = base_currency
        self._currencies = list(currencies)
        self.clock = Clock()
        self.strict_bodies: list[dict[str, Any]] = []
        self.limiter = Limiter(self.clock.seconds)
        self.tokens = TokenOffice(self.clock.seconds)
        self.keys: IdempotencyStore[StoredAnswer] = IdempotencyStore(self.clock.seconds)
        self.faults = FaultPlan()
        self.books: dict[str, Books] = {}
        self.reset()

    def reset(self) -> None:
        """Go back to the start: one organisation, the two apps, no faults, Xero's limits. The clock runs
        on.
        """
        self.books.clear()
        self.faults.clear()
        self.keys.forget()
        self.limiter.forget()
        self.limiter.special.clear()
        self.limiter.defaults = type(self.limiter.defaults)()
        self.tokens.reset()
        self.forget_calls()
        self.tokens.add_app(App(DEFAULT_CLIENT, DEFAULT_SECRET))
        self.tokens.add_app(App(BY_HAND_CLIENT, BY_HAND_SECRET, unlimited=True))
        self.add_tenant("Demo Company", DEFAULT_TENANT, self._base_currency, self._currencies)

    def add_tenant(
        self,
        name: str,
        tenant_id: str | None = None,
        base_currency: str = "USD",
        currencies: Iterable[str] = ("EUR", "CAD"),
        client_ids: Iterable[str] = (DEFAULT_CLIENT,),
    ) -> Books:
        """Add an organisation and connect apps to it; the by-hand app is connected to all."""
        tenant_id = tenant_id or new_id()
        organisation_id = str(uuid5(NAMESPACE_URL, f"organisation/{tenant_id}"))
        books = Books(organisation_id, name, base_currency, self.clock.now)
        fill_defaults(books, [code for code in currencies if code != base_currency])
        self.books[tenant_id] = books
        for client_id in {*client_ids, BY_HAND_CLIENT}:
            self.tokens.connect(client_id, tenant_id)
        return books

    def forget_calls(self) -> None:
        """Empty the call log and the counters."""
        self.calls: deque[Call] = deque(maxlen=_LOG_LENGTH)
        self.call_count = 0
        self.by_endpoint: Counter[str] = Counter()
        self.by_status: Counter[str] = Counter()
        self.by_tenant: Counter[str] = Counter()
        self.rate_limited: Counter[str] = Counter()
        self.element_count: Counter[str] = Counter()
        self.replays = 0
        for tenant_id in self.books:
            for client_id in self.tokens.apps:
                usage = self.limiter.usage(client_id, tenant_id)
                usage.peak_in_flight = usage.in_flight

    def begin_call(self, call: Call) -> Call:
        """Put a call into the log as it arrives."""
        self.call_count += 1
        call.number = self.call_count
        self.calls.append(call)
        return call

    def end_call(self, call: Call) -> None:
        """Count a call by its result."""
        call.answered_at = None if call.status is None else self.clock.seconds()
        endpoint = f"{call.method} {call.path.partition('/')[0]}"
        self.by_endpoint[endpoint] += 1
        self.by_status[str(call.status or "dropped")] += 1
        self.element_count[endpoint] += call.elements
        if call.tenant_id:
            self.by_tenant[call.tenant_id] += 1
        if call.rate_limit_problem:
            self.rate_limited[call.rate_limit_problem] += 1
        if call.replayed:
            self.replays += 1

    def counters(self) -> dict[str, Any]:
        """Return all counts since the start or their last reset."""
        return {
            "calls": self.call_count,
            "by_endpoint": dict(self.by_endpoint),
            "by_status": dict(self.by_status),
            "by_tenant": dict(self.by_tenant),
            "elements": dict(self.element_count),
            "rate_limited": dict(self.rate_limited),
            "replays": self.replays,
            "invalid_bodies": len(self.strict_bodies),
            "peak_in_flight": self._peaks(),
        }

    def _peaks(self) -> dict[str, int]:
        return {
            f"{client_id} {tenant_id}": peak
            for tenant_id in self.books
            for client_id in self.tokens.apps
            if (peak := self.limiter.usage(client_id, tenant_id).peak_in_flight)
        }

    def call_log(self, since: int = 0) -> list[dict[str, Any]]:
        """Return logged calls with a number above `since`, oldest first."""
        return [asdict(call) for call in self.calls if call.number > since]
