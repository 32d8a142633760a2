"""Where the page of a data directory is served: kept, so that commands and bookmarks find it again."""

import socket
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from sbx.cli import targets
from sbx.cli.errors import OperationFailed
from sbx.cli.options import PORT
from sbx.web.listening import AddressInUse, address, bind, local_address

FILE = "page-address"
"""In the data directory. It stays there when the page ends, for its next start."""
LOOPBACK = "127.0.0.1"
USUAL = local_address(PORT)

Report = Callable[[str, bool], None]
"""Tells people something; ``True`` if it is a trouble."""


def kept(data_dir: Path) -> str | None:
    """Return where the page was served last, such as ``http://localhost:8321``; None if it never was."""
    try:
        return (data_dir / FILE).read_text(encoding="utf-8").strip() or None
    except FileNotFoundError:
        return None


def at(port: int) -> str:
    """Return the address of the page at a port of this machine."""
    return local_address(port)


def answers(served: str) -> bool:
    """Return True once the page's process answers; its socket takes connections before that."""
    try:
        return targets.ask(f"{served}/healthz")[0]
    except OSError:
        return False


def listening(wanted: int | None, data_dir: Path, report: Report) -> socket.socket:
    """Return the page's socket, which its process inherits, at each restart too: nobody else can take its
    port meanwhile.

    Args:
        wanted: the port; None for that of the last time, else the usual one, else any free one.
        report: told if it is not the port at which somebody would look for the page.

    Raises:
        OperationFailed: the requested port is taken.
    """
    last = _port(kept(data_dir))
    expected = wanted or last or PORT
    for port in (wanted,) if wanted else dict.fromkeys((expected, PORT, 0)):
        try:
            found = bind(LOOPBACK, port)
        except AddressInUse:
            continue
        _keep(data_dir, address(found))
        if found.getsockname()[1] != expected:
            report(f"port {expected} is taken: the page is at {address(found)}, from now on", True)
        return found
    raise OperationFailed(f"port {wanted} is taken", "choose another one with --web-port, or leave it out")


def _keep(data_dir: Path, served: str) -> None:
    (data_dir / FILE).write_text(f"{served}\n", encoding="utf-8")


def _port(served: str | None) -> int | None:
    return urlsplit(served).port if served else None
