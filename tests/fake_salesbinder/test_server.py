"""The fake over real HTTP: in a thread, as a process; its admin interface, faults and webhooks."""

import base64
import json
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any, ClassVar

import pytest
import urllib3

from sandbox.fake_salesbinder import FakeAdminError, FakeSalesBinderServer

HTTP = urllib3.PoolManager(retries=False)


@pytest.fixture(scope="module")
def running() -> Iterator[FakeSalesBinderServer]:
    with FakeSalesBinderServer() as started:
        yield started


@pytest.fixture
def server(running: FakeSalesBinderServer) -> FakeSalesBinderServer:
    running.admin.reset()
    running.admin.set_clock(rate=1)
    return running


def get(server: FakeSalesBinderServer, path: str, **settings: Any) -> urllib3.BaseHTTPResponse:
    token = base64.b64encode(f"{server.api_key}:x".encode()).decode()
    url = server.api_url.format(account=server.shop_name)
    return HTTP.request("GET", f"{url}/{path}", headers={"Authorization": f"Basic {token}"}, **settings)


def test_a_shop_is_filled_read_and_compared(server: FakeSalesBinderServer) -> None:
    admin = server.admin
    customer = admin.act("create_party", kind="customer", name="Widgets & Co")
    lines = [{"name": "A", "price": "19.90", "tax": 8}]
    invoice = admin.act("create_document", kind="invoice", party_id=customer, lines=lines)
    admin.act("pay", document_id=invoice, paid="10.00")
    body = get(server, "documents.json?contextId=5").json()
    assert [row["id"] for row in body["documents"][0]] == [invoice]
    (truth,) = admin.truth()["documents"]
    assert (truth["total"], truth["paid"], truth["net_paid"]) == ("21.49", "10.00", "10.00")
    assert [change["kind"] for change in admin.history()] == [
        "customer.created",
        "invoice.created",
        "invoice.payment_applied",
    ]
    assert admin.history(since=2)[0]["is_event"] is True


def test_every_answer_has_the_fakes_date(server: FakeSalesBinderServer) -> None:
    server.admin.set_clock(rate=0, now="2026-03-02T09:00:00+00:00")
    answer = get(server, "customers.json?contextId=2")
    assert answer.headers.getlist("date") == ["Mon, 02 Mar 2026 09:00:00 GMT"]


def test_a_process_of_its_own() -> None:
    with FakeSalesBinderServer(subprocess=True, seed=4) as server:
        changes = server.admin.keep(40, seed=2, pause=5)
        assert server.admin.history() == changes
        assert get(server, "customers.json?contextId=2").status == 200
        assert server.admin.fill(customers=3, invoices=25)["documents"] >= 25
        with pytest.raises(RuntimeError, match="use admin"):
            _ = server.world
    with FakeSalesBinderServer(seed=4) as again:
        told = again.admin.keep(40, seed=2, pause=5)
        assert [change["record_id"] for change in told] == [change["record_id"] for change in changes]


def test_shops_with_switches_keys_and_users(server: FakeSalesBinderServer) -> None:
    admin = server.admin
    shop = admin.add_shop("acme", refund="row_shrinks")
    assert (shop["key"], shop["switches"]["refund"]) == ("acme-key", "row_shrinks")
    assert [held["name"] for held in admin.shops()] == ["demo", "acme"]
    assert admin.user("acme", new_key="fresh", permissions=["View Customers"])["key"] == "fresh"
    admin.remove_shop("acme")
    assert [held["name"] for held in admin.shops()] == ["demo"]
    with pytest.raises(FakeAdminError, match="switch 'colour' is unknown"):
        admin.add_shop("acme", colour="red")
    with pytest.raises(FakeAdminError, match="permission 'Fly' is unknown"):
        admin.user(permissions=["Fly"])
    with pytest.raises(FakeAdminError, match="no shop 'nobody'"):
        admin.truth("nobody")


def test_the_admin_refuses_what_it_does_not_know(server: FakeSalesBinderServer) -> None:
    for wrong in (
        lambda: server.admin.act("burn"),
        lambda: server.admin.act("create_party", kind="friend", name="A"),
        lambda: server.admin.fault("burn"),
        lambda: server.admin.act("pay", document_id="nobody", paid=1),
        lambda: server.admin._call("GET", "nothing"),
    ):
        with pytest.raises(FakeAdminError):
            wrong()


def test_limits_and_counters(server: FakeSalesBinderServer) -> None:
    server.admin.limits(minute=2)
    found = [get(server, "customers.json?contextId=2").status for _ in range(3)]
    assert found == [200, 200, 429]
    assert server.admin.counters() == {
        "calls": 3,
        "by_endpoint": {"GET customers": 3},
        "by_status": {"200": 2, "429": 1},
        "by_shop": {"demo": 3},
    }
    assert [call["query"] for call in server.admin.calls(since=2)] == ["contextId=2"]
    server.admin.reset_counters()
    assert server.admin.counters()["calls"] == 0


# Faults of connections


def test_a_dropped_connection(server: FakeSalesBinderServer) -> None:
    server.admin.fault("drop_before")
    with pytest.raises(urllib3.exceptions.ProtocolError):
        get(server, "customers.json?contextId=2")
    assert get(server, "customers.json?contextId=2").status == 200


def test_an_answer_that_breaks_off(server: FakeSalesBinderServer) -> None:
    server.admin.fault("broken_off", fraction=0.5)
    with pytest.raises(urllib3.exceptions.ProtocolError):
        get(server, "customers.json?contextId=2")
    assert get(server, "customers.json?contextId=2").status == 200


@pytest.mark.parametrize("kind", ["slow", "trickle"])
def test_a_slow_answer_comes_whole(server: FakeSalesBinderServer, kind: str) -> None:
    server.admin.fault(kind, seconds=0.4)
    before = time.monotonic()
    assert get(server, "customers.json?contextId=2").json()["count"] == "0"
    assert time.monotonic() - before >= 0.35


def test_a_redirect_is_answered_as_one(server: FakeSalesBinderServer) -> None:
    server.admin.fault("redirect", value="http://127.0.0.1:1/")
    answer = get(server, "customers.json?contextId=2", redirect=False)
    assert (answer.status, answer.headers["Location"]) == (302, "http://127.0.0.1:1/")
    (rule,) = server.admin.faults()
    assert rule["hits"] == 1
    server.admin.clear_faults(rule["fault_id"])
    assert server.admin.faults() == []


# Webhooks


class Receiver(BaseHTTPRequestHandler):
    """Keeps what it is sent; the first answer is a failure."""

    received: ClassVar[list[tuple[dict[str, str], Any]]] = []
    failures = 1

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        type(self).failures -= 1
        if type(self).failures < 0:
            names = {name.lower(): value for name, value in self.headers.items()}
            self.received.append((names, json.loads(body)))
        self.send_response(204 if type(self).failures < 0 else 500)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""


def test_webhooks_are_repeated_until_answered(server: FakeSalesBinderServer) -> None:
    """§10: "deliveries are repeated until answered, so duplicates and disorder happen"; signed."""
    receiver = HTTPServer(("127.0.0.1", 0), Receiver)
    threading.Thread(target=receiver.serve_forever, daemon=True).start()
    customer = server.admin.act("create_party", kind="customer", name="A")
    server.admin.webhook(f"http://127.0.0.1:{receiver.server_port}/hooks/token")
    ids = [
        server.admin.act(
            "create_document", kind="invoice", party_id=customer, lines=[{"name": "A", "price": 1}]
        )
        for _ in range(12)
    ]
    until = time.monotonic() + 20
    while {told["data"]["id"] for _, told in Receiver.received} != set(ids) and time.monotonic() < until:
        time.sleep(0.02)
    receiver.shutdown()
    receiver.server_close()
    assert {told["data"]["id"] for _, told in Receiver.received} == set(ids)
    headers, _ = Receiver.received[0]
    assert len(headers["x-salesbinder-signature"]) == 64
    shown = server.admin.webhooks()
    assert (shown["endpoints"][0]["enabled"], len(shown["deliveries"])) == (True, 12)
