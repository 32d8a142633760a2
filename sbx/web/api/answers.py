"""JSON answers: amounts as strings (``"110.00"``), times as RFC 3339 in UTC."""

from typing import Any

import msgspec
from starlette.responses import Response

_encoder = msgspec.json.Encoder(decimal_format="string")


def encode(value: Any) -> bytes:
    """Return ``value`` as JSON."""
    return _encoder.encode(value)


def json_answer(value: Any, status: int = 200) -> Response:
    """Return ``value`` as a response."""
    return Response(encode(value), status, media_type="application/json")
