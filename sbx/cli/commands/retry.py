"""``sbx retry`` and ``sbx skip``: retry failed actions, or close them. First the plan, then ``--yes``."""

from typing import TYPE_CHECKING, Annotated

import typer

from sbx.cli.commands.filters import filtered
from sbx.cli.options import AsJson, Yes

if TYPE_CHECKING:
    from log_projection.queries import Filters


@filtered
def retry(wanted: "Filters", yes: Yes = False, as_json: AsJson = False) -> None:
    """Retry failed actions with today's settings and the newest data.

    Shows what would be retried; add --yes to do it.
    """
    from sbx.cli import retry as work

    work.retry(wanted, yes, as_json)


@filtered
def skip(
    wanted: "Filters",
    note: Annotated[str, typer.Option(help="The reason; the log shows it.")],
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Skip failed actions: nothing is done for them in Xero, and they count as completed.

    Shows what would be skipped; add --yes to do it. With --state queued, queued actions are skipped.
    """
    from sbx.cli import retry as work

    work.skip(wanted, note, yes, as_json)
