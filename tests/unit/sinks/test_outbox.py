"""Which results of the outbox are published."""

from datetime import UTC, datetime

import msgspec
import pytest

from contracts.results import AccountResult, Attempt, EntryResult, State, decode_result, encode_result
from sinks.lanes.outbox import still_news

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
ATTEMPT = Attempt(
    attempt_id="call:a", number=1, step="invoice", method="PUT", path="/Invoices", started_at=NOW
)


def entry(entry_id: str, version: int, state: State, *made: Attempt) -> EntryResult:
    return EntryResult(
        entry_id=entry_id, version=version, account="acme", entity="invoice", record_id="r",
        action="created",
        state=state, queued_at=NOW, made=made,
    )  # fmt: skip


def published(*results: EntryResult | AccountResult) -> list[EntryResult | AccountResult]:
    told = still_news([(f"acme/{number}", encode_result(one)) for number, one in enumerate(results)])
    return [decode_result(value) for _, value in told]


def test_an_entry_that_has_ended_is_not_told_to_run() -> None:
    other, ended = entry("b", 1, "running"), entry("a", 2, "completed", ATTEMPT)
    assert published(entry("a", 1, "running"), other, ended) == [other, ended]


def test_a_run_is_told_while_it_lasts() -> None:
    runs = [entry("a", 1, "running"), entry("b", 3, "running"), entry("b", 2, "queued")]
    assert published(*runs) == runs


def test_attempts_are_told_whatever_came_after_them() -> None:
    results = [entry("a", 2, "running", ATTEMPT), entry("a", 3, "completed")]
    assert published(*results) == results


def test_that_it_was_taken_up_again_is_told_whatever_came_after() -> None:
    again = msgspec.structs.replace(entry("a", 5, "running"), at=NOW)
    results = [again, entry("a", 6, "completed")]
    assert published(*results) == results


@pytest.mark.parametrize("state", ["queued", "failed", "completed"])
def test_states_that_somebody_acts_on_are_all_told(state: State) -> None:
    results = [entry("a", 1, state), entry("a", 2, "queued"), entry("a", 3, "completed")]
    assert published(*results) == results


def test_holds_of_accounts_are_all_told() -> None:
    holds = [AccountResult(account="acme", version=version, at=NOW) for version in (1, 2)]
    assert published(*holds, entry("a", 1, "running"), entry("a", 2, "failed")) == [
        *holds,
        entry("a", 2, "failed"),
    ]


def test_keys_stay_with_their_results() -> None:
    results = [("acme/1", encode_result(entry("a", 1, "running"))), ("acme/2", b'{"kind":"account"}')]
    assert still_news(results) == results
