"""``sbx retry`` and ``sbx skip``: try failed actions again, or leave them. The plan first, then ``--yes``."""

from typing import TYPE_CHECKING, Annotated

import typer

from sbx.cli.commands.filters import filtered
from sbx.cli.commands.options import AsJson, Yes

if TYPE_CHECKING:
    from log_projection.queries import Filters


@filtered
def retry(wanted: "Filters", yes: Yes = False, as_json: AsJson = False) -> None:
    """Try failed actions again, with today's settings and the newest data.

    Says first what would be tried; --yes does it.
    """
    from sbx.cli import retry as work

    work.retry(wanted, yes, as_json)


@filtered
def skip(
    wanted: "Filters",
    note: Annotated[str, typer.Option(help="Why; the log shows it.")],
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Leave failed actions as they are: they end as skipped, and nothing is done in Xero.

    Says first what would be skipped; --yes does it. What is queued is skipped with --state queued.
    """
    from sbx.cli import retry as work

    work.skip(wanted, note, yes, as_json)
