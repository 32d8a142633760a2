"""``sbx log``: the entries of the Integrations Log."""

from typing import TYPE_CHECKING, Annotated

import typer

from sbx.cli.commands.filters import filtered
from sbx.cli.commands.options import AsJson

if TYPE_CHECKING:
    from log_projection.queries import Filters


@filtered
def log(
    wanted: "Filters",
    limit: Annotated[
        int | None, typer.Option(min=1, help="At most so many, the newest. [default: 50; with --json all]")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show what became of every action.

    The newest 50, the newest last; with --json all, one entry a line, the oldest first.
    """
    from sbx.cli import log as work

    work.log(wanted, limit, as_json)
