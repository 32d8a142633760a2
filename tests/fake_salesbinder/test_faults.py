"""Faults by script: what happens to answers on the way, and what SalesBinder itself may do (§8, §12)."""

import json
from typing import Any

import pytest

from sandbox.fake_salesbinder import acts
from sandbox.fake_salesbinder.faults import KINDS

from .conftest import Stage
from .test_lists import many

BY_WIRE = {"slow", "trickle", "broken_off"}
"""What only the transport can do: see test_server."""


def hit(stage: Stage, kind: str, **settings: Any) -> None:
    stage.world.faults.add(kind, **settings)


def documents(stage: Stage, **query: Any) -> Any:
    return stage.get("documents.json", contextId=5, **query)


def numbers(body: Any) -> list[int]:
    return [row["document_number"] for row in body["documents"][0]]


def test_an_unknown_kind_is_refused(stage: Stage) -> None:
    with pytest.raises(ValueError, match="fault kind 'burn' is unknown"):
        hit(stage, "burn")


def test_a_rule_hits_once_after_skip_and_only_what_it_names(stage: Stage) -> None:
    hit(stage, "status", path="^customers", skip=1)
    found = [stage.get("customers.json", contextId=2).status for _ in range(3)]
    assert (found, documents(stage).status) == ([200, 500, 200], 200)
    assert stage.world.faults.rules[0].hits == 1


def test_a_rule_may_name_the_page_and_the_shop(stage: Stage) -> None:
    hit(stage, "status", path="page=2", times=None)
    hit(stage, "status", shop="other", times=None)
    assert documents(stage, page=1).status == 200
    assert documents(stage, page=2).status == 500


def test_chance_is_seeded(stage: Stage) -> None:
    found = []
    for _ in range(2):
        stage.world.faults.clear()
        hit(stage, "status", times=None, probability=0.5, seed=3)
        found.append([documents(stage).status for _ in range(20)])
    assert found[0] == found[1]
    assert set(found[0]) == {200, 500}


@pytest.mark.parametrize("status", [401, 403, 429, 500, 502, 503, 522])
def test_any_status(stage: Stage, status: int) -> None:
    """§8: 401, 403, 429, "5xx, 522 retried by CLI"."""
    hit(stage, "status", status=status)
    assert (documents(stage).status, documents(stage).status) == (status, 200)


def test_html_with_200(stage: Stage) -> None:
    """§12.19: "HTML with 200"."""
    hit(stage, "html")
    reply = documents(stage)
    assert (reply.status, reply.headers["Content-Type"]) == (200, "text/html")
    with pytest.raises(json.JSONDecodeError):
        _ = reply.json


def test_a_block_out_of_nothing(stage: Stage) -> None:
    """§12.25: "another program's burst blocks us"."""
    hit(stage, "rate_limit", seconds=30)
    assert documents(stage).status == 429
    stage.later(31)
    assert documents(stage).status == 200


def test_a_redirect_to_another_host(stage: Stage) -> None:
    """§12.20: "A redirect followed with the key"."""
    hit(stage, "redirect", value="http://127.0.0.1:1/steal")
    reply = documents(stage)
    assert (reply.status, reply.headers["Location"]) == (302, "http://127.0.0.1:1/steal")


def test_a_record_that_is_there_may_be_404(stage: Stage) -> None:
    """§12.6: "404 on a detail is nothing"."""
    hit(stage, "not_found", path=r"^documents/")
    path = f"documents/{stage.invoice()}.json"
    assert (stage.get(path).status, stage.get(path).status) == (404, 200)


@pytest.mark.parametrize(("kind", "done"), [("drop_before", False), ("drop_after", True)])
def test_a_dropped_connection(stage: Stage, kind: str, done: bool) -> None:
    hit(stage, kind)
    reply = stage.call("POST", "customers.json", {"customer": {"context_id": 2, "name": "A"}})
    assert reply.status == 0
    assert (len(stage.rows("customers.json", contextId=2)) == 2) == done
    assert stage.world.call_log()[0]["status"] is None


def test_the_servers_clock_may_be_off(stage: Stage) -> None:
    """§2: `since` from the server's clock, the `Date` header."""
    hit(stage, "clock_off", seconds=-900)
    assert documents(stage).headers["Date"] == "Mon, 02 Mar 2026 08:45:00 GMT"
    assert documents(stage).headers["Date"] == "Mon, 02 Mar 2026 09:00:00 GMT"


def test_a_body_may_be_cut(stage: Stage) -> None:
    whole = documents(stage).body
    hit(stage, "truncated", fraction=0.5)
    assert documents(stage).body == whole[: len(whole) // 2]


def test_a_notice_of_php_before_the_json(stage: Stage) -> None:
    hit(stage, "notice")
    assert documents(stage).body.startswith(b"<br />\n<b>Notice</b>")


def test_bytes_that_are_not_utf8(stage: Stage) -> None:
    hit(stage, "invalid_utf8")
    with pytest.raises(UnicodeDecodeError):
        documents(stage).body.decode()


# Lists


def test_counts_move_while_paging() -> None:
    """§2: "CLI treats `count` or `pages` changing between two pages as a failed scan"."""
    stage = many(4)
    hit(stage, "counts", path="page=2", amount=3)
    first, second = documents(stage, pageLimit=2).json, documents(stage, pageLimit=2, page=2).json
    assert [(body["count"], body["pages"]) for body in (first, second)] == [("4", "2"), ("7", "4")]
    assert numbers(second) == [1002, 1001]


def test_a_list_may_be_empty_all_at_once() -> None:
    """§12.11: "empty lists look like mass deletion"."""
    stage = many(4)
    hit(stage, "empty_list")
    assert documents(stage).json == {"count": "0", "page": "1", "pages": "0", "documents": []}
    assert len(numbers(documents(stage).json)) == 4


def test_a_list_may_be_halved() -> None:
    stage = many(4)
    hit(stage, "halved_list")
    body = documents(stage).json
    assert (body["count"], numbers(body)) == ("2", [1004, 1002])


def test_a_row_may_come_twice_or_be_skipped() -> None:
    """§2 Order and drift; §8: "duplicate ids"."""
    stage = many(3)
    hit(stage, "duplicate_rows")
    assert numbers(documents(stage).json) == [1003, 1003, 1002, 1001]
    hit(stage, "skip_rows")
    body = documents(stage).json
    assert (body["count"], numbers(body)) == ("3", [1003, 1002])


@pytest.mark.parametrize("shape", ["nested", "flat", "each_nested"])
def test_faults_of_rows_keep_their_shape(shape: str) -> None:
    stage = many(3, rows_shape=shape)
    hit(stage, "duplicate_rows")
    rows = documents(stage).json["documents"]
    assert {"nested": [1, list], "flat": [4, dict], "each_nested": [4, list]}[shape] == [
        len(rows),
        type(rows[0]),
    ]


def test_rows_of_another_context(stage: Stage) -> None:
    """§8: "rows of another context"."""
    order = stage.order()
    stage.invoice()
    hit(stage, "other_context")
    assert [row["context_id"] for row in documents(stage).json["documents"][0]] == [11, 5]
    hit(stage, "other_context", path="^customers")
    rows = stage.get("customers.json", contextId=2).json["customers"][0]
    assert {row["id"] for row in rows} == {stage.customer, stage.supplier}
    assert order


def test_the_shop_changes_between_two_pages() -> None:
    """§12.5: "A skipped row when something is deleted while paging"."""
    stage = many(4)
    newest = stage.rows("documents.json", contextId=5)[0]["id"]
    hit(stage, "by_hand", path="page=2", value=json.dumps({"act": "delete_document", "document_id": newest}))
    seen = numbers(documents(stage, pageLimit=2).json) + numbers(documents(stage, pageLimit=2, page=2).json)
    assert seen == [1004, 1003, 1001]


# Records


def test_a_body_without_its_root(stage: Stage) -> None:
    """§8: "missing roots"."""
    hit(stage, "missing_root")
    assert documents(stage).json == {"count": "0", "page": "1", "pages": "0"}
    hit(stage, "missing_root")
    assert stage.get(f"customers/{stage.customer}.json").json == []


def test_the_detail_of_another_record(stage: Stage) -> None:
    hit(stage, "other_record")
    assert stage.account(stage.customer)["id"] == stage.supplier


@pytest.mark.parametrize(
    ("kind", "name", "value", "found"),
    [
        ("remove", "status", "", None),
        ("replace", "total_price", '"lots"', "lots"),
        ("replace", "status.name", '"on the moon"', "on the moon"),
        ("replace", "document_items.quantity", "[]", []),
        ("replace", "customer", "[]", []),
        ("new_field", "loyalty_points", "5", 5),
    ],
)
def test_fields_may_be_missing_wrong_or_new(
    stage: Stage, kind: str, name: str, value: str, found: Any
) -> None:
    """§12.14: "A field added by SalesBinder"; issue: missing keys, other types, PHP's empties."""
    hit(stage, kind, name=name, value=value)
    shown = stage.detail(stage.invoice())
    for part in name.split("."):
        shown = shown[0] if isinstance(shown, list) else shown
        if kind == "remove":
            assert part not in shown
            return
        shown = shown[part]
    assert shown == found


def test_fields_of_all_rows_are_hit() -> None:
    stage = many(2)
    hit(stage, "replace", name="modified", value='"2026-03-02"')
    assert {row["modified"] for row in documents(stage).json["documents"][0]} == {"2026-03-02"}


def test_ten_thousand_lines(stage: Stage) -> None:
    invoice = stage.invoice(lines=[{"name": "A", "price": "0.01"}] * 10_000)
    assert len(stage.detail(invoice)["document_items"]) == 10_000


def test_every_kind_is_tried_here() -> None:
    from pathlib import Path

    here = Path(__file__).read_text(encoding="utf-8") + Path(__file__).with_name("test_server.py").read_text(
        encoding="utf-8"
    )
    assert [kind for kind in KINDS if f'"{kind}"' not in here] == []


def test_acts_by_hand_are_checked(stage: Stage) -> None:
    hit(stage, "by_hand", value='{"act": "burn"}')
    with pytest.raises(ValueError, match="act 'burn' is unknown"):
        documents(stage)
    assert acts.ACTS
