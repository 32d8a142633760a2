"""``sbx topics create`` and ``sbx migrate``: what the broker and the database need before anything runs."""

from typing import Annotated

import typer

from runtime.environment import Environment
from sbx import migrations
from sbx.cli import environment, topics_skip
from sbx.cli.dashboard_role import grant_views
from sbx.cli.options import AsJson, Yes
from sbx.cli.terminal import print_json, say
from streams.topics import TopicOutcome, create_topics, layout

app = typer.Typer(no_args_is_help=True, help="Set up the broker.")


@app.command()
def create(
    partitions: Annotated[int, typer.Option(min=1, max=1000, help="Of each topic with keys.")] = 12,
    retention_days: Annotated[int, typer.Option(min=1, help="Of commands and results.")] = 30,
    replication_factor: Annotated[int, typer.Option(min=1, help="Copies of each partition.")] = 1,
    as_json: AsJson = False,
) -> None:
    """Create the topics that are missing.

    Those that exist are compared with what they should be, and never changed.
    """
    made = create_topics(
        environment.kafka_client(environment.required(kafka=True)),
        layout(partitions, retention_days),
        replication_factor=replication_factor,
    )
    for outcome in made:
        if as_json:
            print_json({"topic": outcome.name, "status": outcome.status, "differences": outcome.differences})
        else:
            print(f"{outcome.name}: {outcome.status}")
            for difference in outcome.differences:
                say(f"{outcome.name}: {difference}", "yellow")


@app.command()
def skip(
    topic: Annotated[str, typer.Argument(metavar="TOPIC", help="Such as salesbinder.invoices.")],
    partition: Annotated[int, typer.Argument(metavar="PARTITION", min=0)],
    offset: Annotated[int, typer.Argument(metavar="OFFSET", min=0)],
    yes: Yes = False,
    as_json: AsJson = False,
) -> None:
    """Let a stage step over a record that it does not get past.

    Says first what would be stepped over; --yes does it. It is kept as a dead letter and shown in the log as
    failed; everything behind it goes on.
    """
    kafka = environment.kafka_client(environment.required(kafka=True))
    step = topics_skip.plan(kafka, topic, partition, offset, environment.actor())
    if yes:
        topics_skip.step_over(kafka, step)
    if as_json:
        print_json(step.to_json() | {"applied": yes})
        return
    offsets = f"offset {step.first}" if step.first == step.last else f"offsets {step.first} to {step.last}"
    print(f"{topic}, partition {partition}, {offsets}: {step.reads}")
    if yes:
        print(f"{step.stage} goes on at offset {step.last + 1}")
    else:
        print(f"would be kept as a dead letter, and {step.stage} would go on at offset {step.last + 1}")
        say("add --yes to do it")


def migrate(
    dashboard_role: Annotated[
        str | None,
        typer.Option(help="Let this database role read the views of the log, and make it if need be."),
    ] = None,
    wait: Annotated[
        float, typer.Option(min=0, help="Seconds to wait for locks that others hold.")
    ] = migrations.WAIT_SECONDS,
    as_json: AsJson = False,
) -> None:
    """Bring the database's tables up to date.

    Safe to run at any time, by several at once.
    """
    used = environment.required(database=True)
    address = str(used.psycopg("sbx migrate")["conninfo"])
    applied = migrations.migrate(address, say, wait)
    if dashboard_role is not None and grant_views(address, dashboard_role):
        say(f"made the role {dashboard_role}: give it a password with \\password in psql")
    if as_json:
        print_json({"applied": applied})
        return
    for name in applied:
        print(name)
    say(f"{len(applied)} applied" if applied else "the database is up to date")


def set_up(used: Environment) -> list[TopicOutcome]:
    """Create topics and tables that are missing; what was done about each topic."""
    outcomes = create_topics(environment.kafka_client(used))
    migrations.migrate(str(used.psycopg("sbx migrate")["conninfo"]))
    return outcomes
