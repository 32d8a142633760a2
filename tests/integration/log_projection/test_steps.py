"""Every step of an entry stays, whatever comes after it."""

import random
from datetime import timedelta
from typing import Any

import msgspec
import psycopg

from contracts.results import AccountResult, EntryResult, Result, Step
from log_projection import archiving, queries
from log_projection.projection import apply
from log_projection.steps import dated, in_words
from sbx.migrations import apply as migrate
from sbx.migrations import find_migrations
from tests.integration.log_projection.made import NOW, Connection, attempt, entry


def at(minutes: float) -> Any:
    return NOW + timedelta(minutes=minutes)


FAILED: dict[str, Any] = {
    "reason_code": "payment_account_missing",
    "reason": "The connection does not say where.",
    "remedy": "set payment_account",
    "started_at": at(1),
}
FIRST: dict[str, Any] = {"first_triggered_by": "event", "first_actor": ""}


def retried(version: int, minutes: float, actor: str, undone: Step) -> EntryResult:
    step = Step(version=version, at=at(minutes), step="retried", triggered_by="retry", actor=actor)
    run: dict[str, Any] = {"triggered_by": "retry", "actor": actor, "started_at": at(1), **FIRST}
    return entry(version=version, history=(undone, step), **run)


def failure(version: int, minutes: float, reason: str) -> Step:
    return Step(
        version=version, at=at(minutes), step="failed", reason_code="payment_account_missing", reason=reason
    )


def troubled() -> list[EntryResult]:
    """Fails, is retried by ann, fails for something else, is retried by bob, and completes."""
    by_ann: dict[str, Any] = {"triggered_by": "retry", "actor": "ann", **FIRST}
    by_bob: dict[str, Any] = {"triggered_by": "retry", "actor": "bob", **FIRST}
    refused = attempt("c1", started_at=at(11.5), status=400, refused="period_locked", refusal="Locked.")
    other = {**FAILED, "reason_code": "period_locked", "reason": "The period is locked."}
    return [
        entry(version=0),
        entry(version=1, state="running", started_at=at(1)),
        entry(version=2, state="failed", finished_at=at(2), **FAILED),
        retried(3, 10, "ann", failure(2, 2, FAILED["reason"])),
        entry(version=4, state="running", started_at=at(1), at=at(11), **by_ann),
        entry(version=5, state="failed", finished_at=at(12), made=(refused,), **other, **by_ann),
        retried(6, 20, "bob", failure(5, 12, "The period is locked.")),
        entry(version=7, state="running", started_at=at(1), at=at(21), **by_bob),
        entry(version=8, state="completed", outcome="posted", started_at=at(1), finished_at=at(22),
              made=(attempt("c2", 2, started_at=at(21.5), status=200),), **by_bob),
    ]  # fmt: skip


TOLD = [
    (0, "received", "", ""),
    (1, "taken_up", "", ""),
    (2, "failed", "", "The connection does not say where."),
    (10, "retried", "ann", ""),
    (11, "taken_up", "", ""),
    (11.5, "call", "", "Locked."),
    (12, "failed", "", "The period is locked."),
    (20, "retried", "bob", ""),
    (21, "taken_up", "", ""),
    (21.5, "call", "", ""),
    (22, "completed", "", ""),
]


async def told(log: Connection, entry_id: str = "e1") -> list[tuple[float, str, str, str]]:
    rows = await queries.steps(log, [entry_id])
    return [((r["at"] - NOW).total_seconds() / 60, r["step"], r["actor"], r["reason"]) for r in rows]


async def test_no_later_step_erases_an_earlier_one(log: Connection) -> None:
    for result in troubled():
        await apply(log, [result])

    assert await told(log) == TOLD
    row = await queries.entry(log, "e1")
    assert row is not None
    assert (row["triggered_by"], row["actor"], row["state"]) == ("event", "", "completed")


async def test_in_one_batch_twice_and_in_any_order_they_are_the_same(log: Connection) -> None:
    batch: list[Result] = [*troubled(), *troubled()]
    await apply(log, batch)
    assert await told(log) == TOLD

    for seed in range(5):
        own = [msgspec.structs.replace(one, entry_id=f"s{seed}", made=()) for one in troubled()]
        random.Random(seed).shuffle(own)
        for result in own:
            await apply(log, [result])
        assert await told(log, f"s{seed}") == [one for one in TOLD if one[1] != "call"]
        row = await queries.entry(log, f"s{seed}")
        assert row is not None
        assert (row["triggered_by"], row["actor"]) == ("event", "")


async def test_an_entry_that_nothing_befell_costs_no_row(log: Connection) -> None:
    ended = entry(version=2, state="completed", started_at=at(1), finished_at=at(2), outcome="posted")
    await apply(log, [entry(version=0)])
    await apply(log, [ended])

    assert [step for _, step, _, _ in await told(log)] == ["received", "taken_up", "completed"]
    assert await (await log.execute("SELECT * FROM integrations_log.step")).fetchall() == []


async def test_what_an_earlier_version_published_is_told_by_when_it_was(log: Connection) -> None:
    by_ann: dict[str, Any] = {"triggered_by": "retry", "actor": "ann", "started_at": at(1)}
    old = [
        entry(version=2, state="failed", finished_at=at(2), **FAILED),
        entry(version=3, **by_ann),
        entry(version=5, state="completed", finished_at=at(6), outcome="posted", **by_ann),
    ]
    await apply(log, [entry()])
    await apply(log, [dated(one, (at(5)).timestamp()) for one in old])

    assert [(minutes, step, actor) for minutes, step, actor, _ in await told(log)] == [
        (0, "received", ""),
        (1, "taken_up", ""),
        (2, "failed", ""),
        (5, "retried", "ann"),
        (6, "completed", ""),
    ]
    row = await queries.entry(log, "e1")
    assert row is not None
    assert (row["triggered_by"], row["actor"]) == ("event", "")


async def test_a_skip_says_who_and_why(log: Connection) -> None:
    skipped: dict[str, Any] = {"outcome": "skipped_by_operator", "actor": "ann"}
    step = Step(version=3, at=at(4), step="skipped", reason="Paid in cash.", **skipped)
    ended = entry(
        version=3,
        state="completed",
        started_at=at(1),
        finished_at=at(4),
        history=(failure(2, 2, FAILED["reason"]), step),
        **skipped,
    )
    await apply(log, [entry(version=2, state="failed", finished_at=at(2), **FAILED)])
    await apply(log, [ended])

    assert (await told(log))[-1] == (4, "skipped", "ann", "Paid in cash.")
    assert in_words((await queries.steps(log, ["e1"]))[-1]) == "skipped by ann: Paid in cash."


async def test_holds_and_releases_while_it_waits_are_its_steps(log: Connection) -> None:
    holds = [
        AccountResult(account="acme", version=1, at=at(-5), held="account_paused", reason="Paused by ann."),
        AccountResult(account="acme", version=2, at=at(3)),
        AccountResult(account="acme", version=3, at=at(4), held="xero_minute_limit"),
        AccountResult(account="acme", version=4, at=at(4.5)),
        AccountResult(
            account="acme", version=5, at=at(5), held="xero_day_limit", reason="The day.", until=at(60)
        ),
        AccountResult(account="acme", version=6, at=at(60)),
        AccountResult(account="acme", version=7, at=at(90), held="account_paused", reason="Too late."),
        AccountResult(account="other", version=1, at=at(6), held="account_paused", reason="Another."),
    ]
    ended = entry(version=2, state="completed", started_at=at(61), finished_at=at(62), outcome="posted")
    await apply(log, [*holds, entry()])
    await apply(log, [ended])

    assert await told(log) == [
        (0, "received", "", ""),
        (0, "held", "", "Paused by ann."),
        (3, "released", "", ""),
        (5, "held", "", "The day."),
        (60, "released", "", ""),
        (61, "taken_up", "", ""),
        (62, "completed", "", ""),
    ]


async def test_a_setting_that_the_failure_names_is_a_step(log: Connection) -> None:
    await log.execute(
        "INSERT INTO connections.settings_history (at, account, actor, key, new) VALUES "
        "(%(at)s, 'acme', 'ann', 'payment_account', '090'), (%(at)s, 'acme', 'ann', 'item_code', 'X'), "
        "(%(late)s, 'acme', 'ann', 'payment_account', '091')",
        {"at": at(5), "late": at(30)},
    )
    for result in troubled():
        await apply(log, [result])

    changed = [row for row in await queries.steps(log, ["e1"]) if row["step"] == "setting_changed"]
    assert [(row["at"], row["actor"], row["detail"]) for row in changed] == [
        (at(5), "ann", {"setting": "payment_account", "old": None, "new": "090"})
    ]
    assert in_words(changed[0]) == "setting payment_account changed from the default to 090 by ann"


async def test_steps_go_to_the_archive_with_their_entry(log: Connection) -> None:
    for result in troubled():
        await apply(log, [result])

    kept = await archiving.steps(log, ["e1"])
    assert [row["step"] for row in kept] == ["failed", "retried", "taken_up", "failed", "retried", "taken_up"]
    await archiving.forget(log, ["e1"])
    assert await told(log) == []
    assert await (await log.execute("SELECT * FROM integrations_log.step")).fetchall() == []


async def test_an_older_log_keeps_what_it_knows(empty_database_url: str) -> None:
    migrations = find_migrations()
    earlier = [one for one in migrations if not "log_projection/097" <= str(one) < "log_projection/999"]
    migrate(empty_database_url, earlier)
    async with await psycopg.AsyncConnection.connect(empty_database_url, autocommit=True) as old:
        for entry_id, state, by, actor in (
            ("failed", "failed", "event", ""),
            ("retried", "completed", "retry", "ann"),
            ("plain", "completed", "event", ""),
        ):
            await old.execute(
                """INSERT INTO integrations_log.entry
                       (entry_id, version, position, account, entity, record_id, record_number, action,
                        state, reason_code, reason, remedy, warnings, party_name, currency, salesbinder_url,
                        attempts, queued_at, started_at, finished_at, xero_type, xero_id, xero_number,
                        xero_url, event_id, event_type, topic, triggered_by, actor)
                   VALUES (%(id)s, 5, 1, 'acme', 'invoice', 'r', '7', 'created', %(state)s::text,
                           CASE WHEN %(state)s::text = 'failed' THEN 'number_taken' END, 'why', 'do', '[]',
                           '', '', '', 1, %(queued)s, %(started)s, %(finished)s, '', '', '', '', '', '', '',
                           %(by)s, %(actor)s)""",
                {
                    "id": entry_id, "state": state, "by": by, "actor": actor,
                    "queued": NOW, "started": at(1), "finished": at(9),
                },
            )  # fmt: skip
        for number, refused in ((1, "number_taken"), (2, "")):
            await old.execute(
                """INSERT INTO integrations_log.attempt
                       (attempt_id, entry_id, account, number, step, method, path, started_at, request,
                        answer, error, refused, refusal, refusal_shape)
                   VALUES (%s, 'retried', 'acme', %s, 'invoice', 'PUT', '/Invoices', %s, '', '', '', %s,
                           '', '')""",
                [f"c{number}", number, at(number * 3), refused],
            )
        migrate(empty_database_url, migrations)

        assert [(m, s, a) for m, s, a, _ in await told(old, "failed")] == [
            (0, "received", ""),
            (1, "taken_up", ""),
            (9, "failed", ""),
        ]
        assert [(m, s, a) for m, s, a, _ in await told(old, "retried")] == [
            (0, "received", ""),
            (1, "taken_up", ""),
            (3, "call", ""),
            (6, "retried", "ann"),
            (6, "call", ""),
            (9, "completed", ""),
        ]
        assert [s for _, s, _, _ in await told(old, "plain")] == ["received", "taken_up", "completed"]
        await apply(
            old, [entry("failed", 7, "completed", started_at=at(1), finished_at=at(12), outcome="posted")]
        )
        assert [(m, s) for m, s, _, _ in await told(old, "failed")][2:] == [(9, "failed"), (12, "completed")]
