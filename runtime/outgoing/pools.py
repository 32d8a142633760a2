"""urllib3's connections, through the proxy if there is one."""

import ssl
from typing import Any
from urllib.parse import urlsplit

import urllib3
from urllib3.connection import HTTPConnection
from urllib3.connection import HTTPSConnection as _HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import HTTPError, ProxyError

from runtime.addresses import host_and_port
from runtime.outgoing.authorities import distrust, tls_context
from runtime.outgoing.proxies import ProxyTrouble, open_tunnel, proxy_for, refusal, unreachable


class HTTPSConnection(_HTTPSConnection):
    """Makes its tunnel by a deadline, and apart from the request: what goes to the proxy is none of it."""

    _tunnel_host: str
    _tunnel_port: int
    _tunnel_headers: dict[str, str]

    def _tunnel(self) -> None:
        own = {name: value for name, value in self._tunnel_headers.items() if name.lower() != "host"}
        proxy = host_and_port(self.host, self.port or 80)
        try:
            open_tunnel(
                self.sock,
                self._tunnel_host.strip("[]"),
                self._tunnel_port,
                proxy,
                own,
                self.timeout or 30.0,
            )
        except ProxyTrouble as trouble:
            self.close()
            raise ProxyError(str(trouble), trouble) from None
        self.sock.settimeout(self.timeout)


def pool_manager(
    url: str,
    http: type[HTTPConnection] = HTTPConnection,
    https: type[_HTTPSConnection] = HTTPSConnection,
    **options: Any,
) -> urllib3.PoolManager:
    """Return a manager for calls to the host of ``url``, which follows no redirect elsewhere by itself and
    sends nothing twice.

    Args:
        http: the class of its connections; those of another one derive from it.
        https: the same with TLS.
        options: those of ``urllib3.PoolManager``.

    Raises:
        InvalidEnvironment: HTTPS_PROXY or HTTP_PROXY names no proxy that can be used.
    """
    options = {"retries": urllib3.Retry(total=False, redirect=False), "ssl_context": tls_context(), **options}
    proxy = proxy_for(url)
    manager = (
        urllib3.PoolManager(**options)
        if proxy is None
        else urllib3.ProxyManager(proxy.url, proxy_headers=proxy.headers, **options)
    )
    manager.pool_classes_by_scheme = {
        "http": type("HTTPPool", (HTTPConnectionPool,), {"ConnectionCls": http}),
        "https": type("HTTPSPool", (HTTPSConnectionPool,), {"ConnectionCls": https}),
    }
    return manager


def is_of_the_proxy(error: Exception) -> bool:
    """Return True if the proxy cannot be reached or makes no tunnel: nothing of the request has left."""
    return isinstance(error, ProxyError)


def in_words(error: HTTPError | OSError, url: str, *, quoted: bool = True) -> str:
    """Return what went wrong on the way to ``url``, and what to do about a proxy or an authority.

    Args:
        quoted: False where the library's own words may not be shown, since they repeat the address.
    """
    host = urlsplit(url).hostname or ""
    cause = error.args[0] if error.args else None
    if isinstance(error, ProxyError):
        if isinstance(error.original_error, ProxyTrouble):
            return str(error.original_error)
        proxy = proxy_for(url)
        at = proxy.address if proxy is not None else "on the way"
        return unreachable(at, error.original_error, host)
    if isinstance(cause, ssl.SSLCertVerificationError):
        return distrust(cause, host)
    return f"{type(error).__name__}: {error}" if quoted else type(error).__name__


def login_wanted(url: str) -> str:
    """Return in words that a proxy passes nothing on without a login."""
    proxy, parts = proxy_for(url), urlsplit(url)
    return refusal(
        407, "", proxy.address if proxy is not None else "on the way", parts.netloc.rpartition("@")[2]
    )
