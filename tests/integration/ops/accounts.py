"""A connected account of a running `sbx up`, and `sbx` in the test's own process."""

import io
import os
import sys
from contextlib import redirect_stderr, redirect_stdout
from dataclasses import dataclass, field
from typing import Any
from unittest import mock

import psycopg
from kafka import KafkaProducer
from psycopg.rows import dict_row

from contracts.commands import command_id
from contracts.events.reader import event_to_kafka
from sandbox import find_running
from sbx.cli.command_line import run
from tests.integration.ops.sbx import Done, Stack, wait_until
from tests.integration.sinks.shops import Maker

Event = dict[str, Any]


@dataclass
class Account:
    """A connected account with an organisation of its own."""

    stack: Stack
    name: str
    tenant_id: str
    make: Maker = field(init=False)

    def __post_init__(self) -> None:
        self.make = Maker(self.name)

    def publish(self, *events: Event) -> None:
        with KafkaProducer(bootstrap_servers=services(self.stack)[0]) as producer:
            for event in events:
                topic, key, value, headers = event_to_kafka(event)
                producer.send(topic, key=key, value=value, headers=headers).get(120)

    def run(self, *events: Event) -> None:
        """Publish, and wait for their end."""
        self.publish(*events)
        self.idle()

    def idle(self) -> None:
        self.sbx("wait", "--idle", "--timeout", "240")

    def taken_in(self, *events: Event) -> None:
        """Wait until the ledger has them, and the workers have noted that they have read them."""
        wait_until(lambda: len(self.rows()) == self.replay()["events"] == len(events))

    def sbx(self, *arguments: str) -> Done:
        done = here(self.stack, *arguments)
        assert done.code == 0, done.err
        return done

    def replay(self, *arguments: str) -> Any:
        return self.sbx("replay", "--account", self.name, "--json", *arguments).json

    def rows(self, query: str = "SELECT * FROM ledger.commands WHERE account = %s ORDER BY seq") -> list[Any]:
        with self.database() as connection:
            return connection.execute(query.encode(), [self.name]).fetchall()

    def logged(self) -> list[Any]:
        return self.rows("SELECT * FROM integrations_log.shown_entry WHERE account = %s ORDER BY queued_at")

    def replayed(self) -> list[tuple[str, int]]:
        """Who brought how many actions by a replay, as the log's steps tell."""
        found = self.rows(
            "SELECT left(actor, 4) AS who, count(*) AS n FROM integrations_log.steps "
            "WHERE account = %s AND step = 'replayed' GROUP BY 1"
        )
        return [(row["who"], row["n"]) for row in found]

    def lose(self, *events: Event) -> None:
        """Take the commands out of the ledger, as only a disaster does."""
        with self.database() as connection:
            ids = [command_id(event["source"], event["id"]) for event in events]
            gone = connection.execute("DELETE FROM ledger.commands WHERE command_id = ANY(%s::uuid[])", [ids])
            assert gone.rowcount == len(events)

    def database(self) -> "psycopg.Connection[dict[str, Any]]":
        return psycopg.connect(services(self.stack)[1], row_factory=dict_row)

    def calls(self) -> int:
        return sum(call["tenant_id"] == self.tenant_id for call in self.stack.xero.admin.calls())

    @property
    def books(self) -> Any:
        return self.stack.xero.admin.state(self.tenant_id)

    def sale(self, number: int) -> list[Event]:
        """A customer, an invoice of 108.00, and its payment."""
        customer = self.make.customer(f"Buyer {number} of {self.name}")
        document = self.make.document(customer, number)
        return [
            self.make.contact("created", customer),
            self.make.created(document),
            self.make.paid(document, "108.00"),
        ]


def services(stack: Stack) -> tuple[str, str]:
    """Addresses of Kafka and the database, with its password."""
    found = find_running(stack.sbx.environ["SBX_DATA_DIR"])
    assert found is not None
    return found.bootstrap_servers, found.database_url


def here(stack: Stack, *arguments: str, **more: str) -> Done:
    """`sbx` in this process: a new one takes seconds to begin on a busy machine."""
    out, err = io.StringIO(), io.StringIO()
    with (
        mock.patch.dict(os.environ, {**stack.sbx.environ, **more}),
        mock.patch.object(sys, "argv", ["sbx", *arguments]),
        redirect_stdout(out),
        redirect_stderr(err),
    ):
        try:
            code = run()
        except SystemExit as ended:
            code = int(ended.code or 0)
    return Done(code, out.getvalue(), err.getvalue())


def connected(stack: Stack, name: str) -> Account:
    tenant_id = stack.xero.admin.add_tenant(name)
    made = Account(stack, name, tenant_id)
    done = here(
        stack,
        *("connect", name, "--tenant", tenant_id, "--client-id", stack.xero.client_id),
        *("--enabled-at", "2026-01-01T00:00:00Z"),
        SBX_XERO_CLIENT_SECRET=stack.xero.client_secret,
    )
    assert done.code == 0, done.err
    made.sbx("settings", "set", name, "payment_account=090", "sales_tax.8=OUTPUT")
    return made
