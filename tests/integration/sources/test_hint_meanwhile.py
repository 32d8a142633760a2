"""From a hint to the broker while the account is compared. How long it takes is measured by the benchmark
`source_changes`, and on a simulated clock by the unit tests of hints.
"""

import asyncio
import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from functools import partial

import psycopg

from sources import worker
from sources.entries import RESULTS
from sources.reader import Published, Reader
from sources.reconcile import runs
from sources.reconcile.reconciler import Reconciler
from sources.salesbinder.verdicts import Answer
from sources.schedule.questions import Question
from sources.store import store
from tests.integration.sources.reading import ACCOUNT
from tests.integration.sources.test_faults import EMPTY, leased
from tests.unit.sources.records import document

ANSWER_SECONDS = 0.2
HINTS = 3
_TAKEN = """
INSERT INTO source.scans (account, key, finished)
SELECT 'acme', key, convert_to(json_build_object('started', now(), 'asked', now(), 'count', 0)::text, 'UTF8')
FROM unnest(ARRAY['all/customers', 'all/suppliers', 'all/invoices', 'all/orders']) AS key
"""


class Endless:
    """A SalesBinder whose lists of all rows never end, so that a comparison goes on and on."""

    def __init__(self) -> None:
        self.compared = 0

    def has_compared_more_than(self, pages: int) -> bool:
        return self.compared > pages

    async def ask(self, question: Question) -> Answer:
        await asyncio.sleep(ANSWER_SECONDS)
        if question.path.startswith("documents/"):
            record = document(id=question.path.removeprefix("documents/").removesuffix(".json"))
            return Answer(200, json.dumps({"document": record}).encode(), None, None)
        is_all = not {"modifiedSince", "s"} & set(question.parameters)
        if question.path != "documents.json" or not is_all or question.parameters["page"] == "1000":
            return Answer(200, EMPTY, None, None)
        self.compared += 1
        page = question.parameters["page"]
        body = {"count": "9999", "page": page, "pages": "9999", "documents": [[{"id": f"row {page}"}]]}
        return Answer(200, json.dumps(body).encode(), None, None)


async def until(holds: Callable[[], bool]) -> None:
    for _ in range(2400):
        if holds():
            return
        await asyncio.sleep(0.05)
    raise AssertionError("not within two minutes")


async def test_hints_are_published_while_an_account_is_compared_that_is_never_done(
    database_url: str,
) -> None:
    published: set[str] = set()

    async def publish(events: Sequence[Published]) -> None:
        for topic, key, _ in events:
            if topic != RESULTS:
                published.add(key.decode().partition("/")[2])

    salesbinder, hinted = Endless(), asyncio.Event()
    async with (
        leased(database_url) as (connection, lease),
        await psycopg.AsyncConnection.connect(database_url, autocommit=True) as beside,
        await psycopg.AsyncConnection.connect(database_url, autocommit=True) as page,
    ):
        await connection.execute(_TAKEN)
        await store.hint(page, ACCOUNT, [])
        await runs.ask(page, ACCOUNT, "ann")
        reader = Reader(connection, lease, salesbinder, publish, b"encrypted")
        tasks = [
            asyncio.create_task(worker._keep_reading(ACCOUNT, reader, hinted)),
            asyncio.create_task(worker._keep_reconciling(Reconciler(beside, lease, salesbinder))),
        ]
        for number in range(HINTS):
            record_id = f"00000000-0000-4000-8000-00000000000{number}"
            await store.hint(page, ACCOUNT, [record_id])
            hinted.set()
            await until(partial(published.__contains__, record_id))
            await until(partial(salesbinder.has_compared_more_than, salesbinder.compared))
        assert not any(task.done() for task in tasks)
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
