"""``sbx status``: what is running, what is waiting, what is left of Xero's limits."""

from sbx.cli.options import AsJson


def status(as_json: AsJson = False) -> None:
    """Show what is running, what is waiting and what failed.

    Per account, with what is left of Xero's limits. Exits with 1 if a service or a stage does not work.
    """
    from sbx.cli import status_report as work

    work.status(as_json)
