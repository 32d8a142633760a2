"""``sbx demo --by-hand``: both fakes and the pipeline; the account is set up in the browser."""

import time
from datetime import UTC, datetime, timedelta
from typing import Final

from rich.console import Console

from sandbox.fake_salesbinder.admin_client import FakeSalesBinderAdmin
from sandbox.fake_xero.admin_client import FakeXeroAdmin
from sandbox.fake_xero.world import DEFAULT_CLIENT, DEFAULT_SECRET
from sbx.cli.demo.shop import ACCOUNT, WEIGHTS, add_taxes
from sbx.cli.local.running import Running, check_services

_PAUSE: Final = 20.0
_LOOK: Final = 1.0
_BEFORE: Final = timedelta(days=1001)
"""Before all that the shop is filled with."""
NEXT_STEPS: Final = (
    "See how far the set-up is, or compare both sides once it is done:",
    f"  sbx setup {ACCOUNT} --show",
    f"  sbx reconcile {ACCOUNT}",
)
"""What can be tried besides."""


def prepare(console: Console, salesbinder: FakeSalesBinderAdmin, xero: str, page: str) -> None:
    """Fill the shop, and say what to give the page."""
    key = salesbinder.add_shop(ACCOUNT, seed=5)["key"]
    salesbinder.fill(shop=ACCOUNT, customers=8, suppliers=3, invoices=12)
    add_taxes(FakeXeroAdmin(xero))
    early = datetime.now(UTC) - _BEFORE
    console.print(
        f"\nA shop on a fake SalesBinder, and a fake Xero whose books are empty. Nothing is connected yet.\n"
        f"Open the sign-in link above, choose 'Set up an account…', and follow the steps. "
        f"The page asks for:\n"
        f"  SalesBinder account   {ACCOUNT}\n"
        f"  API key               {key}\n"
        f"  Xero client id        {DEFAULT_CLIENT}\n"
        f"  Xero client secret    {DEFAULT_SECRET}  (under 'With client credentials')\n"
        f"To have the 12 invoices of before in Xero, too, choose {early:%Y-%m-%d} as the start date, and "
        f"press 'Send them' once it is switched on.\n"
        f"Something more happens in the shop every {_PAUSE:.0f} seconds. In the end, compare "
        f"both sides: {page}/accounts/{ACCOUNT}/reconcile",
        markup=False,
        soft_wrap=True,
    )


def keep_shop(pipeline: Running, salesbinder: FakeSalesBinderAdmin) -> None:
    """Let the shopkeeper act, until interrupted.

    Raises:
        OperationFailed: an embedded service has ended.
    """
    last = time.monotonic()
    while True:
        time.sleep(_LOOK)
        check_services(pipeline)
        if time.monotonic() - last >= _PAUSE:
            salesbinder.keep(1, shop=ACCOUNT, weights=WEIGHTS)
            last = time.monotonic()
