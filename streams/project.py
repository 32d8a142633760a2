"""Write results into the Integrations Log: the handler of the third stage."""

import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from functools import partial

import structlog

from contracts.messages import read_result
from contracts.results import EntryResult, Result
from log_projection.projection import apply
from log_projection.steps import dated
from runtime import metrics
from runtime.environment import Environment
from streams.batch_writer import BatchWriter, database_pool
from streams.dead_letters import DeadLetterReason, Letter, readable, to_dead_letters
from streams.faust_app import Producer, StageSpec
from streams.liveness import Liveness
from streams.records import Record, published_at
from streams.topic_ids import TopicIds
from streams.topics import RESULTS

log = structlog.stdlib.get_logger(__name__)


@asynccontextmanager
async def open_project(
    producer: Producer, environment: Environment, liveness: Liveness, topic_ids: TopicIds
) -> AsyncIterator[StageSpec]:
    """Run the project stage, with its own connection to the database."""
    async with database_pool(environment, "sbx-project", 1) as pool:
        store = BatchWriter[Result](pool, apply, liveness)

        async def handle(records: Sequence[Record]) -> None:
            now = datetime.now(UTC)
            found, letters = readable(records, read_result, partial(log.warning, "not a result"))
            results = [(record, _dated(result, record)) for record, result in found]
            sources = {id(result): record for record, result in results}
            unstored = set()
            for result, error in await store.save([result for _, result in results]):
                record = sources[id(result)]
                unstored.add(id(result))
                # No entry for the log here: the database might refuse that as well, without end.
                log.error("a result cannot be stored", offset=record.offset, error=str(error))
                letters.append(
                    Letter(record, DeadLetterReason.of_record(record, "our_error", str(error)), entry=False)
                )
            ids = await topic_ids.of(letter.record.topic for letter in letters)
            await producer.send(to_dead_letters(letters, ids, now))
            count([pair for pair in results if id(pair[1]) not in unstored])

        yield StageSpec(topics=(RESULTS,), handle=handle, database=True)


def _dated(result: Result, record: Record) -> Result:
    return dated(result, record.at) if isinstance(result, EntryResult) else result


def count(results: Sequence[tuple[Record, Result]]) -> None:
    """Count the results that are visible in the log now."""
    now = time.time()
    for record, result in results:
        if not isinstance(result, EntryResult):
            continue
        metrics.STATES_ENTERED.labels(result.state, result.outcome or result.reason_code or "").inc()
        published = published_at(record)
        if published is not None:
            metrics.PUBLISHED_TO_LOG_SECONDS.observe(max(0.0, now - published))
        if result.outcome != "posted" or result.triggered_by != "event":
            continue
        if result.event_time is not None and result.finished_at is not None:
            took = (result.finished_at - result.event_time).total_seconds()
            metrics.EVENT_TO_XERO_SECONDS.labels(result.action).observe(max(0.0, took))
