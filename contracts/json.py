"""JSON objects that other programs make or take: of their keys we know those that we look at."""

from collections.abc import Mapping
from typing import Any

JsonObject = Mapping[str, Any]
"""A JSON object as it was read; nothing changes it."""
Body = dict[str, Any]
"""While it is put together for another program."""
