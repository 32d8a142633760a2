"""Call Xero through xero-python's ApiClient, with its shortcomings fixed.

The SDK hides retries, has no total deadline, turns Decimal into float and re-encodes bodies (measured;
docs/xero-client.md). Here a call is sent exactly once, with the exact bytes that were written down, not after
its ``send_by``, and ends by a hard deadline even if Xero sends its response one byte at a time.
"""

import threading
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from urllib.parse import urlencode

import urllib3

from runtime.crash_points import crash_point
from runtime.outgoing.pools import in_words, is_of_the_proxy, login_wanted
from sinks.xero.call_guard import CallGuard, NotSent, current

CONNECT_TIMEOUT = 5.0
_PROXY_LOGIN = 407
"""Only a proxy answers so, and passes nothing on before it has a login (RFC 9110, section 15.5.8)."""


class NoAnswer(Exception):
    """The request, or part of it, left, and no whole answer came: Xero may have applied it."""


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request. ``path`` is relative to the API's base, ``query`` in the order to send."""

    method: str
    path: str
    query: Mapping[str, str]
    body: bytes | None
    idempotency_key: str | None
    modified_since: datetime | None = None
    """For a list: only objects changed since then; aware."""
    target: str = ""
    """Path and query as they go out, byte for byte; ``""`` until ``XeroClient.written``."""
    headers: Mapping[str, str] | None = None
    """The headers as they go out, without ``Authorization``; None until ``XeroClient.written``."""


@dataclass(frozen=True, slots=True)
class Answer:
    """One HTTP answer, any status. Header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class XeroClient:
    """Blocking calls for one account; at most as many at once as the caller starts threads."""

    def __init__(self, api_url: str, tenant_id: str, call_deadline: float) -> None:
        from sinks.xero.transport import new_api

        self._api = new_api(api_url)
        self._api_url = api_url.rstrip("/")
        self._tenant_id = tenant_id
        self.call_deadline = call_deadline

    def written(self, request: Request) -> Request:
        """Return the request with everything that goes out except the token. A request that goes out again
        must be the same to the byte: Xero compares URL, method and body by the Idempotency-Key
        (developer.xero.com, "idempotent requests").
        """
        if request.headers is not None:
            return request
        query = f"?{urlencode(list(request.query.items()))}" if request.query else ""
        headers = {**self._api.default_headers, **self._headers(request)}
        return replace(request, target=request.path + query, headers=headers)

    def call(
        self, request: Request, token: str, send_by: float, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Send ``request`` once.

        Args:
            token: the bearer token.
            send_by: the last moment (``machine_seconds``) at which its first byte may leave.
            headers: more of them, or others than those of an API call.

        Raises:
            NotSent: nothing left this machine.
            NoAnswer: something left, no whole answer came within ``call_deadline`` seconds.
        """
        guard = CallGuard(send_by)
        alarm = threading.Timer(self.call_deadline, guard.cut_line)
        alarm.daemon = True
        alarm.start()
        current.guard = guard
        try:
            written = self.written(request)
            own = {"Authorization": f"Bearer {token}"} if headers is None else headers
            answer = self._send(written, {**(written.headers or {}), **own})
        except NotSent:
            raise
        except (urllib3.exceptions.HTTPError, OSError) as error:
            said = self._in_words(error, guard.cut)
            if guard.sent:
                raise NoAnswer(said) from error
            raise NotSent(said, "proxy_refuses" if is_of_the_proxy(error) else "xero_unavailable") from error
        finally:
            current.guard = None
            alarm.cancel()
        if answer.status == _PROXY_LOGIN:
            raise NotSent(login_wanted(self._api_url), "proxy_refuses")
        return answer

    def _in_words(self, error: urllib3.exceptions.HTTPError | OSError, cut: bool) -> str:
        return f"no answer within {self.call_deadline:.0f} s" if cut else in_words(error, self._api_url)

    def _headers(self, request: Request) -> dict[str, str]:
        headers = {"Accept": "application/json"}
        if self._tenant_id:
            headers["xero-tenant-id"] = self._tenant_id
        if request.body is not None:
            headers["Content-Type"] = "application/json"
        if request.idempotency_key:
            headers["Idempotency-Key"] = request.idempotency_key
        if request.modified_since is not None:
            moment = request.modified_since.astimezone(UTC)
            headers["If-Modified-Since"] = moment.strftime("%Y-%m-%dT%H:%M:%S")  # Xero's own form, in UTC
        return headers

    def _send(self, request: Request, headers: Mapping[str, str]) -> Answer:
        response = self._api.request(
            request.method,
            self._api_url + request.target,
            headers=dict(headers),
            body=request.body,
            _request_timeout=urllib3.Timeout(connect=CONNECT_TIMEOUT, read=self.call_deadline),
        )
        crash_point("http.after_receive")
        return Answer(
            response.status, {name.lower(): value for name, value in response.headers.items()}, response.data
        )

    def close(self) -> None:
        """Close idle connections."""
        self._api.rest_client.pool_manager.clear()


def load_sdk() -> None:
    """Load the SDK now: a process that makes calls is not to stand still for it at the first of them."""
    from sinks.xero import transport  # noqa: F401  # that it is loaded is what is wanted
