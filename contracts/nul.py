"""The one character that JSON has and PostgreSQL's texts have not."""

from typing import Any

ESCAPED = b"\\u0000"
"""Stands in JSON that may hold one."""


def without_nul(value: Any) -> Any:
    """Return ``value``, of JSON's types, with NUL shown as U+FFFD in every text."""
    if isinstance(value, str):
        return value.replace("\0", "\ufffd")
    if isinstance(value, list):
        return [without_nul(item) for item in value]
    if isinstance(value, dict):
        return {without_nul(key): without_nul(item) for key, item in value.items()}
    return value
