"""`python -m sandbox.fake_xero`: run the fake until it is stopped."""

import argparse
import sys
import threading
from pathlib import Path

from sandbox.serving import exit_with_parent, listen

from .server import make_server
from .strict import VARIABLE, description_in_environment, strict_bodies
from .world import DEFAULT_CLIENT, DEFAULT_SECRET, DEFAULT_TENANT, World


def _arguments(given: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m sandbox.fake_xero", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 (default) takes a free one")
    parser.add_argument("--print-url", action="store_true", help="print the address, alone, to stdout")
    parser.add_argument("--base-currency", default="USD", help="of the default organisation")
    parser.add_argument(
        "--currency", action="append", default=[], help="another enabled currency; repeatable"
    )
    parser.add_argument(
        "--tenant", action="append", default=[], metavar="NAME[=ID]", help="another organisation"
    )
    parser.add_argument("--minute-limit", type=int, help="calls a minute (60)")
    parser.add_argument("--day-limit", type=int, help="calls a day (5000)")
    parser.add_argument("--clock-rate", type=float, default=1.0, help="fake seconds a real second")
    parser.add_argument(
        "--strict",
        type=Path,
        default=description_in_environment(),
        help=f"OpenAPI file; bodies not valid by it are refused and recorded (or set {VARIABLE})",
    )
    parser.add_argument("--exit-with-parent", action="store_true", help="end when stdin is closed")
    return parser.parse_args(given)


def main(given: list[str] | None = None) -> int:
    """Run it; 0 after an ordinary stop, 2 when the address is taken."""
    arguments = _arguments(given)
    world = World(arguments.base_currency, arguments.currency or ("EUR", "CAD"))
    for named in arguments.tenant:
        name, _, tenant_id = named.partition("=")
        world.add_tenant(name, tenant_id or None, arguments.base_currency)
    world.limiter.defaults.minute = arguments.minute_limit or world.limiter.defaults.minute
    world.limiter.defaults.day = arguments.day_limit or world.limiter.defaults.day
    world.clock.set_rate(arguments.clock_rate)
    try:
        listener = listen(arguments.host, arguments.port)
    except OSError as error:
        sys.stderr.write(f"port {arguments.port} of {arguments.host}: {error}; choose another with --port\n")
        return 2
    server = make_server(world, strict_bodies(arguments.strict) if arguments.strict else None)
    url = f"http://{arguments.host}:{listener.getsockname()[1]}"
    if arguments.print_url:
        sys.stdout.write(url + "\n")
        sys.stdout.flush()
    sys.stderr.write(
        f"fake Xero at {url}; client {DEFAULT_CLIENT} / {DEFAULT_SECRET}, tenant {DEFAULT_TENANT}\n"
    )
    if arguments.exit_with_parent:
        threading.Thread(target=exit_with_parent, daemon=True).start()
    server.run([listener])
    return 0


if __name__ == "__main__":
    sys.exit(main())
