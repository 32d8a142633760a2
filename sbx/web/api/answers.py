"""JSON answers: amounts as strings (``"110.00"``), times as RFC 3339 in UTC."""

from typing import Any

import msgspec
from starlette.responses import Response

_encoder = msgspec.json.Encoder(decimal_format="string")


def json_answer(value: Any) -> Response:
    """Return ``value`` as a response."""
    return Response(_encoder.encode(value), media_type="application/json")
