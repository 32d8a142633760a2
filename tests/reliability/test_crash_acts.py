"""SIGKILL where an operator's command commits, and where a lane does something for an account as a whole: the
same command again, or another worker, and all is as it would have been.
"""

import asyncio
import json
import signal
import subprocess
import sys
import uuid
from pathlib import Path
from typing import Any

import pytest

from connections import store
from log_projection.projection import apply
from runtime.archive import Archive
from runtime.environment import Environment
from sandbox import EmbeddedStack
from sandbox.fake_xero.server import FakeXeroServer
from sinks.drift import acts
from sinks.lanes.breaker import FAILURES_BOUND
from sinks.ledger import commands as operators
from streams.topics import create_topics
from tests.integration.log_projection import made
from tests.integration.sinks import drifting
from tests.integration.sinks.shops import Maker, Shop, connect, delivering, environment_of
from tests.integration.sinks.test_decisions import standing, two_alike
from tests.integration.sinks.test_drift import change as change_by_hand
from tests.reliability.crashing import (
    OUTCOMES,
    PATIENCE,
    Worker,
    assert_log_agrees,
    assert_survived,
    die,
    history,
    new_shop,
    sbx,
    survive,
    variables,
)
from tests.reliability.stages import STAGES, Stages

pytestmark = pytest.mark.reliability


@pytest.fixture
async def shop(environment: Environment, fake: FakeXeroServer) -> Shop:
    """A connected account of the one database."""
    return await new_shop(environment, fake)


@pytest.fixture
def maker(shop: Shop) -> Maker:
    return Maker(shop.account)


def killed(shop: Shop, point: str, *arguments: str, **more: str) -> None:
    """The command is killed at its point."""
    assert sbx(shop.environment, *arguments, crash_at=point, **more) == -signal.SIGKILL


# A lane, for its account


async def test_connection_is_lost(shop: Shop, maker: Maker, fake: FakeXeroServer) -> None:
    events = history(maker)
    await shop.send(*events)
    fake.admin.connections(disconnect=[shop.tenant_id])
    die(shop.environment, ["lost.before_commit", "lost.after_commit"])
    assert await is_lost(shop)
    fake.admin.connections(connect=[shop.tenant_id])
    await connect(shop)
    await survive(shop, ())
    await assert_survived(shop, len(events))


async def is_lost(shop: Shop) -> bool:
    async with await shop.connect() as connection:
        found = await store.load_connection(connection, shop.account)
    return found is not None and found.status == "lost"


async def test_account_pauses_itself(shop: Shop, maker: Maker, fake: FakeXeroServer) -> None:
    """A worker that counts anew fails as many again, and no more."""
    customers = [maker.customer(f"Customer {number}") for number in range(2 * FAILURES_BOUND + 5)]
    events = [maker.contact("created", customer) for customer in customers]
    await shop.send(*events)
    fault = fake.admin.fault("error_before", method="PUT", path="Contacts", times=None, status=400)
    die(shop.environment, ["pause.before_commit", "pause.after_commit"])
    fake.admin.clear_faults(fault)
    assert sum(state == "failed" for _, state, _ in await shop.log()) == 2 * FAILURES_BOUND
    async with await shop.connect() as connection:
        assert await store.resume(connection, shop.account, actor="ann")
    await survive(shop, ())  # calls that were under way have their refusal again, under the same key
    async with await shop.connect() as connection:
        await operators.retry(connection, [shop.command_id(event) for event in events], "ann")
    await survive(shop, ())
    assert len(shop.books["contacts"]) == len(events)
    await assert_log_agrees(shop, {"posted"})


async def test_account_has_no_connection(shop: Shop, maker: Maker) -> None:
    async with await shop.connect() as connection:
        await connection.execute("DELETE FROM connections.accounts WHERE account = %s", [shop.account])
    event = maker.contact("created", maker.customer("Alice"))
    await shop.send(event)
    await survive(shop, ["not_connected.before_commit", "not_connected.after_commit"])
    await assert_log_agrees(shop, {"not_connected"})
    await connect(shop)
    async with await shop.connect() as connection:
        await operators.retry(connection, [shop.command_id(event)], "ann")
    await survive(shop, ())
    assert [contact["name"] for contact in shop.books["contacts"]] == ["Alice"]
    await assert_log_agrees(shop, {"posted"})


async def test_what_was_lost_is_noted(shop: Shop, stages: Stages) -> None:
    """An entry whose command is nowhere: who looks for such dies before and after noting it."""
    entry_id = str(uuid.uuid4())
    place: dict[str, Any] = {"topic": "salesbinder.invoices", "partition": 999, "offset": 0}
    lost = made.entry(entry_id, account=shop.account, **place)
    async with await shop.connect() as connection:
        await apply(connection, [lost])
    noted = []
    for point in ("losses.before_commit", "losses.after_commit"):
        stages.start("deliver", point)
        stages.dies("deliver")
        async with await shop.connect() as connection:
            cursor = await connection.execute(
                "SELECT entry_id FROM integrations_log.lost_command WHERE entry_id = %s", [entry_id]
            )
            noted.append(len(await cursor.fetchall()))
    assert noted == [0, 1]


async def test_account_is_given_back(shop: Shop, maker: Maker) -> None:
    points = ("leave.before_commit", "leave.after_commit", "return.before_commit", "return.after_commit")
    workers = [Worker(shop.environment, point) for point in points]
    try:
        for number, worker in enumerate(workers, 1):
            await shop.send(maker.contact("created", maker.customer(f"Customer {number}")))
            worker.go()
            await shop.idle(PATIENCE)
            worker.end()
            worker.dies()
    finally:
        for worker in workers:
            worker.kill()
    events = history(maker)
    await shop.send(*events)
    await survive(shop, ())
    assert await assert_log_agrees(shop, OUTCOMES) == len(events) + len(points)
    assert [contact["name"] for contact in shop.books["contacts"]].count("Customer 1") == 1


_READING = (
    "reading.before_commit",
    "reading.after_commit",
    "comparison.before_commit",
    "comparison.after_commit",
    "history.before_commit",
    "history.after_commit",
)


async def test_reading_is_taken_up_again(shop: Shop, maker: Maker) -> None:
    """Six workers die in one reading; it goes on where it was, and tells what really differs."""
    events = history(maker)
    await shop.send(*events)
    await survive(shop, ())
    await assert_survived(shop, len(events))
    change_by_hand(shop, "2", Reference="By hand")
    async with await shop.connect() as connection:
        await acts.ask(connection, shop.account, acts.ReadingPlan(None, True, 5), "ann")
    await survive(shop, _READING)
    assert drifting.seen(await drifting.standing(shop)) == [("invoice", "reference", "", "By hand")]


# Commands


async def test_retrying_command_dies(shop: Shop, maker: Maker) -> None:
    await shop.settings(sales_account="999")
    event = maker.created(maker.document(maker.customer("Alice"), 1))
    await shop.send(event)
    await survive(shop, ())
    assert await shop.end(event) == "account_code_unknown"
    await shop.settings(sales_account="200")

    command = ("retry", "--account", shop.account, "--yes")
    killed(shop, "retry.before_commit", *command)
    assert await shop.end(event) == "account_code_unknown"
    killed(shop, "retry.after_commit", *command)
    killed(shop, "act.before_commit", *command)
    assert (await shop.end(event), await acts_of("retry", shop)) == ("account_code_unknown", 0)
    killed(shop, "act.after_commit", *command)
    assert (await shop.end(event), await acts_of("retry", shop)) == ("queued", 1)
    assert sbx(shop.environment, *command) == 0
    await survive(shop, ())
    assert (await shop.entry(event))["revision"] == 1
    assert [(i["number"], i["status"]) for i in shop.books["invoices"]] == [("1", "AUTHORISED")]
    await assert_log_agrees(shop, {"posted"})


async def acts_of(kind: str, shop: Shop) -> int:
    """How many acts of this kind on this account are written down."""
    counted = "SELECT 1 FROM web.acts WHERE act = %s AND target ->> 'account' = %s"
    return len(await shop.rows(counted, kind, shop.account))


async def test_deciding_command_dies(shop: Shop, maker: Maker) -> None:
    async with delivering(shop):
        paid, theirs = await two_alike(shop, maker)
    command = ("decide", shop.command_id(paid), "--adopt", theirs[1], "--yes")
    killed(shop, "decide.before_commit", *command)
    assert await shop.end(paid) == "needs_review"
    assert await links_to(shop, theirs[1]) == 0
    killed(shop, "decide.after_commit", *command)
    assert (await shop.end(paid), await acts_of("decide", shop)) == ("needs_review", 0)
    killed(shop, "act.after_commit", *command)
    assert (await shop.end(paid), await acts_of("decide", shop)) == ("queued", 1)
    assert sbx(shop.environment, *command) == 1  # decided already
    await survive(shop, ())
    assert await shop.end(paid) == "already_there"
    assert sorted(standing(shop)) == sorted(theirs)
    assert await links_to(shop, theirs[1]) == 1


async def links_to(shop: Shop, xero_id: str) -> int:
    rows = await shop.rows(
        "SELECT 1 FROM ledger.links WHERE account = %s AND xero_id = %s", shop.account, xero_id
    )
    return len(rows)


async def test_asking_command_dies(shop: Shop, maker: Maker) -> None:
    """A connection is renewed, and the account's lane is asked to read the organisation."""
    command = ("connect", shop.account, "--tenant", shop.tenant_id, "--client-id", shop.xero.client_id)
    secret = {"SBX_XERO_CLIENT_SECRET": shop.xero.client_secret}
    asked = "SELECT answered_at FROM ledger.requests WHERE account = %s"
    killed(shop, "ask.before_commit", *command, **secret)
    assert await shop.rows(asked, shop.account) == []
    killed(shop, "ask.after_commit", *command, **secret)
    assert await shop.rows(asked, shop.account) == []
    killed(shop, "act.after_commit", *command, **secret)
    assert await shop.rows(asked, shop.account) == [{"answered_at": None}]
    assert await acts_of("connect", shop) == 1
    events = history(maker)
    await shop.send(*events)
    await survive(shop, ())
    await assert_survived(shop, len(events))


async def test_resending_command_dies(shop: Shop, maker: Maker) -> None:
    """A payment was deleted by hand, is to be made again, and is made again once."""
    document = maker.document(maker.customer("Alice"), 1)
    paid = maker.paid(document, "108.00")
    async with delivering(shop):
        await shop.run(maker.created(document), paid)
        [payment] = shop.invoice("1")["payments"]
        shop.by_hand("POST", f"Payments/{payment['id']}", {"Status": "DELETED"})
        await drifting.read(shop)
    command = ("drift", shop.account, "--last", "--resend", "--yes")
    killed(shop, "drift.before_commit", *command)
    assert await shop.end(paid) == "posted"
    killed(shop, "drift.after_commit", *command)
    assert (await shop.end(paid), await acts_of("drift_resend", shop)) == ("posted", 0)
    killed(shop, "act.after_commit", *command)
    assert (await shop.end(paid), await acts_of("drift_resend", shop)) == ("queued", 1)
    assert sbx(shop.environment, *command) == 0
    await survive(shop, ())
    assert [p["status"] for p in shop.invoice("1")["payments"]] == ["AUTHORISED"]
    assert sorted(p["status"] for p in shop.books["payments"]) == ["AUTHORISED", "DELETED"]


_BATCHES = 50
"""Of a replay at most: the events of other tests are read too, and some batches hold nothing else."""


async def test_replaying_command_dies(shop: Shop, maker: Maker, stages: Stages, kafka: str) -> None:
    """What the ledger lost is read from Kafka again by a replay that dies at each of its commits."""
    async with await shop.connect() as connection:
        await store.pause(connection, shop.account, actor="ann", reason="a disaster")
    events = history(maker)
    for stage in STAGES:
        stages.start(stage)
    stages.publish(events)
    stages.survive(shop.account, {"queued": len(events)}, {})
    await until_taken_in(shop, len(events))
    stages.stop_all()  # in good order: a replay reads what is acknowledged
    async with await shop.connect() as connection:
        await connection.execute("DELETE FROM ledger.commands WHERE account = %s", [shop.account])

    def replay(*arguments: str, crash_at: str = "") -> int:
        return sbx(
            shop.environment, "replay", *arguments, crash_at=crash_at, SBX_KAFKA_BOOTSTRAP_SERVERS=kafka
        )

    new = ("--account", shop.account, "--yes")
    assert replay(*new, crash_at="replay_start.before_commit") == -signal.SIGKILL
    assert await shop.rows("SELECT 1 FROM ledger.replays") == []
    assert replay(*new, crash_at="replay_start.after_commit") == -signal.SIGKILL
    assert await shop.rows("SELECT 1 FROM ledger.replays") == []
    assert replay(*new, crash_at="act.after_commit") == -signal.SIGKILL
    assert await acts_of("replay", shop) == 1
    [noted] = await shop.rows("SELECT replay_id::text FROM ledger.replays")
    again = ("--resume", noted["replay_id"])
    assert replay(*again, crash_at="replay.before_commit") == -signal.SIGKILL
    assert await shop.log() == []
    for _ in range(_BATCHES):
        assert replay(*again, crash_at="replay.after_commit") == -signal.SIGKILL
        if len(await shop.log()) == len(events):
            break
    for point in ("replay_end.before_commit", "replay_end.after_commit"):
        assert replay(*again, crash_at=point) == -signal.SIGKILL
        assert len(await shop.log()) == len(events)
    assert replay(*again) == 1  # has completed
    assert await acts_of("resume replay", shop) == await resumed(shop) >= 4
    async with await shop.connect() as connection:
        await store.resume(connection, shop.account, actor="ann")
    for stage in STAGES:
        stages.start(stage)
    stages.survive(shop.account, {"completed": len(events)}, {})
    stages.kill_all()
    await assert_survived(shop, len(events))


async def resumed(shop: Shop) -> int:
    """How many acts there are on the replay, but for the one that began it."""
    return len(await shop.rows("SELECT 1 FROM web.acts WHERE target ? 'replay'"))


async def until_taken_in(shop: Shop, commands: int) -> None:
    async with asyncio.timeout(PATIENCE):
        while len(await shop.log()) < commands:  # noqa: ASYNC110 - the ledger is a table
            await asyncio.sleep(0.05)


# After a restore


async def test_recovery(database_url: str, fake: FakeXeroServer, tmp_path: Path) -> None:
    """The ledger is lost, and whoever recovers it dies at each step, and so does the lane that finds out what
    was sent: every action stands in Xero once.
    """
    with EmbeddedStack(tmp_path / "kafka", postgres=False) as stack:  # its ledger is none of the others'
        await _recovered(stack.bootstrap_servers, database_url, fake, tmp_path)


async def _recovered(kafka: str, database_url: str, fake: FakeXeroServer, tmp_path: Path) -> None:
    create_topics({"bootstrap_servers": kafka})
    shop = await new_shop(environment_of(database_url, fake, tmp_path), fake)
    events = history(Maker(shop.account))
    Stages(kafka, shop.environment, tmp_path).publish(events)
    await shop.send(*events)
    await survive(shop, ())
    await assert_survived(shop, len(events))
    async with await shop.connect() as connection:
        await connection.execute(LOSE)
    more = {"SBX_KAFKA_BOOTSTRAP_SERVERS": kafka, "SBX_CLOCK_RATE": "20"}
    for point in (
        "behind.before_commit",
        "behind.after_commit",
        "taking_up.before_commit",
        "taking_up.after_commit",
        "recovered.before_commit",
        "recovered.after_commit",
    ):
        killed(shop, point, "recover", "--everything", "--yes", **more)
    worker_points = (
        "clearing_read.before_commit",
        "clearing_read.after_commit",
        "clearing.before_commit",
        "clearing.after_commit",
        "clearing_end.before_commit",
        "clearing_end.after_commit",
    )
    await survive(shop, worker_points)
    await assert_survived(shop, len(events))
    # whoever died while it was done has begun it, and nobody has written down what came of it
    recovered = await shop.rows("SELECT address, result FROM web.acts WHERE act = 'recover'")
    assert recovered == [{"address": "cli", "result": None}] * 4


LOSE = b"""
TRUNCATE ledger.commands, ledger.links, ledger.intents, ledger.elements, ledger.snapshots, ledger.outbox,
    integrations_log.entry, integrations_log.attempt CASCADE
"""


# What ended long ago


@pytest.mark.parametrize("point", ["archiving.before_commit", "archiving.after_commit"])
@pytest.mark.parametrize("bite", [2, 4])
async def test_archive(shop: Shop, maker: Maker, tmp_path: Path, point: str, bite: int) -> None:
    """Of each row there is one in the tables, or a line in the files; what comes again costs nothing. The
    second bite takes actions, the fourth their calls.
    """
    events = history(maker)
    await shop.send(*events)
    await survive(shop, ())
    async with await shop.connect() as connection:
        for statement in (
            "UPDATE ledger.commands SET finished_at = finished_at - interval '500 days' WHERE account = %s",
            "UPDATE ledger.intents SET created_at = created_at - interval '500 days' WHERE account = %s",
            "UPDATE ledger.archive SET id = gen_random_uuid(), claimed_at = NULL, until = '-infinity', "
            "begins_at = '-infinity' WHERE %s::text <> ''",
        ):
            await connection.execute(statement.encode(), [shop.account])
    before = await shop.rows(_IN_TABLES, shop.account)
    environ = variables(shop.environment, f"{point}:{bite}") | {"SBX_ARCHIVE_DIR": str(tmp_path / "archive")}
    assert _round(environ) == -signal.SIGKILL
    async with await shop.connect() as connection:  # ten minutes later
        await connection.execute("UPDATE ledger.archive SET until = '-infinity'")
    assert _round(environ | {"SBX_CRASH_AT": ""}) == 0
    archive = Archive(tmp_path / "archive")
    lines = [json.loads(line) for part in archive.parts(shop.account) for line in archive.lines(part)]
    gone = {one["command_id"] for one in lines if one["row"] == "command"}
    calls = {one["intent_id"] for one in lines if one["row"] == "call"}
    assert (len(gone), len(calls)) == (before[0]["commands"], before[0]["calls"])
    assert (await shop.rows(_IN_TABLES, shop.account))[0]["commands"] == 0
    made = len(shop.calls())
    await shop.send(*events)
    await survive(shop, ())
    assert len(shop.calls()) == made


_IN_TABLES = """
SELECT (SELECT count(*) FROM ledger.commands WHERE account = a.account AND archived_at IS NULL) AS commands,
       (SELECT count(*) FROM ledger.intents WHERE account = a.account AND archived_at IS NULL) AS calls
FROM (SELECT %s::text AS account) AS a
"""


def _round(environ: dict[str, str]) -> int:
    script = Path(__file__).with_name("archiving_process.py")
    return subprocess.run([sys.executable, str(script)], env=environ, check=False).returncode
