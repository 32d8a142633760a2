"""Help: what the words of the page mean, and what to do about each reason."""

import re
from dataclasses import dataclass
from typing import Final

from starlette.requests import Request
from starlette.responses import Response

from contracts.reasons import CATALOGUE
from contracts.reasons.titles import title_of
from sbx.web.view.rendering import render

_DETAIL: Final = re.compile(r"\{(\w+)\}")


@dataclass(frozen=True, slots=True)
class _Told:
    code: str
    title: str
    remedy: str
    """With the details that an entry's own remedy has as words in capitals, as the commands' help writes
    them.
    """


def _told(code: str) -> _Told:
    remedy = _DETAIL.sub(lambda found: found[1].upper(), CATALOGUE[code].remedy)
    return _Told(code, title_of(code), remedy[:1].upper() + remedy[1:])


_REASONS: Final = sorted(map(_told, CATALOGUE), key=lambda one: one.title.lower())


async def help_page(request: Request) -> Response:
    """``GET /help``"""
    return render(request, "help.html", {"reasons": _REASONS})
