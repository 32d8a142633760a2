"""``sbx topics`` and ``sbx migrate``: prepare the broker and the database."""

from typing import Annotated

import typer

from sbx.cli.commands.groups import new_group
from sbx.cli.options import AsJson, Yes

app = new_group("Set up the broker.")

Partitions = Annotated[int, typer.Option(min=1, max=1000, help="Partitions of each keyed topic.")]
RetentionDays = Annotated[int, typer.Option(min=1, help="Of commands and results.")]


@app.command()
def create(
    partitions: Partitions = 12,
    retention_days: RetentionDays = 30,
    replication_factor: Annotated[int, typer.Option(min=1, help="Copies of each partition.")] = 1,
    as_json: AsJson = False,
) -> None:
    """Create the topics that are missing.

    Existing topics are compared with what they should be, and never changed.
    """
    from sbx.cli import topics as work

    work.create(partitions, retention_days, replication_factor, as_json)


@app.command()
def check(partitions: Partitions = 12, retention_days: RetentionDays = 30, as_json: AsJson = False) -> None:
    """Compare the broker's topics with what they should be.

    Nothing is created or changed. Exits with 1 if a topic is missing or is not as it should be.
    """
    from sbx.cli import topics as work

    work.check(partitions, retention_days, as_json)


@app.command()
def skip(
    topic: Annotated[str, typer.Argument(metavar="TOPIC", help="Such as salesbinder.invoices.")],
    partition: Annotated[int, typer.Argument(metavar="PARTITION", min=0)],
    offset: Annotated[int, typer.Argument(metavar="OFFSET", min=0)],
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Make a stage skip a record that it cannot get past.

    Shows what would be skipped; add --yes to do it. The record is kept as a dead letter and shown in
    the log as failed; everything after it continues.
    """
    from sbx.cli import topics as work

    work.skip(topic=topic, partition=partition, offset=offset, yes=yes, as_json=as_json)


def migrate(
    dashboard_role: Annotated[
        str | None,
        typer.Option(
            help="Let this database role read the views of the log; create it if it does not exist."
        ),
    ] = None,
    wait: Annotated[
        float, typer.Option(min=0, help="How many seconds to wait for locks that others hold.")
    ] = 60.0,
    as_json: AsJson = False,
) -> None:
    """Bring the database schema up to date.

    Safe to run at any time, also several at once.
    """
    from sbx.cli import topics as work

    work.migrate(dashboard_role, wait, as_json)
