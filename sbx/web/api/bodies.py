"""Request bodies: JSON in the shape that the address takes."""

from typing import TypeVar

import msgspec
from starlette.requests import Request

from sbx.web.auth.gate import check_api_act
from sbx.web.problems import Problem

T = TypeVar("T")


async def acting_body(request: Request, shape: type[T]) -> T:
    """Return the body of a request that does something, of somebody who may.

    Raises:
        Problem: 403, they may not; 400, the body has another shape, or the address takes no such parameter.
    """
    check_api_act(request)
    no_parameters(request)
    return await read_body(request, shape)


async def read_body(request: Request, shape: type[T]) -> T:
    """Return the body in this shape.

    Raises:
        Problem: 400, it is not JSON or has another shape.
    """
    try:
        return msgspec.json.decode(await request.body(), type=shape)
    except RecursionError as error:
        raise Problem(400, "bad_request", "The body is nested too deeply.", "body") from error
    except (msgspec.MsgspecError, ValueError) as error:
        message = f"The body does not have the shape that this address takes: {error}."
        raise Problem(400, "bad_request", message, "body") from error


def no_parameters(request: Request) -> None:
    """Refuse parameters that the address does not take.

    Raises:
        Problem: 400 that names it.
    """
    for name in request.query_params:
        raise Problem(400, "bad_request", f"This address takes no '{name}'.", name)
