"""What a change costs does not grow with what is done: the plans of all statements on its way to Xero and to
the page, with tables that have grown.
"""

import uuid
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import psycopg
import pytest

from bench import ledger_fill, log_fill
from bench.log_filters import FILTERS
from log_projection.projection import apply
from sandbox.fake_xero.server import FakeXeroServer
from sbx.actions.filters import read_order
from sbx.actions.scoped_log import VisibleLog
from sbx.web.auth.sessions import User
from sbx.web.view.filters import read_filters
from sinks.ledger import store as ledger
from sinks.ledger.commands import retry
from tests.integration.sinks.plans import Plan, watched
from tests.integration.sinks.shops import Maker, Shop, connected_shop, delivering
from tests.reliability.history import make_history

ACTIONS = 200_000
ACCOUNTS = 20
GROWING = frozenset(
    {"commands", "snapshots", "links", "intents", "elements", "requests", "drift_runs", "entry", "attempt"}
)
"""Tables that have a row more for each event, call or comparison."""
_MOST = 500
"""Rows that a statement may take from these for a batch of this test, which is smaller; and blocks that a
statement that only reads may look at.
"""
_LOOKED_THROUGH = 15_000
"""The same for a page of the log, in which a text is looked for among the newest entries first."""
_BACKLOG = 20_000
_ELSEWHERE = {
    *("is_held", "insert_reused", "resolve_unknown", "send_again", "elements_of", "commands_by_id"),
    *("lock_snapshots", "insert_snapshots", "replace_snapshots"),  # of contacts that come with documents
    *("overtaken", "shared", "answer_requests"),
}
"""Statements of the ledger that these histories may not come to."""


@pytest.fixture(scope="module")
def grown(module_database_url: str) -> str:
    """Half a year of twenty shops."""
    now = datetime.now(UTC)
    log_fill.fill(module_database_url, ACTIONS, now)
    ledger_fill.fill(module_database_url, ACTIONS, now, ACCOUNTS, log=False)
    return module_database_url


@pytest.fixture
async def shop(grown: str, shared_xero: FakeXeroServer, tmp_path: Path) -> Shop:
    """One of them."""
    return await connected_shop(grown, shared_xero, tmp_path, "shop-001")


async def test_the_way_of_a_change_reads_no_table_through(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Two histories with failures and retries: intake, lanes, planner, outbox, log, gauges."""
    with watched(monkeypatch) as plans:
        async with delivering(shop) as delivery:
            for portion in (
                portion for seed in "12" for portion in make_history(seed, shop.account).portions
            ):
                await shop.send(*portion)
                await shop.idle()
            async with await shop.connect() as connection:
                failed = await shop.rows(_FAILED, shop.account)
                await retry(connection, [row["id"] for row in failed], "ann")
            await shop.idle()
            delivery.measure()
        async with await shop.connect() as connection:
            await apply(connection, await shop.told())
    assert _refused(plans, _MOST) == []
    seen = {plan.statement for plan in plans}
    missed = {name for name, text in ledger.SQL.items() if not any(one.startswith(text) for one in seen)}
    assert missed <= _ELSEWHERE


_FAILED = (
    "SELECT command_id::text AS id FROM ledger.commands WHERE account = %s AND state = 'failed' LIMIT 20"
)


async def test_a_backlog_that_the_planner_does_not_know_of_is_not_read_through(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its statistics are of a day on which everything was done; a large table gets new ones late. Then all of
    the backlog fails, for one wrong setting.
    """
    maker = Maker(shop.account)
    await shop.send(maker.contact("created", maker.customer()))
    async with await shop.connect() as connection:
        await connection.execute(_MORE, [_BACKLOG, shop.account])
        with watched(monkeypatch) as plans:
            heads = await ledger.ready(connection, shop.account, [], 100)
            await ledger.ready(connection, shop.account, [str(uuid.uuid4())], 100, ledger.LIVE)
            await ledger.followers(connection, shop.account, heads)
        await connection.execute(_FAIL, [shop.account])
        with watched(monkeypatch) as more:
            await ledger.earlier_failed(connection, shop.account, [(head, ["created"]) for head in heads])
        await connection.rollback()
    assert len(heads) == 100
    assert _refused([*plans, *more], _MOST) == []


_MORE = b"""
INSERT INTO ledger.commands (command_id, account, entity, record_id, action, content_hash, event_time, body)
SELECT gen_random_uuid(), account, entity, n::text, action, content_hash, event_time, body
FROM ledger.commands, generate_series(1, %s) AS n
WHERE account = %s AND state = 'queued' AND entity = 'customer'
"""
_FAIL = b"""
UPDATE ledger.commands SET state = 'failed', reason_code = 'tax_rate_missing'
WHERE account = %s AND state = 'queued'
"""


async def test_no_filter_reads_the_log_through(grown: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with watched(monkeypatch, len(FILTERS)) as plans:
        async with await psycopg.AsyncConnection.connect(grown) as connection:
            for _, pairs, accounts in FILTERS:
                visible = VisibleLog(connection, User("ann", accounts, role="viewer"))
                filters, order = read_filters(pairs.items(), others=("sort",)), read_order(pairs.get("sort"))
                await visible.page(filters, 50, order=order)
    assert len(plans) >= len(FILTERS)
    assert _refused(plans, _LOOKED_THROUGH) == []


def _refused(plans: Sequence[Plan], most: int) -> list[str]:
    """What each statement does that would cost more with more rows."""
    found = []
    for plan in plans:
        if through := plan.through(GROWING):
            found.append(f"reads {', '.join(through)} through: {plan.statement}")
        elif (rows := plan.read(GROWING)) > most:
            found.append(f"reads {rows} rows: {plan.statement}")
        elif plan.root["Node Type"] != "ModifyTable" and plan.blocks > most:
            found.append(f"looks at {plan.blocks} blocks: {plan.statement}")
    return found
