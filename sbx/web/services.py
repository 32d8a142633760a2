"""The services that every address needs, built once in ``sbx.web.app`` and kept in the application's
state.
"""

from dataclasses import dataclass

from starlette.requests import Request

from runtime.environment import Environment
from sbx.web.auth.passwords import PasswordCheck
from sbx.web.database import Database
from sbx.web.hooks import Hooks
from sbx.web.live import Feed
from sbx.web.looks import Looks
from sbx.web.overload import Turns


@dataclass(frozen=True, slots=True)
class Services:
    """The application's own parts."""

    environment: Environment
    database: Database
    feed: Feed
    passwords: PasswordCheck
    hooks: Hooks
    looks: Looks
    exports: Database
    """The connections of exports, and those of live updates: they take none of the pages'."""
    streams: Database
    turns: Turns


def services_of(request: Request) -> Services:
    """Return the services of the application that handles the request."""
    services: Services = request.app.state.services
    return services
