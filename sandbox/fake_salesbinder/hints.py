"""What a shop tells of itself: v3's change feed and webhooks (reference §9, §10). Hints, nothing certain."""

import hashlib
import hmac
import json
from dataclasses import dataclass, field
from typing import Any

from sandbox.clock import Clock

from .records import ESTIMATE, INVOICE, ORDER, Document, Party
from .switches import Switches

RESOURCES = {INVOICE: "invoice", ESTIMATE: "estimate", ORDER: "purchase_order"}
_MONEY = ("payment_applied", "refund_applied", "reset")


@dataclass(frozen=True, slots=True)
class FeedEntry:
    """A change in v3's feed."""

    number: int
    seconds: float
    moment: float
    """Epoch seconds."""
    resource: str
    record_id: str
    operation: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """A webhook that is sent to each endpoint."""

    number: int
    name: str
    body: bytes
    seconds: float


@dataclass(slots=True)
class Endpoint:
    """An address that wants webhooks; switched off after ten failures in a row."""

    url: str
    secret: str = "secret"
    next_number: int = 1
    failures: int = 0
    enabled: bool = True
    sent: list[int] = field(default_factory=list)

    def signature(self, body: bytes) -> str:
        """Return the body's signature. Its scheme is not known: SHA-256 with the secret here."""
        return hmac.new(self.secret.encode(), body, hashlib.sha256).hexdigest()


class Hints:
    """The feed, and the webhooks to be sent."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self.feed: list[FeedEntry] = []
        self.deliveries: list[Delivery] = []
        self.endpoints: list[Endpoint] = []

    def changed(self, record: Party | Document, kind: str, switches: Switches) -> None:
        """Note a change in the feed and, for endpoints, as a webhook, as far as the switches say so."""
        what = kind.partition(".")[2]
        if isinstance(record, Document) and (operation := _operation(what, switches)):
            moment, seconds = self._clock.now().timestamp(), self._clock.seconds()
            number, resource = len(self.feed) + 1, RESOURCES[record.context_id]
            self.feed.append(FeedEntry(number, seconds, moment, resource, record.id, operation))
        if self.endpoints and _is_sent(record, what, switches):
            self._deliver(record, kind, switches)

    def _deliver(self, record: Party | Document, kind: str, switches: Switches) -> None:
        number = len(self.deliveries) + 1
        family, _, what = kind.partition(".")
        word = _WORDS.get(what, "updated")
        name = f"{family}.{word}" if switches.webhook_names == "plain" else f"{family}s.{family}_{word}"
        body = {"event_id": f"evt_{number}", "event": name, **_body(record, switches)}
        self.deliveries.append(Delivery(number, name, json.dumps(body).encode(), self._clock.seconds()))


_WORDS = {"created": "created", "deleted": "deleted"}


def _operation(what: str, switches: Switches) -> str | None:
    if what in ("payment_applied", "refund_applied", "paid_without_row"):
        found: str = switches.sync_on_payment
    elif what == "reset":
        found = switches.sync_on_reset
    elif what == "archived":
        found = switches.sync_on_archive
    else:
        found = "delete" if what == "deleted" else "upsert"
    return None if found == "nothing" else found


def _is_sent(record: Party | Document, what: str, switches: Switches) -> bool:
    if isinstance(record, Party):
        return switches.webhook_on_accounts == "yes"
    return what not in _MONEY or switches.webhook_on_payment == "yes"


def _body(record: Party | Document, switches: Switches) -> dict[str, Any]:
    if switches.webhook_body == "no_id":
        return {}
    if switches.webhook_body == "id":
        return {"data": {"id": record.id}}
    if switches.webhook_body == "record":
        number = record.number
        return {"data": {"id": record.id, "number": number, "modified": record.modified.isoformat()}}
    return {"payload": {"object": {"attributes": {"uuid": record.id}}}}
