"""``sbx web``: the Integrations Log in the browser."""

from typing import Annotated

import typer

from sbx.cli.options import PORT


def web(
    host: Annotated[str, typer.Option(help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port; 0 is any free one.")] = PORT,
) -> None:
    """Serve the Integrations Log: pages and JSON API, until SIGTERM or Ctrl-C.

    Prints its address on stdout. If it listens on an address other than localhost, put a TLS proxy in front
    of it.
    """
    from sbx.cli import web as work

    work.web(host, port)
