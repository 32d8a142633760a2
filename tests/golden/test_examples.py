"""The contract's example events through the real sinks and the real log, compared with sheets by hand."""

from pathlib import Path
from typing import Any

import pytest

from log_projection import projection
from tests.golden.sheets import books, differences, entry, sheet
from tests.integration.sinks.drifting import unexplained
from tests.integration.sinks.shops import Shop, examples

_LOG = """SELECT * FROM integrations_log.entries ORDER BY event_time, "offset" """


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("authorised", {}),
        ("draft", {"invoice_status": "draft"}),
        ("push", {"edit_authorised": "push"}),
        ("reverse_payment", {"refund_as": "reverse_payment"}),
        ("billed", {"received_as": "billed"}),
        ("draft_orders", {"purchase_order_status": "draft"}),
    ],
)
async def test_one_after_the_other(
    name: str, settings: dict[str, str], open_shop: Shop, shared_dir: Path
) -> None:
    await open_shop.settings(**settings)
    for event in examples(shared_dir):
        await open_shop.send(event)
        await open_shop.idle()
    different = list(differences(sheet(name), await _found(open_shop, shared_dir)))
    assert not different, "\n".join(different)
    assert await unexplained(open_shop) == []


async def test_all_at_once(open_shop: Shop, shared_dir: Path) -> None:
    """Merged or not, the books come out as the newest snapshots say. How single entries end depends on what a
    batch takes up first, so they are only asked for state, number and party."""
    await open_shop.send(*examples(shared_dir))
    await open_shop.idle()
    expected, found = sheet("backlog"), await _found(open_shop, shared_dir)
    log = found.pop("log")
    assert {one["state"] for one in log} == {"completed"}
    assert [(one["number"], one["party"]) for one in log] == [
        (one["number"], one["party"]) for one in expected["log"]
    ]
    different = list(differences(_sorted(expected), _sorted(found)))
    assert not different, "\n".join(different)


def _sorted(sheet: dict[str, Any]) -> dict[str, Any]:
    """The parts of the books in an order that does not depend on what was made first."""
    return {part: sorted(sheet[part], key=_key) for part in sheet if part != "log"}


def _key(record: dict[str, Any]) -> str:
    return str(record.get("number") or record.get("name") or record.get("reference") or "")


async def _found(shop: Shop, shared: Path) -> dict[str, Any]:
    """Books and log; what identifies an entry is checked here, since the events say it."""
    results = await shop.told()
    async with await shop.connect() as connection:
        await projection.apply(connection, results)
    rows = await shop.rows(_LOG)
    for event, row in zip(examples(shared), rows, strict=True):
        assert (row["event_id"], row["event_type"]) == (event["id"], event["type"])
        assert row["event_time"].isoformat() == event["time"]
        assert (row["account"], row["record_id"]) == ("acme", event["subject"])
        assert row["entry_id"] == shop.command_id(event)
        assert (row["triggered_by"], row["actor"]) == ("event", "")
        if row["state"] == "failed":
            assert row["reason"], row
            assert row["remedy"], row
    return {**books(shop.books), "log": [entry(row) for row in rows]}
