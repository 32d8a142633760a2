"""``sbx web``: the Integrations Log in the browser."""

import asyncio
import ipaddress

from runtime.environment import Environment
from sbx.actions import users
from sbx.cli import environment
from sbx.cli.acting import connected
from sbx.cli.errors import OperationFailed
from sbx.cli.terminal import say
from sbx.web.listening import AddressInUse, address, bind


def web(host: str, port: int) -> None:
    """Run ``sbx web``."""
    used = environment.required(database=True)
    try:
        listening = bind(host, port)
    except AddressInUse as error:
        raise OperationFailed(str(error), "choose another one with --port, or --port 0 for any") from error
    print(address(listening), flush=True)
    if _is_loopback(host):
        say_link(used, address(listening))
    # Imported here: the other commands need none of it, and somebody waits for each of them.
    from runtime.logs import configure_logging
    from sbx.web.server import serve

    configure_logging(stage="web")
    serve(used, listening)


def say_link(used: Environment, base: str) -> None:
    """Print a single-use sign-in link if no users are set up."""
    link = asyncio.run(local_link(used, base))
    if link is not None:
        say(
            f"no users are set up: this link opens the page and signs you in, once, within 15 minutes\n  "
            f"{link}"
        )


async def local_link(used: Environment, base: str) -> str | None:
    """Return a link that signs in as the operator of this machine; None once users are set up."""
    async with connected("sbx web", used) as (_, connection):
        name = await users.local_user(connection)
        return None if name is None else link_of(base, await users.new_link(connection, name))


def link_of(base: str, key: str) -> str:
    """Return the address that redeems the key."""
    return f"{base}/sign-in/once?key={key}"


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
