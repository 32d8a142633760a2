"""From a hint to the broker while the account is compared, in real time: answers take 0.2 s."""

import asyncio
import json
import time
from collections.abc import Sequence
from contextlib import suppress

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
HINTS = 6
_TAKEN = """
INSERT INTO source.scans (account, key, finished)
SELECT 'acme', key, convert_to(json_build_object('started', now(), 'asked', now(), 'count', 0)::text, 'UTF8')
FROM unnest(ARRAY['all/customers', 'all/suppliers', 'all/invoices', 'all/orders']) AS key
"""


class Endless:
    """A SalesBinder whose lists of all rows never end, so that a comparison goes on and on."""

    def __init__(self) -> None:
        self.compared = 0

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


async def test_a_hint_is_published_within_three_seconds_while_the_account_is_compared(
    database_url: str,
) -> None:
    published: dict[str, float] = {}

    async def publish(events: Sequence[Published]) -> None:
        for topic, key, _ in events:
            if topic != RESULTS:
                published.setdefault(key.decode().partition("/")[2], time.monotonic())

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
        sent: dict[str, float] = {}
        await asyncio.sleep(12)
        for number in range(HINTS):
            record_id = f"00000000-0000-4000-8000-00000000000{number}"
            sent[record_id] = time.monotonic()
            await store.hint(page, ACCOUNT, [record_id])
            hinted.set()
            await asyncio.sleep(7)
        for task in tasks:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task
    late = {each: published.get(each, float("inf")) - at for each, at in sent.items()}
    assert max(late.values()) <= 3, late
    assert salesbinder.compared >= 12, "it was compared meanwhile"
