"""``sbx topics`` and ``sbx migrate``: prepare the broker and the database."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Any

import typer

from runtime.environment import Environment
from sbx import migrations
from sbx.actions import topics_skip
from sbx.cli import environment
from sbx.cli.acting import actor, connected
from sbx.cli.dashboard_role import grant_views
from sbx.cli.terminal import print_json, say
from streams.topics import TopicOutcome, check_topics, create_topics, layout


def create(partitions: int, retention_days: int, replication_factor: int, as_json: bool) -> None:
    """Run ``sbx topics create``."""
    made = create_topics(
        environment.kafka_client(environment.required(kafka=True)),
        layout(partitions, retention_days),
        replication_factor=replication_factor,
    )
    _show(made, as_json)


def check(partitions: int, retention_days: int, as_json: bool) -> None:
    """Run ``sbx topics check``."""
    kafka = environment.kafka_client(environment.required(kafka=True))
    found = check_topics(kafka, layout(partitions, retention_days))
    _show(found, as_json)
    if any(each.status == "missing" or each.differences for each in found):
        raise typer.Exit(1)


def _show(outcomes: Sequence[TopicOutcome], as_json: bool) -> None:
    for outcome in outcomes:
        if as_json:
            print_json({"topic": outcome.name, "status": outcome.status, "differences": outcome.differences})
        else:
            print(f"{outcome.name}: {outcome.status}")
            for difference in outcome.differences:
                say(f"{outcome.name}: {difference}", "yellow")


def skip(*, topic: str, partition: int, offset: int, yes: bool, as_json: bool) -> None:
    """Run ``sbx topics skip``."""
    kafka = environment.kafka_client(environment.required(kafka=True, database=yes))
    step = topics_skip.plan(kafka, topic, partition, offset, environment.actor())
    if yes:
        asyncio.run(_step_over(kafka, step))
    if as_json:
        print_json(step.to_json() | {"applied": yes})
        return
    offsets = f"offset {step.first}" if step.first == step.last else f"offsets {step.first} to {step.last}"
    print(f"{topic}, partition {partition}, {offsets}: {step.reads}")
    if yes:
        print(f"{step.stage} continues at offset {step.last + 1}")
    else:
        print(f"would be kept as a dead letter, and {step.stage} would continue at offset {step.last + 1}")
        say("add --yes to do it")


async def _step_over(kafka: Mapping[str, Any], step: topics_skip.Step) -> None:
    async with connected("sbx topics") as (database, _):
        await topics_skip.step_over(database, kafka, actor(), step)


def migrate(dashboard_role: str | None, wait: float, as_json: bool) -> None:
    """Run ``sbx migrate``."""
    used = environment.required(database=True)
    address = str(used.psycopg("sbx migrate")["conninfo"])
    applied = migrations.migrate(address, say, wait)
    if dashboard_role is not None and grant_views(address, dashboard_role):
        say(f"created the role {dashboard_role}: set its password with \\password in psql")
    if as_json:
        print_json({"applied": applied})
        return
    for name in applied:
        print(name)
    say(f"{len(applied)} applied" if applied else "the database is up to date")


def create_tables(used: Environment) -> None:
    """Create missing tables."""
    migrations.migrate(str(used.psycopg("sbx migrate")["conninfo"]))
