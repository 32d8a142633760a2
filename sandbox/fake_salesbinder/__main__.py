"""`python -m sandbox.fake_salesbinder`: run the fake until it is stopped."""

import argparse
import sys
import threading
from datetime import datetime

from sandbox.serving import exit_with_parent, listen

from .seeding import fill
from .server import make_server
from .shop import DEFAULT_KEY
from .switches import switches
from .webhooks import WebhookSender
from .world import DEFAULT_SHOP, World


def _arguments(given: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m sandbox.fake_salesbinder", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=0, help="0 (default) takes a free one")
    parser.add_argument("--print-url", action="store_true", help="print the address, alone, to stdout")
    parser.add_argument("--seed", type=int, default=0, help="of ids and all that is drawn (0)")
    parser.add_argument(
        "--switch", action="append", default=[], metavar="NAME=SETTING", help="see SWITCHES.md; repeatable"
    )
    parser.add_argument("--customers", type=int, default=0, help="fill the shop with this many (0)")
    parser.add_argument("--invoices", type=int, default=0, help="fill the shop with this many (0)")
    parser.add_argument("--clock-rate", type=float, help="fake seconds a real second (1; with --now 0)")
    parser.add_argument("--now", type=datetime.fromisoformat, help="ISO moment at which the clock stands")
    parser.add_argument("--exit-with-parent", action="store_true", help="end when stdin is closed")
    return parser.parse_args(given)


def main(given: list[str] | None = None) -> int:
    """Run it; 0 after an ordinary stop, 2 when the address is taken or a switch unknown."""
    arguments = _arguments(given)
    world = World(arguments.seed, arguments.now)
    try:
        wanted = switches(dict(text.split("=", 1) for text in arguments.switch))
        listener = listen(arguments.host, arguments.port)
    except ValueError as error:
        sys.stderr.write(f"--switch: {error}\n")
        return 2
    except OSError as error:
        sys.stderr.write(f"port {arguments.port} of {arguments.host}: {error}; choose another with --port\n")
        return 2
    shop = world.add_shop(DEFAULT_SHOP, wanted)
    fill(shop, customers=arguments.customers, invoices=arguments.invoices)
    if arguments.clock_rate is not None:
        world.clock.set_rate(arguments.clock_rate)
    server = make_server(world)
    url = f"http://{arguments.host}:{listener.getsockname()[1]}"
    if arguments.print_url:
        sys.stdout.write(url + "\n")
        sys.stdout.flush()
    sys.stderr.write(f"fake SalesBinder at {url}/{DEFAULT_SHOP}/api/2.0; API key {DEFAULT_KEY}\n")
    if arguments.exit_with_parent:
        threading.Thread(target=exit_with_parent, daemon=True).start()
    sender = WebhookSender(world)
    sender.start()
    server.run([listener])
    sender.stop()
    return 0


if __name__ == "__main__":
    sys.exit(main())
