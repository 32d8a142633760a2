"""Replays on the page and by the API: how far they came, what came of them, and how they are cancelled."""

import re
import time

import psycopg
import pytest

from sinks.replay.replay import LOCK
from tests.integration.sinks.shops import PATIENCE
from tests.web.office import Client, Office, replayed


@pytest.fixture
def client(office: Office) -> Client:
    office.user("ann")
    return office.client("ann")


def test_a_replay_is_an_entry_with_totals(office: Office, client: Client) -> None:
    replayed(office, state="completed")
    [listed] = office.api("ann").get("/api/v1/replays").json["replays"]
    counts = {name: listed[name] for name in ("events", "done", "under_way", "queued", "failed")}

    assert counts == {"events": 100, "done": 80, "under_way": 1, "queued": 12, "failed": 7}
    assert (listed["state"], listed["actor"], listed["account"]) == ("completed", "cli:bob", "acme")
    assert (listed["offsets_read"], listed["offsets"]) == (150, 200)
    assert office.api("ann").get(f"/api/v1/replays/{listed['replay_id']}").json == listed
    row = client.get("/replays").text.partition("<tbody")[2]
    assert "by cli:bob" in row and "Account acme" in row and "✓" in row
    page = client.get(f"/replays/{listed['replay_id']}").text
    assert "150 of 200 messages read" in page
    assert "<strong>7</strong> were not in the ledger" in page
    assert "is at work" not in client.get("/").text
    assert "/cancel" not in page


def test_one_whose_actions_wait_is_being_sent(office: Office, client: Client) -> None:
    number = replayed(office, state="completed")
    ids = office.failed_invoices(2)
    office.change(ids, "state = 'queued', reason_code = NULL, triggered_by = 'replay', actor = 'cli:bob'")
    page = client.get(f"/replays/{number}").text
    assert "Being sent" in page and "<strong>2</strong> of the queued actions wait to be sent" in page
    row = client.get("/replays").text.partition("<tbody")[2]
    assert "Being sent" in row and "2 to go" in row and "Completed" not in row

    office.change(ids, "state = 'completed', outcome = 'posted'")
    assert "Completed" in client.get(f"/replays/{number}").text
    assert "to go" not in client.get("/replays").text


def test_the_columns_of_a_replay_add_up(office: Office, client: Client) -> None:
    replayed(office, state="completed")
    row = client.get("/replays").text.partition("<tbody")[2].partition("</tr>")[0]
    events, *parts = (int(count) for count in re.findall(r'class="number amount">(\d+)', row))
    assert (events, len(parts), sum(parts)) == (100, 4, 100)


def test_one_that_is_at_work_is_told_on_the_log_and_can_be_cancelled(office: Office, client: Client) -> None:
    number = replayed(office, state="running")
    address = f"/replays/{number}/cancel"
    with psycopg.connect(office.database_url, autocommit=True) as worker:
        worker.execute("SELECT pg_advisory_lock(%s)", [LOCK])
        assert "by cli:bob is running: 150 of 200 messages read" in client.get("/").text
        assert "data-running" in client.get("/replays").text
        assert client.form(address, {"form_token": client.mark()}).status == 303
        page = client.get(f"/replays/{number}").text
        assert "Cancelling" in page and "/cancel" not in page
        assert office.rows("SELECT cancelling FROM ledger.replays") == [{"cancelling": True}]
    until = time.monotonic() + PATIENCE
    # The server ends the session on its own time.
    while "Interrupted" not in (page := client.get(f"/replays/{number}").text):
        assert time.monotonic() < until, page
        time.sleep(0.1)
    assert f"sbx replay --resume {number}" in page
    assert client.form(address, {"form_token": client.mark()}).status == 303
    assert "Cancelled" in client.get(f"/replays/{number}").text
    assert client.form(address, {"form_token": client.mark()}).status == 409
    acts = office.rows("SELECT actor, act FROM web.acts ORDER BY id")
    assert [(row["actor"], row["act"]) for row in acts] == [("ann", "cancel replay")] * 2


def test_who_sees_some_accounts_sees_their_replays_only(office: Office) -> None:
    office.user("bea", "viewer", ["acme"])
    mine, others = replayed(office), replayed(office, account="beta")
    everything = replayed(office, account=None)
    client, program = office.client("bea"), office.api("bea")

    assert [row["replay_id"] for row in program.get("/api/v1/replays").json["replays"]] == [mine]
    assert [client.get(f"/replays/{one}").status for one in (mine, others, everything)] == [200, 404, 404]
    assert program.get(f"/api/v1/replays/{others}").status == 404
    assert program.get("/api/v1/replays/x").status == 400
    assert client.form(f"/replays/{mine}/cancel", {"form_token": client.mark()}).status == 403


def test_none_yet(client: Client) -> None:
    assert "Nothing has been replayed yet" in client.get("/replays").text
