"""What ``sbx source`` prints, and what it makes of SalesBinder's first answers."""

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from runtime.environment import Environment
from sandbox.fake_salesbinder import FakeSalesBinderServer, acts
from sandbox.fake_salesbinder.switches import switches
from sbx.actions.refused import ActionRefused
from sbx.actions.source import Backfill, account_name
from sbx.actions.source_key import Connected, count_of, look, new_client
from sbx.actions.source_report import as_object
from sbx.cli.errors import BadUsage
from sbx.cli.source import _day, _report, _show, read_key
from sources.batch import Kept, Key
from sources.diff.known import KnownAccount
from sources.salesbinder.verdicts import Answer
from sources.sample import Ask
from sources.schedule.questions import Question
from sources.schedule.scans import Finished
from sources.schedule.stock import Progress
from sources.schedule.trust import Evidence
from sources.store.history import Plan
from sources.store.overview import Overview, ProblemCount

NOON = datetime(2026, 3, 2, 12, tzinfo=UTC)
TAKEN = {"customers": Progress(20, 20, True), "suppliers": Progress(0, 0, True)}


def overview(**changes: Any) -> Overview:
    values: dict[str, Any] = {
        "account": "acme",
        "now": NOON,
        "connected_at": NOON - timedelta(days=1),
        "is_read": True,
        "trouble": None,
        "trouble_text": "",
        "trouble_since": None,
        "held_until": None,
        "calls": 7,
        "untold": 0,
        "wanted": 2,
        "history": 0,
        "stock": TAKEN,
        "trust": {"payment_applied": Evidence(moved=20, run=20)},
        "finished": {
            "log/log": Finished(started=NOON - timedelta(seconds=30), asked=NOON, count=0),
            "all/customers": Finished(started=NOON, asked=NOON, count=20),
        },
        "problems": [],
    }
    return Overview(**{**values, **changes})


def test_a_quiet_account_says_what_is_read_and_how_late_a_change_can_be(capsys: Any) -> None:
    _show(overview())
    shown = capsys.readouterr().out
    assert "acme: read" in shown
    assert "log 30 s ago" in shown
    assert "7 calls in the last minute" in shown
    assert "payment applied 2 min" in shown
    assert "waiting: 2 details to read" in shown


def test_what_no_list_shows_is_seen_later_and_the_status_says_so(capsys: Any) -> None:
    _show(overview(trust={}, wanted=0))
    shown = capsys.readouterr().out
    assert "seen at the latest after: payment applied 6 h, refund applied 6 h, reset 6 h" in shown
    assert (
        "one that no list shows, such as a payment returned before anybody looked: 24 h, 7 d if settled long "
        "ago: payment applied, refund applied, reset, received, edited, correction of day or reference"
    ) in shown


def test_how_a_payment_that_shrank_is_read_is_shown(capsys: Any) -> None:
    _show(overview())
    assert "a payment that becomes smaller is read as a correction" in capsys.readouterr().out
    refund = overview(shrunk="refund")
    _show(refund)
    assert "a payment that becomes smaller is read as a refund of the difference" in capsys.readouterr().out
    assert as_object(refund)["shrunk"] == "refund"


def test_what_waits_counts_as_late(capsys: Any) -> None:
    _show(overview(wanted=4_800))
    assert "seen at the latest after: payment applied 2 h" in capsys.readouterr().out


def test_what_was_measured_is_shown_kind_by_kind_and_what_cannot_be(capsys: Any) -> None:
    _show(overview())
    shown = capsys.readouterr().out
    assert (
        "  payment applied: moves the document's time of change: 20 of 20 did, the last 20 in a row" in shown
    )
    assert "  refund applied: not seen yet" in shown
    assert "  archived: cannot be measured" in shown
    assert list(as_object(overview())["unmeasured"]) == ["archived", "correction"]


def test_deep_reads_that_are_late_are_shown(capsys: Any) -> None:
    _show(overview())
    assert "deep: nothing is due" in capsys.readouterr().out
    late = overview(deep_due=1_200, deep_since=NOON - timedelta(hours=3))
    _show(late)
    assert "deep: 1,200 due, the oldest for 3 h" in capsys.readouterr().out
    assert as_object(late)["deep"] == {"due": 1_200, "overdue_seconds": 10_800}


def test_trouble_is_told_with_its_remedy(capsys: Any) -> None:
    _show(overview(trouble="salesbinder_key_refused", trouble_since=NOON))
    shown = capsys.readouterr().out
    assert "no answers since 2026-03-02 12:00:00 UTC" in shown
    assert "sbx source connect acme" in shown


def test_stock_taking_has_its_progress_and_time_left(capsys: Any) -> None:
    going = {"customers": Progress(20_000, 20_000, True), "invoices": Progress(20_000, 100_000, False)}
    _show(overview(stock=going))
    assert "40,000 of 120,000 rows, 10 min left" in capsys.readouterr().out
    unasked = {"customers": Progress(0, None, False)}
    _show(overview(stock=unasked, is_read=False))
    shown = capsys.readouterr().out
    assert "0 rows\n" in shown
    assert "no worker runs" in shown


def test_problems_are_counted_with_an_example(capsys: Any) -> None:
    found = ProblemCount(
        "sums_disagree", 3, 3, NOON, "invoice a: total_transactions: 60: none", "Compare them."
    )
    _show(overview(problems=[found]))
    assert "sums_disagree (3), such as invoice a: total_transactions: 60: none. Compare them." in (
        capsys.readouterr().out
    )
    shown = as_object(overview(problems=[found]))
    assert shown["problems"][0]["count"] == 3
    assert shown["modified"]["payment_applied"]["run"] == 20
    json.dumps(shown, default=str)


def test_a_plan_says_documents_calls_and_time(capsys: Any) -> None:
    planned = Backfill(NOON, Plan(400, 350), None)
    _report("acme", planned, None, False)
    shown = capsys.readouterr()
    assert "400 documents: 400 calls of SalesBinder, about 750 of Xero, 20 min behind live work" in shown.out
    assert "--yes" in shown.err
    _report("acme", Backfill(NOON, Plan(1, 0), NOON), 1, False)
    shown = capsys.readouterr()
    assert "1 document will be published" in shown.out
    assert "cut-off" in shown.err


async def looked(used: Environment, account: str, key: str, lately: Mapping[Key, Kept]) -> Connected:
    async with new_client(used, account, key) as client:
        return await look(client.ask, account, lately)


def answer(status: int, body: bytes = b"") -> Answer:
    return Answer(status, body, None, None)


def test_the_first_answers_say_whether_the_key_works() -> None:
    rows = b'{"count":"90","page":"1","pages":"90","customers":[[{"id":"a"}]]}'
    assert count_of(answer(200, rows), "customers", "acme") == 90
    assert count_of(answer(403), "customers", "acme") is count_of(answer(401), "customers", "acme") is None


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (answer(429), "blocked"),
        (answer(302), "of no use"),
        (answer(200, b"<html>"), "of no use"),
        (answer(404), "of no use"),
    ],
)
def test_an_account_that_does_not_answer_well_is_not_connected(given: Answer, said: str) -> None:
    with pytest.raises(ActionRefused, match=said) as raised:
        count_of(given, "customers", "acme")
    assert raised.value.remedy


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({}, "refuses this key"),
        ({"wrong_key": "403"}, "refuses this key"),
        ({"wrong_key": "302"}, "of no use"),
        ({"missing_permission": "401"}, "refuses this key"),
    ],
)
async def test_a_wrong_key_is_refused_and_a_missing_permission_is_told(
    given: dict[str, str], said: str, tmp_path: Path
) -> None:
    with FakeSalesBinderServer(seed=3) as server:
        shop = server.world.add_shop("acme", switches(given))
        used = Environment(data_dir=tmp_path, salesbinder_api_url=server.api_url)
        with pytest.raises(ActionRefused, match=said):
            await looked(used, "acme", "wrong", {})
        owner = shop.owner
        owner.permissions = {each for each in owner.permissions if "Suppliers" not in each}
        found = await looked(used, "acme", shop.key, {})
        assert (set(found.rows), found.refused) == ({"customers", "invoices", "orders"}, ("suppliers",))


@pytest.mark.parametrize(
    "given",
    [
        "acme",
        " Acme ",
        "acme.salesbinder.com",
        "https://acme.salesbinder.com/",
        "HTTP://Acme.SalesBinder.com/app?x=1",
    ],
)
def test_an_account_may_be_given_as_its_address_is_pasted(given: str) -> None:
    assert account_name(given) == "acme"
    for other in ("acme.example", "acme salesbinder", "", "No/Account", "https://acme/", "acme.com/acme"):
        assert account_name(other) == other


async def test_a_key_that_shows_nothing_of_what_is_known_is_another_companys(tmp_path: Path) -> None:
    with FakeSalesBinderServer(seed=3) as server:
        ours, theirs = server.world.add_shop("acme"), server.world.add_shop("theirs")
        # The host that all companies share: there each key shows its own company.
        used = Environment(data_dir=tmp_path, salesbinder_api_url=f"{server.url}/api/2.0")
        here = acts.create_party(ours, "customer", name="Widgets & Co")
        gone = acts.create_party(ours, "supplier", name="Northern Parts")
        acts.delete_party(ours, gone)
        keys: list[Key] = [("supplier", gone), ("customer", here)]
        lately = {key: Kept(known=known(*key)) for key in keys}
        assert (await looked(used, "acme", ours.key, lately)).rows["customers"] == 1
        acts.create_party(theirs, "customer", name="Somebody else's")
        assert (await looked(used, "acme", theirs.key, {})).rows["customers"] == 1
        with pytest.raises(
            ActionRefused, match=f"none of the records .* supplier {gone}: .* another company"
        ):
            await looked(used, "acme", theirs.key, lately)
        deleted: Key = ("supplier", gone)
        await looked(used, "acme", theirs.key, {deleted: Kept(known=known(*deleted, deleted=True))})


@pytest.mark.parametrize("status", [429, 503, 403])
async def test_an_answer_that_says_nothing_of_a_record_leaves_open_whose_key_it_is(status: int) -> None:
    key: Key = ("customer", "c1")
    found = await look(answering_details(status), "acme", {key: Kept(known=known(*key))})
    assert found.unproven is not None
    assert f"does not say whether the key shows customer c1 ({status})" in found.unproven


async def test_a_key_to_which_no_known_record_is_there_is_of_another_company() -> None:
    key: Key = ("customer", "c1")
    with pytest.raises(ActionRefused, match="another company"):
        await look(answering_details(404), "acme", {key: Kept(known=known(*key))})


def answering_details(status: int) -> Ask:
    """Answer each list as empty, each detail with this status."""

    async def ask(asked: Question) -> Answer:
        if "/" in asked.path:
            return answer(status)
        return answer(200, b'{"count":"0","page":"1","pages":"0","customers":[],"documents":[]}')

    return ask


def known(entity: Any, record_id: str, **changes: Any) -> KnownAccount:
    return KnownAccount(entity=entity, id=record_id, fields={}, modified=None, time=NOON, **changes)


def test_the_key_comes_from_a_file_without_its_line_end(tmp_path: Path) -> None:
    path = tmp_path / "key"
    path.write_text("abc123\n")
    assert read_key("acme", path) == "abc123"
    with pytest.raises(BadUsage, match="--api-key-file"):
        read_key("acme", tmp_path / "none")


def test_a_day_is_a_day() -> None:
    assert _day("2026-01-31") == datetime(2026, 1, 31, tzinfo=UTC)
    with pytest.raises(BadUsage, match="not a day"):
        _day("31.1.2026")
