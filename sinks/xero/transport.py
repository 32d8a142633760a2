"""The SDK's way to the network, with its shortcomings fixed.

The only module that imports xero-python, which takes half a second to load. The page and most commands know
of calls and make none, so ``client`` imports this one together with its first client.
"""

from collections.abc import Callable
from typing import Any

from urllib3.connection import HTTPConnection
from xero_python.api_client import ApiClient
from xero_python.api_client.configuration import Configuration
from xero_python.rest import RESTClientObject

from runtime.crash_points import crash_point
from runtime.outgoing.pools import HTTPSConnection, pool_manager
from sinks.xero.call_guard import CallGuard, current


class _GuardedMixin:
    """Asks the current call's guard before the first byte goes out."""

    sock: Any
    connect: Callable[[], None]

    def send(self, data: Any) -> None:
        guard: CallGuard | None = getattr(current, "guard", None)
        if guard is not None and not guard.sent:
            if self.sock is None:
                self.connect()
            crash_point("http.before_send")
            guard.before_first_byte(self.sock)
        super().send(data)  # type: ignore[misc]

    def getresponse(self) -> Any:
        crash_point("http.after_send")
        return super().getresponse()  # type: ignore[misc]


class _GuardedHTTPConnection(_GuardedMixin, HTTPConnection):
    pass


class _GuardedHTTPSConnection(_GuardedMixin, HTTPSConnection):
    pass


class _RestClient(RESTClientObject):  # type: ignore[misc]
    """The SDK's HTTP layer, which sends bytes unchanged and once, and returns any status."""

    def __init__(self, configuration: Configuration, url: str) -> None:
        super().__init__(configuration)
        # The SDK's own manager knows no proxy, and no authorities but those of certifi.
        self.pool_manager = pool_manager(
            url,
            _GuardedHTTPConnection,
            _GuardedHTTPSConnection,
            maxsize=configuration.connection_pool_maxsize,
        )

    def request(self, method: str, url: str, headers: Any = None, **kw: Any) -> Any:
        return self.pool_manager.request(
            method,
            url,
            body=kw.get("body"),
            headers=headers,
            timeout=kw.get("_request_timeout"),
            preload_content=True,
            retries=False,
        )


def new_api(url: str) -> ApiClient:
    """Return the SDK's client for the host of ``url``, sending as this module does."""
    configuration = Configuration()
    api = ApiClient(configuration)
    api.rest_client = _RestClient(configuration, url)
    return api
