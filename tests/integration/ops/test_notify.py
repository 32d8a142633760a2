"""People are told once of each thing, by webhook and e-mail, also when the receiver was away."""

import asyncio
import json
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import Message
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import psycopg
import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult
from psycopg.rows import dict_row

from contracts.results import EntryResult
from log_projection.projection import apply
from sbx.cli.targets import free_ports
from sbx.notify.settings import NotifySettings
from sbx.notify.worker import Connection, look, tell
from tests.integration.log_projection.made import entry
from tests.integration.ops.sbx import Sbx, wait_until


class Receiver(ThreadingHTTPServer):
    """A webhook's receiver that remembers what it got and answers as it is told."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Hook)
        self.status = 200
        self.got: list[dict[str, Any]] = []
        self.answers = threading.Event()
        self.answers.set()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}/hook/s3cret"


class _Hook(BaseHTTPRequestHandler):
    server: Receiver

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.got.append({**body, "key": self.headers["Idempotency-Key"]})
        self.server.answers.wait(60)
        self.send_response(self.server.status)
        self.end_headers()

    def log_message(self, format: str, *args: Any) -> None:
        """Nothing."""


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with Receiver() as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield server
        server.shutdown()
        thread.join()


class Mailbox:
    """What an SMTP server takes in. It has no TLS and would take a password all the same."""

    def __init__(self) -> None:
        self.got: list[Message] = []
        self.passwords: list[bytes] = []

    def authenticate(self, *given: Any) -> AuthResult:
        self.passwords.append(given[-1].password)
        return AuthResult(success=True)

    async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:
        self.got.append(message_from_bytes(envelope.content, policy=default))
        return "250 OK"


@pytest.fixture
def connection(database_url: str) -> Iterator[Connection]:
    with psycopg.connect(database_url, row_factory=dict_row) as opened:
        yield opened


def project(database_url: str, *entries: EntryResult) -> None:
    async def run() -> None:
        async with await psycopg.AsyncConnection.connect(database_url) as log:
            await apply(log, entries)

    asyncio.run(run())


def failed(number: int, version: int = 1, **changes: Any) -> EntryResult:
    values = {
        "reason_code": "tax_rate_unmapped",
        "reason": "Rate 8 is unmapped.",
        "remedy": "sbx settings set",
        "record_number": str(number),
        "cause": "8",
        "queued_at": datetime.now(UTC),
    }
    return entry(f"e{number}", version, "failed", **(values | changes))


def connect(database_url: str, account: str) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute(
            "INSERT INTO connections.accounts (account, tenant_id, tenant_name, auth_kind, client_id, "
            "client_secret_encrypted, enabled_at, connected_at, paused_at, paused_by, paused_reason) "
            "VALUES (%s, 't', 'T', 'client_credentials', 'c', '', now(), now(), now(), 'me', 'stocktaking')",
            [account],
        )


def cycle(connection: Connection, settings: NotifySettings) -> None:
    """One look, with whatever waits to be tried again due now."""
    look(connection, settings)
    connection.execute("UPDATE alerts.message SET due_at = now() WHERE sent_at IS NULL")
    connection.commit()
    tell(connection, settings)


def texts(message: dict[str, Any]) -> list[str]:
    return [alert["text"] for alert in message["alerts"]]


def test_one_message_tells_of_all_that_is_new_and_says_what_to_do(
    database_url: str, connection: Connection, receiver: Receiver
) -> None:
    settings = NotifySettings(webhook_url=receiver.url, page_url="https://log.example")
    project(database_url, failed(1), failed(2), failed(3, reason_code="contact_archived", cause=""))
    connect(database_url, "acme")
    cycle(connection, settings)
    (message,) = receiver.got
    assert message["id"] == message["key"]
    assert [alert["kind"] for alert in message["alerts"]] == ["issue", "issue", "paused"]
    assert all(alert["account"] == "acme" and alert["remedy"] for alert in message["alerts"])
    assert any(text.startswith("2 actions failed (") and text.endswith("Rate 8 is unmapped.")
               for text in texts(message))  # fmt: skip
    assert "stocktaking" in message["text"]
    assert message["alerts"][0]["link"].startswith("https://log.example/?issue=")
    assert message["alerts"][2]["link"] == "https://log.example/?account=acme&state=queued"


def test_nothing_is_told_twice_until_it_is_over(
    database_url: str, connection: Connection, receiver: Receiver
) -> None:
    settings = NotifySettings(webhook_url=receiver.url)
    project(database_url, failed(1))
    cycle(connection, settings)
    project(database_url, failed(2))  # more of the same
    cycle(connection, settings)
    assert len(receiver.got) == 1
    project(database_url, entry("e1", 2, "completed", outcome="posted"), entry("e2", 2, "completed"))
    cycle(connection, settings)
    assert len(receiver.got) == 1
    project(database_url, failed(1, 3))
    cycle(connection, settings)
    assert len(receiver.got) == 2


def test_a_salesbinder_account_that_is_not_read_is_told_until_it_is(
    connection: Connection, receiver: Receiver
) -> None:
    settings = NotifySettings(webhook_url=receiver.url, page_url="https://log.example")

    def change(statement: str) -> None:
        connection.execute(statement.encode())
        connection.commit()

    change("INSERT INTO source.accounts (account, api_key_encrypted) VALUES ('acme', ''), ('beta', '')")
    change("INSERT INTO source.leases VALUES ('beta', 1, 1, clock_timestamp() + interval '1 minute')")
    cycle(connection, settings)
    assert receiver.got == []
    change("UPDATE source.accounts SET connected_at = now() - interval '2 hours'")
    change(
        "UPDATE source.accounts SET trouble = 'salesbinder_key_refused', trouble_text = '401',"
        " trouble_since = now() WHERE account = 'beta'"
    )
    change(
        "INSERT INTO source.problems"
        " SELECT 'acme', 'invoices', layer, 'list_odd', 'rows', '1', 'it is halved', 'Look.',"
        " now() - interval '1 hour' FROM unnest(ARRAY['all', 'wide']) AS layer"
    )
    change(
        "INSERT INTO source.problems"
        " SELECT 'acme', entity, rows, code, 'record', '7', 'it is no record', 'Look.',"
        " now() - interval '1 hour' FROM (VALUES ('orders', 'all rows', 'record_foreign'),"
        " ('log', 'log rows', 'record_unclear'), ('invoice', 'i1', 'record_unclear'))"
        " AS p (entity, rows, code)"
    )
    cycle(connection, settings)
    cycle(connection, settings)
    (message,) = receiver.got
    assert [(alert["kind"], alert["account"]) for alert in message["alerts"]] == [
        ("source_unread", "acme"), *[("source_list", "acme")] * 3, ("source_trouble", "beta"),
    ]  # fmt: skip
    said = "about a row of the list orders is about something else: record is 7; it is no record"
    assert said in message["text"]
    assert "a row of the list log cannot be read: record is 7; it is no record" in message["text"].lower()
    assert all(alert["remedy"] for alert in message["alerts"])
    assert message["alerts"][-1]["link"] == "https://log.example/accounts/beta/source"
    assert "Source not answering, beta: SalesBinder refuses the API key of 'beta'" in message["text"]
    change("UPDATE source.accounts SET trouble = NULL, trouble_since = NULL")
    change("INSERT INTO source.leases VALUES ('acme', 1, 1, clock_timestamp() + interval '1 minute')")
    change("DELETE FROM source.problems")
    cycle(connection, settings)
    open_ones = connection.execute("SELECT key FROM alerts.alert WHERE ended_at IS NULL").fetchall()
    assert (open_ones, len(receiver.got)) == ([], 1)


def test_a_comparison_by_schedule_that_broke_off_is_told_until_one_succeeds(
    connection: Connection, receiver: Receiver
) -> None:
    settings = NotifySettings(webhook_url=receiver.url)

    def ended(actor: str, error: str | None) -> None:
        connection.execute(
            "INSERT INTO source.reconciliations (account, actor, finished_at, error) "
            "VALUES ('acme', %s, clock_timestamp(), %s)",
            [actor, error],
        )
        connection.commit()
        cycle(connection, settings)

    def open_ones() -> list[Any]:
        return connection.execute("SELECT key FROM alerts.alert WHERE ended_at IS NULL").fetchall()

    connection.execute("INSERT INTO source.accounts (account, api_key_encrypted) VALUES ('acme', '')")
    connection.execute(
        "INSERT INTO source.leases VALUES ('acme', 1, 1, clock_timestamp() + interval '1 hour')"
    )
    ended("ann", "she has seen it herself")
    assert receiver.got == []
    ended("reconcile_every", "Xero could not be read")
    ended("reconcile_every", "Xero could not be read again")
    (message,) = receiver.got
    (alert,) = message["alerts"]
    assert (alert["kind"], alert["account"]) == ("reconciliation_broken_off", "acme")
    assert "Xero could not be read" in message["text"]
    ended("ann", "it cannot be read for her either")
    assert len(open_ones()) == 1
    ended("ann", None)
    assert (open_ones(), len(receiver.got)) == ([], 1)


def test_a_muted_issue_is_told_once_its_day_is_over(
    database_url: str, connection: Connection, receiver: Receiver
) -> None:
    settings = NotifySettings(webhook_url=receiver.url)

    def mute(code: str, days: int) -> None:
        connection.execute(
            "INSERT INTO web.mutes (issue_id, account, until, reason, muted_by) "
            "SELECT issue_id, account, now() + make_interval(days => %s), 'known', 'ann' "
            "FROM integrations_log.issues WHERE reason_code = %s "
            "ON CONFLICT (issue_id) DO UPDATE SET until = excluded.until",
            [days, code],
        )
        connection.commit()

    project(database_url, failed(1), failed(2, reason_code="contact_archived", cause=""))
    mute("contact_archived", 1)
    cycle(connection, settings)
    assert [len(message["alerts"]) for message in receiver.got] == [1]
    mute("tax_rate_unmapped", 1)  # told already, and muted since
    cycle(connection, settings)
    cycle(connection, settings)
    assert len(receiver.got) == 1
    mute("contact_archived", -1)
    cycle(connection, settings)
    mute("tax_rate_unmapped", -1)
    cycle(connection, settings)
    cycle(connection, settings)
    assert [[alert["ended_at"] for alert in message["alerts"]] for message in receiver.got] == [[None]] * 3


def test_what_the_receiver_missed_is_kept_and_told_later(
    database_url: str, connection: Connection, receiver: Receiver
) -> None:
    settings = NotifySettings(webhook_url=receiver.url)
    receiver.status = 503
    project(database_url, failed(1))
    cycle(connection, settings)
    cycle(connection, settings)
    project(database_url, entry("e1", 2, "completed", outcome="posted"))  # over before anybody knew
    project(database_url, failed(3, reason_code="contact_archived", cause=""))
    receiver.status = 200
    cycle(connection, settings)
    cycle(connection, settings)
    cycle(connection, settings)
    assert [message["id"] for message in receiver.got[:3]] == [receiver.got[0]["id"]] * 3
    assert receiver.got[2]["alerts"][0]["ended_at"]
    assert [len(message["alerts"]) for message in receiver.got[2:]] == [1, 1]
    (row,) = connection.execute("SELECT count(*) AS open FROM alerts.message WHERE sent_at IS NULL")
    assert row["open"] == 0


def test_a_tries_error_names_the_receiver_and_no_secret(database_url: str, connection: Connection) -> None:
    (port,) = free_ports("127.0.0.1", 1)
    settings = NotifySettings(
        webhook_url=f"http://me:s3cret@127.0.0.1:{port}/hook/s3cret?token=s3cret",
        smtp_url=f"smtp://me:s3cret@127.0.0.1:{port}",
        email_to=("a@b.example",),
        email_from="sbx@b.example",
    )
    project(database_url, failed(1))
    look(connection, settings)
    before = datetime.now(UTC)
    tell(connection, settings)
    rows = connection.execute("SELECT channel, error, due_at FROM alerts.message").fetchall()
    assert {row["channel"] for row in rows} == {"webhook", "email"}
    assert all("127.0.0.1" in row["error"] and "s3cret" not in row["error"] for row in rows)
    assert all(row["due_at"] > before + timedelta(seconds=9) for row in rows)
    assert "s3cret" not in repr(settings)


def test_a_password_is_not_sent_without_tls(database_url: str, connection: Connection) -> None:
    box = Mailbox()
    (port,) = free_ports("127.0.0.1", 1)
    controller = Controller(
        box, hostname="127.0.0.1", port=port, authenticator=box.authenticate, auth_require_tls=False,
        ready_timeout=120,
    )  # fmt: skip
    controller.start()
    try:
        project(database_url, failed(1))
        open_mail = NotifySettings(
            smtp_url=f"smtp://127.0.0.1:{port}", email_to=("a@b.example",), email_from="sbx@b.example"
        )
        cycle(connection, replace(open_mail, smtp_url=f"smtp://me:s3cret@127.0.0.1:{port}"))
        assert (box.got, box.passwords) == ([], [])
        cycle(connection, open_mail)
        cycle(connection, open_mail)
    finally:
        controller.stop()
    (mail,) = box.got
    assert (mail["To"], mail["From"]) == ("a@b.example", "sbx@b.example")
    assert mail["Subject"] == "SalesBinder to Xero, acme: failed"
    assert "Rate 8 is unmapped." in str(mail) and "What to do: sbx settings set" in str(mail)
    (row,) = connection.execute("SELECT message_id::text AS id FROM alerts.message").fetchall()
    assert mail["Message-ID"] == f"<{row['id']}@b.example>"


def test_what_waits_too_long_is_told_unless_the_account_is_held(
    database_url: str, connection: Connection, receiver: Receiver
) -> None:
    settings = NotifySettings(webhook_url=receiver.url, oldest_waiting=timedelta(hours=1))
    now = datetime.now(UTC)
    old = now - timedelta(hours=2)
    project(
        database_url,
        entry("e1", queued_at=old),
        entry("e2", queued_at=old, account="held"),
        entry("e3", queued_at=now, account="young"),
    )
    connect(database_url, "held")
    cycle(connection, settings)
    (message,) = receiver.got
    assert [(alert["kind"], alert["account"]) for alert in message["alerts"]] == [
        ("oldest_waiting", "acme"),
        ("paused", "held"),
    ]


def test_two_workers_tell_once(database_url: str, connection: Connection, receiver: Receiver) -> None:
    settings = NotifySettings(webhook_url=receiver.url)
    project(database_url, failed(1))
    with closing(psycopg.connect(database_url, row_factory=dict_row)) as other:
        look(connection, settings)
        look(other, settings)
        receiver.answers.clear()
        first = threading.Thread(target=tell, args=(connection, settings))
        first.start()
        wait_until(lambda: bool(receiver.got))
        second = threading.Thread(target=tell, args=(other, settings))
        second.start()
        second.join(5)  # were it to send, too, it would wait for the receiver
        receiver.answers.set()
        first.join()
        second.join()
        tell(other, settings)
    assert len(receiver.got) == 1


def test_the_command_tells_and_ends_in_order(alone: Sbx, database_url: str, receiver: Receiver) -> None:
    done = alone("notify", SBX_DATABASE_URL=database_url)
    assert done.code == 1
    assert "SBX_NOTIFY_WEBHOOK_URL" in done.err
    project(database_url, failed(1))
    told = {"SBX_DATABASE_URL": database_url, "SBX_NOTIFY_WEBHOOK_URL": receiver.url}
    running = Sbx({**alone.environ, **told}).start("notify")
    wait_until(lambda: bool(receiver.got))
    running.terminate()
    _, err = running.communicate(timeout=240)
    assert running.returncode == 0, err
    assert "s3cret" not in err


def test_a_test_message_goes_to_each_channel_and_says_what_came_of_it(alone: Sbx, receiver: Receiver) -> None:
    (nobody,) = free_ports("127.0.0.1", 1)
    told = {
        "SBX_NOTIFY_WEBHOOK_URL": receiver.url,
        "SBX_NOTIFY_SMTP_URL": f"smtp://127.0.0.1:{nobody}",
        "SBX_NOTIFY_EMAIL_TO": "ann@example.com",
        "SBX_NOTIFY_EMAIL_FROM": "sbx@example.com",
    }
    sbx = Sbx({**alone.environ, **told})
    both = sbx("notify", "--test")
    assert both.code == 1
    assert "webhook: delivered" in both.out and "email: not delivered: 127.0.0.1" in both.out
    [message] = receiver.got
    assert [alert["kind"] for alert in message["alerts"]] == ["test"]
    assert "test message" in message["text"]

    receiver.status = 500
    refused = sbx("notify", "--test", "--json").json["webhook"]
    assert refused == {"delivered": False, "problem": "127.0.0.1 answered 500"}
    receiver.status = 200
    assert alone("notify", "--test", SBX_NOTIFY_WEBHOOK_URL=receiver.url).code == 0
    assert "s3cret" not in both.out + both.err
    assert sbx("notify", "--json").code == 2
