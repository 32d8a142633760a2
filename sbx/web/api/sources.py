"""How accounts are read from SalesBinder."""

from starlette.requests import Request
from starlette.responses import Response

from sbx.actions import source
from sbx.actions.source_report import as_object
from sbx.web.api.answers import json_answer
from sbx.web.api.bodies import no_parameters
from sbx.web.auth.gate import user_of
from sbx.web.services import services_of


async def every(request: Request) -> Response:
    """``GET /api/v1/sources``: those of all accounts that the user sees, by name."""
    no_parameters(request)
    async with services_of(request).database.connection() as connection:
        found = await source.standing(connection, user_of(request))
    return json_answer({"sources": [as_object(each) for each in found]})


async def show(request: Request) -> Response:
    """``GET /api/v1/accounts/{account}/source``"""
    no_parameters(request)
    account: str = request.path_params["account"]
    async with services_of(request).database.connection() as connection:
        (found,) = await source.standing(connection, user_of(request), account)
    return json_answer(as_object(found))
