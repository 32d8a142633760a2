"""What the forms that connect an account to Xero show."""

from starlette.requests import Request

from connections.store import Connection
from sbx.actions.connect import Wanted
from sbx.web.services import services_of


def forms_of(request: Request, wanted: Wanted, found: Connection | None, form: str = "") -> dict[str, object]:
    """Return what the forms that connect an account to Xero show.

    Args:
        form: the one of them that was sent and not accepted, if any.
    """
    return {
        "form": form,
        "wanted": wanted,
        "connection": found,
        "app": services_of(request).environment.xero_app_client_id or "",
        "redirect_uri": redirect_uri(request),
        "taken": request.url.scheme == "https" or request.url.hostname == "localhost",
        "port": request.url.port,
    }


def redirect_uri(request: Request) -> str:
    """Return where Xero leads back to."""
    return f"{request.url.scheme}://{request.url.netloc}/connect/callback"
