"""aiohttp's connections, through the proxy if there is one."""

from typing import Any

import aiohttp
from yarl import URL

from runtime.addresses import host_and_port
from runtime.outgoing.authorities import distrust, tls_context
from runtime.outgoing.proxies import proxy_for, refusal, unreachable


def new_session(**options: Any) -> aiohttp.ClientSession:
    """Return a session that keeps no cookies and knows no ``.netrc``.

    Args:
        options: those of ``aiohttp.ClientSession``.
    """
    return aiohttp.ClientSession(
        connector=aiohttp.TCPConnector(ssl=tls_context()),
        cookie_jar=aiohttp.DummyCookieJar(),
        trust_env=False,
        **options,
    )


def way_to(url: str) -> dict[str, Any]:
    """Return the arguments of a request to ``url`` that name its proxy.

    Raises:
        InvalidEnvironment: HTTPS_PROXY or HTTP_PROXY names no proxy that can be used.
    """
    proxy = proxy_for(url)
    return {} if proxy is None else {"proxy": URL(proxy.url), "proxy_headers": proxy.headers}


def in_words(error: aiohttp.ClientError, url: str) -> str:
    """Return what went wrong on the way to ``url``. The library's own texts are not shown: they hold the
    request with its headers.
    """
    host = URL(url).host or ""
    proxy = proxy_for(url)
    at = proxy.address if proxy is not None else ""
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return refusal(error.status, error.message, at, host_and_port(host, URL(url).port or 443))
    if isinstance(error, aiohttp.ClientProxyConnectionError):
        return unreachable(at, error.os_error, host)
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return distrust(error.certificate_error, host)  # type: ignore[arg-type]
    return type(error).__name__
