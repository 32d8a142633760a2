"""SIGKILL at every named point, a restart, and the books and the log are what they would have been."""

import ast
import asyncio
import signal
import subprocess
import sys
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from connections.crash_points import CRASH_POINTS
from connections.environment import Environment
from sandbox.fake_xero.server import FakeXeroServer
from streams.topics import create_topics
from tests.integration.sinks.shops import Maker, Shop, environment_of
from tests.reliability import random_crashes
from tests.reliability.crashing import (
    ROOT,
    assert_survived,
    history,
    new_shop,
    survive,
    survive_pair,
    variables,
    warm_up,
)
from tests.reliability.stages import STAGES, Stages

pytestmark = pytest.mark.reliability


@dataclass(frozen=True)
class Case:
    """Points at which one worker after the other dies. ``cold``: the account has neither token nor facts yet;
    ``limited``: Xero closes the account for some seconds in the middle.
    """

    crashes: tuple[str, ...]
    cold: bool = False
    limited: bool = False

    def __str__(self) -> str:
        return "+".join(self.crashes) + ("-cold" if self.cold else "")


_CALLS = range(1, 13)
"""The history needs about so many calls: contacts, item, invoices, order, payments, notes, removals, bill."""

LANE_CASES = (
    *(Case((f"http.after_send:{number}",)) for number in _CALLS),
    *(
        Case((point,))
        for point in (
            "lease.before_commit",
            "lease.after_commit",
            "plan.before_commit",
            "plan.after_commit",
            "intent.before_commit",
            "intent.before_commit:4",
            "intent.before_commit:6",
            "intent.before_commit:8",
            "intent.after_commit",
            "intent.after_commit:4",
            "http.before_send:3",
            "http.after_receive:2",
            "landing.before_commit",
            "landing.before_commit:6",
            "landing.before_commit:10",
            "landing.after_commit",
            "landing.after_commit:7",
            "outbox.before_publish:2",
            "outbox.before_commit:2",
            "outbox.after_commit:2",
        )
    ),
    *(
        Case((point,), cold=True)
        for point in (
            "http.before_send",  # of the token's request
            "http.after_send",
            "http.after_receive",
            "token.before_commit",
            "token.after_commit",
            "http.after_send:2",  # of the first question about the organisation
            "facts.before_commit",
            "facts.after_commit",
        )
    ),
    *(
        Case((point,), limited=True)
        for point in (
            "hold.before_commit",
            "hold.after_commit",
            "release.before_commit",
            "release.after_commit",
        )
    ),
    Case(("landing.after_commit:2", "recovery.before_commit")),
    Case(("landing.after_commit:2", "recovery.after_commit")),
    # The first call creates something, whichever it is: only those are sent again under their key.
    Case(("http.after_send", "resend.before_commit")),
    Case(("http.after_send", "resend.after_commit", "http.after_send")),
)
STAGE_CASES: tuple[dict[str, str], ...] = (
    {
        "transform": "kafka.before_send",
        "deliver": "intake.before_commit",
        "project": "projection.before_commit",
    },
    {
        "transform": "kafka.after_send",
        "deliver": "intake.after_commit",
        "project": "projection.after_commit",
    },
    {"deliver": "kafka.before_send", "project": "projection.before_commit:4"},
    {"deliver": "kafka.after_send", "project": "projection.after_commit:4"},
    {"transform": "ack.before_commit", "deliver": "ack.before_commit", "project": "ack.before_commit"},
    {"transform": "ack.after_commit", "deliver": "ack.after_commit", "project": "ack.after_commit"},
)
RETRY_CASES = ("retry.before_commit", "retry.after_commit")


@pytest.fixture(scope="module")
def fake() -> Iterator[FakeXeroServer]:
    with FakeXeroServer(subprocess=True) as server:
        server.admin.limits(minute=1000, day=100_000)
        yield server


@pytest.fixture(scope="module")
def environment(
    module_database_url: str, fake: FakeXeroServer, tmp_path_factory: pytest.TempPathFactory
) -> Environment:
    return environment_of(module_database_url, fake, tmp_path_factory.mktemp("data"))


@pytest.fixture
async def shop(environment: Environment, fake: FakeXeroServer) -> Shop:
    """A connected account of the one database."""
    return await new_shop(environment, fake)


@pytest.fixture
def maker(shop: Shop) -> Maker:
    return Maker(shop.account)


@pytest.fixture(scope="module")
def warm(environment: Environment, fake: FakeXeroServer) -> Shop:
    """An account whose token and facts are fetched and kept: its history came to its end without a crash."""

    async def undisturbed() -> Shop:
        shop = await new_shop(environment, fake)
        events = history(Maker(shop.account))
        await shop.send(*events)
        await survive(shop, ())
        await assert_survived(shop, len(events))
        return shop

    return asyncio.run(undisturbed())


@pytest.mark.parametrize("case", LANE_CASES, ids=str)
async def test_delivering_process_dies(
    case: Case, shop: Shop, warm: Shop, fake: FakeXeroServer, maker: Maker
) -> None:
    events = history(maker)
    if not case.cold:
        await warm_up(shop, warm)
    if case.limited:
        fake.admin.fault("rate_limit", method="PUT", path="^Payments", times=1, retry_after=4)
    await shop.send(*events)
    await survive(shop, case.crashes)
    assert all(fault["hits"] for fault in fake.admin.faults())
    fake.admin.clear_faults()
    await assert_survived(shop, len(events))


@pytest.mark.parametrize("seed", random_crashes.seeds())
async def test_random_pair(seed: int, shop: Shop, maker: Maker) -> None:
    """Two workers die, at points and passings that the seed draws; the account is new to all of them."""
    events = history(maker)
    await shop.send(*events)
    await survive_pair(shop, *random_crashes.pair_of(seed))
    await assert_survived(shop, len(events))


@pytest.mark.parametrize("point", RETRY_CASES)
async def test_retrying_command_dies(point: str, shop: Shop, maker: Maker) -> None:
    """Once the cause of a failure is mended, the command that queues it again is killed, and given again."""
    await shop.settings(sales_account="999")
    event = maker.created(maker.document(maker.customer("Alice"), 1))
    await shop.send(event)
    await survive(shop, ())
    assert await shop.end(event) == "account_code_unknown"
    await shop.settings(sales_account="200")

    command: list[str | Path] = [
        Path(sys.executable).with_name("sbx"),
        "retry",
        "--account",
        shop.account,
        "--yes",
    ]

    def retry(crash_at: str = "") -> int:
        environ = variables(shop.environment, crash_at)
        return subprocess.run(command, env=environ, capture_output=True, check=False).returncode

    assert retry(point) == -signal.SIGKILL
    assert retry() == 0
    await survive(shop, ())
    assert (await shop.entry(event))["revision"] == 1
    assert [(i["number"], i["status"]) for i in shop.books["invoices"]] == [("1", "AUTHORISED")]


@pytest.fixture(scope="module")
def stages(
    kafka: str, environment: Environment, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stages]:
    create_topics({"bootstrap_servers": kafka})
    running = Stages(kafka, environment, tmp_path_factory.mktemp("stages"))
    for stage in STAGES:
        running.start(stage)
    # What other tests left in the topics is done before anybody dies.
    maker = Maker(f"before-{uuid.uuid4().hex[:8]}")
    running.publish([maker.contact("created", maker.customer("Nobody"))])
    running.survive(maker.account, {"failed": 1}, {})
    running.kill_all()
    yield running
    running.kill_all()


@pytest.mark.parametrize("crashes", STAGE_CASES, ids=lambda crashes: "+".join(crashes.values()))
async def test_stages_die(crashes: dict[str, str], shop: Shop, maker: Maker, stages: Stages) -> None:
    """Each stage dies at its point while the same history goes through all three."""
    events = history(maker)
    for stage in STAGES:
        stages.start(stage, crashes.get(stage, ""))
    stages.publish(events)
    stages.survive(shop.account, {"completed": len(events)}, crashes)
    stages.kill_all()
    await assert_survived(shop, len(events))


# Nothing is left out


def passed_in_code() -> set[str]:
    """Every name that the product's code gives to ``crash_point``."""
    names = set()
    for package in ("connections", "sinks", "log_projection", "streams", "ops", "mappers", "web"):
        for path in (ROOT / package).rglob("*.py"):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "crash_point":
                    assert isinstance(node.args[0], ast.Constant), f"{path}: name the point itself"
                    names.add(str(node.args[0].value))
    return names


def test_every_declared_point_is_passed_and_every_passed_one_declared() -> None:
    assert passed_in_code() == set(CRASH_POINTS)


def test_every_point_has_a_case() -> None:
    crashes = [crash for case in LANE_CASES for crash in case.crashes]
    crashes += [crash for case in STAGE_CASES for crash in case.values()]
    assert {crash.partition(":")[0] for crash in [*crashes, *RETRY_CASES]} == set(CRASH_POINTS)


def test_a_point_that_does_not_exist_is_refused(environment: Environment) -> None:
    environ = variables(environment, "landing.before_comit")
    ended = subprocess.run(
        [sys.executable, "-m", "streams", "deliver"], cwd=ROOT, env=environ, capture_output=True, check=False
    )
    assert ended.returncode == 1
    assert b"SBX_CRASH_AT=landing.before_comit: no such point" in ended.stderr
