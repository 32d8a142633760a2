"""Sends the shops' webhooks (reference §10): repeated until answered, out of order and twice at times."""

import threading
from random import Random
from urllib.error import URLError
from urllib.request import ProxyHandler, Request, build_opener

from .hints import Delivery, Endpoint
from .world import World

_TIMEOUT = 5.0  # seconds
_REST = 0.05  # seconds between two looks
FAILURES_UNTIL_OFF = 10
_PAST_PROXIES = build_opener(ProxyHandler({}))


class WebhookSender(threading.Thread):
    """Posts what is due to every endpoint. `disorder`: how often two swap places or one comes twice."""

    def __init__(self, world: World, disorder: float = 0.1) -> None:
        super().__init__(name="fake-salesbinder-webhooks", daemon=True)
        self._world = world
        self._disorder = disorder
        self._chance = Random(world.seed)
        self._ended = threading.Event()

    def run(self) -> None:
        """Send until stopped."""
        while not self._ended.wait(_REST):
            for shop in list(self._world.shops.values()):
                for endpoint in list(shop.hints.endpoints):
                    self._catch_up(endpoint, shop.hints.deliveries)

    def stop(self) -> None:
        """Stop, and wait for the post that is under way."""
        self._ended.set()
        self.join(_TIMEOUT * 2)

    def _catch_up(self, endpoint: Endpoint, deliveries: list[Delivery]) -> None:
        """Send what is due, at times the next but one first; a failed one is tried again at the next look."""
        while endpoint.enabled and endpoint.next_number <= len(deliveries) and not self._ended.is_set():
            due = deliveries[endpoint.next_number - 1 : endpoint.next_number + 1]
            if len(due) == 1 or self._chance.random() >= self._disorder:
                due = due[:1]
            if not all(self._sent(endpoint, delivery) for delivery in reversed(due)):
                return
            endpoint.next_number += len(due)

    def _sent(self, endpoint: Endpoint, delivery: Delivery) -> bool:
        done = _post(endpoint, delivery)
        endpoint.failures = 0 if done else endpoint.failures + 1
        endpoint.enabled = endpoint.failures < FAILURES_UNTIL_OFF
        if done:
            endpoint.sent.append(delivery.number)
        if done and self._chance.random() < self._disorder:
            _post(endpoint, delivery)
        return done


def _post(endpoint: Endpoint, delivery: Delivery) -> bool:
    headers = {
        "Content-Type": "application/json",
        "X-SalesBinder-Event": delivery.name,
        "X-SalesBinder-Signature": endpoint.signature(delivery.body),
    }
    try:
        with _PAST_PROXIES.open(Request(endpoint.url, delivery.body, headers), timeout=_TIMEOUT) as answer:
            return 200 <= int(answer.status) < 300
    except (URLError, OSError):
        return False
