"""The SDK's way to the network, with its shortcomings fixed.

The only module that imports xero-python, which takes half a second to load. The page and most commands know
of calls and make none, so ``client`` imports this one together with its first client.
"""

from collections.abc import Callable
from typing import Any

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from xero_python.api_client import ApiClient
from xero_python.api_client.configuration import Configuration
from xero_python.rest import RESTClientObject

from runtime.crash_points import crash_point
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


class _HTTPPool(HTTPConnectionPool):
    ConnectionCls = _GuardedHTTPConnection


class _HTTPSPool(HTTPSConnectionPool):
    ConnectionCls = _GuardedHTTPSConnection


class _RestClient(RESTClientObject):  # type: ignore[misc]
    """The SDK's HTTP layer, which sends bytes unchanged and once, and returns any status."""

    def __init__(self, configuration: Configuration) -> None:
        super().__init__(configuration)
        manager = self.pool_manager
        manager.pool_classes_by_scheme = {"http": _HTTPPool, "https": _HTTPSPool}
        manager.connection_pool_kw["retries"] = urllib3.Retry(total=False, redirect=False)

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


def new_api() -> ApiClient:
    """Return the SDK's client, sending as this module does."""
    configuration = Configuration()
    api = ApiClient(configuration)
    api.rest_client = _RestClient(configuration)
    return api
