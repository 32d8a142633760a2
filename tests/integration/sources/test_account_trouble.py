"""Trouble of an account, from what SalesBinder answers to a state with a reason and a remedy."""

import json
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from contracts.reasons import CATALOGUE
from sbx.actions.source_report import as_object
from sources.batch import Batch, Wish
from sources.odd import listed_yet_missing
from sources.reader import Reader
from sources.reconcile import runs
from sources.reconcile.reconciler import Reconciler
from sources.salesbinder.verdicts import Answer
from sources.schedule.questions import Question
from sources.store import keeping, store
from sources.store.overview import overviews
from sources.store.store import Lease
from tests.integration.sources.reading import ACCOUNT
from tests.integration.sources.test_faults import EMPTY, leased, nothing

RECORD = "00000000-0000-4000-8000-000000000001"
Session = psycopg.AsyncConnection[Any]
GONE = Answer(404, b"<html>Not Found", None, None)
MAY_NOT = Answer(403, b"{}", None, None)
PAGE = Answer(200, b"<html>We are down for maintenance", None, None)
FINE = Answer(200, EMPTY, None, None)
_ALL_DUE = """
DELETE FROM source.calls;
UPDATE source.scans SET held_until = NULL, finished = NULL WHERE finished IS NULL OR scan IS NULL;
UPDATE source.wanted SET due_at = clock_timestamp();
UPDATE source.accounts SET held_until = NULL
"""

_LONG_AGO = """
UPDATE source.scans
SET finished = convert_to(
    jsonb_set(convert_from(finished, 'UTF8')::jsonb, '{started}', '"2026-01-01T00:00:00Z"')::text, 'UTF8'
)
WHERE key = 'all/invoices'
"""


class Salesbinder:
    """Answers as it is told to, and says the time."""

    def __init__(self, answer: Callable[[Question], Answer]) -> None:
        self.answer = answer

    async def ask(self, question: Question) -> Answer:
        answer = self.answer(question)
        return answer if answer.date is not None else replace(answer, date=datetime.now(UTC))


class BesideAnother(Salesbinder):
    """Answers the reader after a comparison beside it was blocked."""

    def __init__(self, connection: Session, answer: Answer) -> None:
        super().__init__(lambda _: answer)
        self.connection = connection

    async def ask(self, question: Question) -> Answer:
        until = datetime.now(UTC) + timedelta(seconds=75)
        await keeping.keep_trouble(self.connection, ACCOUNT, "salesbinder_blocked", "429", until)
        return self.answer(question)


async def read(connection: Session, lease: Lease, answer: Callable[[Question], Answer]) -> dict[str, Any]:
    """Ask all that is due; how the account stands then."""
    await connection.execute(_ALL_DUE)
    reader = Reader(connection, lease, Salesbinder(answer), nothing, b"encrypted")
    for _ in range(60):
        if await reader.turn():
            if not await _budget_only(connection):
                break
            await connection.execute("DELETE FROM source.calls")
    (found,) = await overviews(connection, [ACCOUNT])
    return as_object(found)


async def _budget_only(connection: Session) -> bool:
    cursor = await connection.execute("SELECT count(*) > 11 FROM source.calls")
    row = await cursor.fetchone()
    return bool(row and row[0])


def always(answer: Answer) -> Callable[[Question], Answer]:
    return lambda _: answer


async def test_an_account_that_is_gone_is_a_state_and_over_when_it_is_there_again(database_url: str) -> None:
    async with leased(database_url) as (connection, lease):
        assert (await read(connection, lease, always(FINE)))["trouble"] is None
        found = await read(connection, lease, always(GONE))
        assert (found["state"], found["trouble"]) == ("no_answers", "salesbinder_account_gone")
        assert "does not know the account 'acme'" in found["reason"]
        assert "Open https://acme.salesbinder.com" in found["remedy"]
        await store.hint(connection, ACCOUNT, ["00000000-0000-4000-8000-000000000001"])
        found = await read(connection, lease, always(GONE))
        assert found["trouble"] == "salesbinder_account_gone", "a record that is not there proves nothing"
        # The record that the hint names is none.
        there = lambda q: GONE if q.path.startswith("documents/") else FINE  # noqa: E731
        found = await read(connection, lease, there)
        assert (found["trouble"], found["problems"]) == (None, [])


async def test_one_list_that_is_not_there_is_its_own_trouble(database_url: str) -> None:
    async with leased(database_url) as (connection, lease):
        found = await read(connection, lease, lambda q: GONE if q.path == "deleted_log.json" else FINE)
        assert found["trouble"] is None
        assert [each["code"] for each in found["problems"]] == ["list_refused"]


async def test_pages_for_people_in_place_of_all_lists_are_no_answers(database_url: str) -> None:
    async with leased(database_url) as (connection, lease):
        found = await read(connection, lease, always(PAGE))
        assert (found["state"], found["trouble"]) == ("no_answers", "salesbinder_unavailable")
        assert "it is HTML, not JSON" in found["reason"]
        found = await read(connection, lease, always(FINE))
        assert (found["trouble"], found["problems"]) == (None, [])


async def test_a_record_that_is_refused_twice_is_an_entry_until_it_is_shown(database_url: str) -> None:
    record_id = RECORD
    refuses = lambda q: MAY_NOT if record_id in q.path else FINE  # noqa: E731
    async with leased(database_url) as (connection, lease):
        await read(connection, lease, always(FINE))
        batch = Batch(wanted=[Wish(record_id, "changed", datetime.now(UTC), entity="invoice")])
        await keeping.keep(connection, ACCOUNT, batch, datetime.now(UTC))
        assert (await read(connection, lease, refuses))["problems"] == [], "perhaps it is the key"
        (problem,) = (await read(connection, lease, refuses))["problems"]
        assert problem["code"] == "record_refused"
        assert "permission" in problem["remedy"]
        gone = lambda q: GONE if record_id in q.path else FINE  # noqa: E731
        assert (await read(connection, lease, gone))["trouble"] is None


async def test_a_new_key_has_what_was_refused_asked_for_at_once(database_url: str) -> None:
    async with leased(database_url) as (connection, lease):
        await read(connection, lease, always(FINE))
        later = datetime.now(UTC) + timedelta(hours=1)
        waits = [Wish(RECORD, "again", later, tries=4, entity="invoice")]
        waits += [Wish("history", "history", later, entity="invoice")]
        await keeping.keep(connection, ACCOUNT, Batch(wanted=waits), datetime.now(UTC))
        await store.connect(connection, ACCOUNT, b"another")
        account = await store.load(connection, ACCOUNT)
        assert [each.record_id for each in account.wishes.values() if each.at <= account.now] == [RECORD]


async def test_what_a_list_shows_again_after_five_looks_in_vain_is_reported_until_no_list_shows_it(
    database_url: str,
) -> None:
    async with leased(database_url) as (connection, lease):
        await read(connection, lease, always(FINE))
        began = (await store.load(connection, ACCOUNT)).now
        later = began + timedelta(days=1)
        asked = Wish(RECORD, "again", later, "a row", 4, "invoice")
        shown = [Wish(RECORD, "changed", began, "a row", entity="invoice")]
        for tries, found in ((4, []), (5, [RECORD])):
            await keeping.keep(connection, ACCOUNT, Batch(wanted=[replace(asked, tries=tries)]), began)
            assert await keeping.in_vain(connection, ACCOUNT, "invoice", shown) == found
        other = [replace(each, row="another row") for each in shown]
        assert await keeping.in_vain(connection, ACCOUNT, "invoice", other) == []
        problem = listed_yet_missing().of("invoice", RECORD)
        await keeping.keep(connection, ACCOUNT, Batch(problems=[problem]), began)
        assert await keeping.in_vain(connection, ACCOUNT, "invoice", shown) == []
        assert await keeping.not_listed(connection, ACCOUNT, "invoice", began) == []
        after = (await store.load(connection, ACCOUNT)).now
        assert await keeping.not_listed(connection, ACCOUNT, "invoice", after) == [RECORD]
        await keeping.note_listed(connection, ACCOUNT, "invoice", [RECORD])
        assert await keeping.not_listed(connection, ACCOUNT, "invoice", after) == []


class Hinting(Salesbinder):
    """Has a hint come while a detail is asked for."""

    def __init__(self, connection: Session, answer: Callable[[Question], Answer]) -> None:
        super().__init__(answer)
        self.connection = connection
        self.details = 0

    async def ask(self, question: Question) -> Answer:
        if question.path.startswith("documents/"):
            self.details += 1
            if self.details == 1:
                await store.hint(self.connection, ACCOUNT, [RECORD])
        return self.answer(question)


@pytest.mark.parametrize("answer", [GONE, MAY_NOT])
async def test_a_hint_that_comes_while_its_detail_is_asked_for_is_followed_too(
    answer: Answer, database_url: str
) -> None:
    async with leased(database_url) as (connection, lease):
        await read(connection, lease, always(FINE))
        await store.hint(connection, ACCOUNT, [RECORD])
        (wish,) = (await store.load(connection, ACCOUNT)).wishes.values()
        assert (wish.why, wish.tries, wish.entity) == ("hint", 0, None)
        hinting = Hinting(connection, lambda q: answer if RECORD in q.path else FINE)
        reader = Reader(connection, lease, hinting, nothing, b"encrypted")
        while not hinting.details:
            await connection.execute("DELETE FROM source.calls")
            await reader.turn()
        (wish,) = (await store.load(connection, ACCOUNT)).wishes.values()
        assert (wish.why, wish.tries) == ("hint", 0)
        while hinting.details < 2:
            await connection.execute("DELETE FROM source.calls")
            await reader.turn()
        (wish,) = (await store.load(connection, ACCOUNT)).wishes.values()
        assert (wish.why, wish.tries) == ("again", 1)


async def test_refused_details_are_counted_apart_from_lists_until_something_is_shown(
    database_url: str,
) -> None:
    async with leased(database_url) as (connection, lease):
        await read(connection, lease, always(FINE))
        names = [f"00000000-0000-4000-8000-{n:012}" for n in range(7)]
        wishes = [Wish(name, "changed", datetime.now(UTC), entity="invoice") for name in names]
        await keeping.keep(connection, ACCOUNT, Batch(wanted=wishes), datetime.now(UTC))
        reader = Reader(connection, lease, Salesbinder(always(MAY_NOT)), nothing, b"encrypted")
        for _ in range(5):
            await reader.turn()
        account = await store.load(connection, ACCOUNT)
        assert (account.refusals, account.standing.refused_details, account.is_well) == (0, 5, False)
        await Reader(connection, lease, Salesbinder(always(FINE)), nothing, b"encrypted").turn()
        account = await store.load(connection, ACCOUNT)
        assert (account.standing.refused_details, account.is_well) == (0, True)


async def test_a_block_that_a_comparison_meets_while_the_reader_asks_is_waited_out(database_url: str) -> None:
    async with leased(database_url) as (connection, lease):
        await read(connection, lease, always(FINE))
        # The second time there is trouble, which an answer would end.
        for answer in (FINE, FINE, GONE, PAGE, Answer(503, b"<html>", None, None)):
            await connection.execute(_ALL_DUE)
            reader = Reader(connection, lease, BesideAnother(connection, answer), nothing, b"encrypted")
            assert await reader.turn() == 0.0
            assert await reader.turn() > 60, "nothing is asked in a block"
            (found,) = await overviews(connection, [ACCOUNT])
            assert found.trouble is not None
        assert (await read(connection, lease, always(FINE)))["trouble"] is None


@pytest.mark.parametrize(
    ("apart", "said"),
    [
        (timedelta(minutes=4), None),
        (timedelta(hours=3), "ahead of"),
        (timedelta(hours=-3), "behind"),
        (timedelta(days=400), "ahead of"),
    ],
)
async def test_a_clock_that_is_off_is_told_and_over_when_it_is_right(
    apart: timedelta, said: str | None, database_url: str
) -> None:
    def answer(_: Question) -> Answer:
        return Answer(200, EMPTY, datetime.now(UTC) + apart, None)

    async with leased(database_url) as (connection, lease):
        found = await read(connection, lease, answer)
        assert [each["code"] for each in found["problems"]] == (["clock_off"] if said else [])
        assert all(str(said) in each["example"] for each in found["problems"])
        assert found["trouble"] is None
        found = await read(connection, lease, lambda _: Answer(200, EMPTY, datetime.now(UTC), None))
        assert found["problems"] == []


async def test_of_a_list_that_is_suddenly_empty_a_comparison_says_nothing(database_url: str) -> None:
    def full(question: Question) -> Answer:
        if question.path != "documents.json" or question.parameters["contextId"] != "5":
            return FINE
        rows = [{"id": f"d{n}", "document_number": n, "created": "2020-01-01"} for n in range(5)]
        body = {"count": "5", "page": "1", "pages": "1", "documents": [rows]}
        return Answer(200, json.dumps(body).encode(), None, None)

    async with leased(database_url) as (connection, lease):
        await read(connection, lease, full)
        for each in (1, 2):
            await connection.execute("UPDATE source.scans SET scan = NULL")
            run_id = await runs.ask(connection, ACCOUNT, "ann")
            turning = Reconciler(connection, lease, Salesbinder(always(FINE)))
            for _ in range(8):
                await turning.turn()
                await connection.execute("DELETE FROM source.calls")
            assert (await runs.seen(connection, run_id))["lists"]["invoices"] == "odd", each
            await connection.execute("DELETE FROM source.reconciliations; DELETE FROM source.calls")
            # The reader has seen the empty list meanwhile, too.
            reader = Reader(connection, lease, Salesbinder(always(FINE)), nothing, b"encrypted")
            await connection.execute(_LONG_AGO)
            while not await reader.turn():
                continue
            (found,) = await overviews(connection, [ACCOUNT])
            assert "list_odd" in {each.code for each in found.problems}


def test_each_state_has_a_reason_and_a_remedy() -> None:
    for code in ("salesbinder_account_gone", "clock_off", "record_refused"):
        assert CATALOGUE[code].sentence
        assert CATALOGUE[code].remedy
