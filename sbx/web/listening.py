"""The socket that the web process listens on. Separate from the server, which is slow to load."""

import socket

from runtime.addresses import host_and_port


class AddressInUse(OSError):
    """The port is taken, or the address does not belong to this machine."""


def bind(host: str, port: int) -> socket.socket:
    """Return a listening socket; port 0 is any free one.

    Raises:
        AddressInUse: it is not available.
    """
    try:
        family = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][0]
        return socket.create_server((host, port), family=family, backlog=256)
    except OSError as error:
        raise AddressInUse(
            f"{host_and_port(host, port)} cannot be used for listening: {error.strerror or error}"
        ) from error


def address(listening: socket.socket) -> str:
    """Return the address for a browser: ``http://localhost:8321``."""
    host, port = listening.getsockname()[:2]
    if host in ("127.0.0.1", "::1", "0.0.0.0", "::"):
        return local_address(port)
    return f"http://{f'[{host}]' if ':' in host else host}:{port}"


def local_address(port: int) -> str:
    """Return the address of a page of this machine.

    By this name alone Xero leads back by http, and a browser that has signed in at ``127.0.0.1`` is not
    signed in there.
    """
    return f"http://localhost:{port}"
