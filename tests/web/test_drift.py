"""Differences between Xero and what was last synced, on the page and by the API."""

import re
from collections.abc import Iterator
from typing import Any

import pytest

from tests.web.drifted import delivering, drifted
from tests.web.office import Client, Office
from tests.web.sample import connect

PATH = "/accounts/acme/drift"
API = f"/api/v1{PATH}"


@pytest.fixture
def client(office: Office) -> Iterator[Client]:
    office.user("ann")
    connect(office)
    with delivering(office):
        yield office.client("ann")


def ids(client: Client) -> dict[str, str]:
    """The ids of the page's differences, by field."""
    return {
        field.lower(): found
        for found, field in re.findall(
            r'id="d-([0-9a-f]+)".*?class="field-name">([^<]+)<', client.get(PATH).text, re.S
        )
    }


def send(client: Client, path: str = "", **given: Any) -> tuple[int, str]:
    answer = client.form(PATH + path, {"form_token": client.mark(), **given})
    return answer.status, client.get(answer.headers["location"]).text if answer.status == 303 else answer.text


def states(office: Office) -> list[tuple[str, str, str]]:
    rows = office.rows("SELECT state, triggered_by, actor FROM ledger.commands ORDER BY seq")
    return [(row["state"], row["triggered_by"], row["actor"]) for row in rows]


def adopted(office: Office) -> list[tuple[str, str]]:
    rows = office.rows(
        "SELECT field, adopted_by FROM ledger.drift WHERE adopted_at IS NOT NULL ORDER BY field"
    )
    return [(row["field"], row["adopted_by"]) for row in rows]


def test_the_page_shows_what_differs_field_by_field(office: Office, client: Client) -> None:
    assert "Xero has never been compared" in client.get(PATH).text
    records = drifted(office)
    office.rows("UPDATE ledger.drift SET changed_by = 'Dora' WHERE field = 'total' RETURNING 1")
    page = client.get(PATH).text
    first = page.partition('id="d-' + ids(client)["total"])[2].partition("</tr>")[0]
    for said in (
        "Invoice 7000",
        f"/records/acme/invoice/{records[0]}",
        "108.00",
        "98.00",
        "by Dora",
        "Send SalesBinder&#39;s again",
    ):
        assert said in first
    assert "go.xero.com" in first
    second = page.partition('id="d-' + ids(client)["status"])[2].partition("</tr>")[0]
    assert "Accept Xero&#39;s" in second and "What was taken out of Xero stays out" in second
    assert "automatically: everything, 398 records compared, 6 calls" in page
    assert "Not compared automatically" in page
    # What is worth knowing only is no difference that needs somebody.
    assert ">2 differences</a>" in client.get("/overview").text


def test_ours_is_sent_again_after_a_page_that_says_so(office: Office, client: Client) -> None:
    drifted(office)
    chosen = ids(client)
    plan = client.get(f"{PATH}/plan", do="resend", difference=[chosen["total"], chosen["status"]]).text
    assert "Send SalesBinder&#39;s again for 1 difference?" in plan and "1 is left" in plan
    assert {state for state, *_ in states(office)} == {"completed"}

    status, page = send(client, do="resend", difference=[chosen["total"], chosen["status"]])
    assert (status, "is queued again" in page) == (303, True)
    assert states(office) == [("queued", "drift", "ann"), ("completed", "event", "")]
    assert "Sent again at" in page
    [act] = office.rows("SELECT actor, act, target, result FROM web.acts")
    assert (act["actor"], act["act"], act["result"]["done"]) == ("ann", "drift_resend", 1)
    assert [one["field"] for one in act["target"]["differences"]] == ["total"]


def test_xeros_side_is_accepted(office: Office, client: Client) -> None:
    drifted(office)
    plan = client.get(f"{PATH}/plan", do="adopt-all").text
    # What is worth knowing only is accepted when it is chosen.
    assert "Accept 2 differences?" in plan
    _, page = send(client, do="adopt", difference=list(ids(client).values())[:2])
    assert "Xero&#39;s version is accepted" in page
    assert adopted(office) == [("status", "ann"), ("total", "ann")]
    assert list(ids(client)) == ["reference"]


def test_what_has_changed_since_it_was_shown_is_left(office: Office, client: Client) -> None:
    drifted(office)
    chosen = ids(client)
    office.rows("UPDATE ledger.drift SET xeros = '97.00' WHERE field = 'total' RETURNING 1")
    for do in ("adopt", "resend"):
        _, page = send(client, do=do, difference=chosen["total"])
        assert "has changed meanwhile" in page
    # Somebody else is first.
    office.user("bob")
    send(office.client("bob"), do="adopt", difference=chosen["status"])
    assert "somebody else was first" in send(client, do="adopt", difference=chosen["status"])[1]
    assert adopted(office) == [("status", "bob")]
    assert "None of these exists any more" in client.get(f"{PATH}/plan", do="adopt", difference="x").text


def test_xero_is_compared_by_the_lane_once(office: Office, client: Client) -> None:
    _, page = send(client, "/reading")
    assert "The comparison will run" in page and "In progress" in page and "by ann" in page
    assert "Compare now" not in page
    send(client, "/reading", full="yes")
    [run] = office.rows("SELECT actor, since, finished_at FROM ledger.drift_runs")
    assert run == {"actor": "ann", "since": None, "finished_at": None}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ("status = 'lost', status_reason = 'taken away'", "Xero no longer accepts our access: taken away"),
        ("paused_at = now(), paused_by = 'bob', paused_reason = 'stock'", "the account is paused: stock"),
    ],
)
def test_nothing_is_asked_for_that_would_wait(office: Office, client: Client, change: str, said: str) -> None:
    office.rows(f"UPDATE connections.accounts SET {change} RETURNING 1")  # noqa: S608
    page = client.get(PATH).text
    assert said in page and "Compare now" not in page
    status, page = send(client, "/reading")
    assert (status, said in page) == (409, True)
    assert office.rows("SELECT 1 FROM ledger.drift_runs") == []


def test_nobody_asks_xero_where_no_process_delivers(office: Office) -> None:
    office.user("ann")
    connect(office)
    answer = office.api("ann").post(f"{API}/reading", {})
    assert (answer.status, answer.json["error"]["code"]) == (409, "not_possible")
    assert "no deliver process" in answer.json["error"]["message"]


def test_differences_are_for_those_who_may(office: Office, client: Client) -> None:
    drifted(office)
    chosen = ids(client)["total"]
    office.user("vic", "viewer")
    office.user("bea", "operator", ["beta"])
    page = office.client("vic").get(PATH).text
    assert "108.00" in page and "checkbox" not in page and "Compare now" not in page
    for name, status in (("vic", 403), ("bea", 404)):
        who, program = office.client(name), office.api(name)
        assert send(who, do="adopt", difference=chosen)[0] == status
        assert send(who, "/reading")[0] == status
        assert who.get(f"{PATH}/plan", do="adopt", difference=chosen).status == status
        assert program.post(f"{API}/adopt", {"differences": [chosen]}).status == status
        assert program.post(f"{API}/reading", {}).status == status
    assert office.client("bea").get(PATH).status == office.api("bea").get(API).status == 404
    assert (adopted(office), office.rows("SELECT 1 FROM web.acts")) == ([], [])


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"do": "adopt"}, "No difference is selected"),
        ({"do": "forget", "difference": "x"}, "not a possible action"),
        ({"do": "adopt", "difference": ["x"] * 501}, "At most 500"),
    ],
)
def test_what_makes_no_sense_is_refused(client: Client, given: dict[str, Any], said: str) -> None:
    status, page = send(client, **given)
    assert (status, said in page) == (400, True)
    if len(str(given)) < 100:
        assert client.get(f"{PATH}/plan", **given).status == 400


def test_the_api_compares_and_acts(office: Office, client: Client) -> None:
    drifted(office)
    program = office.api("ann")
    told = program.get(API).json
    assert (told["last"]["compared"], told["under_way"]) == (398, None)
    found = {one["field"]: one for one in told["differences"]}
    assert (found["total"]["ours"], found["total"]["xeros"], found["total"]["proposal"]) == (
        "108.00",
        "98.00",
        "resend",
    )
    every = {"differences": [one["id"] for one in told["differences"]]}
    assert program.post(f"{API}/resend", {**every, "dry_run": True}).json == {
        "dry_run": True, "selected": 3, "possible": 1,
    }  # fmt: skip
    done = program.post(f"{API}/resend", every).json
    assert (done["selected"], done["done"], len(done["queued"])) == (3, 1, 1)
    again = program.post(f"{API}/resend", every).json
    assert (again["done"], again["queued"]) == (0, [])
    assert program.post(f"{API}/adopt", every).json["done"] == 3
    assert program.get(API).json["differences"] == []

    for body, field in (
        ({"since": "soon"}, "since"),
        ({"since": "2026-01-01", "full": True}, "since"),
        ({"x": 1}, "body"),
    ):
        refused = program.post(f"{API}/reading", body)
        assert (refused.status, refused.json["error"]["field"]) == (400, field)
    refused = program.post(f"{API}/adopt", {"differences": []})
    assert (refused.status, refused.json["error"]["field"]) == (400, "differences")
    under_way = program.post(f"{API}/reading", {"since": "2026-01-01"}).json["under_way"]
    assert (under_way["since"], under_way["actor"]) == ("2026-01-01T00:00:00Z", "ann")
