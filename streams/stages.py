"""The composition root: puts one stage together from the environment and runs it."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from functools import partial

import faust
import structlog
import uvloop
from kafka.errors import KafkaError

from runtime.environment import Environment, InvalidEnvironment
from runtime.logs import configure_logging
from streams import StageName
from streams.codecs import missing_libraries
from streams.faust_app import Producer, StageSpec, build_app, serve
from streams.liveness import Liveness, Watchdog, die
from streams.monitoring import Monitor
from streams.reading_ahead import ReadingAhead
from streams.setting_aside import setting_aside
from streams.topic_ids import TopicIds, TopicsRead, TopicsThere, topics_there
from streams.topics import DEAD_LETTERS, LEDGER, create_ledger_topic, group_of

_BROKER_PATIENCE_SECONDS = 60.0
"""How long a start waits for a broker that is still starting itself."""

log = structlog.stdlib.get_logger(__name__)


def run(stage: StageName, environment: Environment) -> int:
    """See ``streams.run_stage``."""
    configure_logging(stage=stage)
    # Not by FAUST_LOOP: Faust reads that only while it is imported, and else stays with the slower loop.
    return uvloop.run(_run(stage, environment))


async def _run(name: StageName, environment: Environment) -> int:
    if codecs := missing_libraries():
        log.error(
            "codecs of Kafka cannot be read",
            libraries=codecs,
            remedy="install the product again with its dependencies, as its requirements name them",
        )
        return 1
    try:
        topics = TopicsRead()
        app = build_app(group_of(name), environment, topics)
        liveness = Liveness()
        async with _open(name, app, environment, liveness) as stage:
            there = await asyncio.to_thread(_topics_there, environment, stage.topics)
            if missing := [name for name in (*stage.topics, DEAD_LETTERS) if name not in there.names]:
                log.error("topics are missing", topics=missing, remedy="run 'sbx topics create'")
                return 1
            lacking = name == "deliver" and LEDGER not in there.names
            if lacking and await asyncio.to_thread(create_ledger_topic, environment.kafka_python()):
                log.info("made a topic that an earlier version did not have", topic=LEDGER)
            topics.begin(there.ids)
            watchdog = _watchdog(app, stage, environment, liveness, topics)
            if environment.metrics_port is not None:
                _monitor(name, app, stage, environment, liveness, watchdog)
            await serve(app, stage, liveness, watchdog, ReadingAhead(app, environment.kafka_python()))
    except InvalidEnvironment as error:
        log.error("the environment cannot be used", problem=str(error))
        return 1
    except KafkaError as error:
        log.error(
            "Kafka not responding",
            servers=environment.kafka_bootstrap_servers,
            problem=str(error),
            remedy="start the broker, or correct SBX_KAFKA_BOOTSTRAP_SERVERS",
        )
        return 1
    except Exception:  # noqa: BLE001 - logged, and no other way on
        die("the stage ended in disorder")
    return 0


def _assigned(app: faust.App) -> set[tuple[str, int]]:
    return {(tp.topic, tp.partition) for tp in app.consumer.assignment()}


def _monitor(
    name: StageName,
    app: faust.App,
    stage: StageSpec,
    environment: Environment,
    liveness: Liveness,
    watchdog: Watchdog,
) -> None:
    """Serve metrics and probes. If that is not possible, events are handled without them."""
    monitor = Monitor(
        name,
        environment,
        liveness,
        # Before the watchdog runs there is no consumer to ask; asking would make one in the wrong thread.
        lambda: _assigned(app) if watchdog.is_alive() else set(),
        app.conf.id,
        stage.topics,
        database=stage.database,
        measure=stage.measure,
    )
    monitor.serve()


def _watchdog(
    app: faust.App, stage: StageSpec, environment: Environment, liveness: Liveness, topics: TopicsRead
) -> Watchdog:
    return Watchdog(
        liveness,
        lambda: _assigned(app),
        app.conf.id,
        stage.topics,
        environment.kafka_python(),
        instance=environment.worker_name,
        made_again=partial(topics.made_again, environment.kafka_python()),
        gone_back=lambda: topics.gone_back(environment.kafka_python(), app.conf.id, _assigned(app)),
    )


@asynccontextmanager
async def _open(
    name: StageName, app: faust.App, environment: Environment, liveness: Liveness
) -> AsyncIterator[StageSpec]:
    """Run the named stage. Each module is imported only by the process that runs it, to save memory."""
    producer, ids = Producer(app), TopicIds(environment.kafka_python())

    def aside(stage: StageSpec) -> StageSpec:
        return replace(stage, handle=setting_aside(stage.handle, producer.send, ids))

    if name == "transform":
        from streams.transform import open_transform

        async with open_transform(producer, ids) as stage:
            yield aside(stage)
    elif name == "deliver":
        from streams.deliver import open_deliver

        async with open_deliver(producer, environment, liveness, ids) as stage:
            yield aside(stage)
    else:
        from streams.project import open_project

        async with open_project(producer, environment, liveness, ids) as stage:
            yield aside(stage)


def _topics_there(environment: Environment, topics: tuple[str, ...]) -> TopicsThere:
    """Return the topics that the broker has, asking until it answers.

    Raises:
        KafkaError: it did not answer in time.
    """
    give_up = time.monotonic() + _BROKER_PATIENCE_SECONDS
    while True:
        try:
            return topics_there(environment.kafka_python(), topics)
        except KafkaError as error:
            if time.monotonic() >= give_up:
                raise
            log.warning("waiting for Kafka", error=str(error))
            time.sleep(1)
