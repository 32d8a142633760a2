"""Read JSON that the fast parser refuses, so that the reason can name the field."""

import json
from decimal import Decimal
from typing import Any

from contracts.events.fields import JsonNumber
from contracts.events.invalid import InvalidEvent


def parse_leniently(raw: bytes) -> Any:
    """Parse JSON that msgspec refused.

    Bare ``NaN`` and numbers of any length become ``JsonNumber``, whole numbers like ``5001.0`` integers.

    Raises:
        InvalidEvent: it is not JSON at all.
    """
    try:
        parsed = json.loads(
            raw.decode("utf-8"), parse_float=_float, parse_int=_int, parse_constant=JsonNumber
        )
        json.dumps(parsed, ensure_ascii=False).encode("utf-8")  # refuses lone surrogates
    except (ValueError, RecursionError) as error:
        raise InvalidEvent(
            "event_not_json",
            "value",
            raw[:80],
            f"it is not JSON in UTF-8 ({_short(str(error) or type(error).__name__)})",
            "Publish the event as JSON text in UTF-8.",
        ) from error
    return parsed


def _int(text: str) -> int | str:
    return int(text) if len(text) <= 18 else JsonNumber(text)


def _float(text: str) -> int | str:
    number = Decimal(text) if len(text) <= 18 else None
    if number is not None and abs(number.adjusted()) < 18 and number == number.to_integral_value():
        return int(number)
    return JsonNumber(text)


def _short(text: str) -> str:
    return text if len(text) <= 120 else text[:119] + "…"
