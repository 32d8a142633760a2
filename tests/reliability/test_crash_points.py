"""SIGKILL at every named point, a restart, and the books and the log are what they would have been."""

import ast
import asyncio
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from runtime.crash_points import CRASH_POINTS
from runtime.environment import Environment
from sandbox.fake_xero.server import FakeXeroServer
from sinks.ledger.requests import ask_facts
from tests.integration.sinks.shops import Maker, Shop
from tests.reliability import random_crashes, test_crash_acts
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
    ``limited``: Xero closes the account for some seconds in the middle; ``stale``: Xero has an account that
    the facts do not know; ``asked``: an operator wants to have them read anew.
    """

    crashes: tuple[str, ...]
    cold: bool = False
    limited: bool = False
    stale: bool = False
    asked: bool = False

    def __str__(self) -> str:
        return "+".join(self.crashes) + ("-cold" if self.cold else "")


_CALLS = range(1, 13)
"""The history needs about so many calls: contacts, item, invoices, order, payments, notes, removals, bill."""

LANE_CASES = (
    *(Case((f"http.after_send:{number}",)) for number in _CALLS),
    *(
        Case((point,))
        for point in (
            "beat.before_commit",
            "beat.after_commit",
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
    Case(("renew.before_commit",)),
    Case(("renew.after_commit",)),
    Case(("replan.before_commit",), stale=True),
    Case(("replan.after_commit",), stale=True),
    Case(("answer.before_commit",), asked=True),
    Case(("answer.after_commit",), asked=True),
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


@pytest.fixture
async def shop(environment: Environment, fake: FakeXeroServer) -> Shop:
    """A connected account of the one database."""
    return await new_shop(environment, fake)


@pytest.fixture
def maker(shop: Shop) -> Maker:
    return Maker(shop.account)


@pytest.fixture(scope="module")
def warm(environment: Environment, fake: FakeXeroServer) -> Shop:
    """An account whose token and facts are fetched and kept: its history came to its end without a crash. The
    token is good for the module, however long that takes.
    """
    fake.admin.tokens(lifetime=86_400)

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
        # With two seconds left it would not be told any more, and the points not passed.
        fake.admin.fault("rate_limit", method="PUT", path="^Payments", times=1, retry_after=10)
    if case.stale:
        await forget_an_account(shop)
    if case.asked:
        async with await shop.connect() as connection:
            await ask_facts(connection, shop.account)
    await shop.send(*events)
    await survive(shop, case.crashes)
    assert all(fault["hits"] for fault in fake.admin.faults())
    fake.admin.clear_faults()
    await assert_survived(shop, len(events))


async def forget_an_account(shop: Shop) -> None:
    """Sales go to an account that Xero has had only since its facts were read, an hour ago."""
    shop.seed(accounts=[{"Code": "260", "Name": "Other sales", "Type": "REVENUE"}])
    await shop.settings(sales_account="260")
    async with await shop.connect() as connection:
        await connection.execute(
            "UPDATE connections.facts SET fetched_at = fetched_at - interval '1 hour', "
            "body = jsonb_set(body, '{fetched_at}', to_jsonb(fetched_at - interval '1 hour')) "
            "WHERE account = %s",
            [shop.account],
        )


@pytest.mark.parametrize("seed", random_crashes.seeds())
async def test_random_pair(seed: int, shop: Shop, maker: Maker) -> None:
    """Two workers die, at points and passings that the seed draws; the account is new to all of them."""
    events = history(maker)
    await shop.send(*events)
    await survive_pair(shop, *random_crashes.pair_of(seed))
    await assert_survived(shop, len(events))


@pytest.mark.parametrize("crashes", STAGE_CASES, ids=lambda crashes: "+".join(crashes.values()))
async def test_stages_die(
    crashes: dict[str, str], shop: Shop, maker: Maker, stages: Stages, fake: FakeXeroServer
) -> None:
    """Each stage dies at its point while the same history goes through all three."""
    events = history(maker)
    for stage in STAGES:
        stages.start(stage, crashes.get(stage, ""))
    if any(point.endswith(":4") for point in crashes.values()):
        # What is called for one after the other is then told in several batches, too.
        fake.admin.fault("latency", times=None, seconds=0.5)
        stages.ready()
    stages.publish(events)
    stages.survive(shop.account, {"completed": len(events)}, crashes)
    stages.kill_all()
    fake.admin.clear_faults()
    await assert_survived(shop, len(events))


# Nothing is left out


def trees() -> Iterator[tuple[Path, ast.Module]]:
    """The product's code."""
    for package in (
        "runtime",
        "connections",
        "sinks",
        "log_projection",
        "sources",
        "streams",
        "sbx",
        "mappers",
    ):
        for path in (ROOT / package).rglob("*.py"):
            yield path.relative_to(ROOT), ast.parse(path.read_text(encoding="utf-8"))


def points_in(path: Path, tree: ast.AST) -> set[str]:
    """Every name that this code gives to ``crash_point``, or to a lane's transaction, which passes both."""
    names = set()
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        given = node.args[0] if node.args else None
        if getattr(node.func, "id", "") == "crash_point" and path != Path("sinks/lanes/lane.py"):
            names.add(named(path, given))
        elif getattr(node.func, "attr", "") == "transaction" and given is not None:
            names |= {f"{named(path, given)}.{when}" for when in ("before_commit", "after_commit")}
    return names


def named(path: Path, given: ast.expr | None) -> str:
    """The name of a point, which stands there itself."""
    assert isinstance(given, ast.Constant) and isinstance(given.value, str), f"{path}: name the point itself"
    return given.value


def test_every_declared_point_is_passed_and_every_passed_one_declared() -> None:
    assert set().union(*(points_in(path, tree) for path, tree in trees())) == set(CRASH_POINTS)


def test_every_point_has_a_case() -> None:
    crashes = [crash for case in LANE_CASES for crash in case.crashes]
    crashes += [crash for case in STAGE_CASES for crash in case.values()]
    acts = ast.parse(Path(test_crash_acts.__file__).read_text(encoding="utf-8"))
    folder = ROOT / "tests/integration/sources"
    names = ("test_reader.py", "test_reconcile.py")
    for tree in (acts, *(ast.parse((folder / name).read_text(encoding="utf-8")) for name in names)):
        crashes += [str(node.value) for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    assert set(CRASH_POINTS) - {crash.partition(":")[0] for crash in crashes} == set()


COMMITS_ELSEWHERE = {
    ("log_projection/queries.py", "entries"): "reads only",
    ("sinks/lanes/lane.py", "transaction"): "the points have the name that it is given",
    ("sbx/actions/users.py", "local_user"): "a user of the page, created while there is none; moves no money",
}
"""Functions that open a transaction and pass no point."""
WATCHED = ("sinks/", "log_projection/", "streams/", "sbx/actions/", "sbx/cli/replay/")


def test_every_commit_has_a_point_before_and_after() -> None:
    """Of all that stands between a change event and Xero's books, and between these and the log."""
    without = set()
    for path, tree in trees():
        if not str(path).startswith(WATCHED):
            continue
        for node in ast.walk(tree):
            if isinstance(node, ast.AsyncFunctionDef) and commits(node):
                whens = {name.partition(".")[2] for name in points_in(path, node)}
                if not {"before_commit", "after_commit"} <= whens:
                    without.add((str(path), node.name))
    assert without == set(COMMITS_ELSEWHERE)


def commits(function: ast.AsyncFunctionDef) -> bool:
    calls = (node.func for node in ast.walk(function) if isinstance(node, ast.Call))
    return any(isinstance(call, ast.Attribute) and call.attr == "transaction" for call in calls)


def test_a_point_that_does_not_exist_is_refused(environment: Environment) -> None:
    environ = variables(environment, "landing.before_comit")
    ended = subprocess.run(
        [sys.executable, "-m", "streams", "deliver"], cwd=ROOT, env=environ, capture_output=True, check=False
    )
    assert ended.returncode == 1
    assert b"SBX_CRASH_AT=landing.before_comit: no such point" in ended.stderr
