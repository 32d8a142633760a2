"""`sbx demo --once`: the whole pipeline, a shop's day, and books that agree."""

from pathlib import Path

from tests.integration.ops.sbx import Sbx, environ


def test_the_books_agree_and_nothing_is_left(tmp_path: Path) -> None:
    sbx = Sbx(environ(tmp_path / "data"))
    done = sbx("demo", "--once", "--json")
    assert done.code == 0, done.err
    assert done.json["surprises"] == []
    assert done.json["failures"] == {
        "event_amount_invalid": 1,
        "exceeds_amount_due": 2,
        "tax_rate_unmapped": 3,
        "total_mismatch": 3,
    }
    assert done.json["agreeing"] == done.json["invoices"] - done.json["explained"]
    assert not list((tmp_path / "data").iterdir())
