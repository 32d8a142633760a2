"""Addresses of the web, as far as they can be read at all."""

from urllib.parse import SplitResult, urlsplit


def split_address(url: str) -> SplitResult | None:
    """Return the parts of ``url``, or None where nobody can tell them apart (``http://[``, a port that is
    none).
    """
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    return parts
