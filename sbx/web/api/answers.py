"""Answers in JSON: amounts as strings (``"110.00"``), times RFC 3339 in UTC."""

from typing import Any

import msgspec
from starlette.responses import Response

_encoder = msgspec.json.Encoder(decimal_format="string")


def encode(value: Any) -> bytes:
    """``value`` as JSON."""
    return _encoder.encode(value)


def json_answer(value: Any, status: int = 200) -> Response:
    """``value`` as an answer."""
    return Response(encode(value), status, media_type="application/json")
