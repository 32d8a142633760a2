"""The pages that every worker serves, on a real broker and a real database."""

import json
import os
import re
import socket
import time
import urllib.error
import urllib.request
import uuid
from dataclasses import replace
from functools import partial

import psycopg

from streams.records import Outgoing
from streams.topics import COMMANDS, RESULTS
from tests.integration.streams.conftest import Broker, StartStage, eventually
from tests.integration.streams.test_project import away, entry, message

INVOICES = "salesbinder.invoices"


_FIRST = 20_000 + os.getpid() % 12_000
_PORTS = iter(range(_FIRST, _FIRST + 500))
"""Below those that the system gives away by itself: a worker binds its port seconds after it was chosen."""


def _is_free(port: int) -> bool:
    try:
        socket.create_server(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


class Pages:
    """What a worker serves."""

    def __init__(self) -> None:
        self.port = next(port for port in _PORTS if _is_free(port))

    def get(self, path: str) -> tuple[int, str]:
        """Status and body; status 0 where nobody listens."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}", timeout=120) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError as error:  # URLError is one, and so is an answer that breaks off
            return 0, str(error)

    def value(self, sample: str) -> float:
        """A sample's value, 0 where there is none."""
        found = re.search(rf"^{re.escape(sample)} (\S+)$", self.get("/metrics")[1], re.M)
        return float(found[1]) if found else 0.0


def counted(pages: Pages, sample: str, count: int) -> bool:
    return pages.value(sample) >= count


def account() -> str:
    return f"m{uuid.uuid4().hex[:12]}"


def test_transform_counts_what_goes_through_it(start_stage: StartStage, traffic: Broker) -> None:
    pages, name = Pages(), account()
    start_stage("transform", SBX_METRICS_PORT=str(pages.port), SBX_WORKER_RESTARTS="3").wait_until_ready()
    good = {
        "specversion": "1.0", "id": "e1", "source": f"/salesbinder/{name}", "subject": "c1",
        "type": "salesbinder.customer.deleted", "time": "2026-03-02T09:00:00Z",
        "data": {"customer": {"id": "c1"}},
    }  # fmt: skip
    key = f"{name}/c1".encode()
    traffic.watch(RESULTS)
    began = time.time()
    traffic.publish(
        [
            Outgoing("salesbinder.customers", key, json.dumps(good).encode(),
                     (("content-type", b"application/cloudevents+json"),)),
            Outgoing("salesbinder.customers", key, b"no event"),
        ]
    )  # fmt: skip
    told = [dict(record.headers).get("published_at") for record in traffic.wait_for(RESULTS, 2, name)]
    assert len([at for at in told if at and began - 1 < float(at) <= time.time()]) == 1
    for sample, count in (  # of other tests' messages on the topic, too, which may come first
        ('sbx_messages_in_total{topic="salesbinder.customers"}', 2),
        (f'sbx_messages_out_total{{topic="{COMMANDS}"}}', 1),
        (f'sbx_messages_out_total{{topic="{RESULTS}"}}', 2),
        ('sbx_dead_letters_total{reason="event_not_json"}', 1),
        ('sbx_message_seconds_count{topic="salesbinder.customers"}', 2),
    ):
        eventually(partial(counted, pages, sample, count), f"{sample} is {count}")
    assert pages.value("sbx_worker_restarts") == 3
    eventually(lambda: pages.value("sbx_partitions_assigned") > 0, "partitions are assigned")
    eventually(lambda: pages.value("sbx_last_commit_timestamp_seconds") > 0, "committed")
    eventually(lambda: pages.get("/readyz") == (200, "ready\n"), "ready")
    assert pages.get("/healthz") == (200, "alive\n")
    assert pages.get("/else")[0] == 404


def test_the_time_of_publishing_is_measured_up_to_the_log(
    start_stage: StartStage, traffic: Broker, database_url: str
) -> None:
    pages, name = Pages(), account()
    start_stage("project", database_url, SBX_METRICS_PORT=str(pages.port)).wait_until_ready()
    first = message(entry(name, "e1", 0))
    before = pages.value("sbx_published_to_log_seconds_sum")
    traffic.publish(
        [
            replace(first, headers=(("published_at", f"{time.time() - 3:.3f}".encode()),)),
            message(entry(name, "e1", 1, "running")),
        ]
    )
    # Both may come in batches of their own, and other tests' messages between them.
    eventually(lambda: pages.value("sbx_published_to_log_seconds_sum") >= before + 3, "it is in the log")


def test_readiness_means_the_database_too(
    start_stage: StartStage, traffic: Broker, database_url: str
) -> None:
    pages, name = Pages(), account()
    start_stage("project", database_url, SBX_METRICS_PORT=str(pages.port)).wait_until_ready()
    eventually(lambda: pages.get("/readyz")[0] == 200, "ready")
    with away(database_url):
        eventually(lambda: pages.get("/readyz")[0] == 503, "not ready")
        assert "the database cannot be reached" in pages.get("/readyz")[1]
        assert pages.get("/healthz")[0] == 200
        assert pages.value("sbx_worker_ready") == 0
    eventually(lambda: pages.get("/readyz")[0] == 200, "ready again")
    traffic.publish([message(entry(name, "e1", 1, "failed", reason_code="contact_archived"))])
    sample = 'sbx_states_entered_total{detail="contact_archived",state="failed"}'
    eventually(lambda: pages.value(sample) >= 1, "the state is counted")


def test_deliver_tells_what_waits_and_why(start_stage: StartStage, database_url: str) -> None:
    pages, name = Pages(), account()
    with psycopg.connect(database_url) as connection:
        connection.execute(
            "INSERT INTO connections.accounts (account, tenant_id, tenant_name, auth_kind, client_id, "
            "client_secret_encrypted, enabled_at, connected_at, paused_at, paused_by, paused_reason) "
            "VALUES (%s, 't', 'T', 'client_credentials', 'c', '', now(), now(), now(), 'me', 'stocktaking')",
            [name],
        )
        connection.execute(
            "INSERT INTO ledger.commands (command_id, account, entity, record_id, action, content_hash, "
            "event_time, body, state, queued_at, next_attempt_at) "
            "VALUES (%s, %s, 'invoice', 'i1', 'created', 'h', now(), '{}', 'queued', "
            "now() - interval '1 hour', now() + interval '1 day')",
            [str(uuid.uuid4()), name],
        )
    start_stage("deliver", database_url, SBX_METRICS_PORT=str(pages.port)).wait_until_ready()
    held = f'sbx_account_held{{account="{name}",reason="account_paused"}}'
    waiting = f'sbx_waiting_entries{{account="{name}",state="queued"}}'
    eventually(lambda: pages.value(held) == 1, "it is held")
    eventually(lambda: pages.value(waiting) == 1, "it waits")
    assert pages.value(f'sbx_oldest_waiting_seconds{{account="{name}"}}') >= 3600
    with psycopg.connect(database_url) as connection:
        connection.execute("DELETE FROM ledger.commands WHERE account = %s", [name])
        connection.execute(
            "UPDATE connections.accounts SET paused_at = NULL, paused_by = NULL, paused_reason = NULL"
        )
    eventually(lambda: pages.value(held) == 0, "it is not held any more")
    eventually(lambda: pages.value(waiting) == 0, "nothing waits")


def test_a_port_that_is_taken_stops_no_worker(start_stage: StartStage) -> None:
    pages = Pages()
    start_stage("transform", SBX_METRICS_PORT=str(pages.port)).wait_until_ready()
    second = start_stage("transform", SBX_METRICS_PORT=str(pages.port)).wait_until_ready()
    assert "metrics cannot be served" in second.log
    assert pages.get("/healthz") == (200, "alive\n")
