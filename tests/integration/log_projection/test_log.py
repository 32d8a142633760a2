"""The projection and the views on a real PostgreSQL."""

import random
from datetime import timedelta
from decimal import Decimal
from typing import Any

import msgspec
import psycopg
import pytest

from contracts.results import AccountResult, Result, State, Warning
from log_projection import queries
from log_projection.paging import Cursor
from log_projection.projection import CHANNEL, apply
from tests.integration.log_projection.made import NOW, Connection, attempt, entry, ids, listed

CONTRACT_COLUMNS = [
    *("entry_id", "account", "entity", "record_id", "record_number", "action", "state", "outcome"),
    *("reason_code", "reason", "remedy", "warnings", "party_name", "amount", "currency", "salesbinder_url"),
    *("attempts", "next_attempt_at", "queued_at", "started_at", "finished_at", "xero_type", "xero_id"),
    *("xero_number", "xero_url", "event_id", "event_type", "event_time", "topic", "partition", "offset"),
    *("triggered_by", "actor"),
]
ADDED_SINCE = ["cause", "issue_id", "reference"]


async def snapshot(log: Connection) -> list[Any]:
    """Everything the log holds but positions and times of writing."""
    found: list[Any] = []
    for query in (
        "SELECT * FROM integrations_log.entries ORDER BY entry_id",
        "SELECT * FROM integrations_log.attempts ORDER BY attempt_id",
        "SELECT account, version, held FROM integrations_log.account_hold ORDER BY account",
        "SELECT account, state, entries FROM integrations_log.tally WHERE entries <> 0 ORDER BY 1, 2",
    ):
        found.append(await (await log.execute(query)).fetchall())
    return found


async def test_view_has_the_columns_of_the_contract_and_new_ones_at_the_end(log: Connection) -> None:
    cursor = await log.execute("SELECT * FROM integrations_log.entries")
    assert cursor.description is not None

    assert [column.name for column in cursor.description] == CONTRACT_COLUMNS + ADDED_SINCE


async def test_row_shows_every_field_of_the_result(log: Connection) -> None:
    full = entry(
        version=7,
        state="completed",
        outcome="posted",
        reason_code="x",
        reason="why",
        remedy="do",
        warnings=(Warning(code="text_cut", text="The text was cut."),),
        currency="CAD",
        salesbinder_url="https://acme.salesbinder.com/d/1",
        attempts=2,
        next_attempt_at=NOW,
        started_at=NOW,
        finished_at=NOW,
        xero_type="invoice",
        xero_id="x1",
        xero_number="1042",
        xero_url="https://go.xero.com/1",
        event_id="ev",
        event_type="salesbinder.invoice.created",
        event_time=NOW,
        topic="salesbinder.invoices",
        partition=3,
        offset=99,
        triggered_by="retry",
        actor="ann",
    )
    await apply(log, [full])

    row = await queries.entry(log, "e1")
    assert row is not None
    expected = {name: getattr(full, name) for name in CONTRACT_COLUMNS}
    expected["warnings"] = [{"code": "text_cut", "text": "The text was cut."}]
    assert row == {**expected, "cause": "", "issue_id": None, "reference": ""}
    shown = msgspec.json.decode(queries.encode_row(row))
    assert shown["amount"] == "110.00"
    assert shown["queued_at"] == "2026-03-02T09:00:00Z"
    assert list(shown) == CONTRACT_COLUMNS + ADDED_SINCE


async def test_amounts_have_at_least_two_decimals(log: Connection) -> None:
    amounts = {"a": Decimal("8"), "b": Decimal("8.125"), "c": None}
    await apply(log, [entry(entry_id, amount=amount) for entry_id, amount in amounts.items()])

    assert [str(row["amount"]) for row in await listed(log)] == ["8.00", "8.125", "None"]


async def test_late_and_doubled_results_change_nothing(log: Connection) -> None:
    history: list[Result] = [
        entry(version=0),
        entry(version=1, state="running"),
        entry(version=2, state="queued", reason_code="xero_unavailable", made=(attempt("t1"),)),
        entry(version=3, state="completed", made=(attempt("t2", 2), attempt("t3", 3))),
        entry("e2", version=0),
        AccountResult(account="acme", version=1, at=NOW, held="account_paused"),
        AccountResult(account="acme", version=2, at=NOW),
    ]
    await apply(log, history)
    once = await snapshot(log)

    shuffler = random.Random(4)
    for _ in range(20):
        again = [shuffler.choice(history) for _ in range(shuffler.randint(1, 12))]
        await apply(log, again)
        assert await snapshot(log) == once


async def test_any_order_of_single_results_ends_the_same(log: Connection) -> None:
    states: tuple[State, ...] = ("queued", "running", "failed", "completed")
    versions = [entry(version=number, state=state) for number, state in enumerate(states)]
    for seed in range(5):
        shuffled = versions[:]
        random.Random(seed).shuffle(shuffled)
        for result in shuffled:
            await apply(log, [msgspec.structs.replace(result, entry_id=f"e{seed}")])

    assert [row["state"] for row in await listed(log)] == ["completed"] * 5
    assert (await queries.summary(log))[0]["completed"] == 5


async def test_nul_characters_are_shown_not_refused(log: Connection) -> None:
    await apply(
        log, [entry(version=1, reason="a\0b \\u0000", made=(attempt("t1", answer="\0"),)), entry("e2")]
    )

    assert (await listed(log))[0]["reason"] == "a\ufffdb \\u0000"
    assert (await queries.attempts(log, ["e1"]))[0]["answer"] == "\ufffd"


async def test_value_that_postgresql_cannot_hold_applies_nothing(log: Connection) -> None:
    with pytest.raises(psycopg.DataError):
        await apply(log, [entry("good"), entry("bad", version=1, attempts=2**40)])

    assert await listed(log) == []
    await apply(log, [entry("good")])
    assert await ids(log) == ["good"]


async def test_queued_of_a_held_account_shows_the_hold_and_until_when(log: Connection) -> None:
    until = NOW + timedelta(hours=3)
    hold = AccountResult(
        account="acme", version=1, at=NOW, held="xero_day_limit", reason="The day is used up.",
        remedy="Wait.",
        until=until,
    )  # fmt: skip
    await apply(
        log,
        [
            entry("waits", reason_code="xero_unavailable", reason="Xero was away."),
            entry("done", state="completed"),
            entry("other", account="beta"),
            hold,
        ],
    )

    rows = {row["entry_id"]: row for row in await listed(log)}
    waiting = rows["waits"]
    assert (waiting["reason_code"], waiting["reason"], waiting["remedy"], waiting["next_attempt_at"]) == (
        "xero_day_limit",
        "The day is used up.",
        "Wait.",
        until,
    )
    assert rows["done"]["reason_code"] is None
    assert rows["other"]["reason_code"] is None
    assert await ids(log, reason="xero_day_limit") == ["waits"]
    assert await ids(log, reason="xero_unavailable") == []
    assert (await queries.summary(log, "acme"))[0]["held"] == "xero_day_limit"

    await apply(log, [AccountResult(account="acme", version=2, at=NOW)])
    assert await ids(log, reason="xero_unavailable") == ["waits"]
    assert (await queries.summary(log, "acme"))[0]["held"] is None


async def test_filters_each_find_exactly_theirs(log: Connection) -> None:
    minute = timedelta(minutes=1)
    await apply(
        log,
        [
            entry("e1", topic="t", partition=1, offset=5, event_id="ev-1"),
            entry("e2", account="beta", queued_at=NOW + minute, record_number="10%", xero_number="SB-7"),
            entry("e3", entity="customer", state="failed", reason_code="number_taken", record_number="",
                  action="edited", record_id="5cc2-1", party_name="Öl 10 GmbH", queued_at=NOW + 2 * minute),
        ],
    )  # fmt: skip

    assert await ids(log) == ["e1", "e2", "e3"]
    assert await ids(log, account="beta") == ["e2"]
    assert await ids(log, state="failed") == ["e3"]
    assert await ids(log, entity="customer") == ["e3"]
    assert await ids(log, action="created") == ["e1", "e2"]
    assert await ids(log, reason="number_taken") == ["e3"]
    assert await ids(log, record="5cc2-1") == ["e3"]
    assert await ids(log, number="1042") == ["e1"]
    assert await ids(log, since=NOW + minute, until=NOW + 2 * minute) == ["e2"]
    assert await ids(log, topic="t", partition=1, offset_from=5, offset_to=5) == ["e1"]
    assert await ids(log, offset_from=4, offset_to=5) == ["e1"]
    assert await ids(log, offset_from=6) == await ids(log, offset_to=4) == []
    assert await ids(log, text="104") == ["e1"]
    assert await ids(log, text="10%") == ["e2", "e3"]
    assert await ids(log, text="öl 10") == ["e3"]
    assert await ids(log, text="5CC2") == ["e3"]
    assert await ids(log, text="sb-") == ["e2"]
    assert await ids(log, text="ev-1") == ["e1"]
    assert await ids(log, text="0") == []
    assert await ids(log, account="acme", state="failed", text="öl") == ["e3"]


async def test_pages_go_on_behind_the_last_entry_in_both_directions(log: Connection) -> None:
    await apply(log, [entry(f"e{n}", queued_at=NOW + timedelta(seconds=n // 3)) for n in range(9)])
    for newest_first in (False, True):
        found: list[str] = []
        after = None
        while page := await listed(log, limit=2, newest_first=newest_first, after=after):
            assert len(page) <= 2
            found += [row["entry_id"] for row in page]
            after = Cursor(page[-1]["queued_at"], page[-1]["entry_id"])
        assert found == sorted((f"e{n}" for n in range(9)), reverse=newest_first)


@pytest.mark.parametrize(
    "filters",
    [
        {},
        {"text": "10"},
        {"text": "widgets"},
        {"text": "sb-1"},
        {"text": "e1"},
        {"text": "10", "state": "queued"},
        {"reason": "account_paused"},
        {"reason": "number_taken"},
        {"reason": "number_taken", "text": "10"},
        {"account": "beta", "text": "10"},
    ],
)
@pytest.mark.parametrize("accounts", [None, ("acme", "beta"), ("beta",), ("none",)])
async def test_a_page_has_what_the_whole_list_begins_with(
    log: Connection, filters: dict[str, str], accounts: tuple[str, ...] | None
) -> None:
    """A page is found by another statement than an export."""
    made = [
        entry(f"e{n}", account=("acme", "beta", "gamma")[n % 3], state=("queued", "failed")[n % 2],
              record_number=str(1000 + n % 7 * 300),
              xero_number=f"SB-{n % 4}" if n % 5 else str(1000 + n % 7 * 300),
              party_name=("Widgets & Co", "10 Downing")[n % 4 == 0],
              queued_at=NOW + timedelta(seconds=n // 2),
              reason_code="number_taken" if n % 3 else None)
        for n in range(40)
    ]  # fmt: skip
    await apply(log, [*made, AccountResult(account="beta", version=1, at=NOW, held="account_paused")])
    wanted = queries.Filters(**filters, accounts=accounts)  # type: ignore[arg-type]
    for newest_first in (False, True):
        whole = await listed(log, wanted, newest_first=newest_first)
        paged: list[queries.Row] = []
        after = None
        while page := await listed(log, wanted, limit=3, newest_first=newest_first, after=after):
            paged += page
            after = Cursor(page[-1]["queued_at"], page[-1]["entry_id"])
        assert paged == whole


async def test_attempts_are_listed_in_the_order_of_the_calls(log: Connection) -> None:
    later = NOW + timedelta(seconds=1)
    await apply(
        log,
        [entry(version=2, made=(attempt("b", 2, started_at=later, status=200, request="{}"),)),
         entry(version=1, made=(attempt("a", 1, error="no answer"),))],
    )  # fmt: skip

    rows = await queries.attempts(log, ["e1", "none"])
    assert [(row["attempt_id"], row["status"], row["error"]) for row in rows] == [
        ("a", None, "no answer"),
        ("b", 200, ""),
    ]


async def test_summary_counts_by_account_and_survives_deletion(log: Connection) -> None:
    await apply(
        log,
        [entry("a", 1, "running", queued_at=NOW + timedelta(hours=1)), entry("b"), entry("c", 1, "failed"),
         entry("d", 1, "completed"), entry("z", account="beta", state="completed")],
    )  # fmt: skip
    acme, beta = await queries.summary(log)

    assert {name: acme[name] for name in ("account", "queued", "running", "failed", "completed")} == {
        "account": "acme", "queued": 1, "running": 1, "failed": 1, "completed": 1,
    }  # fmt: skip
    assert acme["oldest_waiting_at"] == NOW
    assert acme["oldest_waiting_seconds"] > 0
    assert (beta["completed"], beta["oldest_waiting_at"], beta["oldest_waiting_seconds"]) == (1, None, None)

    await log.execute("DELETE FROM integrations_log.entry WHERE entry_id IN ('a', 'b')")
    acme = (await queries.summary(log, "acme"))[0]
    assert (acme["queued"], acme["running"], acme["failed"]) == (0, 0, 1)
    await log.execute("TRUNCATE integrations_log.entry")
    assert await queries.summary(log) == []


async def test_entry_that_moves_to_another_account_is_counted_there(log: Connection) -> None:
    await apply(log, [entry(version=0, account="")])
    await apply(log, [entry(version=1, account="acme")])

    counts = {row["account"]: row["queued"] for row in await queries.summary(log)}
    assert counts == {"": 0, "acme": 1}


async def test_changes_are_announced_and_followed_in_order(log: Connection, database_url: str) -> None:
    async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as listener:
        await listener.execute(f"LISTEN {CHANNEL}")
        start = await queries.position(log)
        await apply(log, [entry("a"), entry("b")])
        await apply(log, [entry("a", 1, "running")])
        heard = [note.channel async for note in listener.notifies(timeout=60, stop_after=1)]

    assert set(heard) == {CHANNEL}
    followed = await queries.changes(log, start)
    assert [row["entry_id"] for row in followed] == ["b", "a"]
    assert await queries.changes(log, followed[-1]["position"]) == []


async def test_positions_appear_in_order_with_two_writers(log: Connection, database_url: str) -> None:
    """The second writer waits: what it writes must not appear before what was numbered earlier."""
    async with (
        await psycopg.AsyncConnection.connect(database_url) as first,
        await psycopg.AsyncConnection.connect(database_url, autocommit=True) as second,
    ):
        await second.execute("SET lock_timeout = '200ms'")
        async with first.transaction():
            await apply(first, [entry("slow")])
            with pytest.raises(psycopg.errors.LockNotAvailable):
                await apply(second, [entry("fast")])
        await apply(second, [entry("fast")])

    assert [row["entry_id"] for row in await queries.changes(log, 0)] == ["slow", "fast"]
