"""Who did what: each act of the command line, the page and the API is written down once, and only if done."""

import json
import re
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from sandbox.fake_salesbinder import FakeSalesBinderServer
from sandbox.fake_xero.server import FakeXeroServer
from sandbox.fake_xero.world import DEFAULT_CLIENT, DEFAULT_SECRET
from sbx.actions import audit
from sbx.actions.audit import KINDS
from sbx.actions.refused import ActionRefused
from sbx.cli import environment
from sbx.cli.command_line import app
from sbx.web.auth import sessions
from tests.web import sample
from tests.web.drifted import delivering, drifted
from tests.web.office import PASSWORD, Client, Office, replayed, serving
from tests.web.test_hooks import connect as to_salesbinder
from tests.web.undecided import SECOND, undecided

ACCOUNT = {"account": "acme"}
APP = {"client_id": DEFAULT_CLIENT, "client_secret": DEFAULT_SECRET}
DONE = (0, 200, 303)
"""Exit codes and statuses of what was done."""
NOBODY = str(uuid.UUID(int=7))
ELSEWHERE = {
    "replay": "tests/reliability/test_crash_acts.py",
    "resume replay": "tests/reliability/test_crash_acts.py",
    "recover": "tests/reliability/test_crash_acts.py",
    "rotate_secrets": "tests/integration/ops/test_secrets.py",
    "topics_skip": "tests/integration/ops/test_kafka_as_published.py",
    "reconcile": "tests/web/test_reconcile.py",
    "setup": "tests/integration/sources/test_setup.py",
    "source_backfill": "tests/integration/sources/test_source_commands.py",
    "source_feed": "tests/integration/sources/test_feed.py",
    "source_backfill_cancel": "tests/integration/sources/test_source_commands.py",
}
"""Kinds of acts that need Kafka, or an account that was read whole, and where they are looked at."""


@dataclass
class World:
    """An account that everything can be done to."""

    office: Office
    page: Client
    program: Client
    failed: str
    undecided: str
    xero: FakeXeroServer

    def sbx(self, *arguments: str, stdin: str = "") -> int:
        """Run a command; its exit code, 0 where it was done."""
        return CliRunner().invoke(app, arguments, input=stdin).exit_code

    def get(self, path: str, **parameters: Any) -> int:
        return self.page.get(path, **parameters).status

    def put(self, path: str, body: Any) -> int:
        return self.program("PUT", f"/api/v1/{path}", body=json.dumps(body)).status

    def form(self, path: str, **fields: Any) -> int:
        return self.page.form(path, {"form_token": self.page.mark(), **fields}).status

    def post(self, path: str, body: Any) -> int:
        return self.program.post(f"/api/v1/{path}", body).status

    @property
    def issue(self) -> str:
        [row] = self.office.rows(
            "SELECT issue_id FROM integrations_log.issues WHERE reason_code = 'number_taken'"
        )
        return str(row["issue_id"])

    @property
    def difference(self) -> str:
        path = "/api/v1/accounts/acme/drift"
        found = self.program.get(path).json["differences"]
        return next(str(one["id"]) for one in found if one["field"] == "total")

    @property
    def session(self) -> str:
        key = self.page.cookies[self.office.session_cookie]
        [one] = self.office.do(lambda c: sessions.of_user(c, "ann", key))
        return str(one["id"])

    @property
    def acts(self) -> list[dict[str, Any]]:
        return self.office.rows("SELECT actor, address, act, at, target, ended_at FROM web.acts ORDER BY id")


@pytest.fixture
def world(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[World]:
    with ExitStack() as opened:
        xero = opened.enter_context(FakeXeroServer())
        salesbinder = opened.enter_context(FakeSalesBinderServer(seed=3))
        salesbinder.world.add_shop("acme")
        variables = {"SBX_XERO_API_URL": xero.url, "SBX_XERO_IDENTITY_URL": xero.url}
        variables["SBX_SALESBINDER_API_URL"] = salesbinder.api_url
        office = opened.enter_context(serving(database_url, tmp_path, **variables))
        variables |= {"SBX_DATABASE_URL": database_url, "SBX_DATA_DIR": str(tmp_path)}
        for name, value in variables.items():
            monkeypatch.setenv(name, value)
        office.user("ann")
        sample.connect(office, "acme")
        to_salesbinder(office)
        drifted(office)
        [failed] = office.failed_invoices(1)
        entry = undecided(office)
        opened.enter_context(delivering(office))
        yield World(office, office.client("ann"), office.api("ann"), failed, entry, xero)


@dataclass(frozen=True)
class Act:
    """Something that is done, the record that it leaves, and the same as a plan and so that it is refused."""

    kind: str
    do: Callable[[World], int]
    on: Any = None
    """What of the target is looked at: a mapping that it holds, none: the account."""
    plan: Callable[[World], int] | None = None
    refused: Callable[[World], int] | None = None


def command(kind: str, *arguments: str, on: Any = None, plan: bool = False, refused: Sequence[str] = (),
            stdin: str = "") -> Act:  # fmt: skip
    """An act of the command line; ``{failed}`` and the like stand for what the world has."""

    def run(*given: str) -> Callable[[World], int]:
        return lambda world: world.sbx(
            *(one.format(failed=world.failed, undecided=world.undecided) for one in given), stdin=stdin
        )

    shown = run(*(one for one in arguments if one != "--yes")) if plan else None
    return Act(kind, run(*arguments), on, shown, run(*refused) if refused else None)


COMMANDS = (
    command("retry", "retry", "--id", "{failed}", "--yes", plan=True,
            refused=("retry", "--state", "running", "--yes")),
    command("skip", "skip", "--id", "{failed}", "--note", "by hand", "--yes", plan=True,
            refused=("skip", "--note", " ", "--yes")),
    command("decide", "decide", "{undecided}", "--adopt", SECOND, "--yes", plan=True,
            refused=("decide", "{undecided}", "--adopt", NOBODY, "--yes")),
    command("pause", "pause", "acme", "--reason", "stock", refused=("pause", "nobody")),
    command("resume", "resume", "acme", refused=("resume", "nobody")),
    command("settings", "settings", "set", "acme", "due_days=14",
            refused=("settings", "set", "acme", "due_days=soon")),
    command("drift_adopt", "drift", "acme", "--last", "--adopt", "--yes", plan=True,
            refused=("drift", "nobody", "--last", "--adopt", "--yes")),
    command("drift_resend", "drift", "acme", "--last", "--resend", "--yes", plan=True),
    command("connect", "connect", "beta", "--client-id", DEFAULT_CLIENT, "--client-secret", DEFAULT_SECRET,
            on={"account": "beta"},
            refused=("connect", "beta", "--client-id", DEFAULT_CLIENT, "--client-secret", "wrong")),
    command("source_connect", "source", "connect", "acme", stdin="acme-key\n",
            refused=("source", "connect", "acme", "--api-key-file", "/nowhere")),
    command("source_hook", "source", "hook", "acme", "--renew",
            refused=("source", "hook", "nobody", "--renew")),
    command("source_set", "source", "set", "acme", "--shrunk", "refund", on={**ACCOUNT, "shrunk": "refund"},
            refused=("source", "set", "nobody", "--shrunk", "refund")),
    command("add_user", "users", "add", "bob", stdin=PASSWORD + "\n", on={"user": "bob"},
            refused=("users", "add", "ann", "--no-password")),
    command("set_password", "users", "set-password", "ann", stdin=PASSWORD + "\n", on={"user": "ann"},
            refused=("users", "set-password", "nobody")),
    command("set_role", "users", "set-role", "ann", "viewer", on={"user": "ann", "role": "viewer"},
            refused=("users", "set-role", "nobody", "viewer")),
    command("token", "users", "token", "ann", on={"user": "ann", "label": "api"},
            refused=("users", "token", "nobody")),
    command("link", "users", "link", "ann", on={"user": "ann"}, refused=("users", "link")),
    command("revoke", "users", "revoke", "ann", "--label", "test", on={"user": "ann", "label": "test"},
            refused=("users", "revoke", "ann", "--label", "none")),
    command("remove_user", "users", "remove", "ann", on={"user": "ann"},
            refused=("users", "remove", "nobody")),
    Act("cancel replay", lambda w: w.sbx("replay", "--cancel", str(replayed(w.office, "running"))),
        refused=lambda w: w.sbx("replay", "--cancel", str(replayed(w.office, "completed")))),
)  # fmt: skip
PAGES = (
    Act("retry", lambda w: w.form("/act", do="retry", entry=w.failed),
        plan=lambda w: w.get("/plan", do="retry", entry=w.failed),
        refused=lambda w: w.form("/act", do="retry")),
    Act("skip", lambda w: w.form("/act", do="skip", entry=w.failed, note="by hand"),
        refused=lambda w: w.form("/act", do="skip", entry=w.failed, note=" ")),
    Act("decide", lambda w: w.form(f"/entries/{w.undecided}/decide", adopt=SECOND),
        plan=lambda w: w.get(f"/entries/{w.undecided}/decide", adopt=SECOND),
        refused=lambda w: w.form(f"/entries/{w.undecided}/decide", adopt=NOBODY)),
    Act("pause", lambda w: w.form("/accounts/acme/hold", do="pause", note="stock"),
        plan=lambda w: w.get("/accounts/acme/hold", do="pause"),
        refused=lambda w: w.form("/accounts/acme/hold", do="pause", note="")),
    Act("resume", lambda w: w.form("/accounts/acme/hold", do="resume"),
        refused=lambda w: w.form("/accounts/nobody/hold", do="resume")),
    Act("settings", lambda w: w.form("/accounts/acme/settings", **{"set:due_days": "14"}),
        refused=lambda w: w.form("/accounts/acme/settings", **{"set:due_days": "soon"})),
    Act("facts", lambda w: w.form("/accounts/acme/facts"),
        refused=lambda w: w.form("/accounts/nobody/facts")),
    Act("drift_adopt", lambda w: w.form("/accounts/acme/drift", do="adopt", difference=w.difference),
        plan=lambda w: w.get("/accounts/acme/drift/plan", do="adopt", difference=w.difference),
        refused=lambda w: w.form("/accounts/acme/drift", do="adopt")),
    Act("drift_resend", lambda w: w.form("/accounts/acme/drift", do="resend", difference=w.difference)),
    Act("drift_read", lambda w: w.form("/accounts/acme/drift/reading"),
        refused=lambda w: w.form("/accounts/nobody/drift/reading")),
    Act("mute", lambda w: w.form(f"/issues/{w.issue}/mute", until=tomorrow(), reason="known"),
        refused=lambda w: w.form(f"/issues/{w.issue}/mute", until="soon", reason="known")),
    Act("unmute", lambda w: w.form(f"/issues/{w.issue}/unmute"),
        refused=lambda w: w.form("/issues/000000000000/unmute")),
    Act("connect", lambda w: w.form("/connect", account="beta", **APP), {"account": "beta"},
        refused=lambda w: w.form("/connect", account="beta", **(APP | {"client_secret": "wrong"}))),
    Act("source_connect", lambda w: w.form("/connect/salesbinder", account="acme", key="acme-key"),
        refused=lambda w: w.form("/connect/salesbinder", account="acme", key="wrong")),
    Act("source_hook", lambda w: w.form("/accounts/acme/source/hook"),
        refused=lambda w: w.form("/accounts/nobody/source/hook")),
    Act("end_session", lambda w: w.form("/you/session", session=w.session), {}),
    Act("revoke", lambda w: w.form("/you/token", label="test"), {"user": "ann", "label": "test"}),
    Act("cancel replay", lambda w: w.form(f"/replays/{replayed(w.office, 'running')}/cancel"),
        refused=lambda w: w.form(f"/replays/{replayed(w.office, 'completed')}/cancel")),
)  # fmt: skip
PROGRAMS = (
    Act("retry", lambda w: w.post("retry", {"entries": [w.failed]}),
        plan=lambda w: w.post("retry", {"entries": [w.failed], "dry_run": True}),
        refused=lambda w: w.post("retry", {"entries": []})),
    Act("skip", lambda w: w.post("skip", {"entries": [w.failed], "note": "by hand"}),
        plan=lambda w: w.post("skip", {"entries": [w.failed], "dry_run": True}),
        refused=lambda w: w.post("skip", {"entries": [w.failed]})),
    Act("decide", lambda w: w.post(f"entries/{w.undecided}/decision", {"adopt": SECOND}),
        plan=lambda w: w.post(f"entries/{w.undecided}/decision", {"adopt": SECOND, "dry_run": True}),
        refused=lambda w: w.post(f"entries/{w.undecided}/decision", {"adopt": NOBODY})),
    Act("settings", lambda w: w.put("accounts/acme/settings", {"settings": {"due_days": "14"}}),
        refused=lambda w: w.put("accounts/acme/settings", {"settings": {"due_days": "soon"}})),
    Act("drift_read", lambda w: w.post("accounts/acme/drift/reading", {}),
        refused=lambda w: w.post("accounts/nobody/drift/reading", {})),
    Act("drift_adopt", lambda w: w.post("accounts/acme/drift/adopt", {"differences": [w.difference]}),
        plan=lambda w: w.post("accounts/acme/drift/adopt", {"differences": [w.difference], "dry_run": True}),
        refused=lambda w: w.post("accounts/acme/drift/adopt", {"differences": []})),
    Act("drift_resend", lambda w: w.post("accounts/acme/drift/resend", {"differences": [w.difference]})),
    Act("mute", lambda w: w.post(f"issues/{w.issue}/mute", {"until": tomorrow(), "reason": "known"}),
        refused=lambda w: w.post(f"issues/{w.issue}/mute", {"until": "soon", "reason": "known"})),
    Act("unmute", lambda w: w.post(f"issues/{w.issue}/unmute", {})),
)  # fmt: skip
FACES = {"cli": COMMANDS, "page": PAGES, "api": PROGRAMS}
ALL = [pytest.param(face, one, id=f"{face}-{one.kind}") for face, acts in FACES.items() for one in acts]


def tomorrow() -> str:
    return (datetime.now(UTC) + timedelta(days=1)).date().isoformat()


@pytest.mark.parametrize(("face", "one"), ALL)
def test_an_act_leaves_one_record_and_a_refusal_or_a_plan_none(world: World, face: str, one: Act) -> None:
    if one.plan is not None:
        assert one.plan(world) in DONE
        assert world.acts == []
    if one.refused is not None:
        assert one.refused(world) not in DONE
        assert world.acts == []
    before = datetime.now(UTC) - timedelta(seconds=5)
    assert one.do(world) in DONE
    [act] = world.acts
    who = (environment.actor(), "cli") if face == "cli" else ("ann", "127.0.0.1")
    assert (act["act"], act["actor"], act["address"]) == (one.kind, *who)
    assert (
        before - timedelta(seconds=5)
        < act["at"]
        <= act["ended_at"]
        < datetime.now(UTC) + timedelta(seconds=5)
    )
    assert (ACCOUNT if one.on is None else one.on).items() <= act["target"].items()


def test_every_kind_of_act_is_done_somewhere() -> None:
    done = {one.kind for acts in FACES.values() for one in acts}
    assert done | set(ELSEWHERE) == set(KINDS)
    for kind, path in ELSEWHERE.items():
        assert re.search(rf"[\"']{kind}[\"']", Path(path).read_text(encoding="utf-8")), (kind, path)


def listed(*arguments: str) -> list[dict[str, Any]]:
    done = CliRunner().invoke(app, ["acts", "--json", *arguments], catch_exceptions=False)
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_acts_are_filtered_on_the_command_line(world: World) -> None:
    world.form("/accounts/acme/hold", do="pause", note="stock-taking")
    world.sbx("resume", "acme")
    world.sbx("users", "add", "bob", "--no-password")
    world.office.rows("UPDATE web.acts SET at = at - interval '3 hours' WHERE act = 'pause' RETURNING 1")

    def kinds(*arguments: str) -> list[str]:
        return [row["act"] for row in listed(*arguments)]

    assert kinds() == ["add_user", "resume", "pause"]
    assert kinds("--actor", "ann") == ["pause"]
    assert kinds("--act", "resume") == ["resume"]
    assert kinds("--account", "acme") == ["resume", "pause"]
    assert kinds("--since", "1h") == ["add_user", "resume"]
    assert kinds("--until", "1h") == ["pause"]
    assert kinds("--actor", "ann", "--since", "1h") == []
    assert kinds("--limit", "1") == ["add_user"]
    [row] = listed("--act", "pause")
    assert (row["actor"], row["address"], row["note"]) == ("ann", "127.0.0.1", "stock-taking")
    assert (row["target"], row["result"]) == ({"account": "acme"}, {"changed": True})
    shown = CliRunner().invoke(app, ["acts", "--act", "pause"]).stdout
    assert "stock-taking" in shown and "acme" in shown
    with pytest.raises(ActionRefused, match="'destroy' is not a possible action"):
        CliRunner().invoke(app, ["acts", "--act", "destroy"], catch_exceptions=False)


def test_the_page_of_acts_filters_and_turns_over(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    office.user("ann")
    client = office.client("ann")
    assert "No matching acts." in client.get("/acts").text
    for number in range(120):
        office.rows(
            "INSERT INTO web.acts (at, actor, address, act, target, note, ended_at, result) "
            "VALUES (now() - %s * interval '1 hour', %s, 'cli', %s, %s::jsonb, '', now(), '{}') RETURNING 1",
            120 - number,
            "cli:bob" if number % 2 else "ann",
            "pause" if number % 3 else "retry",
            json.dumps({"account": "acme" if number < 5 else "beta"}),
        )

    def rows(**filters: Any) -> int:
        return client.get("/acts", **filters).text.count('<tr role="row">') - 1  # the head

    page = client.get("/acts").text
    assert rows() == 100 and "/acts?before=" in page
    [older] = {line.partition('"')[0] for line in page.split('href="/acts?before=')[1:]}
    assert rows(before=older) == 20
    assert rows(actor="cli:bob") == 60
    assert rows(act="retry") == 40
    assert rows(account="acme", act="pause") == 3
    assert rows(since=(datetime.now(UTC) - timedelta(hours=10, minutes=30)).isoformat()) == 10
    assert rows(until=(datetime.now(UTC) - timedelta(hours=115, minutes=30)).isoformat()) == 5
    assert rows(actor="nobody") == 0
    assert client.get("/acts", act="destroy").status == 400
    assert client.get("/acts", since="soon").status == 400
    assert client.get("/acts", before="x").status == 400


def test_whoever_sees_some_accounts_sees_the_acts_on_these_and_their_own(office: Office) -> None:
    office.user("ann")
    office.user("bea", "operator", ["beta"])
    office.user("vic", "viewer", ["beta"])
    sample.connect(office, "acme")
    sample.connect(office, "beta")
    for name, account in (("ann", "acme"), ("ann", "beta"), ("bea", "beta")):
        client = office.client(name)
        fields = {"form_token": client.mark(), "do": "pause", "note": f"of {name} on {account}"}
        assert client.form(f"/accounts/{account}/hold", fields).status == 303
    bea = office.client("bea")
    bea.form("/you/token", {"form_token": bea.mark(), "label": "none"})
    page = {name: office.client(name).get("/acts").text for name in ("ann", "bea", "vic")}
    assert "of ann on acme" in page["ann"] and "of bea on beta" in page["ann"]
    for name in ("bea", "vic"):
        assert "of ann on beta" in page[name] and "of bea on beta" in page[name]
        assert "of ann on acme" not in page[name]
    nobody = office.client()
    assert nobody.get("/acts").status == 303


def test_what_dies_between_parts_says_what_was_done(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    """A retry of more than one transaction holds: what is done is in its record, part by part."""
    from sbx.actions import retry

    monkeypatch.setattr(retry, "_CHUNK", 2)
    office.user("ann")
    ids = office.failed_invoices(5)
    program = office.api("ann")
    parts = 0
    going_on = audit.going_on

    def dies(*given: Any) -> Any:
        nonlocal parts
        parts += 1
        if parts == 2:
            raise ConnectionError("gone")
        return going_on(*given)

    monkeypatch.setattr(audit, "going_on", dies)
    program.post("/api/v1/retry", {"entries": ids})
    [act] = office.rows("SELECT result FROM web.acts")
    queued = office.rows("SELECT command_id::text AS id FROM ledger.commands WHERE state = 'queued'")
    assert act["result"]["done"] == len(queued) == 2
    assert sorted(act["result"]["followed"]) == sorted(row["id"] for row in queued)
