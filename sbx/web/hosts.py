"""Which hosts the page is served as, and what proxies in front of it say about the client."""

import ipaddress
import socket
from collections.abc import Sequence
from typing import Final

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from contracts.urls import split_address

_ANY_HOST: Final = ("/healthz", "/hooks/")
"""Probes and webhooks may use any name: there is nothing of a session there."""


class ForwardedHost:
    """ASGI middleware: takes ``X-Forwarded-Host`` as the host, if a trusted proxy sends it.

    Outside of the middleware that takes ``X-Forwarded-For`` and thereby replaces the proxy's own address.
    """

    def __init__(self, app: ASGIApp, trusted: Sequence[str]) -> None:
        self._app = app
        self._trusted = [ipaddress.ip_network(each) for each in trusted]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] == "http" and self._is_trusted(scope):
            given = [value for name, value in scope["headers"] if name == b"x-forwarded-host"]
            # The last one is the nearest proxy's own; those before it may be the client's invention.
            host = given[-1].rpartition(b",")[2].strip() if given else b""
            if host:
                others = [pair for pair in scope["headers"] if pair[0] != b"host"]
                scope["headers"] = [(b"host", host), *others]
        await self._app(scope, receive, send)

    def _is_trusted(self, scope: Scope) -> bool:
        try:
            address = ipaddress.ip_address((scope.get("client") or ("",))[0])
        except ValueError:
            return False
        return any(address in network for network in self._trusted)


class KnownHosts:
    """ASGI middleware: refuses requests for other hosts than ours.

    A foreign page whose name was made to lead to this machine would otherwise be of one origin with ours.
    """

    def __init__(self, app: ASGIApp, hosts: Sequence[str]) -> None:
        self._app = app
        machine = socket.gethostname().lower()
        self._hosts = {"localhost", machine, machine.partition(".")[0], *hosts}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http" or scope["path"].startswith(_ANY_HOST) or self._is_ours(scope):
            await self._app(scope, receive, send)
            return
        refusal = PlainTextResponse(
            "This page is not served under this name. The remedy, for its operator: set SBX_WEB_HOSTS to the "
            "name, and start it again.\n",
            421,
        )
        await refusal(scope, receive, send)

    def _is_ours(self, scope: Scope) -> bool:
        given = next((value for name, value in scope["headers"] if name == b"host"), b"")
        parts = split_address(f"http://{given.decode('latin-1')}/")
        if not given or parts is None:
            return True  # no browser sends that; it is refused as what it is
        host = (parts.hostname or "").rstrip(".")
        return host in self._hosts or host.endswith(".localhost") or _is_served(host, scope)


def _is_served(host: str, scope: Scope) -> bool:
    """Return True for an address of this machine: a loopback one, or the one that the request came to."""
    try:
        address = ipaddress.ip_address(host)
        return address.is_loopback or address == ipaddress.ip_address((scope.get("server") or ("",))[0])
    except ValueError:
        return False
