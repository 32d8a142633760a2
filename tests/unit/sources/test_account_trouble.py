"""Trouble of an account, on the product's reader with its store in memory, for hours of its clock."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest

from contracts.reasons import CATALOGUE
from sources.batch import Wish
from sources.salesbinder.verdicts import Answer
from sources.schedule.questions import Question
from tests.unit.sources.memory_store import StoreReader
from tests.unit.sources.records import INVOICE, NOON, document

EMPTY = b'{"count": "0", "page": "1", "pages": "0", "documents": [], "customers": [], "deletedlog": []}'
LISTS = ("customers.json", "documents.json", "deleted_log.json")
GONE = Answer(404, b"<html>Not Found", None, None)
PAGE = Answer(200, b"<html>We are down for maintenance", None, None)
CUT = Answer(200, EMPTY[:40], None, None)
MAY_NOT = Answer(403, b"{}", None, None)
REVOKED = Answer(401, b"{}", None, None)
BLOCKED = Answer(429, b"", None, None)
DOWN = Answer(503, b"<html>", None, None)
HOUR = timedelta(hours=1)
Says = Callable[[Question], Answer]


HELD = timedelta(seconds=75)


class Account:
    """Answers as it is told to, and is read."""

    def __init__(self) -> None:
        self.says: Says = self.fine
        self.reader = StoreReader(lambda question: self.says(question), NOON, "correction")

    def fine(self, _: Question) -> Answer:
        return Answer(200, EMPTY, self.reader.now, None)

    def read(self, says: Says | Answer | None = None, time: timedelta = HOUR) -> None:
        self.says = self.fine if says is None else (lambda _: says) if isinstance(says, Answer) else says
        self.reader.store.troubles.clear()
        self.reader.run_until(self.reader.now + time)

    @property
    def trouble(self) -> str | None:
        return self.reader.store.trouble

    @property
    def codes(self) -> list[str]:
        return sorted({str(each.code) for each in self.reader.problems})


@pytest.fixture
def account() -> Account:
    account = Account()
    account.read()
    assert (account.trouble, account.codes) == (None, [])
    return account


@pytest.mark.parametrize(
    ("answer", "trouble"),
    [
        (GONE, "salesbinder_account_gone"),
        (REVOKED, "salesbinder_key_refused"),
        (MAY_NOT, "salesbinder_key_refused"),
        (PAGE, "salesbinder_unavailable"),
        (CUT, "salesbinder_unavailable"),
        (DOWN, "salesbinder_unavailable"),
        (BLOCKED, "salesbinder_blocked"),
    ],
)
def test_what_comes_in_place_of_all_is_trouble_of_the_account_and_over_with_the_next_list(
    account: Account, answer: Answer, trouble: str
) -> None:
    account.read(answer, timedelta(minutes=30))
    assert {account.trouble, *account.reader.store.troubles} == {trouble}
    assert CATALOGUE[trouble].remedy
    account.read(None, 2 * HOUR)
    assert (account.trouble, account.codes) == (None, [])


@pytest.mark.parametrize("before", [None, DOWN, MAY_NOT])
@pytest.mark.parametrize("answer", [None, GONE, DOWN, PAGE])
def test_a_block_that_a_comparison_meets_while_the_reader_asks_is_waited_out(
    account: Account, before: Answer | None, answer: Answer | None
) -> None:
    account.read(before, timedelta(minutes=1))
    store, asked = account.reader.store, list[datetime]()

    def says(question: Question) -> Answer:
        asked.append(account.reader.now)
        if len(asked) > 1:
            return account.fine(question)
        store.have_trouble("salesbinder_blocked", asked[0] + HELD)
        return answer or account.fine(question)

    while len(asked) < 2:
        account.read(says, timedelta(seconds=1))
    assert asked[1] >= asked[0] + HELD
    account.read(says, 2 * HOUR)
    assert (account.trouble, account.codes, store.failures) == (None, [], 0)


def test_of_answers_that_teach_nothing_nothing_is_kept_about_the_account(account: Account) -> None:
    store = account.reader.store
    before = store.learnt
    account.read()
    assert store.learnt == before
    account.read(lambda question: MAY_NOT if question.path == LISTS[0] else account.fine(question))
    assert store.refusals == 0, "other lists were read since"
    assert store.learnt > before


@pytest.mark.parametrize("answer", [MAY_NOT, REVOKED])
def test_refused_details_alone_are_no_key_that_is_refused(account: Account, answer: Answer) -> None:
    """Lists are shown, and of a dozen records each detail is refused; of the next ones it is shown."""
    names = [f"00000000-0000-4000-8000-{n:012x}" for n in range(16)]
    asked: list[str] = []

    def says(question: Question) -> Answer:
        asked.append(question.path)
        if any(name in question.path for name in names[:12]):
            return answer
        return GONE if question.path.startswith("documents/") else account.fine(question)

    store = account.reader.store
    store.wishes = {name: Wish(name, "changed", store.now, entity="invoice") for name in names}
    account.read(says, timedelta(seconds=50))
    assert store.troubles == []
    assert {f"documents/{name}.json" for name in names} <= set(asked), "all others are read within a minute"
    for name in range(6):
        first = asked.index(f"documents/{names[name]}.json")
        assert any(path in LISTS for path in asked[first : first + 12])
    account.read(says)
    assert account.codes == ["record_refused"]


def test_a_key_that_is_refused_is_found_out_by_the_lists_whatever_is_waiting(account: Account) -> None:
    names = [f"00000000-0000-4000-8000-{n:012x}" for n in range(60)]
    store = account.reader.store
    store.wishes = {name: Wish(name, "changed", store.now, entity="invoice") for name in names}
    before = account.reader.calls
    account.read(REVOKED, timedelta(seconds=50))
    assert account.trouble == "salesbinder_key_refused"
    assert account.reader.calls - before <= 12
    account.read(REVOKED, 2 * HOUR)
    assert set(store.troubles) == {"salesbinder_key_refused"}
    account.read(lambda q: GONE if q.path.startswith("documents/") else account.fine(q), 4 * HOUR)
    assert not account.trouble
    assert (account.codes, store.wishes) == ([], {})


def test_an_answer_with_an_old_date_does_not_move_the_connection_back(account: Account) -> None:
    store = account.reader.store
    connected = store.clock
    for apart in (timedelta(minutes=61), 5 * HOUR, 23 * HOUR):
        old = lambda _, apart=apart: Answer(200, EMPTY, account.reader.now - apart, None)  # noqa: E731
        account.read(old, timedelta(minutes=2))
        account.read(None, timedelta(minutes=2))
    assert store.clock == connected


def test_an_answer_from_before_the_connection_moves_it_though_it_teaches_nothing_else() -> None:
    account = Account()
    account.read(lambda _: Answer(200, EMPTY, account.reader.now + 3 * HOUR, None), timedelta(minutes=2))
    store = account.reader.store
    assert store.clock == NOON + 3 * HOUR
    account.read()
    assert store.clock is not None
    assert store.clock < NOON + timedelta(minutes=9)


@pytest.mark.parametrize("answer", [GONE, MAY_NOT, PAGE, CUT])
@pytest.mark.parametrize("path", LISTS)
def test_what_comes_in_place_of_one_list_is_its_own_and_all_others_are_read(
    account: Account, answer: Answer, path: str
) -> None:
    account.read(lambda question: answer if question.path == path else account.fine(question))
    assert account.reader.store.troubles == []
    assert account.codes in (["list_refused"], ["answer_unreadable"])
    account.read(None, 2 * HOUR)
    assert account.codes == []


def test_lists_of_changes_that_are_not_there_when_there_are_none_are_no_account_that_is_gone(
    account: Account,
) -> None:
    def says(question: Question) -> Answer:
        asks_since = {"modifiedSince", "deletedSince"} & set(question.parameters)
        refused = question.parameters.get("contextId") == "10" and not asks_since
        return GONE if asks_since else MAY_NOT if refused else account.fine(question)

    account.read(says, 12 * HOUR)
    assert account.reader.store.troubles == []


@pytest.mark.parametrize(
    ("apart", "is_off"),
    [(timedelta(minutes=4), False), (timedelta(minutes=6), True), (-3 * HOUR, True), (9000 * HOUR, True)],
)
def test_a_clock_that_differs_is_told_and_over_when_it_is_right(
    account: Account, apart: timedelta, is_off: bool
) -> None:
    account.read(lambda _: Answer(200, EMPTY, account.reader.now + apart, None), timedelta(minutes=5))
    assert account.codes == (["clock_off"] if is_off else [])
    account.read(None, timedelta(minutes=5))
    assert account.codes == []


def test_without_a_date_of_the_answers_the_next_scans_ask_back_a_day_more_and_it_is_told(
    account: Account,
) -> None:
    """Our clock may be ahead of SalesBinder's: what is made meanwhile must be asked for all the same."""
    asked: list[datetime] = []

    def says(question: Question) -> Answer:
        since = question.parameters.get("modifiedSince") or question.parameters.get("deletedSince")
        asked.extend([datetime.fromtimestamp(int(since), UTC)] if since else [])
        return Answer(200, EMPTY, None, None)

    account.read(says, timedelta(minutes=5))
    assert account.codes == ["clock_off"]
    asked.clear()
    account.read(says, timedelta(minutes=5))
    assert asked
    assert max(asked) <= account.reader.now - timedelta(days=1)
    account.read(None, timedelta(minutes=5))
    assert account.codes == []


@pytest.mark.parametrize("phase", [20, 40, 60])
def test_an_account_that_is_gone_has_not_deleted_what_was_archived_just_before(
    account: Account, phase: int
) -> None:
    """The log names what was archived, too, and its detail is 404 for over a minute, as all else is."""
    made = account.reader.now.isoformat()
    record = document(created=made, modified=made)
    row = {name: value for name, value in record.items() if name != "transactions"}
    named: list[object] = []

    def says(question: Question) -> Answer:
        found: dict[str, object] = {"count": 1, "page": 1, "pages": 1}
        if question.path == f"documents/{INVOICE}.json":
            found = {"document": record}
        elif question.path == "deleted_log.json" and named:
            found["deletedlog"] = named
        elif question.path == "documents.json" and question.parameters["contextId"] == "5":
            found["documents"] = [row]
        else:
            return account.fine(question)
        return Answer(200, json.dumps(found).encode(), account.reader.now, None)

    account.read(says, timedelta(minutes=5, seconds=phase))
    assert [event.type for event in account.reader.told] == ["salesbinder.invoice.created"]
    named.append({"record_id": INVOICE, "created": account.reader.now.isoformat()})
    account.read(says, timedelta(seconds=140))
    account.read(GONE, HOUR)
    assert account.trouble == "salesbinder_account_gone"
    account.read(says, timedelta(minutes=30))
    assert [event.type for event in account.reader.told] == ["salesbinder.invoice.created"]
    gone = lambda question: GONE if INVOICE in question.path else says(question)  # noqa: E731
    named.append({"record_id": INVOICE, "created": account.reader.now.isoformat()})
    account.read(gone, timedelta(minutes=10))
    assert [event.type for event in account.reader.told][1:] == ["salesbinder.invoice.deleted"]
