"""Templates: the variables that every page gets, and how it is rendered."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import jinja2
from starlette.requests import Request
from starlette.responses import HTMLResponse

from contracts.reasons.titles import title_of
from runtime.version import VERSION
from sbx.web.form_tokens import form_token
from sbx.web.view import assets, fix_links, labels
from sinks.ledger.commands import obstacle

_FOLDER = Path(__file__).with_name("templates")


environment = jinja2.Environment(
    loader=jinja2.FileSystemLoader(_FOLDER),
    autoescape=True,
    undefined=jinja2.StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
environment.globals |= {
    "STATES": labels.STATES,
    "MARKS": labels.MARKS,
    "ENTITIES": labels.ENTITIES,
    "ACTIONS": labels.ACTIONS,
    "OUTCOMES": labels.OUTCOMES,
    "PROPOSALS": labels.PROPOSALS,
    "PERIODS": labels.PERIODS,
    "SORTS": labels.SORTS,
    "TRIGGERS": labels.TRIGGERS,
    "XERO_TYPES": labels.XERO_TYPES,
    "BY_CONNECTING": fix_links.BY_CONNECTING,
    "assets": assets.VERSION,
    "version": VERSION,
    "cause": labels.cause,
    "by_itself": labels.by_itself,
    "took": labels.took,
    "mending": fix_links.mending,
    "cause_in_words": fix_links.cause_in_words,
    "span": labels.span,
    "obstacle": obstacle,
}
environment.filters |= {
    "in_words": labels.in_words,
    "step_in_words": labels.step,
    "reason_title": title_of,
    "document": labels.document,
    "every": labels.every,
    "money": labels.money,
    "moment": labels.moment,
    "web_address": labels.web_address,
    "query": lambda parameters: urlencode(parameters),
    "pretty": labels.pretty,
    "with_commands": fix_links.with_commands,
    "zip_same": lambda values: [(value, value) for value in values],
    "name_pairs": labels.reasons_by_kind,
    "date_input": lambda value: "date" if not value or len(value) == 10 else "text",
}


def render(
    request: Request,
    template: str,
    context: Mapping[str, Any],
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> HTMLResponse:
    """Render a page. Templates have ``user`` (None if nobody is signed in), ``path`` and ``form_token``."""
    session = getattr(request.state, "session", None)
    known = {
        "user": getattr(request.state, "user", None),
        "path": request.url.path,
        "form_token": form_token(session) if session else "",
    }
    html = environment.get_template(template).render({**known, **context})
    return HTMLResponse(html, status, dict(headers or {}))


def fragment(template: str, name: str, *arguments: Any) -> str:
    """Render one macro of a template, as live updates carry it."""
    module = environment.get_template(template).module
    return str(getattr(module, name)(*arguments))
