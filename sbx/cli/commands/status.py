"""``sbx status``: what works, what waits, what is left of Xero's limits."""

from sbx.cli.commands.options import AsJson


def status(as_json: AsJson = False) -> None:
    """Show what runs, what waits and what failed.

    By account, with what is left of Xero's limits.
    """
    from sbx.cli import status as work

    work.status(as_json)
