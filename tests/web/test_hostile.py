"""No request and no row of the log makes a page or the API answer 500."""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from decimal import Decimal
from itertools import product
from typing import Any

import msgspec
import psycopg
import pytest
from starlette.routing import Route

from contracts.results import Warning
from sbx.web.api.routes import ROUTES
from sbx.web.app import PAGES
from tests.integration.log_projection.made import attempt
from tests.web.office import Client, Office, entry
from tests.web.sample import connect

IN_PATHS = ("%00", "a%00b", "%ff%fe", "%ed%a0%80", "9" * 20, "9" * 5000, "-1", "1e400", "%0d%0aX: y", "[",
            "%5B", "a%2Fb", "'", "\u0661", "x" * 5000, "%e2%80%ae", "NaN")  # fmt: skip
IN_BODIES = (b"", b"\xff", b"\0", b"[" * 100_000, b'{"a":' * 2000 + b"1" + b"}" * 2000, b"NaN", b"1e400",
             b"9" * 5000, b'"\\ud800"', b'{"entries":["\xff"]}', b"\xef\xbb\xbf{}",
             '{"a":1}'.encode("utf-16"))  # fmt: skip


def routes(within: Sequence[Any], prefix: str = "") -> Iterator[tuple[str, str]]:
    for route in within:
        if isinstance(route, Route):
            for method in sorted((route.methods or {"GET"}) - {"HEAD"}):
                yield method, prefix + route.path
        else:
            yield from routes(route.routes, prefix + route.path)


EVERY = [*routes(PAGES), *routes(ROUTES, "/api/v1")]
STREAMS = ("/live", "/stream", "/events")


def is_stream(path: str) -> bool:
    return path.endswith(STREAMS)


def filled(path: str, value: str) -> str:
    parts = [value if part.startswith("{") else part for part in path.split("/")]
    return "/".join(parts)


PLAUSIBLE = {"account": "acme", "entity": "invoice"}


def filled_in_turn(path: str, value: str) -> Iterator[str]:
    """The path with ``value`` in each of its places alone, then in all: the first may be refused for all."""
    parts = path.split("/")
    places = [place for place, part in enumerate(parts) if part.startswith("{")]
    for hostile in places if len(places) > 1 else ():
        plausible = {place: PLAUSIBLE.get(parts[place][1:-1], "x") for place in places}
        yield "/".join((plausible | {hostile: value}).get(place, part) for place, part in enumerate(parts))
    yield filled(path, value)


def hostile_log(office: Office) -> list[str]:
    """Rows as an earlier version let them in. Each has one value that nothing should have."""
    odd: list[dict[str, Any]] = [
        {"salesbinder_url": "http://["}, {"xero_url": "https://[::1"}, {"salesbinder_url": "http://a:b/"},
        {"event_time": _time("0001-01-01T00:00:00+14:00")}, {"queued_at": _time("0001-01-01T00:00:00+14:00")},
        {"finished_at": _time("9999-12-31T23:59:59-14:00")},
        {"started_at": _time("0001-01-01T00:00:00+14:00")},
        {"next_attempt_at": _time("9999-12-31T23:59:59-14:00")},
        {"amount": Decimal("1e400")}, {"amount": Decimal("-0.1e-300")}, {"amount": Decimal("9" * 5000)},
        {"entity": "spaceship"}, {"action": "<b>"}, {"reason_code": "no_such_reason"}, {"triggered_by": "?"},
        {"outcome": "posted", "warnings": (Warning(code="?", text="\0\u202e"),)},
        {"record_id": "a\0b"}, {"party_name": "<script>"}, {"record_id": ""}, {"record_number": "\u202e"},
        {"account": ""}, {"account": "A/B"}, {"xero_type": "?", "xero_id": "]["},
        {"topic": "t", "offset": 2**62},
        {"made": (msgspec.structs.replace(attempt("odd"), started_at=_time("0001-01-01T00:00:00+14:00"),
                                          path="http://[", request="{", answer="[" * 5000),)},
        {"state": "queued"}, {"state": "running", "started_at": _time("9999-12-31T23:59:59-14:00")},
    ]  # fmt: skip
    made = [
        entry(f"odd {n}", 1, **{"state": "failed", "record_id": f"r{n}", **one}) for n, one in enumerate(odd)
    ]
    office.log(*made)
    with psycopg.connect(office.database_url, autocommit=True) as connection:
        for column, value in (("amount", "NaN"), ("amount", "Infinity"), ("event_time", "-infinity"),
                              ("finished_at", "infinity"), ("queued_at", "4713-01-01 BC")):  # fmt: skip
            name = f"stored {column} {value}".replace(" ", "-")
            office.log(entry(name, 1, state="failed", record_id=name))
            connection.execute(
                f"UPDATE integrations_log.entry SET {column} = %s WHERE entry_id = %s",  # noqa: S608
                [value, name],
            )
            made.append(entry(name))
    return [one.entry_id for one in made]


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)


def test_no_row_of_the_log_makes_a_page_or_the_api_answer_500(office: Office) -> None:
    office.user("ann")
    page, program = office.client("ann"), office.api("ann")
    ids = hostile_log(office)
    found = {}
    for name in ids:
        found[f"/entries/{name}"] = page.get(f"/entries/{name.replace(' ', '%20')}").status
        for tail in ("", "/attempts", "/steps"):
            path = f"/api/v1/entries/{name.replace(' ', '%20')}{tail}"
            found[path] = program.get(path).status
    assert {path: status for path, status in found.items() if status != 200} == {}
    lists = [path for method, path in EVERY if method == "GET" and "{" not in path and not is_stream(path)]
    for path in lists:
        for query in ({}, {"state": "failed"}, {"text": "odd"}):
            answer = (program if path.startswith("/api") else page).get(path, **query)
            assert answer.status < 500, (path, query, answer.text)
    seen = []
    cursor: dict[str, str] = {}
    while True:
        answer = program.get("/api/v1/entries", limit=3, **cursor)
        assert answer.status == 200, answer.text
        seen += [row["entry_id"] for row in answer.json["entries"]]
        if not answer.json["next"]:
            break
        cursor = {"cursor": answer.json["next"]}
    assert sorted(seen) == sorted(ids)


def test_no_path_makes_an_answer_of_500(office: Office) -> None:
    office.user("ann")
    connect(office, "acme")
    page, program = office.client("ann"), office.api("ann")
    mark = page.mark()
    bad = []
    for (method, path), value in product(EVERY, IN_PATHS):
        if "{" not in path or is_stream(path):
            continue
        client = program if path.startswith("/api") else page
        for address in filled_in_turn(path, value):
            if method == "GET":
                answer = client("GET", address)
            elif path.startswith("/api"):
                answer = client(method, address, body=b"{}")
            else:
                answer = client.form(address, {"form_token": mark})
            if answer.status >= 500:
                bad.append((method, address[:80], answer.status))
    assert bad == []


@pytest.mark.parametrize("value", ["%00", "%ff", "9" * 5000, "%ed%a0%80"], ids=lambda value: value[:6])
def test_no_query_makes_an_answer_of_500(office: Office, value: str) -> None:
    office.user("ann")
    page, program = office.client("ann"), office.api("ann")
    names = ("text", "account", "issue", "cursor", "before", "since", "offset", "partition", "id", "page",
             "limit", "done", "said", "next", "code", "state", "entity", "number", value)  # fmt: skip
    bad = []
    for (method, path), name in product(EVERY, names):
        if method == "GET" and "{" not in path and not is_stream(path):
            answer = (program if path.startswith("/api") else page)("GET", f"{path}?{name}={value}")
            if answer.status >= 500:
                bad.append((path, name, answer.status))
    assert bad == []


def test_no_body_makes_an_answer_of_500(office: Office) -> None:
    office.user("ann")
    connect(office, "acme")
    page, program = office.client("ann"), office.api("ann")
    mark = page.mark()
    values: list[Any] = ["\0", "9" * 5000, "x" * 2000, "\ud800", "1e400"]
    bodies = [*IN_BODIES, *(json.dumps({name: value}).encode() for value in values
                            for name in ("until", "reason", "note", "since", "settings")),
              *(json.dumps({"entries": [value]}).encode() for value in values),
              *(json.dumps({"filters": {"text": value}}).encode() for value in values),
              *(json.dumps({"differences": [value]}).encode() for value in values),
              *(json.dumps({"settings": {value: value}}).encode() for value in values),
              *(json.dumps({"until": "2099-01-01", "reason": one}).encode() for one in values)]  # fmt: skip
    bad = []
    for method, path in EVERY:
        if method == "GET":
            continue
        for part in ("acme", "e1", "0123456789ab") if "{" in path else ("",):
            address = filled(path, part)
            if path.startswith("/api"):
                answers = [(body[:30], program(method, address, body=body)) for body in bodies]
            else:
                fields = (
                    "entry",
                    "note",
                    "account",
                    "until",
                    "difference",
                    "setting",
                    "id",
                    "text",
                    "confirm",
                )
                answers = [
                    (
                        value.encode()[:30],
                        page.form(address, {"form_token": mark, **dict.fromkeys(fields, value)}),
                    )
                    for value in ("\0", "9" * 5000, "x" * 2000)
                ]
            bad += [(method, address, body, one.status) for body, one in answers if one.status >= 500]
    assert bad == []


@pytest.mark.parametrize("name", ["Referer", "Origin", "Host", "Cookie", "Authorization", "X-Forwarded-For"])
@pytest.mark.parametrize("value", ["http://[", "[", "\xff", "a:b:c", "Bearer \xff", "sbx_session=\xff"])
def test_no_header_makes_an_answer_of_500(office: Office, name: str, value: str) -> None:
    office.user("ann")
    client = office.client("ann")
    for method, path in (("GET", "/"), ("POST", "/act"), ("GET", "/api/v1/entries"), ("POST", "/sign-in")):
        for who in (client, Client(client.base)):
            answer = who(method, path, headers={name: value.encode("latin-1").decode("latin-1")})
            assert answer.status < 500, (method, path, answer.text)


def test_times_are_shown_as_the_nearest_that_can_be(office: Office) -> None:
    office.user("ann")
    hostile_log(office)
    shown = office.api("ann").get("/api/v1/entries/stored-event_time--infinity").json["event_time"]
    assert datetime.fromisoformat(shown).astimezone(UTC).year == 1
    shown = office.api("ann").get("/api/v1/entries/stored-finished_at-infinity").json["finished_at"]
    assert datetime.fromisoformat(shown).astimezone(UTC).year == 9999
