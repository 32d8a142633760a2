"""Which proxy leads to an address, and the tunnel through it.

The variables are those that other programs read: ``HTTPS_PROXY``, ``HTTP_PROXY`` and ``NO_PROXY``, in lower
case too, which counts first. This machine's own addresses are never asked for at a proxy.
"""

import os
import re
import socket
import time
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from ipaddress import ip_address, ip_network
from urllib.parse import unquote, urlsplit

from runtime.addresses import host_and_port
from runtime.invalid import InvalidEnvironment

_VARIABLES = {"http": "HTTP_PROXY", "https": "HTTPS_PROXY", "smtp": "HTTPS_PROXY", "smtps": "HTTPS_PROXY"}
_MAX_HEAD = 16_384
_STATUS = re.compile(rb"HTTP/1\.[01] ([0-9]{3})(?: ([^\r\n]{0,100}))?")
_NO_TEXT = re.compile(r"[^ -~]")


class ProxyTrouble(OSError):
    """The proxy makes no tunnel: nothing of the request has left. Says why and what to do."""


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy that is spoken to in plain HTTP."""

    host: str
    port: int
    authorization: str | None = field(default=None, repr=False)
    """The value of ``Proxy-Authorization``."""

    @property
    def address(self) -> str:
        """Host and port; an IPv6 address in brackets."""
        return host_and_port(self.host, self.port)

    @property
    def url(self) -> str:
        """The proxy's address, without credentials."""
        return f"http://{self.address}"

    @property
    def headers(self) -> dict[str, str]:
        """What the proxy alone is told."""
        return {"Proxy-Authorization": self.authorization} if self.authorization else {}


def proxy_for(url: str, environ: Mapping[str, str] | None = None) -> Proxy | None:
    """Return the proxy through which ``url`` is reached; None if it is reached directly.

    Raises:
        InvalidEnvironment: the variable for this kind of address names none that can be used.
    """
    given = os.environ if environ is None else environ
    parts = urlsplit(url)
    variable = _VARIABLES[parts.scheme]
    proxy = _read(variable, given)
    if proxy is None or _is_direct(parts.hostname or "", parts.port, _value("NO_PROXY", given)):
        return None
    return proxy


def check_proxies(environ: Mapping[str, str]) -> None:
    """Check what the variables name, before anything is sent.

    Raises:
        InvalidEnvironment: one names no proxy that can be used.
    """
    for variable in sorted(set(_VARIABLES.values())):
        _read(variable, environ)


def _value(variable: str, environ: Mapping[str, str]) -> str:
    return environ.get(variable.lower(), environ.get(variable, "")).strip()


def _read(variable: str, environ: Mapping[str, str]) -> Proxy | None:
    value = _value(variable, environ)
    if not value:
        return None
    try:
        parts = urlsplit(value if "://" in value else f"http://{value}")
        host, port = parts.hostname, parts.port
    except ValueError:
        raise _invalid(variable, "is not the address of a proxy") from None
    if parts.scheme != "http":
        raise _invalid(variable, "only proxies that are spoken to in http are supported")
    if not host or parts.path.strip("/") or parts.query or parts.fragment:
        raise _invalid(variable, "is not the address of a proxy")
    if parts.username is None:
        return Proxy(host, port or 80)
    login = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
    return Proxy(host, port or 80, "Basic " + b64encode(login.encode()).decode())


def _invalid(variable: str, problem: str) -> InvalidEnvironment:
    """Return the refusal of a value, which may hold a password and is not shown."""
    example = "http://proxy.example:3128, or http://user:password@proxy.example:3128"
    return InvalidEnvironment(variable, "…", problem, f"write it as {example}")


def _is_direct(host: str, port: int | None, no_proxy: str) -> bool:
    # Here, since it loads much that few commands need. It is in no type stub.
    from urllib.request import proxy_bypass_environment  # type: ignore[attr-defined]

    if _is_this_machine(host):
        return True
    if not no_proxy:
        return False
    if any(_is_within(host, entry.strip().strip("[]")) for entry in no_proxy.split(",")):
        return True
    return bool(proxy_bypass_environment(host_and_port(host, port) if port else host, {"no": no_proxy}))


def _is_this_machine(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _is_within(host: str, network: str) -> bool:
    """Return True for an address within a network such as ``10.0.0.0/8``, or equal to an address."""
    try:
        return ip_address(host) in ip_network(network, strict=False)
    except ValueError:
        return False


def open_tunnel(
    sock: socket.socket, host: str, port: int, proxy: str, headers: Mapping[str, str], seconds: float
) -> None:
    """Have the proxy at the other end of ``sock`` lead it on to a host.

    Reads not one byte more than the proxy's own answer: what follows may be the host's first words already.

    Args:
        proxy: the proxy's address, for errors.
        headers: those for the proxy alone.
        seconds: within which it must have answered, however slowly its answer drips in.

    Raises:
        ProxyTrouble: it does not.
    """
    target = host_and_port(host if ":" in host else host.encode("idna").decode(), port)
    lines = [f"CONNECT {target} HTTP/1.1", f"Host: {target}", *(f"{k}: {v}" for k, v in headers.items())]
    until = time.monotonic() + seconds
    try:
        sock.sendall(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))
        head = _head(sock, until)
    except TimeoutError:
        raise ProxyTrouble(
            f"the proxy {proxy} did not answer within {seconds:g} s when asked for {target}"
        ) from None
    except OSError as error:
        raise ProxyTrouble(
            f"the proxy {proxy} broke off when asked for {target} ({error.strerror or type(error).__name__})"
        ) from None
    _check_answer(head, proxy, target)


def _head(sock: socket.socket, until: float) -> bytes:
    head = bytearray()
    while not head.endswith((b"\r\n\r\n", b"\n\n")) and len(head) < _MAX_HEAD:
        left = until - time.monotonic()
        if left <= 0:
            raise TimeoutError
        sock.settimeout(left)
        byte = sock.recv(1)
        if not byte:
            break
        head += byte
    return bytes(head)


def _check_answer(head: bytes, proxy: str, target: str) -> None:
    found = _STATUS.match(head)
    if found is None:
        raise ProxyTrouble(f"what answers at {proxy} is no proxy, or broke off, when asked for {target}")
    status = int(found[1])
    if not 200 <= status < 300:
        raise ProxyTrouble(refusal(status, (found[2] or b"").decode("latin-1"), proxy, target))


def unreachable(proxy: str, error: BaseException | None, host: str) -> str:
    """Return in words that no proxy answers there, and what to do; ``host`` is the one behind it."""
    why = type(error).__name__
    return f"the proxy {proxy} cannot be reached ({why}): correct HTTPS_PROXY, or name {host} in NO_PROXY"


def refusal(status: int, said: str, proxy: str, target: str) -> str:
    """Return in words that a proxy refuses, and what to do."""
    quoted = _NO_TEXT.sub("?", said[:100]).strip()
    shown = f"{status} {quoted}".strip()
    if status == 407:
        return (
            f"the proxy {proxy} asks for a login ({shown}): give user and password in HTTPS_PROXY "
            "(http://user:password@host:port), or correct them"
        )
    if status in (502, 503, 504):
        return f"the proxy {proxy} cannot reach {target} ({shown}): see its log, or name the host in NO_PROXY"
    return (
        f"the proxy {proxy} refuses a connection to {target} ({shown}): have it allowed there, or name the "
        "host in NO_PROXY"
    )
