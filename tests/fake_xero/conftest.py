"""One fake for all of these tests; each starts from empty books and Xero's own limits."""

from collections.abc import Iterator

import pytest

from sandbox.fake_xero import FakeXeroServer

from .client import Xero


@pytest.fixture(scope="session")
def server() -> Iterator[FakeXeroServer]:
    # not strict: what the fake itself says to bodies that nobody should send is among the things to test
    with FakeXeroServer(strict=False) as running:
        yield running


@pytest.fixture
def xero(server: FakeXeroServer) -> Xero:
    """The official SDK, connected, with limits out of the way."""
    server.admin.reset()
    server.admin.set_clock(rate=1)
    server.admin.limits(minute=100_000, day=100_000)
    return Xero(server)


@pytest.fixture
def contact_id(xero: Xero) -> str:
    """A contact called Widgets & Co, number sb-1."""
    return str(xero.put("contacts", {"Name": "Widgets & Co", "ContactNumber": "sb-1"})["ContactID"])
