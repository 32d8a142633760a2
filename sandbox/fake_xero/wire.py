"""Xero's JSON: exact numbers in and out, its two date forms, the envelope around every answer."""

from datetime import UTC, date, datetime
from decimal import Decimal
from functools import lru_cache
from typing import Any
from uuid import uuid4

import msgspec

from .books.errors import BadBody

_ENCODER = msgspec.json.Encoder(decimal_format="number")
_STRING_ENCODER = msgspec.json.Encoder(decimal_format="string")
_DECODER = msgspec.json.Decoder(Any, float_hook=Decimal)
_EPOCH_DAY = date(1970, 1, 1)
ZERO_ID = "00000000-0000-0000-0000-000000000000"


def encode(value: Any) -> bytes:
    """Return JSON with Decimals as numbers, digits kept (20.00 stays 20.00)."""
    return _ENCODER.encode(value)


def encode_exact(value: Any) -> bytes:
    """Return JSON with Decimals as strings, for the inspection endpoints."""
    return _STRING_ENCODER.encode(value)


def decode(body: bytes) -> Any:
    """Return parsed JSON with fractions as Decimal. Raises BadBody."""
    try:
        return _DECODER.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BadBody(f"JSON for post data was invalid, {error}") from error


@lru_cache(maxsize=4096)
def ms_day(day: date) -> str:
    """Return a day as `/Date(1552262400000+0000)/`."""
    return f"/Date({(day - _EPOCH_DAY).days * 86_400_000}+0000)/"


@lru_cache(maxsize=4096)
def day_string(day: date) -> str:
    """Return a day as `2019-03-11T00:00:00`."""
    return f"{day.isoformat()}T00:00:00"


def ms_time(moment: datetime | None) -> str | None:
    """Return a time as `/Date(1552327126117+0000)/`."""
    return None if moment is None else f"/Date({round(moment.timestamp() * 1000)}+0000)/"


def utc_string(moment: datetime | None) -> str | None:
    """Return a time as `2019-03-11T17:58:46Z`."""
    return None if moment is None else moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def envelope(now: datetime, plural: str, found: list[Any]) -> dict[str, Any]:
    """Return the envelope that Xero wraps around a list of records."""
    return {
        "Id": str(uuid4()),
        "Status": "OK",
        "ProviderName": "Fake Xero",
        "DateTimeUTC": f"/Date({round(now.timestamp() * 1000)})/",
        plural: found,
    }


def validation_exception(elements: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the 400 of a summarised write: only the elements that failed."""
    return {
        "ErrorNumber": 10,
        "Type": "ValidationException",
        "Message": "A validation exception occurred",
        "Elements": elements,
    }


def api_exception(number: int, kind: str, message: str) -> dict[str, Any]:
    """Return a 400 that is not about an element."""
    return {"ErrorNumber": number, "Type": kind, "Message": message}


def problem(title: str, status: int, detail: str) -> dict[str, Any]:
    """Return the shape of Xero's 401, 403 and 5xx bodies."""
    return {
        "Type": None,
        "Title": title,
        "Status": status,
        "Detail": detail,
        "Instance": str(uuid4()),
        "Extensions": {},
    }
