"""JSON objects that other programs make or take: of their keys we know those that we look at."""

from collections.abc import Mapping
from typing import Any

JsonObject = Mapping[str, Any]
"""As it was read; nobody changes it."""
Body = dict[str, Any]
"""While it is put together for another program."""
