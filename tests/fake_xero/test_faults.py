"""Scripted faults, the clock, inspection: the parts of the fake that are not Xero's."""

import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
import urllib3
from xero_python.exceptions import AccountingBadRequestException, HTTPStatusException

from sandbox.fake_xero import FakeAdminError, FakeXeroServer

from .client import Xero, invoice, payment


def until(holds: Callable[[], bool]) -> None:
    """Wait until it holds: what happens in the fake happens in its own time."""
    give_up = time.monotonic() + 60
    while not holds():
        assert time.monotonic() < give_up
        time.sleep(0.02)


def names(xero: Xero) -> list[str]:
    return [contact["name"] for contact in xero.admin.state(xero.tenant_id)["contacts"]]


def put(xero: Xero, name: str = "A", **headers: str) -> Any:
    return xero.raw("PUT", "Contacts?summarizeErrors=false", {"Contacts": [{"Name": name}]}, **headers)


@pytest.mark.parametrize(("kind", "applied"), [("drop_before", []), ("drop_after", ["A"])])
def test_dropped_connections(xero: Xero, kind: str, applied: list[str]) -> None:
    xero.admin.fault(kind, method="PUT")
    with pytest.raises(urllib3.exceptions.ProtocolError):
        put(xero)
    assert names(xero) == applied
    assert xero.admin.counters()["by_status"] == {"200": 1, "dropped": 1}  # 200: the token


@pytest.mark.parametrize(
    ("kind", "settings", "status", "applied"),
    [
        ("error_before", {}, 500, []),
        ("error_after", {}, 500, ["A"]),
        ("error_after", {"status": 502}, 502, ["A"]),
        ("unavailable", {}, 503, []),
        ("expired_token", {}, 401, []),
        ("not_json", {"status": 400}, 400, ["A"]),
        ("answer", {"value": '{"Message": "No."}'}, 400, []),
    ],
)
def test_answers_that_hide_what_happened(
    xero: Xero, kind: str, settings: dict[str, Any], status: int, applied: list[str]
) -> None:
    xero.admin.fault(kind, **settings)
    assert put(xero).status == status
    assert names(xero) == applied
    assert put(xero, "B").status == 200  # once only


def test_somebody_is_faster(xero: Xero) -> None:
    theirs = {"method": "PUT", "path": "Contacts", "body": {"Name": "Theirs"}}
    xero.admin.fault("by_hand", method="PUT", value=json.dumps(theirs))
    assert put(xero).status == 200
    assert names(xero) == ["Theirs", "A"]


@pytest.mark.parametrize("retry_after", [None, 7])
def test_a_429_on_demand(xero: Xero, retry_after: int | None) -> None:
    xero.admin.fault("rate_limit", problem="concurrent", retry_after=retry_after)
    answer = put(xero)
    assert (answer.status, answer.headers["X-Rate-Limit-Problem"]) == (429, "concurrent")
    assert answer.headers.get("Retry-After") == (None if retry_after is None else str(retry_after))
    assert xero.admin.counters()["rate_limited"] == {"concurrent": 1}


def test_latency_before_and_after(xero: Xero) -> None:
    for kind in ("latency", "latency_after"):
        xero.admin.fault(kind, seconds=0.2)
        start = time.monotonic()
        put(xero, kind)
        assert time.monotonic() - start >= 0.2


def test_a_caller_that_gave_up_is_applied_all_the_same(xero: Xero) -> None:
    xero.admin.fault("latency", seconds=600)
    with pytest.raises(urllib3.exceptions.ReadTimeoutError):
        xero.api.create_contacts(xero.tenant_id, {"Contacts": [{"Name": "A"}]}, _request_timeout=(1, 0.1))
    assert names(xero) == []
    xero.admin.clear_faults()
    until(lambda: names(xero) == ["A"])


def test_an_answer_waits_until_its_rule_is_taken_away(xero: Xero) -> None:
    kept = xero.admin.fault("latency", path="Invoices", seconds=600)
    rule = xero.admin.fault("latency_after", method="PUT", seconds=600)
    with ThreadPoolExecutor(1) as pool:
        answer = pool.submit(put, xero)
        until(lambda: names(xero) == ["A"])
        assert not answer.done()
        xero.admin.clear_faults(rule)
        assert answer.result(60).status == 200
    assert [fault["fault_id"] for fault in xero.admin.faults()] == [kept]


def test_late_apply_follows_the_fakes_clock(xero: Xero) -> None:
    xero.admin.set_clock(rate=0)
    xero.admin.fault("late_apply", method="PUT", seconds=300)
    with pytest.raises(urllib3.exceptions.ProtocolError):
        put(xero)
    xero.admin.advance(299)
    time.sleep(0.05)
    assert names(xero) == []
    xero.admin.advance(2)
    until(lambda: names(xero) == ["A"])
    written = [call["faults"] for call in xero.admin.calls() if call["method"] == "PUT"]
    assert written == [["late_apply"], ["late_arrival"]]


def test_a_late_request_finds_the_key_of_its_own_retry(xero: Xero) -> None:
    xero.admin.set_clock(rate=0)
    xero.admin.fault("late_apply", method="PUT", seconds=60)
    with pytest.raises(urllib3.exceptions.ProtocolError):
        put(xero, Idempotency_Key="k")
    assert put(xero, Idempotency_Key="k").status == 200
    xero.admin.advance(61)
    until(lambda: xero.admin.counters()["replays"] == 1)
    assert names(xero) == ["A"]


def test_summarised_although_asked_not_to(xero: Xero, contact_id: str) -> None:
    xero.admin.fault("summarise")
    with pytest.raises(AccountingBadRequestException):
        xero.put("contacts", {"Name": "Widgets & Co"})


def test_elements_in_another_order(xero: Xero) -> None:
    xero.admin.fault("shuffle")
    asked = [{"Name": name} for name in "abcdefgh"]
    answered = [part["Name"] for part in xero.write("put", "contacts", *asked)]
    assert answered != list("abcdefgh") and sorted(answered) == list("abcdefgh")


def test_an_enum_value_that_the_sdk_does_not_know(xero: Xero, contact_id: str) -> None:
    xero.admin.fault("unknown_enum", name="Status", value="FROZEN")
    with pytest.raises(ValueError, match="FROZEN"):
        xero.api.create_invoices(xero.tenant_id, {"Invoices": [invoice(contact_id)]})
    assert len(xero.list("invoices")) == 1


def test_a_trickled_body_is_whole_and_slow_and_in_flight(xero: Xero) -> None:
    xero.admin.limits(concurrent=1)
    xero.admin.fault("trickle", seconds=600)
    with ThreadPoolExecutor(1) as pool:
        trickled = pool.submit(put, xero)
        until(lambda: names(xero) == ["A"])
        assert put(xero, "B").headers["X-Rate-Limit-Problem"] == "concurrent"
        assert not trickled.done()
        xero.admin.clear_faults()
        assert trickled.result().json()["Contacts"][0]["Name"] == "A"
    assert put(xero, "B").status == 200


def test_a_trickled_body_takes_its_time(xero: Xero) -> None:
    xero.admin.fault("trickle", seconds=1)
    start = time.monotonic()
    assert put(xero).json()["Contacts"][0]["Name"] == "A"
    assert time.monotonic() - start >= 0.8


def test_rules_match_method_and_path_skip_and_count(xero: Xero) -> None:
    xero.admin.fault("unavailable", method="PUT", path="^Contacts", skip=1, times=2)
    assert xero.raw("GET", "Contacts").status == 200
    assert [put(xero, name).status for name in "ABCD"] == [200, 503, 503, 200]
    assert xero.admin.faults()[0]["hits"] == 2


def test_rules_by_chance_are_the_same_for_the_same_seed(xero: Xero) -> None:
    runs = []
    for _ in range(2):
        xero.admin.clear_faults()
        xero.admin.fault("unavailable", times=None, probability=0.5, seed=42)
        runs.append([xero.raw("GET", "Currencies").status for _ in range(20)])
    assert runs[0] == runs[1] and set(runs[0]) == {200, 503}


def test_faults_of_the_token_endpoint(xero: Xero) -> None:
    xero.admin.fault("unavailable", path="connect/token")
    with pytest.raises(HTTPStatusException):
        xero.client.get_client_credentials_token()


def test_faults_do_not_hit_what_is_done_by_hand(xero: Xero) -> None:
    xero.admin.fault("unavailable", times=None)
    by_hand = Xero(xero.server, xero.server.by_hand_client_id, xero.server.by_hand_client_secret)
    assert put(by_hand).status == 200


def test_an_unknown_fault_is_refused_with_the_list(xero: Xero) -> None:
    with pytest.raises(FakeAdminError, match="drop_before"):
        xero.admin.fault("nonsense")


def test_the_clock_can_be_moved_scaled_and_set(xero: Xero) -> None:
    xero.admin.set_clock(now="2026-03-02T10:00:00+00:00", rate=0)
    assert xero.admin.clock()["now"].startswith("2026-03-02T10:00:00")
    found = xero.put("contacts", {"Name": "A"})
    assert found["UpdatedDateUTC"].startswith("/Date(17724456")
    before = xero.admin.clock()["seconds"]
    xero.admin.set_clock(rate=1000)
    time.sleep(0.1)
    assert xero.admin.clock()["seconds"] - before > 90


def test_the_state_shows_the_books_exactly(xero: Xero, contact_id: str) -> None:
    made = xero.put("invoices", invoice(contact_id, InvoiceNumber="5001"))
    xero.put("payments", payment(made["InvoiceID"], 8, Reference="Cash"))
    (found,) = xero.admin.state(xero.tenant_id)["invoices"]
    assert (found["number"], found["total"], found["amount_due"]) == ("5001", "108.00", "100.00")
    assert (found["lines"][0]["tax_amount"], found["payments"][0]["reference"]) == ("8.00", "Cash")


def test_the_call_log_names_what_was_called(xero: Xero) -> None:
    put(xero, Idempotency_Key="k")
    call = xero.admin.calls()[-1]
    assert (call["method"], call["path"], call["status"], call["elements"], call["idempotency_key"]) == (
        "PUT",
        "Contacts",
        200,
        1,
        "k",
    )
    assert xero.admin.calls(since=call["number"]) == []


def test_seeding(xero: Xero) -> None:
    xero.admin.seed(
        xero.tenant_id,
        contacts=[{"Name": "Seeded"}],
        accounts=[{"Code": "555", "Name": "More", "Type": "REVENUE"}],
        items=[{"Code": "I"}],
        tax_rates=[{"tax_type": "T20", "rate": "20"}],
        currencies={"GBP": "0.8"},
    )
    assert names(xero) == ["Seeded"]
    codes = {part.code.value for part in xero.api.get_currencies(xero.tenant_id).currencies}
    assert codes == {"USD", "EUR", "CAD", "GBP"}
    with pytest.raises(FakeAdminError, match="unknown parts"):
        xero.admin.seed(xero.tenant_id, nonsense=[])


def test_reset_empties_everything(xero: Xero, contact_id: str) -> None:
    xero.admin.reset()
    assert names(xero) == []
    assert xero.raw("GET", "Currencies").status == 401
    assert xero.admin.counters()["calls"] == 1


def test_it_runs_as_a_process_of_its_own(shared_dir: Path) -> None:
    with FakeXeroServer(subprocess=True, base_currency="NZD") as server:
        assert server.admin.state(server.tenant_id)["base_currency"] == "NZD"
        url = server.url
    with pytest.raises(urllib3.exceptions.HTTPError):
        urllib3.PoolManager(retries=False).request("GET", f"{url}/_fake/health")
