"""Messages that are removed before a stage has read them, and commands that are nowhere: told, and mended."""

import re
import shlex
import uuid
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import psycopg
import pytest
from kafka import KafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError
from psycopg.rows import dict_row

from log_projection import losses
from log_projection.projection import apply
from sandbox import EmbeddedStack
from sbx import migrations
from streams.batch_writer import Pool
from streams.losses import Losses
from streams.standings import standings
from streams.topics import COMMANDS, RESULTS, SOURCES, create_topics
from tests.integration.log_projection.made import entry
from tests.integration.ops.sbx import Done, Sbx, environ
from tests.integration.streams.conftest import StageProcess, StartStage, eventually
from tests.integration.streams.test_kafka_as_published import event
from tests.integration.streams.test_monitoring import Pages

ACCOUNT = "lost"


class Pipeline:
    """The three stages on a broker and a database of their own. No account is connected, so that every
    command that comes to the ledger ends as failed, ``not_connected``.
    """

    def __init__(self, start: StartStage, stack: EmbeddedStack, data: Path) -> None:
        self.servers, self.url = stack.bootstrap_servers, stack.database_url
        self._start = partial(start, database_url=self.url, SBX_KAFKA_BOOTSTRAP_SERVERS=self.servers)
        self._sbx = Sbx(
            environ(data, SBX_KAFKA_BOOTSTRAP_SERVERS=self.servers, SBX_DATABASE_URL=self.url), timeout=300
        )
        self.running: dict[str, StageProcess] = {}
        self._published = 0

    def start(self, stage: str, **more: Any) -> None:
        self.running[stage] = self._start(stage, **more).wait_until_ready()

    def publish(self, count: int) -> None:
        with KafkaProducer(bootstrap_servers=self.servers) as producer:
            for number in range(self._published, self._published + count):
                topic, key, value, headers = event(ACCOUNT, number)
                producer.send(topic, key=key, value=value, headers=headers)
        self._published += count

    def rows(self, query: str, *parameters: Any) -> list[dict[str, Any]]:
        with psycopg.connect(self.url, row_factory=dict_row, autocommit=True) as connection:
            cursor = connection.execute(query.encode(), parameters)
            return cursor.fetchall() if cursor.description else []

    def states(self) -> dict[str, int]:
        rows = self.rows("SELECT state, count(*) AS n FROM integrations_log.entries GROUP BY state")
        return {row["state"]: row["n"] for row in rows}

    def ends_as(self, **states: int) -> None:
        eventually(lambda: self.states() == states, f"{states}")

    def has_read(self, stage: str, *topics: str) -> None:
        def read() -> bool:
            found = standings({"bootstrap_servers": self.servers}, f"sbx-{stage}", topics)
            return all(place.reached == place.end for place in found.values())

        eventually(read, f"{stage} has read all")

    def remove_all(self, topic: str) -> int:
        """Remove what stands on a topic, as retention does; how many offsets of it the group had not read."""
        stage = "deliver" if topic == COMMANDS else "project"
        found = standings({"bootstrap_servers": self.servers}, f"sbx-{stage}", [topic])
        admin = KafkaAdminClient(bootstrap_servers=self.servers)
        admin.delete_records({TopicPartition(topic, tp.partition): place.end for tp, place in found.items()})
        admin.close()
        return sum(place.end - place.reached for place in found.values())

    def sbx(self, *arguments: str) -> Done:
        done = self._sbx(*arguments)
        assert done.code == 0, done.err
        return done

    def status(self) -> Any:
        """Whether or not it is ready: one of its stages is stopped at times."""
        return self._sbx("status", "--json").json


@pytest.fixture
def pipeline(start_stage: StartStage, tmp_path: Path) -> Iterator[Pipeline]:
    with EmbeddedStack(tmp_path / "own") as stack:
        create_topics({"bootstrap_servers": stack.bootstrap_servers})
        migrations.migrate(stack.database_url)
        made = Pipeline(start_stage, stack, tmp_path / "sbx")
        yield made
        for process in made.running.values():
            if process.code() is None:
                process.stop()


def older(pipeline: Pipeline, minutes: int, limit: int) -> None:
    """Some queued entries are of so many minutes ago."""
    pipeline.rows(
        "UPDATE integrations_log.entry SET queued_at = now() - %s * interval '1 minute' WHERE entry_id IN ("
        "SELECT entry_id FROM integrations_log.entry WHERE state = 'queued' ORDER BY entry_id LIMIT %s)",
        minutes,
        limit,
    )


def test_commands_and_results_that_are_removed_unread(pipeline: Pipeline) -> None:
    for stage in ("transform", "deliver", "project"):
        pipeline.start(stage)
    pipeline.publish(60)  # every partition of the topic of commands has a committed offset
    pipeline.ends_as(failed=60)
    pipeline.has_read("deliver", COMMANDS)
    pipeline.running["deliver"].stop()
    pipeline.publish(8)
    pipeline.ends_as(failed=60, queued=8)
    pipeline.has_read("transform", *SOURCES)
    older(pipeline, 6, 8)
    told = pipeline.status()
    assert (told["stages"]["deliver"]["lag"], told["lost_commands"], told["alarms"]) == (8, [], [])

    assert pipeline.remove_all(COMMANDS) == 8
    older(pipeline, 1, 8)  # on a busy machine these three must not come of age before the end
    older(pipeline, 6, 5)
    pages = Pages()
    pipeline.start("deliver", SBX_METRICS_PORT=str(pages.port))
    eventually(lambda: len(pipeline.status()["lost_commands"]) == 5, "five are old enough to be told")
    told = pipeline.status()
    assert sum(one["last"] - one["first"] + 1 for one in told["removed_unread"]) == 8
    assert {one["stage"] for one in told["removed_unread"]} == {"deliver"}
    removed = [text for text in told["alarms"] if "removed before deliver" in text]
    assert all("'sbx replay --yes'" in text for text in removed)
    eventually(lambda: pages.value(f'sbx_lost_commands{{account="{ACCOUNT}"}}') == 5, "the metric tells it")
    unread = 'sbx_removed_unread_messages{stage="deliver",topic="xero.commands"}'
    eventually(lambda: pages.value(unread) == 8, "and what was removed unread")

    [alarm] = [text for text in told["alarms"] if "command_lost" in text]
    for command in re.findall(r"'(sbx replay [^']+)'", alarm):
        pipeline.sbx(*shlex.split(command)[1:])
    eventually(lambda: pipeline.status()["lost_commands"] == [], "they are brought back")
    older(pipeline, 6, 8)
    if pipeline.status()["lost_commands"]:  # those that no range of the others has held
        pipeline.sbx("replay", "--yes")
    pipeline.ends_as(failed=68)
    assert pipeline.status()["lost_commands"] == []

    pipeline.has_read("project", RESULTS)
    pipeline.running["project"].stop()
    pipeline.publish(7)
    ended = "SELECT count(*) AS n FROM ledger.commands WHERE state = 'failed'"
    eventually(lambda: pipeline.rows(ended)[0]["n"] == 75, "the ledger has ended them")
    eventually(lambda: not pipeline.rows("SELECT FROM ledger.outbox"), "their results are published")
    assert pipeline.remove_all(RESULTS) >= 14
    assert pipeline.states() == {"failed": 68}
    pipeline.start("project")
    pipeline.ends_as(failed=75)
    assert "removed before project" in " ".join(pipeline.status()["alarms"])


def test_an_entry_whose_last_result_was_lost_is_told_again(pipeline: Pipeline) -> None:
    for stage in ("transform", "deliver", "project"):
        pipeline.start(stage)
    pipeline.publish(3)
    pipeline.ends_as(failed=3)
    pipeline.has_read("project", RESULTS)
    pipeline.running["deliver"].stop()
    pipeline.rows("UPDATE ledger.commands SET finished_at = now() - interval '6 minutes'")
    pipeline.rows(
        "UPDATE integrations_log.entry SET state = 'running', version = version - 1, finished_at = NULL, "
        "reason_code = NULL WHERE entry_id IN (SELECT entry_id FROM integrations_log.entry LIMIT 2)"
    )
    assert pipeline.states() == {"failed": 1, "running": 2}
    pipeline.start("deliver")
    pipeline.ends_as(failed=3)


async def test_while_the_broker_is_away_nothing_is_lost(database_url: str) -> None:
    """Whether the command still stands on its topic nobody can say then."""
    async with Pool(database_url, min_size=1, max_size=2, open=False) as pool:
        async with pool.connection() as connection:
            place: dict[str, Any] = {"topic": "salesbinder.invoices", "partition": 0, "offset": 0}
            await apply(connection, [entry(str(uuid.uuid4()), **place)])
        kafka = {"bootstrap_servers": "127.0.0.1:1", "api_version_auto_timeout_ms": 500}
        with pytest.raises(KafkaError):
            await Losses(pool, kafka).look()
        async with pool.connection() as connection:
            assert await losses.lost_commands(connection, limit=10) == []
