"""Retry and skip from page and API: the plan, the deed, and two who want the same."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor

import pytest
from markupsafe import escape

from connections import store
from sbx.actions import retry
from tests.web.office import Client, Office, entry, form_token
from tests.web.sample import connect


@pytest.fixture
def client(office: Office) -> Client:
    office.user("ann")
    return office.client("ann")


def states(office: Office) -> list[tuple[str, str | None, str]]:
    rows = office.rows("SELECT state, outcome, actor FROM ledger.commands ORDER BY seq")
    return [(row["state"], row["outcome"], row["actor"]) for row in rows]


def act(client: Client, fields: Mapping[str, object]) -> tuple[int, str]:
    """Do what a plan's page offers; status and the page that comes of it."""
    answer = client.form("/act", {"form_token": client.mark(), **fields})
    if answer.status != 303:
        return answer.status, answer.text
    return answer.status, client.get(answer.headers["location"]).text


def test_retry_of_chosen_entries_shows_a_plan_then_does_it_in_the_users_name(
    office: Office, client: Client
) -> None:
    ids = office.failed_invoices(3)
    plan = client.get("/plan", do="retry", entry=ids[:2])
    assert "Retry 2 entries?" in plan.text
    assert "about 2 calls, 1 minute." in plan.text
    assert '<a href="/connect?account=acme">' in plan.text
    assert states(office) == [("failed", None, "")] * 3

    fields = {"do": "retry", "entry": ids[:2], "form_token": form_token(plan.text)}
    _, done = act(client, fields)
    assert "2 of 2 queued again" in done
    assert states(office) == [("queued", None, "ann")] * 2 + [("failed", None, "")]
    office.publish()
    assert "Retried by ann" in client.get(f"/entries/{ids[0]}").text


def test_skip_needs_a_note_and_the_log_shows_it(office: Office, client: Client) -> None:
    [entry_id] = office.failed_invoices(1)
    status, page = act(client, {"do": "skip", "entry": entry_id, "note": "  "})
    assert (status, "Give a reason" in page) == (400, True)
    assert states(office) == [("failed", None, "")]

    _, done = act(client, {"do": "skip", "entry": entry_id, "note": "done by hand"})
    assert "1 of 1 skipped" in done
    office.publish()
    page = client.get(f"/entries/{entry_id}").text
    assert "done by hand" in page
    assert "Skipped by ann: " in page


def test_all_that_match_are_those_that_the_plan_has_seen(office: Office, client: Client) -> None:
    first = office.failed_invoices(2)
    office.failed_invoices(1, code="period_locked")
    plan = client.get("/plan", do="retry-all", reason="number_taken")
    assert "Retry 2 entries?" in plan.text
    position = int(plan.text.partition('name="position" value="')[2].partition('"')[0])
    office.failed_invoices(1)

    _, done = act(client, {"do": "retry-all", "reason": "number_taken", "position": position})
    assert "2 of 2 queued again" in done
    queued = office.rows("SELECT command_id::text FROM ledger.commands WHERE state = 'queued' ORDER BY seq")
    assert [row["command_id"] for row in queued] == first


def test_all_of_an_issue_are_those_of_its_cause(office: Office, client: Client) -> None:
    office.failed_invoices(2)
    office.failed_invoices(1, code="period_locked")
    page = client.get("/issues").text
    [_, second] = page.split("<section")[1:]
    issue = second.partition('name="issue" value="')[2].partition('"')[0]
    _, done = act(client, {"do": "retry-all", "issue": issue, "state": "failed"})

    assert "1 of 1 queued again" in done
    assert [state for state, *_ in states(office)] == ["failed", "failed", "queued"]


def test_more_than_one_transaction_holds_are_done(
    office: Office, client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retry, "_CHUNK", 2)
    office.failed_invoices(5)
    _, done = act(client, {"do": "skip-all", "note": "closed"})

    assert "5 of 5 skipped" in done
    assert {state for state, *_ in states(office)} == {"completed"}


def test_two_operators_at_once_never_get_the_same_entry(office: Office) -> None:
    for name in ("ann", "bob"):
        office.user(name)
    ids = office.failed_invoices(20)
    clients = [office.api(name) for name in ("ann", "bob")]
    with ThreadPoolExecutor(2) as threads:
        one, two = threads.map(lambda c: c.post("/api/v1/retry", {"entries": ids}).json, clients)

    assert sorted(one["done"] + two["done"]) == sorted(ids)
    assert one["selected"] == two["selected"] == 20
    late = next((answer for answer in (one, two) if answer["refused"]), None)
    assert late is not None
    assert {refused["code"] for refused in late["refused"]} == {"queued"}
    assert "by " in late["refused"][0]["message"]
    revisions = office.rows("SELECT DISTINCT revision FROM ledger.commands")
    assert [row["revision"] for row in revisions] == [1]


@pytest.mark.parametrize(
    ("assignments", "do", "said"),
    [
        (
            "state = 'running', reason_code = NULL, actor = 'bob'",
            "retry",
            "is running just now (set off by bob)",
        ),
        ("state = 'running', reason_code = NULL", "skip", "is running just now (set off by its event)"),
        ("state = 'completed', outcome = 'posted', reason_code = NULL", "retry", "is completed already"),
        (
            "state = 'completed', outcome = 'skipped_by_operator', actor = 'bob'",
            "skip",
            "is skipped already by bob",
        ),
        ("reason_code = 'event_id_reused'", "retry", "must be corrected and published again"),
        ("reason_code = 'overtaken'", "retry", "it would undo what was done for later actions"),
    ],
)
def test_what_has_changed_meanwhile_is_left_and_said(
    office: Office, client: Client, assignments: str, do: str, said: str
) -> None:
    """The log is a moment behind the ledger: what counts is the ledger."""
    entry_id, other = office.failed_invoices(2)
    office.rows(f"UPDATE ledger.commands SET {assignments} WHERE command_id = %s RETURNING 1", entry_id)  # noqa: S608
    _, done = act(client, {"do": do, "entry": [entry_id, other], "note": "n"})

    assert "1 of 2" in done
    assert said in done


@pytest.mark.parametrize("do", ["retry", "skip"])
def test_what_could_not_be_read_in_salesbinder_is_read_again_by_itself(
    office: Office, client: Client, do: str
) -> None:
    source = "5ca1ab1e-0000-5000-8000-000000000001"
    office.log(entry(source, 0, "failed", triggered_by="source", reason_code="sums_disagree", action=""))
    letter = "d4c1ae11-0000-5000-8000-000000000001"
    office.log(entry(letter, 1, "failed", triggered_by="dead_letter", reason_code="event_not_json"))
    page = client.get("/plan", do=do, entry=[source]).text
    assert "it is read again by itself" in page and "publish a corrected event" not in page
    _, done = act(client, {"do": do, "entry": [source, letter], "note": "n"})
    assert "0 of 2" in done
    assert done.count("is read again from SalesBinder by itself") == 1
    assert "sbx source status acme" in done
    assert done.count("must be corrected and published again") == 1
    answer = office.api("ann").post(f"/api/v1/{do}", {"entries": [source], "note": "n"}).json
    assert [one["code"] for one in answer["refused"]] == ["read_again"]
    shown = client.get(f"/entries/{source}").text
    assert 'href="/accounts/acme/source"' in shown and 'value="retry"' not in shown
    # Nor is a retry offered of what only another event can mend.
    assert 'name="do"' not in client.get(f"/entries/{letter}").text


def test_plan_says_what_cannot_be_done(office: Office, client: Client) -> None:
    office.log(
        entry(
            "d4c1ae11-0000-5000-8000-000000000001", 1, "failed", triggered_by="dead_letter", reason_code="x"
        ),
        entry("d4c1ae11-0000-5000-8000-000000000002", 1, "completed", outcome="posted"),
    )
    ids = [row["entry_id"] for row in office.rows("SELECT entry_id FROM integrations_log.entry")]
    page = client.get("/plan", do="retry", entry=ids).text

    assert "Retry 0 entries" in page
    assert "publish a corrected event" in page
    assert "1 is not in a state for that" in page
    assert '<button class="primary">' not in page.partition("<main")[2]


def test_viewers_look_and_do_not_act(office: Office) -> None:
    office.user("vic", "viewer")
    ids = office.failed_invoices(1)
    client, program = office.client("vic"), office.api("vic")

    for path in ("/", "/issues", f"/entries/{ids[0]}"):
        page = client.get(path).text
        assert "7000" in page
        assert "/plan" not in page
        assert "checkbox" not in page
    assert client.get("/plan", do="retry", entry=ids).status == 403
    assert act(client, {"do": "retry", "entry": ids})[0] == 403
    refused = program.post("/api/v1/retry", {"entries": ids})
    assert (refused.status, refused.json["error"]["code"]) == (403, "not_allowed")
    assert states(office) == [("failed", None, "")]


def test_nobody_acts_on_accounts_that_they_do_not_see(office: Office) -> None:
    office.user("bea", "operator", ["beta"])
    ids = office.failed_invoices(2)
    mine = office.failed_invoices(1, account="beta")
    program = office.api("bea")

    assert program.post("/api/v1/retry", {"entries": ids}).json["selected"] == 0
    assert program.post("/api/v1/skip", {"filters": {}, "note": "n"}).json["done"] == mine
    assert [state for state, *_ in states(office)] == ["failed", "failed", "completed"]


def test_api_plans_without_doing(office: Office) -> None:
    office.user("ann")
    office.failed_invoices(3)
    program = office.api("ann")
    answer = program.post("/api/v1/retry", {"filters": {"reason": "number_taken"}, "dry_run": True}).json

    assert answer == {
        "dry_run": True, "selected": 3, "possible": 3, "causes": {"number_taken": 3},
        "calls": 2, "minutes": 1,
        "accounts": [{"account": "acme", "connected": False, "paused": False, "day_left": None,
                      "actions": 3, "calls": 2, "minutes": 1, "enough_today": True}],
    }  # fmt: skip
    assert [state for state, *_ in states(office)] == ["failed"] * 3


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({}, "entries"),
        ({"entries": ["a"], "filters": {}}, "entries"),
        ({"entries": []}, "entries"),
        ({"entries": ["a\0"]}, "entries"),
        ({"entries": "a"}, "body"),
        ({"filter": {}}, "body"),
        ({"filters": {"colour": "red"}}, "colour"),
        ({"filters": {"state": "completed"}}, "state"),
        ({"filters": {}, "note": "x" * 501}, "note"),
    ],
)
def test_api_refuses_what_makes_no_sense(office: Office, body: object, field: str) -> None:
    office.user("ann")
    answer = office.api("ann").post("/api/v1/retry", body)

    assert (answer.status, answer.json["error"]["field"]) == (400, field)
    assert office.rows("SELECT 1 FROM web.acts") == []


def test_an_id_that_is_none_is_no_fault_of_ours(office: Office) -> None:
    office.user("ann")
    program = office.api("ann")

    assert program.post("/api/v1/retry", {"entries": ["nothing"]}).json["selected"] == 0


def test_every_act_is_written_down(office: Office, client: Client) -> None:
    ids = office.failed_invoices(2)
    act(client, {"do": "retry", "entry": ids})
    act(client, {"do": "retry-all", "account": "acme"})
    rows = office.rows("SELECT actor, address, act, target, result FROM web.acts ORDER BY id")

    assert [(row["actor"], row["address"], row["act"]) for row in rows] == [("ann", "127.0.0.1", "retry")] * 2
    assert rows[0]["target"]["entries"] == sorted(ids)
    assert rows[1]["target"]["filters"] == {"account": "acme"}
    assert rows[0]["result"]["done"] == 2
    office.user("bob")
    assert office.client("bob").get("/acts/1").status == 404


def test_nothing_chosen_is_said(client: Client) -> None:
    answer = client.get("/plan", do="retry")
    assert (answer.status, "No entry is selected" in answer.text) == (400, True)
    assert client.get("/plan", do="destroy").status == 400
    assert client.get("/plan", do="retry-all", state="completed").status == 400


def test_what_a_retry_comes_after_stays_on_page_document_and_api(office: Office, client: Client) -> None:
    """Fails, a setting is changed, is retried, fails for something else, is retried, and completes."""
    connect(office)
    [entry_id] = office.failed_invoices(1, code="payment_account_missing")
    office.do(lambda c: store.set_settings(c, "acme", {"payment_account": "090"}, "bob"))
    act(client, {"do": "retry", "entry": entry_id})
    office.publish()
    office.change([entry_id], _FAILED.format(code="period_locked"))
    act(client, {"do": "retry", "entry": entry_id})
    office.publish()
    done = "state = 'completed', outcome = 'posted', version = version + 1, finished_at = clock_timestamp()"
    office.change([entry_id], done)

    entry = office.api("ann").get(f"/api/v1/entries/{entry_id}").json
    assert (entry["state"], entry["triggered_by"], entry["actor"]) == ("completed", "event", "")
    steps = office.api("ann").get(f"/api/v1/entries/{entry_id}/steps").json["steps"]
    assert [(one["step"], one["actor"], one["reason_code"]) for one in steps] == [
        ("received", "", None),
        ("failed", "", "payment_account_missing"),
        ("setting_changed", "bob", None),
        ("retried", "ann", None),
        ("failed", "", "period_locked"),
        ("retried", "ann", None),
        ("completed", "", None),
    ]
    path = f"/records/acme/invoice/{entry['record_id']}"
    for page in (client.get(f"/entries/{entry_id}").text, client.get(path).text):
        words = [str(escape(word)) for word in (
            f"Failed: {steps[1]['reason']}",
            "Setting payment_account changed from the default",
            "Retried by ann",
            f"Failed: {steps[4]['reason']}",
            "Completed: Posted to Xero",
        )]  # fmt: skip
        places = [page.find(word) for word in words]
        assert -1 not in places and places == sorted(places), dict(zip(words, places, strict=True))
        assert page.count("Retried by ann") == 2
    assert office.api("ann").get("/api/v1/entries/none/steps").status == 404


_FAILED = "state = 'failed', reason_code = '{code}', version = version + 1, finished_at = now()"
