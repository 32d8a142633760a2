"""The overview: how each account stands; pause and resume."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import psycopg
import pytest

from contracts.results import AccountResult
from sbx.web.view.charts import HEIGHT, HOURS, WIDTH, Hour, day_chart
from tests.web import sample
from tests.web.office import Client, Office, entry

NOW = datetime.now(UTC)
HOUR = timedelta(hours=1)


@pytest.fixture
def client(office: Office) -> Client:
    office.user("ann")
    return office.client("ann")


def section(page: str, account: str) -> str:
    """What the page says of one account, tags and blanks aside."""
    [found] = [part for part in page.split("<section")[1:] if f">{account}</h2>" in part]
    return " ".join(found.split())


def test_an_account_is_not_healthy_before_taxes_and_payment_account_are_set(
    office: Office, client: Client
) -> None:
    sample.connect(office)
    found = section(client.get("/overview").text, "acme")
    assert "Settings missing" in found and "Healthy" not in found
    assert "the account for payments and the tax rates are not set" in found
    sample.connect(office, payment_account="091")
    assert "the tax rates are not set" in section(client.get("/overview").text, "acme")
    sample.connect(office, sales_tax__8="OUTPUT")
    assert "Healthy" in section(client.get("/overview").text, "acme")


def test_who_works_on_what_where_there_are_several(office: Office, client: Client) -> None:
    for account in ("acme", "beta", "gamma"):
        sample.connect(office, account)
    with working(office, 1, "north", "acme", "beta") as north:
        page = client.get("/overview").text
        assert "north" not in page  # all is its own
        with working(office, 2, "south", "gamma"):
            page = client.get("/overview").text
            assert "<code>north</code> works on 2 accounts · <code>south</code> works on 1 account" in page
            assert "<code>south</code> works on it" in section(page, "gamma")
            north.execute("UPDATE ledger.leases SET expires_at = now() WHERE account = 'beta'")
            page = client.get("/overview").text
            assert "<code>north</code> works on 1 account ·" in page
            assert "works on it" not in section(page, "beta")


@contextmanager
def working(office: Office, holder: int, name: str, *accounts: str) -> Iterator[psycopg.Connection[Any]]:
    """A deliver worker, as the database sees it."""
    with psycopg.connect(
        office.database_url, application_name="sbx-deliver-holder", autocommit=True
    ) as connection:
        connection.execute("SELECT pg_advisory_lock(%s)", [holder])
        connection.execute("INSERT INTO ledger.workers (holder, name) VALUES (%s, %s)", [holder, name])
        for account in accounts:
            connection.execute(
                "INSERT INTO ledger.leases (account, holder, fence, expires_at) "
                "VALUES (%s, %s, 1, 'infinity')",
                [account, holder],
            )
        yield connection


def test_counts_speed_and_limits_of_each_account(office: Office, client: Client) -> None:
    now = datetime.now(UTC)
    sample.connect(office)
    posted = [
        entry(f"p{n}", 1, "completed", outcome="posted", queued_at=now - n * HOUR,
              finished_at=now - n * HOUR + timedelta(seconds=n + 1))
        for n in range(3)
    ]  # fmt: skip
    long_ago = now - 30 * HOUR
    office.log(
        *posted,
        entry("old", 1, "completed", outcome="posted", queued_at=long_ago, finished_at=now),
        entry("f", 1, "failed", reason_code="number_taken", queued_at=now),
        entry("q", queued_at=now - 3 * HOUR),
        entry("b", account="beta", queued_at=now),
    )
    sample.left(office, "acme", 12, 900, datetime.now(UTC))
    page = client.get("/overview").text
    acme = section(page, "acme")

    assert "Acme Ltd" in acme
    assert "2.0 s<span" in acme and "95 % in 2.9 s" in acme
    assert "12<span" in acme and "900 today" in acme
    assert ">3 h<" in acme
    assert "5 changes" in acme and "1 failed" in acme
    assert "Never connected" in section(page, "beta")
    assert "Nothing is being sent" in page
    with psycopg.connect(office.database_url, application_name="sbx-deliver-holder"):
        assert "Nothing is being sent" not in client.get("/overview").text


def test_what_was_left_of_an_earlier_minute_is_not_told(office: Office, client: Client) -> None:
    now = datetime.now(UTC)
    sample.connect(office)
    sample.left(office, "acme", 0, None, now - HOUR)
    assert "60<span" in section(client.get("/overview").text, "acme")


def test_what_holds_an_account_stands_first_with_what_to_do(office: Office, client: Client) -> None:
    now = datetime.now(UTC)
    for account in ("acme", "beta", "gamma"):
        sample.connect(office, account)
    office.log(
        AccountResult(
            account="gamma", version=1, at=now, held="xero_day_limit", reason="Used up.", remedy="W."
        ),
        entry("g", account="gamma"),
    )
    office.rows("UPDATE connections.accounts SET status = 'lost', status_reason = 'Revoked.' "
                "WHERE account = 'beta' RETURNING 1")  # fmt: skip
    page = client.get("/overview").text

    assert "Revoked." in section(page, "beta") and "sbx connect beta" in section(page, "beta")
    assert "Used up. W." in section(page, "gamma")
    assert page.index(">beta</h2>") < page.index(">gamma</h2>") < page.index(">acme</h2>")


def test_pause_needs_a_note_then_holds_and_resume_lets_go(office: Office, client: Client) -> None:
    sample.connect(office)
    assert "Pause acme?" in client.get("/accounts/acme/hold", do="pause").text
    token = client.mark()
    refused = client.form("/accounts/acme/hold", {"form_token": token, "do": "pause", "note": " "})
    assert (refused.status, "Give a reason" in refused.text) == (400, True)
    assert office.rows("SELECT 1 FROM connections.accounts WHERE paused_at IS NOT NULL") == []

    done = client.form("/accounts/acme/hold", {"form_token": token, "do": "pause", "note": "stock-taking"})
    assert (done.status, done.headers["location"]) == (303, "/overview")
    acme = section(client.get("/overview").text, "acme")
    assert "Paused by ann" in acme and "stock-taking" in acme and "Resume…" in acme

    client.form("/accounts/acme/hold", {"form_token": token, "do": "resume", "note": "done"})
    assert "Paused by" not in section(client.get("/overview").text, "acme")
    kept = office.rows("SELECT actor, act, target, note, result FROM web.acts ORDER BY id")
    assert [(row["actor"], row["act"], row["target"]["account"], row["note"]) for row in kept] == [
        ("ann", "pause", "acme", "stock-taking"), ("ann", "resume", "acme", "done"),
    ]  # fmt: skip
    assert [row["result"]["changed"] for row in kept] == [True, True]


def test_holding_is_for_operators_and_for_accounts_that_they_see(office: Office) -> None:
    sample.connect(office)
    sample.connect(office, "beta")
    office.user("vic", "viewer")
    office.user("bea", "operator", ["beta"])
    vic, bea = office.client("vic"), office.client("bea")

    assert "/hold" not in vic.get("/overview").text
    for client, status in ((vic, 403), (bea, 404)):
        fields = {"form_token": client.mark(), "do": "pause", "note": "n"}
        assert client.get("/accounts/acme/hold", do="pause").status == status
        assert client.form("/accounts/acme/hold", fields).status == status
    assert "acme" not in bea.get("/overview").text
    assert bea.get("/accounts/beta/hold", do="destroy").status == 400
    assert office.rows("SELECT 1 FROM connections.accounts WHERE paused_at IS NOT NULL") == []
    assert office.rows("SELECT 1 FROM web.acts") == []


@pytest.mark.parametrize(
    "hours",
    [
        [],
        [Hour(NOW, 1, 0, 0)],
        [Hour(NOW, 10_000, 1, 1), Hour(NOW + 5 * HOUR, 0, 3, 0)],
        [Hour(NOW + n * HOUR, n, n % 3, 1) for n in range(24)],
    ],
)
def test_a_chart_keeps_within_its_frame_and_shows_all_that_is_not_nothing(hours: list[Hour]) -> None:
    chart = day_chart(NOW, hours)

    assert len(chart.hours) == HOURS
    assert chart.total == sum(hour.total for hour in hours)
    pieces = sum((hour.completed > 0) + (hour.failed > 0) + (hour.waiting > 0) for hour in hours)
    assert len(chart.bars) == pieces
    for bar in chart.bars:
        assert bar.height >= 1.9
        assert -0.1 <= bar.y <= bar.y + bar.height <= HEIGHT + 0.1
        assert 0 <= bar.x <= bar.x + bar.width <= WIDTH


def test_lost_commands_are_told_with_the_replays_that_bring_them_back(office: Office, client: Client) -> None:
    now = datetime.now(UTC)
    sample.connect(office)
    lost, young, known = (f"0000000{n}-0000-4000-8000-000000000000" for n in range(3))
    place: dict[str, Any] = {"topic": "salesbinder.invoices", "partition": 3}
    office.log(
        entry(lost, queued_at=now - HOUR, offset=7, **place),
        entry(young, queued_at=now, offset=8, **place),
        entry(known, 1, queued_at=now - HOUR, offset=9, **place),
    )
    office.rows(
        "INSERT INTO integrations_log.lost_command (entry_id) SELECT unnest(%s::text[]) RETURNING 1",
        [lost, young, known],
    )
    office.rows(
        "INSERT INTO integrations_log.removed_unread (stage, topic, partition, first_offset, last_offset) "
        "VALUES ('deliver', 'xero.commands', 2, 5, 9) RETURNING 1"
    )
    page = client.get("/overview").text
    command = "sbx replay --topic salesbinder.invoices --partition 3 --offset 7 --yes"
    assert "1 action was lost on the way to Xero" in " ".join(page.split())
    assert f"<code>{command}</code>" in page
    assert "xero.commands, partition 2: 5 offsets (5 to 9) were removed" in page

    shown = client.get(f"/entries/{lost}").text
    assert "command_lost" in shown
    assert f"<code>{command}</code>" in shown
    for other in (young, known):
        assert "command_lost" not in client.get(f"/entries/{other}").text

    office.user("bob", "viewer", ["beta"])
    page = office.client("bob").get("/overview").text
    assert "lost on the way" not in page
    assert "Removed unread" not in page
