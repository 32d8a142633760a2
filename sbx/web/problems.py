"""A request that cannot be fulfilled, for pages and API alike."""

from collections.abc import Mapping


class Problem(Exception):
    """A request that cannot be fulfilled.

    ``code`` never changes, ``message`` is for people, ``field`` names the part of the request that is wrong.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        field: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> None:
        self.status = status
        self.code = code
        self.message = message
        self.field = field
        self.headers = dict(headers or {})
        super().__init__(message)


def is_api(path: str) -> bool:
    """Return True for addresses that answer in JSON."""
    return path.startswith("/api/")
