"""Cookies behind https, under names that only this host can set.

A browser takes a cookie ``__Host-…`` from this host alone, over https and for all paths, so no other host of
the domain can plant one. Plain http (on this machine) has no such cookies: there they keep their names.
"""

from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_PREFIX: Final = b"__Host-"
_OURS: Final = b"sbx_"


class HostCookies:
    """ASGI middleware: gives our cookies the prefix behind https, so that all else knows only plain names."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one request."""
        if scope["type"] != "http" or scope["scheme"] != "https":
            await self._app(scope, receive, send)
            return

        async def send_prefixed(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [_set(name, value) for name, value in message["headers"]]
            await send(message)

        headers = [(name, _sent(value) if name == b"cookie" else value) for name, value in scope["headers"]]
        await self._app({**scope, "headers": headers}, receive, send_prefixed)


def _set(name: bytes, value: bytes) -> tuple[bytes, bytes]:
    if name.lower() != b"set-cookie" or not value.startswith(_OURS):
        return name, value
    secure = b"" if b"; secure" in value.lower() else b"; Secure"  # also one that removes the cookie
    return name, _PREFIX + value + secure


def _sent(header: bytes) -> bytes:
    """Return the cookies that came: ours with the prefix, without it; ours that lack it are not ours."""
    pairs = [pair.strip() for pair in header.split(b";")]
    kept = [pair.removeprefix(_PREFIX) for pair in pairs if not pair.startswith(_OURS)]
    return b"; ".join(kept)
