"""Addresses of the web, as far as they can be read at all."""

from urllib.parse import SplitResult, urlsplit


def split_address(url: str) -> SplitResult | None:
    """Return the parts of ``url``, or None if it cannot be split (``http://[``, an invalid port)."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    return parts
