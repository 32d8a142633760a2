"""Hosts and ports, as they are written and read."""

from ipaddress import IPv6Address


def host_and_port(host: str, port: int | str) -> str:
    """Return ``host:port``, with an IPv6 address in brackets."""
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def is_host_and_port(text: str) -> bool:
    """Return True for ``host:port`` in which an IPv6 address stands in brackets."""
    host, _, port = text.rpartition(":")
    if not host or "/" in text or not (port.isascii() and port.isdecimal()) or not 0 < int(port[:6]) < 65536:
        return False
    if not host.startswith("["):
        return ":" not in host
    try:
        return host.endswith("]") and bool(IPv6Address(host[1:-1]))
    except ValueError:
        return False
