"""What the ledger keeps of an entry's steps, and what the log makes of them, also after a loss."""

from typing import Any

from log_projection import archiving, losses, queries
from log_projection.projection import apply
from sinks.ledger import commands
from sinks.ledger import store as ledger
from sinks.ledger.entries import entry_of_row
from tests.integration.sinks.shops import Maker, Shop
from tests.integration.sinks.test_decisions import decide, two_alike
from tests.integration.sinks.test_order import unmapped

WHOLE = [
    ("received", ""),
    ("taken_up", ""),
    ("failed", ""),
    ("setting_changed", "test"),
    ("retried", "ann"),
    ("failed", ""),
    ("setting_changed", "test"),
    ("retried", "ann"),
    ("taken_up", ""),
    ("completed", ""),
]


async def troubled(books: Shop, make: Maker) -> str:
    """Fails for a tax rate, is retried after a setting, fails for an account, and completes after another."""
    await books.settings(sales_account="255")
    created = make.created(unmapped(make))
    first = await books.run(created)
    await books.settings(
        **({"sales_tax__15": "OUTPUT2"} if first == ["tax_rate_unmapped"] else {"sales_account": "200"})
    )
    second = await books.retry(created)
    assert sorted([*first, *second]) == ["account_code_unknown", "tax_rate_unmapped"]
    await books.settings(sales_account="200", sales_tax__15="OUTPUT2")
    assert await books.retry(created) == ["posted"]
    return books.command_id(created)


async def steps(books: Shop, entry_id: str) -> list[dict[str, Any]]:
    async with await books.connect() as connection:
        return await queries.steps(connection, [entry_id])


def shown(rows: list[dict[str, Any]]) -> list[tuple[str, str]]:
    return [(row["step"], row["actor"]) for row in rows if row["step"] != "call"]


async def project(books: Shop) -> None:
    async with await books.connect() as connection:
        await apply(connection, await books.told())


async def lacked(books: Shop) -> list[str]:
    """Entries whose steps the log lacks, as the search for losses finds them five minutes later."""
    none = "00000000-0000-0000-0000-000000000000"
    async with await books.connect() as connection, connection.transaction():
        await connection.execute("UPDATE ledger.steps SET at = at - interval '6 minutes'")
        rows = await losses.fetch(connection, "steps_lacked", {"after": none, "limit": 1000})
        await connection.execute("UPDATE ledger.steps SET at = at + interval '6 minutes'")
    known = await own(books)
    return [str(row["command_id"]) for row in rows if row in known]


async def tell_again(books: Shop, entry_id: str) -> None:
    async with await books.connect() as connection, connection.transaction():
        rows = await connection.execute(ledger.SQL["commands_by_id"], [[entry_id]])
        assert rows.description is not None
        names = [column.name for column in rows.description]
        entries = [entry_of_row(dict(zip(names, row, strict=True))) for row in await rows.fetchall()]
        await commands.publish(connection, entries, whole_history=True)


async def own(books: Shop) -> list[dict[str, Any]]:
    return await books.rows("SELECT command_id FROM ledger.commands WHERE account = %s", books.account)


async def lose_the_log(books: Shop) -> None:
    async with await books.connect() as connection:
        ids = [str(row["command_id"]) for row in await own(books)]
        await archiving.forget(connection, ids)


async def test_every_step_is_told_and_read_again_from_the_results(books: Shop, make: Maker) -> None:
    entry_id = await troubled(books, make)
    await project(books)
    once = await steps(books, entry_id)
    assert shown(once) == WHOLE
    reasons = {row["reason_code"] for row in once if row["step"] == "failed"}
    assert reasons == {"account_code_unknown", "tax_rate_unmapped"}
    assert all(row["reason"] for row in once if row["step"] == "failed")
    async with await books.connect() as connection:
        row = await queries.entry(connection, entry_id)
    assert row is not None
    assert (row["triggered_by"], row["actor"]) == ("event", "")

    await lose_the_log(books)
    await project(books)
    assert await steps(books, entry_id) == once


async def test_the_ledger_tells_them_to_a_log_that_lost_all(books: Shop, make: Maker) -> None:
    entry_id = await troubled(books, make)
    await project(books)
    once = await steps(books, entry_id)
    assert await lacked(books) == []
    await lose_the_log(books)
    assert await lacked(books) == [entry_id]
    before = len(await books.told())
    await tell_again(books, entry_id)
    async with await books.connect() as connection:
        await apply(connection, (await books.told())[before:])

    kept = ("at", "step", "reason_code", "reason", "actor", "triggered_by", "outcome")
    assert [{name: row[name] for name in kept} for row in await steps(books, entry_id)] == [
        # Calls, and that it was taken up once more, are in the results alone.
        {name: row[name] for name in kept}
        for row in once
        if row["step"] != "call" and (row["step"] != "taken_up" or row["version"] is None)
    ]


async def test_of_more_steps_than_are_told_again_the_oldest_are_not_missed(books: Shop, make: Maker) -> None:
    """Else the entry was told again every few hours, for ever."""
    created = make.created(make.document(make.customer(), 1))
    await books.run(created)
    entry_id = books.command_id(created)
    many = "INSERT INTO ledger.steps SELECT %s, n, now(), 'failed', NULL, 'xero_refused', '{}', '[]', '', ''"
    await books.rows(f"{many} FROM generate_series(1001, 1103) AS n RETURNING 1", entry_id)
    assert await lacked(books) == [entry_id]
    await tell_again(books, entry_id)
    await project(books)
    assert await lacked(books) == []


async def test_an_entry_that_was_never_retried_costs_the_ledger_no_row(books: Shop, make: Maker) -> None:
    await books.run(make.created(make.document(make.customer(), 1)))
    known = await own(books)
    assert len(known) == 1
    kept = await books.rows("SELECT command_id FROM ledger.steps")
    assert [row for row in kept if row in known] == []


async def test_a_skip_and_what_it_undid(books: Shop, make: Maker) -> None:
    created = make.created(unmapped(make))
    await books.run(created)
    await books.skip(created, "done by hand")
    await project(books)
    rows = await steps(books, books.command_id(created))
    assert shown(rows) == [("received", ""), ("taken_up", ""), ("failed", ""), ("skipped", "ann")]
    assert rows[-1]["reason"] == "Ann skipped it: done by hand"


async def test_what_is_sent_again_was_completed_before(books: Shop, make: Maker) -> None:
    created = make.created(make.document(make.customer(), 1))
    await books.run(created)
    async with await books.connect() as connection:
        await commands.resend(connection, [books.command_id(created)], "bob")
    await books.idle()
    await project(books)
    rows = await steps(books, books.command_id(created))
    assert shown(rows)[:4] == [("received", ""), ("taken_up", ""), ("completed", ""), ("sent_again", "bob")]
    assert shown(rows)[-1] == ("completed", "")


async def test_a_decision_says_which(books: Shop, make: Maker) -> None:
    paid, theirs = await two_alike(books, make)
    await decide(books, paid, theirs[0])
    await project(books)
    rows = await steps(books, books.command_id(paid))
    words = [row["step"] for row in rows]
    assert ("adopted", "ann") in shown(rows)
    assert words.index("waiting") < words.index("failed") < words.index("adopted") < words.index("completed")
