"""What every address needs, made once in ``web.app`` and kept in the application's state."""

from dataclasses import dataclass

from starlette.requests import Request

from runtime.environment import Environment
from web.auth.passwords import PasswordCheck
from web.database import Database
from web.live import Feed


@dataclass(frozen=True, slots=True)
class Services:
    """The application's own parts."""

    environment: Environment
    database: Database
    feed: Feed
    passwords: PasswordCheck


def services_of(request: Request) -> Services:
    """The services of the application that handles the request."""
    services: Services = request.app.state.services
    return services
