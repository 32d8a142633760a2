"""Strict mode: bodies that Xero's published description does not know are refused and fail the run."""

from pathlib import Path

import pytest

from sandbox.fake_xero import FakeXeroServer
from sandbox.fake_xero.server import InvalidBodiesError
from sandbox.fake_xero.strict import VARIABLE

from .client import Xero, invoice


@pytest.fixture
def description(shared_dir: Path) -> Path:
    return shared_dir / "spec" / "xero_accounting.yaml.gz"


@pytest.mark.parametrize("subprocess", [False, True])
def test_an_unknown_field_or_value_is_refused_and_fails_the_run(description: Path, subprocess: bool) -> None:
    server = FakeXeroServer(strict=description, subprocess=subprocess).start()
    xero = Xero(server)
    contact_id = xero.put("contacts", {"Name": "Widgets & Co"})["ContactID"]
    xero.put("invoices", invoice(contact_id))
    assert xero.admin.invalid_bodies() == []

    answer = xero.raw("PUT", "Invoices", {"Invoices": [invoice(contact_id, Colour="red", Status="BOGUS")]})
    assert answer.status == 400
    assert "Colour" in answer.json()["Message"]
    (recorded,) = xero.admin.invalid_bodies()
    assert recorded["path"] == "Invoices"
    assert any("Colour" in error for error in recorded["errors"])
    assert any("BOGUS" in error for error in recorded["errors"])
    assert len(xero.admin.state(server.tenant_id)["invoices"]) == 1
    with pytest.raises(InvalidBodiesError, match="Colour"):
        server.__exit__(None, None, None)


def test_bodies_that_were_sent_on_purpose_can_be_forgotten(description: Path) -> None:
    with FakeXeroServer(strict=description) as server:
        xero = Xero(server)
        xero.raw("PUT", "Contacts", {"Contacts": [{"Nom": "Widgets"}]})
        xero.admin.forget_invalid_bodies()


def test_every_fake_of_the_run_is_strict(description: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(VARIABLE, str(description))
    with FakeXeroServer() as server:
        xero = Xero(server)
        xero.raw("PUT", "Contacts", {"Contacts": [{"Nom": "Widgets"}]})
        assert len(xero.admin.invalid_bodies()) == 1
        xero.admin.forget_invalid_bodies()
