"""Take commands into the ledger, and run the lanes that carry them to Xero: the second stage."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial

import structlog

from contracts.commands import Command
from contracts.messages import read_command
from runtime.environment import Environment
from sinks.delivery import new_supervisor
from sinks.xero.client import load_sdk
from streams.archiving import archiving_of
from streams.batch_writer import BatchWriter, database_pool
from streams.dead_letters import DeadLetterReason, Letter, readable, to_dead_letters
from streams.faust_app import Producer, StageSpec
from streams.intake import MarkedIntake
from streams.ledger_topic import LedgerTopic
from streams.liveness import Liveness
from streams.losses import Losses
from streams.records import Outgoing, Record
from streams.topic_ids import TopicIds
from streams.topics import COMMANDS, RESULTS

log = structlog.stdlib.get_logger(__name__)


@asynccontextmanager
async def open_deliver(
    producer: Producer, environment: Environment, liveness: Liveness, topic_ids: TopicIds
) -> AsyncIterator[StageSpec]:
    """Run the deliver stage: intake into the ledger, with the lanes in the same process."""
    load_sdk()

    async def publish(results: Sequence[tuple[str, bytes]]) -> None:
        await producer.send([Outgoing(RESULTS, key.encode(), value) for key, value in results])

    async with database_pool(environment, "sbx-deliver", environment.database_connections) as pool:
        marks = LedgerTopic(environment.kafka_python(), producer.send)
        delivery = new_supervisor(pool=pool, publish=publish, environment=environment, marks=marks)
        intake = MarkedIntake(marks, delivery.suspect)
        store = BatchWriter[Command](pool, intake.take_in, liveness)

        async def handle(records: Sequence[Record]) -> None:
            now = datetime.now(UTC)
            commands, letters = readable(records, read_command, partial(log.warning, "not a command"))
            sources = {id(command): record for record, command in commands}
            delivery.taken_in([command for _, command in commands])
            for command, error in await store.save([command for _, command in commands]):
                record = sources[id(command)]
                log.error("a command cannot be stored", offset=record.offset, error=str(error))
                letters.append(Letter(record, DeadLetterReason.of_record(record, "our_error", str(error))))
            await intake.publish(liveness)
            ids = await topic_ids.of(letter.record.topic for letter in letters)
            await producer.send(to_dead_letters(letters, ids, now))

        async def background(stop: asyncio.Event) -> None:
            beside = [asyncio.create_task(Losses(pool, environment.kafka_python()).run(stop))]
            if (archiving := archiving_of(pool, environment)) is not None:
                beside.append(asyncio.create_task(archiving.run(stop)))
            try:
                await delivery.run(stop)
            finally:
                for task in beside:
                    task.cancel()
                await asyncio.gather(*beside, return_exceptions=True)

        yield StageSpec(
            topics=(COMMANDS,),
            handle=handle,
            background=background,
            measure=delivery.measure,
            database=True,
        )
