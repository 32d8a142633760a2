"""Failures by their cause, and refusals that the catalogue does not know."""

import random
from datetime import timedelta
from typing import Any

import msgspec
import psycopg
import pytest

from contracts.results import Attempt, EntryResult
from log_projection import queries
from log_projection.projection import apply
from sbx.migrations import apply as migrate
from sbx.migrations import find_migrations
from tests.integration.log_projection.made import NOW, Connection, attempt, entry, ids


async def test_issues_group_standing_failures_of_one_cause(log: Connection) -> None:
    failures = [
        entry(f"e{n}", 1, "failed", record_number=str(n), reason_code="number_taken", reason=f"{n} is taken.",
              queued_at=NOW + timedelta(minutes=n), finished_at=NOW + timedelta(minutes=n))
        for n in range(7)
    ]  # fmt: skip
    await apply(log, [*failures, entry("other", 1, "failed", reason_code="period_locked", record_number="")])
    await apply(log, [entry("e0", 2, "completed")])

    first, second = await queries.issues(log, "acme")
    assert (first["reason_code"], first["entries"], first["reason"]) == (
        "number_taken",
        6,
        "6 is taken.",
    )
    assert (first["first_seen"], first["last_seen"]) == (
        NOW + timedelta(minutes=1),
        NOW + timedelta(minutes=6),
    )
    assert first["samples"] == ["6", "5", "4", "3", "2"]
    assert (second["reason_code"], second["samples"]) == ("period_locked", ["r1"])
    assert await queries.issues(log, "beta") == []


async def test_failures_of_two_causes_are_two_issues(log: Connection) -> None:
    def unpaired(entry_id: str, rate: str, account: str = "acme") -> EntryResult:
        cause, reason = f"sales_tax.{rate}", f"{entry_id}: {rate} % is not paired."
        return entry(
            entry_id,
            1,
            "failed",
            account=account,
            reason_code="tax_rate_unmapped",
            reason=reason,
            cause=cause,
        )

    await apply(log, [unpaired("a", "8"), unpaired("b", "8"), unpaired("c", "5"), unpaired("d", "8", "beta")])

    found = await queries.issues(log, "acme")
    assert [(row["cause"], row["entries"]) for row in found] == [("sales_tax.8", 2), ("sales_tax.5", 1)]
    assert await ids(log, issue=found[0]["issue_id"]) == ["a", "b"]
    assert await ids(log, issue=found[1]["issue_id"]) == ["c"]
    assert len({row["issue_id"] for row in await queries.issues(log)}) == 3
    await apply(log, [entry("a", 2, "completed"), unpaired("b", "5")])
    await apply(log, [msgspec.structs.replace(unpaired("b", "5"), version=2)])
    (left,) = await queries.issues(log, "acme")
    assert (left["cause"], left["entries"]) == ("sales_tax.5", 2)


def some_life(chance: random.Random, number: int) -> list[EntryResult]:
    """All versions of an entry that comes and goes among the failures, some with a finish, some without."""
    account = chance.choice(("acme", "beta"))
    versions = []
    for version in range(5):
        failed = chance.random() < 0.6
        code, cause = chance.choice((("number_taken", ""), ("period_locked", ""), ("number_taken", "x")))
        at = NOW + timedelta(minutes=chance.randrange(1000)) if chance.random() < 0.7 else None
        versions.append(
            entry(
                f"e{number}", version, "failed" if failed else "completed", account=account,
                queued_at=NOW + timedelta(seconds=number // 2), finished_at=at, record_number=str(number),
                reason=f"{number}.{version}", cause=cause if failed else "",
                reason_code=code if failed else None,
            )
        )  # fmt: skip
    return versions


def issue_of(failures: list[EntryResult]) -> dict[str, Any]:
    ordered = sorted(failures, key=lambda one: (one.queued_at, one.entry_id), reverse=True)
    seen = [one.finished_at or one.queued_at for one in failures]
    return {
        "entries": len(failures),
        "first_seen": min(seen),
        "last_seen": max(seen),
        "reason": ordered[0].reason,
        "samples": [one.record_number for one in ordered[:5]],
    }


@pytest.mark.parametrize("seed", range(4))
async def test_issues_count_what_stands_whatever_comes_late_or_twice(log: Connection, seed: int) -> None:
    chance = random.Random(seed)
    lives = [some_life(chance, number) for number in range(60)]
    sent = [version for life in lives for version in life for _ in range(chance.choice((1, 1, 2)))]
    chance.shuffle(sent)
    while sent:
        size = chance.randrange(1, 40)
        await apply(log, sent[:size])
        del sent[:size]

    groups: dict[tuple[Any, ...], list[EntryResult]] = {}
    for newest in (life[-1] for life in lives):
        if newest.state == "failed":
            groups.setdefault((newest.account, newest.reason_code, newest.cause), []).append(newest)
    found = await queries.issues(log)
    told = {
        (row["account"], row["reason_code"], row["cause"]): {name: row[name] for name in issue_of([newest])}
        for row in found
    }
    assert len(groups) > 4
    assert told == {key: issue_of(failures) for key, failures in groups.items()}
    assert [row["entries"] for row in found] == sorted((len(g) for g in groups.values()), reverse=True)
    totals = {"issues": len(groups), "entries": sum(map(len, groups.values()))}
    assert await queries.issue_totals(log) == totals


async def test_issues_are_read_a_page_at_a_time(log: Connection) -> None:
    await apply(
        log,
        [
            entry(f"e{size}.{n}", 1, "failed", reason_code="number_taken", cause=f"c{size}", account=account)
            for account, size in (("acme", 3), ("acme", 2), ("beta", 4), ("", 1))
            for n in range(size)
        ],
    )
    everything = await queries.issues(log)
    assert [row["entries"] for row in everything] == sorted(
        (row["entries"] for row in everything), reverse=True
    )
    pages = [await queries.issues(log, limit=2, offset=offset) for offset in range(0, 6, 2)]
    assert [row for page in pages for row in page] == everything
    ids = [row["issue_id"] for row in everything]
    assert await queries.issues(log, ids=ids[1:3]) == everything[1:3]
    assert await queries.issues(log, without=ids[1:], limit=9) == everything[:1]
    assert await queries.issues(log, ids=[]) == []
    assert {row["account"] for row in await queries.issues(log, accounts=("acme",))} == {"acme"}
    assert await queries.issue_totals(log, "nobody") == {"issues": 0, "entries": 0}
    largest = await queries.failed_of(log, ids[:1], 2)
    assert [row["entry_id"] for row in largest[ids[0]]] == ["e4.3", "e4.2"]
    assert await queries.failed_of(log, ids[:1], 2, ("other",)) == {}


async def test_unknown_refusals_are_counted_by_text_whatever_became_of_the_entry(log: Connection) -> None:
    def refused(attempt_id: str, minute: int, text: str, code: str = "xero_refused") -> Attempt:
        at = NOW + timedelta(minutes=minute)
        return attempt(
            attempt_id, started_at=at, refused=code, refusal=text, refusal_shape=text.replace("7", "#")
        )

    moon, sun = "The moon is full.", "The sun shines on 7."
    await apply(
        log,
        [
            entry("e1", 1, "failed", made=(refused("call1:e1", 1, moon),)),
            entry("e2", 1, "failed", made=(refused("call1:e2", 1, moon), refused("call2:e2", 2, sun))),
            entry("e3", 1, "failed", account="beta", made=(refused("call3:e3", 3, moon),)),
            entry("e4", 1, "failed", made=(refused("call4:e4", 4, "Known.", "number_taken"),)),
        ],
    )
    await apply(log, [entry("e1", 2, "completed")])

    newest, other = await queries.unknown_refusals(log)
    assert (newest["text"], newest["calls"], newest["entries"]) == (moon, 2, 3)
    assert (newest["first_seen"], newest["last_seen"]) == (
        NOW + timedelta(minutes=1),
        NOW + timedelta(minutes=3),
    )
    assert (newest["example_entry_id"], newest["accounts"]) == ("e3", ["acme", "beta"])
    assert (other["text"], other["example"]) == ("The sun shines on #.", sun)
    assert await queries.unknown_refusals(log, NOW + timedelta(minutes=3)) == [newest]


async def test_a_log_of_an_older_version_is_brought_up_to_date(empty_database_url: str) -> None:
    migrations = find_migrations()
    old_ones = [m for m in migrations if m.package != "log_projection" or m.name.startswith("001")]
    migrate(empty_database_url, old_ones)
    async with await psycopg.AsyncConnection.connect(empty_database_url, autocommit=True) as old:
        await old.execute(
            """INSERT INTO integrations_log.entry
                   (entry_id, version, position, account, entity, record_id, record_number, action, state,
                    reason_code, reason, remedy, warnings, party_name, currency, salesbinder_url, attempts,
                    queued_at, xero_type, xero_id, xero_number, xero_url, event_id, event_type, topic,
                    triggered_by, actor)
               VALUES ('e1', 1, 1, 'acme', 'invoice', 'r', '7', 'created', 'failed', 'number_taken', 'why',
                       'do', '[]', '', '', '', 1, now(), '', '', '', '', '', '', '', 'event', '')"""
        )
        migrate(empty_database_url, migrations)
        (issue,) = await queries.issues(old)
        assert (issue["reason_code"], issue["cause"], issue["samples"]) == ("number_taken", "", ["7"])
        await apply(old, [entry("e1", 2, "failed", reason_code="number_taken", cause="x")])
        assert [row["cause"] for row in await queries.issues(old)] == ["x"]
