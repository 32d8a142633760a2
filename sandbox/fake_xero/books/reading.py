"""Read the fields of a JSON element: dates, numbers, texts. An explicit null counts as absent."""

import re
from datetime import UTC, date, datetime, timedelta
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation
from typing import Any
from uuid import UUID

from .errors import TOO_LONG, BadBody, Refused

CENT = Decimal("0.01")
_MS_DATE = re.compile(r"/Date\((-?\d+)([+-]\d{2,4})?\)/$")
_ISO_DATE = re.compile(r"(\d{4})-(\d{2})-(\d{2})(T[0-9:.]+(Z|[+-]\d{2}:?\d{2})?)?$")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PLACES = {2: CENT, 4: Decimal("0.0001"), 6: Decimal("0.000001")}


def round_to(value: Decimal, places: int) -> Decimal:
    """Round half up, as the fake does everywhere (Xero's mode is not documented)."""
    return value.quantize(_PLACES[places], ROUND_HALF_UP)


def text(element: dict[str, Any], name: str, limit: int | None = None) -> str | None:
    """Return the field as a string, or None if absent. Raises Refused if longer than `limit`."""
    value = element.get(name)
    if value is None:
        return None
    if isinstance(value, bool | dict | list):
        raise BadBody(f"{name} must be a string, not {value!r}")
    value = str(value)
    if limit is not None and len(value) > limit:
        raise Refused(TOO_LONG.format(name, limit))
    return value


def number(element: dict[str, Any], name: str) -> Decimal | None:
    """Return the field as an exact decimal (JSON numbers and numeric strings), or None if absent."""
    value = element.get(name)
    if value is None or value == "":
        return None
    if isinstance(value, Decimal):
        result = value
    elif isinstance(value, bool):
        raise BadBody(f"{name} must be a number, not {value!r}")
    else:
        try:
            result = Decimal(value)
        except (InvalidOperation, TypeError, ValueError):
            raise BadBody(f"{name} must be a number, not {value!r}") from None
    if not result.is_finite():
        raise BadBody(f"{name} must be a finite number, not {value!r}")
    return result


def day(element: dict[str, Any], name: str) -> date | None:
    """Return the field as a date, from `/Date(ms+0000)/` or ISO, or None if absent."""
    value = element.get(name)
    if value is None or value == "":
        return None
    result = parse_day(value)
    if result is None:
        raise BadBody(f"{name} is not a date: {value!r}")
    return result


def parse_day(value: Any) -> date | None:
    """Return a date out of one of Xero's two forms, or None if it is neither."""
    if not isinstance(value, str):
        return None
    if match := _ISO_DATE.match(value):
        try:
            return date(int(match[1]), int(match[2]), int(match[3]))
        except ValueError:
            return None
    if match := _MS_DATE.match(value):
        return (_EPOCH + timedelta(milliseconds=int(match[1]))).date()
    return None


def record_id(value: Any) -> str | None:
    """Return a GUID in canonical form, or None if `value` is not one."""
    if not isinstance(value, str):
        return None
    try:
        return str(UUID(value))
    except ValueError:
        return None


def elements_of(body: Any, plural: str) -> list[dict[str, Any]]:
    """Return the elements of a write: `{"Invoices": [...]}`, a bare list or one bare object."""
    found = body.get(plural, body) if isinstance(body, dict) else body
    found = [found] if isinstance(found, dict) else found
    if not isinstance(found, list) or not all(isinstance(element, dict) for element in found):
        raise BadBody(f"the body must hold an object or a list of objects under {plural!r}")
    return found
