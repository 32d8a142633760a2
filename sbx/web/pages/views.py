"""Views of the log by name: kept and deleted by the user whose they are."""

from urllib.parse import urlencode

from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from sbx.actions.filters import read_order
from sbx.web import saved_views
from sbx.web.auth.gate import acting_for_all, user_of
from sbx.web.pages.forms import text
from sbx.web.services import services_of
from sbx.web.view import filters as reading


@acting_for_all
async def save(request: Request, form: FormData) -> Response:
    """``POST /views``: the filters and the order of the page that the form was on."""
    name = text(form, "name")
    given = [(key, text(form, key)) for key in (*reading.NAMES, reading.SORT) if text(form, key)]
    reading.read_filters(given, others=(reading.SORT,))
    read_order(dict(given).get(reading.SORT))
    async with services_of(request).database.connection() as connection:
        await saved_views.save(connection, user_of(request).name, name, given)
    return RedirectResponse("/?" + urlencode({reading.VIEW: name}), 303)


@acting_for_all
async def delete(request: Request, form: FormData) -> Response:
    """``POST /views/delete``"""
    async with services_of(request).database.connection() as connection:
        await saved_views.delete(connection, user_of(request).name, text(form, "name"))
    return RedirectResponse("/", 303)
