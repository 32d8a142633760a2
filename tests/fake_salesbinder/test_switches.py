"""The switches: each documented, each with an effect, and the table in which all pairs meet."""

from itertools import combinations
from typing import Any

import pytest

from sandbox.fake_salesbinder import SWITCHES, Switches, acts, all_pairs, seeding
from sandbox.fake_salesbinder.hints import Endpoint
from sandbox.fake_salesbinder.switches import IMPOSSIBLE, switches

from .caller import Caller, Reply
from .conftest import TOTAL, Stage


def test_every_switch_says_what_it_means_and_where_it_is_open() -> None:
    assert len(SWITCHES) == len({told.name for told in SWITCHES})
    for told in SWITCHES:
        assert len(told.settings) > 1, told.name
        assert told.meaning.endswith("."), told.name
        assert "§" in told.source, told.name


def test_an_unknown_switch_or_setting_is_refused() -> None:
    with pytest.raises(ValueError, match="switch 'colour' is unknown"):
        switches({"colour": "red"})
    with pytest.raises(ValueError, match="switch refund='never' is unknown: use one of negative_row"):
        switches({"refund": "never"})


def test_every_two_settings_meet_in_the_table() -> None:
    rows = [row.as_dict() for row in all_pairs()]
    met = {frozenset(two) for row in rows for two in combinations(row.items(), 2)}
    wanted = {
        frozenset(((one.name, setting), (other.name, another)))
        for one, other in combinations(SWITCHES, 2)
        for setting in one.settings
        for another in other.settings
    }
    assert met == wanted - IMPOSSIBLE
    assert len(rows) < 50


def test_the_table_begins_with_the_defaults_and_is_the_same_every_time() -> None:
    assert all_pairs()[0] == Switches()
    assert all_pairs(seed=3) == all_pairs(seed=3)
    assert all_pairs(seed=3) != all_pairs(seed=4)


def test_a_table_of_some_switches_leaves_the_others_at_their_defaults() -> None:
    rows = all_pairs(["refund", "reset"])
    assert len(rows) == 12
    assert {(row.refund, row.reset) for row in rows} == {
        (refund, reset)
        for refund in ("negative_row", "row_vanishes", "row_shrinks", "marked_row")
        for reset in ("rows_vanish", "negative_row_each", "one_negative_row")
    }
    assert {row.numbers for row in rows} == {"numbers"}
    with pytest.raises(ValueError, match="unknown switches"):
        all_pairs(["colour"])


# Every setting does something


def story(**given: str) -> list[Any]:
    """Return all that the API says in a shop where everything happens once."""
    stage = Stage(**given)
    stage.shop.hints.endpoints = [Endpoint("http://127.0.0.1:1/")]
    seeding.stock(stage.shop)
    told: list[Any] = []
    watched = _days(stage, told)
    _look(stage, told, watched)
    _limits(stage, told)
    return [*told, *(delivery.body for delivery in stage.shop.hints.deliveries)]


def _look(stage: Stage, told: list[Any], watched: list[str]) -> None:
    since = int(stage.world.clock.now().timestamp())
    for path, context in ACCOUNTS + DOCUMENTS:
        told.append(stage.get(path, contextId=context, pageLimit=5))
    for path, context in (ACCOUNTS[0], DOCUMENTS[0]):
        told.append(stage.get(path, contextId=context, modifiedSince=since))
    for held in watched:
        told.append(
            stage.get(f"{'documents' if held in stage.shop.store.documents else 'customers'}/{held}.json")
        )
    told += [stage.get("deleted_log.json"), stage.get("deleted_log.json", deletedSince=since)]


ACCOUNTS = [("customers.json", 2), ("customers.json", 8)]
DOCUMENTS = [("documents.json", 5), ("documents.json", 4), ("documents.json", 11)]


def _days(stage: Stage, told: list[Any]) -> list[str]:
    shop = stage.shop
    second = acts.create_party(shop, "customer", name="A Second")
    two = [
        {"name": "A", "price": "10.1", "tax": 8},
        {"item_id": shop.items[0].id, "quantity": 2, "price": "10.25"},
    ]
    for _ in range(22):
        stage.invoice()
    half, full, wiped, cancelled, shelved = (stage.invoice() for _ in range(5))
    edited = stage.invoice(lines=two)
    order, other_order = stage.order(), stage.order()
    estimate = acts.create_document(shop, "estimate", stage.customer, two)
    prospect = acts.create_party(shop, "prospect", name="Maybe")
    old = acts.bring_old_invoice(shop, stage.customer, two, created="2024-01-02T10:00:00+00:00", paid=5)
    told += [stage.get("customers.json"), stage.get("documents.json", compact="1")]
    told += [
        stage.get("documents.json", contextId=5, page=9),
        stage.get("documents.json", contextId=5, pageLimit=201),
    ]
    paid = acts.pay(shop, full, TOTAL, reference="Cash")
    acts.pay(shop, wiped, "20"), acts.pay(shop, wiped, "10")
    line = acts.as_input(shop.document(edited).lines[0]) | {"price": "9"}
    watched = [half, full, wiped, edited, order, estimate, shelved, old, stage.customer, prospect]
    for deed in (
        lambda: stage.later(60),
        lambda: acts.pay(shop, half, "50"),
        lambda: acts.refund(shop, full, paid),
        lambda: acts.reset(shop, wiped),
        lambda: acts.edit_document(shop, edited, lines=[line]),
        lambda: acts.edit_party(shop, stage.customer, name="Widgets Ltd", office_phone="604"),
        lambda: acts.send_document(shop, order),
        lambda: acts.receive(shop, order, {shop.document(order).lines[0].id: 1}),
        lambda: acts.receive(shop, order),
        lambda: acts.convert_prospect(shop, prospect),
        lambda: watched.append(acts.convert_estimate(shop, estimate, deposit="5")),
        lambda: acts.cancel_document(shop, cancelled),
        lambda: acts.delete_document(shop, cancelled),
        lambda: acts.delete_document(shop, other_order),
        lambda: acts.archive(shop, shelved),
        lambda: acts.archive(shop, second),
        lambda: stage.later(3600),
        lambda: acts.unarchive(shop, shelved),
        lambda: acts.cancel_document(shop, wiped),
        lambda: acts.delete_document(shop, shelved),
    ):
        deed()
        _look(stage, told, watched)
        stage.later(60)
    since = int(stage.world.clock.now().timestamp())
    told += [stage.get("documents.json", contextId=5, modifiedSince=since - ago) for ago in (1800, 4800)]
    told += [stage.get("deleted_log.json", contextId=context) for context in (4, 5)]
    told.append(stage.v3("sync", cursor="c0", limit=500))
    stage.later(31 * 86_400)
    return watched


def _limits(stage: Stage, told: list[Any]) -> None:
    told.append(stage.call("GET", "customers.json", key="wrong"))
    stage.shop.add_user("second")
    stage.world.limiter.minute = stage.world.limiter.burst = None

    def call(times: int = 1, **named: Any) -> None:
        told.extend(
            stage.call("GET", "customers.json", contextId=2, pageLimit=1, **named) for _ in range(times)
        )

    call(19)
    call(key="second")
    call(address="10.0.0.9")
    for _ in range(2):
        stage.later(50)
        call()
    for _ in range(11):
        stage.later(121)
        call(19)
    stage.later(10_000)
    call()
    stage.world.limiter.usage.clear()
    stage.shop.owner.lost_access = False
    stage.shop.owner.permissions = {"Billing Management", "View Invoices"}
    told += [stage.get(path, contextId=context) for path, context in (ACCOUNTS[0], DOCUMENTS[2])]


@pytest.fixture(scope="module")
def likeliest() -> list[Any]:
    return story()


DEPENDS = {
    "refund_mark": {"refund": "marked_row"},
    "marked_row_in_total": {"refund": "marked_row"},
    "archived_in_log": {"archived_detail": "shown"},
    "archive_moves_modified": {"archived_detail": "shown"},
    "access_lost": {"block_growth": "constant"},
    "log_context_filter": {"log_context_ids": "swapped"},
}
"""Switches that say something only beside another setting."""


def test_the_story_is_the_same_every_time(likeliest: list[Any]) -> None:
    assert story() == likeliest


@pytest.mark.parametrize(
    ("name", "setting"), [(told.name, setting) for told in SWITCHES for setting in told.settings[1:]]
)
def test_every_setting_changes_what_the_api_says(name: str, setting: str, likeliest: list[Any]) -> None:
    beside = DEPENDS.get(name, {})
    before = story(**beside) if beside else likeliest
    assert story(**{**beside, name: setting}) != before


def test_nothing_breaks_under_any_row_of_the_table() -> None:
    for row in all_pairs():
        replies = [told for told in story(**row.as_dict()) if isinstance(told, Reply)]
        assert {reply.status for reply in replies} <= {200, 302, 400, 401, 403, 404, 409, 429}


def test_a_caller_has_the_switches_that_it_names() -> None:
    assert Caller(refund="row_shrinks").shop.switches.refund == "row_shrinks"
