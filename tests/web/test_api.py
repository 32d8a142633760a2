"""The JSON API: what it answers, what it refuses, and that its description is true."""

import csv
import io
import json
import socket
from contextlib import ExitStack
from datetime import timedelta
from time import monotonic
from typing import Any
from urllib.parse import quote

import jsonschema
import pytest
from starlette.routing import Route

from contracts.results import AccountResult, Attempt
from sbx.web.api.columns import COLUMNS
from sbx.web.api.openapi import description
from sbx.web.api.routes import ROUTES
from sbx.web.overload import LIMITS
from tests.integration.sinks.shops import PATIENCE
from tests.web.office import NOW, Client, Office, entry, replayed
from tests.web.sample import connect

MINUTE = timedelta(minutes=1)


@pytest.fixture
def program(office: Office) -> Client:
    office.user("ann")
    return office.api("ann")


def ids(answer: Any) -> list[str]:
    assert answer.status == 200, answer.text
    return [row["entry_id"] for row in answer.json["entries"]]


def test_entries_go_page_by_page_whatever_comes_in_meanwhile(office: Office, program: Client) -> None:
    office.log(*(entry(f"e{n}", queued_at=NOW + n // 2 * MINUTE) for n in range(7)))
    first = program.get("/api/v1/entries", limit=3)
    assert ids(first) == ["e6", "e5", "e4"]
    office.log(entry("new", queued_at=NOW + 60 * MINUTE))
    second = program.get("/api/v1/entries", limit=3, cursor=first.json["next"])
    assert ids(second) == ["e3", "e2", "e1"]
    last = program.get("/api/v1/entries", limit=3, cursor=second.json["next"])
    assert (ids(last), last.json["next"]) == (["e0"], None)

    assert first.json["previous"] is None
    back = program.get("/api/v1/entries", limit=3, before=last.json["previous"])
    assert (ids(back), back.json["next"], back.json["previous"]) == (
        ids(second),
        second.json["next"],
        second.json["previous"],
    )
    newer = program.get("/api/v1/entries", limit=3, before=back.json["previous"])
    assert ids(newer) == ids(first)
    newest = program.get("/api/v1/entries", limit=3, before=newer.json["previous"])
    assert (ids(newest), newest.json["previous"]) == (["new"], None)
    assert newest.json["next"] is not None


@pytest.mark.parametrize(
    "filters",
    [{"text": "shop"}, {"reason": "number_taken"}, {"account": "acme", "state": "failed"}],
    ids=lambda filters: next(iter(filters)),
)
def test_pages_lead_there_and_back_whatever_is_asked(office: Office, filters: dict[str, str]) -> None:
    """Each kind of filter is a query of its own; a user of two accounts is another one."""
    office.user("bea", "operator", ["acme", "beta"])
    failed: Any = {"state": "failed", "reason_code": "number_taken", "party_name": "Shop"}
    office.log(*(entry(f"e{n}", 1, queued_at=NOW + n // 2 * MINUTE, **failed) for n in range(9)))
    office.log(entry("other", party_name="Bolt", queued_at=NOW + 3 * MINUTE))
    program = office.api("bea")
    there: list[list[str]] = []
    at: dict[str, str] = {}
    while True:
        page = program.get("/api/v1/entries", limit=4, **filters, **at)
        there.append(ids(page))
        if page.json["next"] is None:
            break
        at = {"cursor": page.json["next"]}
    back = []
    while page.json["previous"] is not None:
        page = program.get("/api/v1/entries", limit=4, **filters, before=page.json["previous"])
        back.append(ids(page))
    assert [len(page) for page in there] == [4, 4, 1]
    assert back == there[1::-1]


def test_filters_are_those_of_the_page(office: Office, program: Client) -> None:
    office.log(
        entry("a", state="failed", version=1, reason_code="number_taken", party_name="Bolt"),
        entry("b", account="beta", entity="customer", action="edited", queued_at=NOW + 1440 * MINUTE),
        entry("c", record_id="r9", record_number="77", queued_at=NOW - 1440 * MINUTE),
    )
    for filters, found in (
        ({"state": "failed"}, ["a"]),
        ({"account": "beta"}, ["b"]),
        ({"entity": "customer", "action": "edited"}, ["b"]),
        ({"reason": "number_taken"}, ["a"]),
        ({"number": "77"}, ["c"]),
        ({"record": "r9"}, ["c"]),
        ({"text": "bol"}, ["a"]),
        ({"since": "2026-03-02", "until": "2026-03-02"}, ["a"]),
        ({"since": "2026-03-02T09:00:01Z"}, ["b"]),
        ({"until": "2026-03-02T10:00:00+01:00"}, ["c"]),
        ({"state": "", "text": " "}, ["b", "a", "c"]),
    ):
        assert ids(program.get("/api/v1/entries", **filters)) == found, filters


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("colour=red", "colour"),
        ("state=lost", "state"),
        ("reason=nope", "reason"),
        ("issue=nope", "issue"),
        ("since=yesterday", "since"),
        ("until=2026-03-02T09:00:00", "until"),
        ("cursor=%21%21", "cursor"),
        ("cursor=bm90IG9uZQ", "cursor"),
        ("cursor=MjAyNi0wMy0wMlQwOTowMDowMCBlMQ", "cursor"),
        ("cursor=MDAwMS0wMS0wMVQwMDowMDowMCsyMzo1OSBlMQ", "cursor"),
        ("cursor=%C3%A9", "cursor"),
        ("before=bm90IG9uZQ", "before"),
        ("before=MjAyNi0wMy0wMlQwOTowMDowMFogZTE&cursor=MjAyNi0wMy0wMlQwOTowMDowMFogZTE", "before"),
        ("since=2026-03-02&until=2026-03-01", "until"),
        ("since=2026-03-02T09:00:00Z&until=2026-03-02T10:00:00%2B01:00", "until"),
        ("since=0001-01-01T00:00:00%2B10:00", "since"),
        ("until=9999-12-31", "until"),
        ("limit=0", "limit"),
        ("limit=501", "limit"),
        ("limit=x", "limit"),
        ("state=failed&state=queued", "state"),
        (f"text={'x' * 256}", "text"),
        ("text=a%00b", "text"),
    ],
)
def test_what_makes_no_sense_is_refused_by_its_name(program: Client, query: str, field: str) -> None:
    answer = program.get(f"/api/v1/entries?{query}")

    assert answer.status == 400
    assert set(answer.json) == {"error"}
    assert (answer.json["error"]["code"], answer.json["error"]["field"]) == ("bad_request", field)


def test_errors_have_one_shape_everywhere(program: Client) -> None:
    for method, path, status, code in (
        ("GET", "/api/v1/nowhere", 404, "not_found"),
        ("GET", "/api/v1/entries/none", 404, "not_found"),
        ("GET", "/api/v1/entries/none/attempts", 404, "not_found"),
        ("DELETE", "/api/v1/entries", 405, "method_not_allowed"),
        ("GET", "/api/v1/retry", 405, "method_not_allowed"),
        ("GET", "/api/v1/summary?state=failed", 400, "bad_request"),
        ("GET", "/api/v1/issues?limit=0", 400, "bad_request"),
        ("GET", "/api/v1/issues?state=failed", 400, "bad_request"),
        ("GET", "/api/v1/entries/none?x=1", 400, "bad_request"),
    ):
        answer = program(method, path)
        assert (answer.status, answer.json["error"]["code"]) == (status, code), path
        assert answer.json["error"]["message"]


def test_an_entry_its_attempts_issues_and_summary(office: Office, program: Client) -> None:
    call = Attempt(attempt_id="t1", number=1, step="invoice", method="PUT", path="/Invoices", started_at=NOW)
    office.log(
        entry("e1", 1, "failed", reason_code="number_taken", reason="It is taken.", made=(call,)),
        AccountResult(account="acme", version=1, at=NOW, held="account_paused", reason="Paused."),
    )
    one = program.get("/api/v1/entries/e1").json
    assert (one["amount"], one["queued_at"], list(one)) == ("110.00", "2026-03-02T09:00:00Z", list(COLUMNS))
    assert [row["attempt_id"] for row in program.get("/api/v1/entries/e1/attempts").json["attempts"]] == [
        "t1"
    ]
    [issue] = program.get("/api/v1/issues").json["issues"]
    assert (issue["reason_code"], issue["entries"]) == ("number_taken", 1)
    assert ids(program.get("/api/v1/entries", issue=issue["issue_id"])) == ["e1"]
    [account] = program.get("/api/v1/summary", account="acme").json["accounts"]
    assert (account["failed"], account["held"]) == (1, "account_paused")


def test_a_user_sees_entries_of_their_accounts_only(office: Office) -> None:
    office.user("vic", "viewer", ["beta"])
    call = Attempt(attempt_id="t", number=1, step="invoice", method="PUT", path="/I", started_at=NOW)
    office.log(
        entry("a", 1, "failed", reason_code="number_taken", made=(call,)),
        entry("b", 1, "failed", reason_code="number_taken", account="beta"),
        entry("dead", 1, "failed", account="", reason_code="event_unreadable", triggered_by="dead_letter"),
    )
    program, client = office.api("vic"), office.client("vic")

    assert ids(program.get("/api/v1/entries")) == ["b"]
    assert ids(program.get("/api/v1/entries", account="acme")) == []
    assert program.get("/api/v1/entries/a").status == 404
    assert program.get("/api/v1/entries/a/attempts").status == 404
    assert program.get("/api/v1/entries/a/steps").status == 404
    for wanted, count in (({}, 1), ({"account": "acme"}, 0), ({"text": "110"}, 1), ({"id": "a"}, 0)):
        assert program.get("/api/v1/entries/count", **wanted).json["all"]["entries"] == count
    assert [row["account"] for row in program.get("/api/v1/issues").json["issues"]] == ["beta"]
    assert [row["account"] for row in program.get("/api/v1/summary").json["accounts"]] == ["beta"]
    assert program.get("/api/v1/entries.jsonl").text.count("\n") == 1
    assert program.get("/api/v1/entries.csv").text.count("\r\n") == 2
    assert client.get("/entries/a").status == 404
    for path in ("/", "/issues", "/?account=acme"):
        assert "acme" not in client.get(path).text.replace('value="acme"', "").replace("account=acme", "")
    [event] = program.events("/api/v1/stream?after=0", 1)
    assert json.loads(event["data"])["entry_id"] == "b"


def test_exports_hold_all_that_matches(office: Office, program: Client) -> None:
    office.log(*(entry(f"e{n:04}", queued_at=NOW + n * MINUTE) for n in range(450)))
    office.log(entry("other", state="failed", version=1, party_name='=1+1,"x"', record_number="-5"))
    lines = program.get("/api/v1/entries.jsonl", state="queued")
    found = [json.loads(line) for line in lines.text.splitlines()]
    assert [row["entry_id"] for row in found] == [f"e{n:04}" for n in reversed(range(450))]
    assert lines.headers["content-disposition"] == 'attachment; filename="integrations-log.jsonl"'

    rows = list(csv.DictReader(io.StringIO(program.get("/api/v1/entries.csv", state="failed").text)))
    assert list(rows[0]) == list(COLUMNS)
    assert (rows[0]["party_name"], rows[0]["record_number"], rows[0]["amount"]) == (
        '\'=1+1,"x"',
        "'-5",
        "110.00",
    )


def test_an_export_that_goes_over_pages_holds_each_entry_once(office: Office, program: Client) -> None:
    """Many at one moment, which their ids tell apart; some come in and some change while it is read."""
    office.log(*(entry(f"e{n:04}", queued_at=NOW + n // 300 * MINUTE) for n in range(1300)))
    found = [
        row["entry_id"] for row in map(json.loads, program.get("/api/v1/entries.jsonl").text.splitlines())
    ]
    assert found == [f"e{n:04}" for n in reversed(range(1300))]
    assert program.get("/api/v1/entries.csv").text.count("\r\n") == 1301


def test_exports_that_are_read_slowly_leave_the_others_their_connections(office: Office) -> None:
    office.user("ann")
    office.user("bob")
    program, other = office.api("ann"), office.api("bob")
    office.log(*(entry(f"e{n:04}", party_name="n" * 2000, reason="r" * 8000) for n in range(3000)))
    told = []
    with ExitStack() as opened:
        for _ in range(12):  # four more than the page has connections
            reader = opened.enter_context(socket.socket())
            reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            reader.connect(("127.0.0.1", int(office.url.rpartition(":")[2])))
            asked = (
                "GET /api/v1/entries.jsonl HTTP/1.1\r\nHost: localhost\r\n"
                f"Authorization: Bearer {program.token}\r\n\r\n"
            )
            reader.sendall(asked.encode())
            told.append(reader.recv(12))
        assert told == [b"HTTP/1.1 200"] * LIMITS["export"].at_once + [b"HTTP/1.1 503"] * 10
        refused = program.get("/api/v1/entries.csv")
        assert refused.json["error"]["code"] == "too_busy"
        assert refused.headers["retry-after"] == "10"
        assert other.get("/api/v1/entries.csv", id="e0001").text.count("\r\n") == 2
        assert program.get("/api/v1/summary").status == 200
        assert office.client("ann").get("/").status == 200
    until = monotonic() + PATIENCE
    while program.get("/api/v1/entries.csv", id="e0001").status == 503:
        assert monotonic() < until


def test_columns_are_those_of_the_view(office: Office) -> None:
    rows = office.rows(
        "SELECT column_name FROM information_schema.columns WHERE table_schema = 'integrations_log' "
        "AND table_name = 'entries' ORDER BY ordinal_position"
    )
    assert [row["column_name"] for row in rows] == list(COLUMNS)


def test_every_address_is_described_and_nothing_else(program: Client) -> None:
    described = {
        (path, method.upper()) for path, methods in description()["paths"].items() for method in methods
    }
    routed = {
        (route.path, method)
        for route in ROUTES
        if isinstance(route, Route)
        for method in (route.methods or set()) - {"HEAD"}
    }
    assert described == routed
    assert program.get("/api/v1/openapi.json").json == description()


def test_described_parameters_are_taken_and_answers_are_as_described(office: Office, program: Client) -> None:
    office.log(entry("e1", 1, "failed", reason_code="number_taken"))
    connect(office)
    office.rows("INSERT INTO source.accounts (account, api_key_encrypted) VALUES ('acme', '') RETURNING 1")
    places = {"{entry_id}": quote("e1"), "{account}": "acme", "{replay_id}": str(replayed(office))}
    schemas = description()["components"]["schemas"]
    examples = {"limit": "5", "since": "2026-01-01", "until": "2026-12-31", "state": "failed"}
    examples |= {"entity": "invoice", "action": "created", "reason": "number_taken", "cursor": ""}
    examples |= {"before": "", "offset": "7-", "period": "this_month", "sort": "-amount"}
    examples["issue"] = "0123456789ab"
    checked = 0
    for path, methods in description()["paths"].items():
        if "get" not in methods or path == "/stream":
            continue
        parameters = {
            one["name"]: examples.get(one["name"], "1042")
            for one in methods["get"]["parameters"]
            if one["in"] == "query"
        }
        address = path
        for name, value in places.items():
            address = address.replace(name, value)
        answer = program.get(f"/api/v1{address}", **parameters)
        assert answer.status == 200, (path, answer.text)
        content = methods["get"]["responses"]["200"]["content"]
        if "schema" in content.get("application/json", {}):
            schema = content["application/json"]["schema"] | {"components": {"schemas": schemas}}
            jsonschema.validate(answer.json, schema)
            checked += 1
    assert checked == 17


def test_a_session_reads_the_api_too_but_acts_only_with_its_mark(office: Office) -> None:
    office.user("ann")
    [entry_id] = office.failed_invoices(1)
    client = office.client("ann")
    assert ids(client.get("/api/v1/entries")) == [entry_id]

    assert client.post("/api/v1/retry", {"entries": [entry_id]}).status == 403
    mark = client.mark()
    foreign = {"X-Form-Token": mark, "Origin": "https://evil.example"}
    assert client.post("/api/v1/retry", {"entries": [entry_id]}, **foreign).status == 403
    answer = client.post("/api/v1/retry", {"entries": [entry_id]}, **{"X-Form-Token": mark})
    assert answer.json["done"] == [entry_id]


def test_entries_are_found_by_id_and_by_place(office: Office, program: Client) -> None:
    for offset in (5, 6, 7):
        office.log(entry(f"e{offset}", 1, "failed", topic="salesbinder.invoices", partition=3, offset=offset))

    def found(**given: str) -> list[str]:
        rows = program.get("/api/v1/entries", **given).json["entries"]
        return sorted(row["entry_id"] for row in rows)

    assert found(id="e6") == ["e6"]
    assert found(topic="salesbinder.invoices", partition="3", offset="6-") == ["e6", "e7"]
    assert found(offset="5-6") == ["e5", "e6"]
    assert found(partition="2") == []
    for name, value in {"offset": "6-5", "partition": "x"}.items():
        refused = program.get("/api/v1/entries", **{name: value})
        assert (refused.status, refused.json["error"]["field"]) == (400, name)
