"""Facts about the history of a record: who did what to it, and when."""

from datetime import UTC, datetime
from typing import Any

import pytest

from .client import Xero, invoice, parse, payment


def history(xero: Xero, collection: str, record_id: str) -> Any:
    """The lines of a record's history through the SDK, newest first."""
    method = getattr(xero.api, f"get_{collection}_history")
    return parse(method(xero.tenant_id, record_id, _preload_content=False).data)["HistoryRecords"]


def by_hand(xero: Xero, name: str) -> Xero:
    """Somebody at Xero's own screens."""
    server = xero.server
    person = Xero(server, server.by_hand_client_id, server.by_hand_client_secret)
    person.client.set_default_header("X-Fake-User", name)
    return person


def test_a_history_names_people_and_calls_apps_system_generated(xero: Xero, contact_id: str) -> None:
    made = xero.put("invoices", invoice(contact_id))
    by_hand(xero, "Ann Ames").update("invoices", made["InvoiceID"], {"DueDate": "2026-05-05"})
    newest, oldest = history(xero, "invoice", made["InvoiceID"])

    assert (newest["User"], newest["Changes"]) == ("Ann Ames", "Edited")
    assert (oldest["User"], oldest["Changes"]) == ("System Generated", "Created")
    assert "Xero API" in oldest["Details"]


def test_times_come_in_both_forms(xero: Xero, contact_id: str) -> None:
    [line] = history(xero, "contact", contact_id)
    at = datetime.fromisoformat(line["DateUTCString"]).replace(tzinfo=UTC)
    milliseconds = int(line["DateUTC"].removeprefix("/Date(").removesuffix("+0000)/"))
    assert int(at.timestamp()) == milliseconds // 1000


@pytest.mark.parametrize("collection", ["purchase_order", "credit_note", "payment", "item"])
def test_other_endpoints_know_no_such_document(xero: Xero, contact_id: str, collection: str) -> None:
    made = xero.put("invoices", invoice(contact_id))
    answer = xero.raw("GET", f"{_PATHS[collection]}/{made['InvoiceID']}/History")
    assert answer.status == 404
    assert b"The document with the supplied id was not found for this endpoint." in answer.data


def test_payments_stand_in_the_history_of_their_invoice(xero: Xero, contact_id: str) -> None:
    made = xero.put("invoices", invoice(contact_id))
    paid = xero.put("payments", payment(made["InvoiceID"], 50))
    by_hand(xero, "Ann Ames").update("payments", paid["PaymentID"], {"Status": "DELETED"})
    lines = history(xero, "invoice", made["InvoiceID"])
    assert [(one["User"], one["Changes"]) for one in lines] == [
        ("Ann Ames", "Payment Deleted"),
        ("System Generated", "Payment"),
        ("System Generated", "Created"),
    ]
    assert history(xero, "payment", paid["PaymentID"])[0]["Changes"] == "Deleted"


_PATHS = {
    "purchase_order": "PurchaseOrders",
    "credit_note": "CreditNotes",
    "payment": "Payments",
    "item": "Items",
}
