"""Hints that something changed, such as the body of a webhook: never trusted, they only make the reader look
now. Pure.
"""

import re
from typing import Final

MAX_BODY: Final = 65_536
"""Bytes of a body that are looked at."""
_MOST: Final = 20
_ID: Final = re.compile(rb"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)


def ids_in(body: bytes) -> tuple[str, ...]:
    """Return the ids that a body of any form names, in their order, each once, and not more than a few."""
    found = (match.decode().lower() for match in _ID.findall(body[:MAX_BODY]))
    return tuple(dict.fromkeys(found))[:_MOST]
