"""Bodies of requests: JSON in the shape that the address takes."""

from typing import TypeVar

import msgspec
from starlette.requests import Request

from sbx.web.problems import Problem

T = TypeVar("T")


async def read_body(request: Request, shape: type[T]) -> T:
    """The body in this shape.

    Raises:
        Problem: 400, it is no JSON or has another shape.
    """
    try:
        return msgspec.json.decode(await request.body(), type=shape)
    except RecursionError as error:
        raise Problem(400, "bad_request", "The body is nested too deeply.", "body") from error
    except (msgspec.MsgspecError, ValueError) as error:
        message = f"The body is not what this address takes: {error}."
        raise Problem(400, "bad_request", message, "body") from error
