"""`sbx demo --once`: the whole pipeline between a shop and its books, which agree."""

from pathlib import Path

from contracts.events.types import EVENT_TYPES
from tests.integration.ops.sbx import Sbx, environ


def test_shop_reader_and_books_agree_and_nothing_is_left(tmp_path: Path) -> None:
    sbx = Sbx(environ(tmp_path / "data"), timeout=1500)
    done = sbx("demo", "--once", "--json")
    assert done.code == 0, done.err
    found = done.json
    assert found["surprises"] == []
    assert found["differing"].pop("before_cutoff") == 12
    assert set(found["differing"]) <= {"failed"}, "nothing is on its way, and nothing is unknown"
    assert found["agreeing"] > 15
    assert found["changes"] > 40
    assert not list((tmp_path / "data").iterdir())


def test_a_published_day_leaves_books_that_agree_and_nothing_else(tmp_path: Path) -> None:
    sbx = Sbx(environ(tmp_path / "data"), timeout=800)
    done = sbx("demo", "--publish", "--once", "--json")
    assert done.code == 0, done.err
    found = done.json
    assert found["surprises"] == []
    assert found["completed"].keys() == EVENT_TYPES.keys()
    assert found["failures"] == {
        "authorised_not_editable": 2,
        "document_removed": 2,
        "event_amount_invalid": 1,
        "exceeds_amount_due": 2,
        "order_billed": 2,
        "refund_exceeds_paid": 2,
        "tax_rate_unmapped": 6,
        "total_mismatch": 2,
    }
    assert found["agreeing"] == found["invoices"] + found["purchase_orders"] - found["explained"]
    assert not list((tmp_path / "data").iterdir())
