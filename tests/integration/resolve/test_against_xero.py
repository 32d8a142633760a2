"""What is resolved is taken by the fake Xero over HTTP, and its books show SalesBinder's totals."""

import json
import random
import urllib.error
import urllib.request
from collections.abc import Iterator
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest

from connections.facts import OrganisationFacts
from connections.settings import Settings
from contracts.commands import Address, DocumentSnapshot, Line
from contracts.events.reader import event_to_kafka, read_event
from contracts.reasons import Refused
from mappers import to_command
from mappers.totals import totals
from sandbox.fake_xero.server import FakeXeroServer
from sinks.resolve import (
    contact_body,
    resolve_bill,
    resolve_contact,
    resolve_invoice,
    resolve_order,
    resolve_payment,
)
from tests.unit.resolve.books import CONTACT, invoice

SHARED = Path(__file__).parents[3].parent / "shared"
SETTINGS = Settings(
    enabled_at=datetime(2026, 1, 1, tzinfo=UTC),
    payment_account="090",
    sales_tax={"0": "NONE", "8": "OUTPUT", "8+5": "TAX001", "12.5": "TAX005"},
    purchase_tax={"0": "NONE", "8": "INPUT", "8+5": "TAX002", "12.5": "TAX006"},
)
_encode = msgspec.json.Encoder(decimal_format="number").encode


class Xero:
    """The fake over HTTP, as an API client sees it."""

    def __init__(self, server: FakeXeroServer) -> None:
        form = (
            f"grant_type=client_credentials&client_id={server.client_id}&client_secret={server.client_secret}"
        )
        self._url = server.api_url
        with urllib.request.urlopen(f"{server.identity_url}/connect/token", form.encode()) as answer:
            token = json.load(answer)["access_token"]
        self._headers = {
            "Authorization": f"Bearer {token}",
            "Xero-Tenant-Id": server.tenant_id,
            "Accept": "application/json",
            "Content-Type": "application/json",
        }

    def call(self, method: str, path: str, body: object = None) -> dict[str, Any]:
        data = None if body is None else _encode(body)
        request = urllib.request.Request(f"{self._url}/{path}", data, self._headers, method=method)
        try:
            with urllib.request.urlopen(request) as answer:
                read: dict[str, Any] = json.load(answer, parse_float=Decimal)
                return read
        except urllib.error.HTTPError as error:
            raise AssertionError(error.read().decode()) from error

    def put(self, kind: str, elements: list[dict[str, Any]]) -> list[dict[str, Any]]:
        answer = self.call("PUT", f"{kind}?summarizeErrors=false&unitdp=4", {kind: elements})
        made: list[dict[str, Any]] = answer[kind]
        assert not [each.get("ValidationErrors") for each in made if each.get("HasErrors")]
        return made

    def facts(self) -> OrganisationFacts:
        return OrganisationFacts.from_xero(
            organisation=self.call("GET", "Organisation"),
            accounts=self.call("GET", "Accounts"),
            tax_rates=self.call("GET", "TaxRates"),
            currencies=self.call("GET", "Currencies"),
            fetched_at=datetime.now(UTC),
        )


@pytest.fixture(scope="module")
def xero() -> Iterator[Xero]:
    with FakeXeroServer() as server:
        client = Xero(server)
        client.put("Items", [{"Code": "SB-ITEM", "Name": "SB-ITEM"}])
        yield client


def some_lines(chance: random.Random) -> tuple[Line, ...]:
    rates = [("0", "0"), ("8", "0"), ("8", "5"), ("12.5", "0")]
    lines = []
    for index in range(chance.randint(0, 8)):
        tax, tax2 = chance.choice(rates)
        lines.append(
            Line(
                line_id=f"line-{index}",
                description=chance.choice(["", "Shirt\nSKU: A", "x" * 5000]),
                quantity=Decimal(chance.choice(["1", "2", "3", "0.5", "-1", "0.33333", "12", "0"])),
                unit_amount=Decimal(chance.randint(-100, 30_000)).scaleb(-chance.choice([0, 2, 4, 6, 9])),
                discount_percent=Decimal(chance.choice(["0", "0", "10", "33.33", "12.345", "100"])),
                tax_rate=Decimal(tax),
                tax2_rate=Decimal(tax2),
            )
        )
    return tuple(lines) * (20 if len(lines) == 1 and chance.random() < 0.7 else 1)


def test_totals_of_any_document_agree_to_the_cent(xero: Xero) -> None:
    facts = xero.facts()
    chance = random.Random(20260302)
    contact = xero.put("Contacts", [{"Name": "Anybody"}])[0]["ContactID"]
    batches: dict[str, list[tuple[DocumentSnapshot, dict[str, Any]]]] = {"Invoices": [], "PurchaseOrders": []}
    for number in range(60):
        document = invoice(*some_lines(chance), number=f"N-{number}", record_id=f"record-{number}")
        try:
            sales = resolve_invoice(document, SETTINGS, facts, "acme")
            bill = resolve_bill(document, SETTINGS, facts, "acme", date(2026, 3, 5))
            order = resolve_order(document, SETTINGS, facts)
        except Refused as refused:
            assert refused.code == "total_negative"
            continue
        for kind, resolved in (("Invoices", sales), ("Invoices", bill), ("PurchaseOrders", order)):
            assert resolved.total == totals(document).total
            body = {**resolved.body, "Contact": {"ContactID": contact}, "Status": "AUTHORISED"}
            batches[kind].append((document, body))
    assert len(batches["PurchaseOrders"]) > 30
    for kind, documents in batches.items():
        for start in range(0, len(documents), 50):
            part = documents[start : start + 50]
            made = xero.put(kind, [body for _, body in part])
            for (document, _), found in zip(part, made, strict=True):
                wanted = totals(document)
                shown = [Decimal(str(found[name])) for name in ("SubTotal", "TotalTax", "Total")]
                assert shown == [wanted.subtotal, wanted.tax + wanted.tax2, wanted.total]


def test_a_line_that_is_edited_keeps_neither_old_discount_nor_old_cents(xero: Xero) -> None:
    facts = xero.facts()
    contact = xero.put("Contacts", [{"Name": "Editor"}])[0]["ContactID"]
    before = Line(
        line_id="a",
        description="A",
        quantity=Decimal(1),
        unit_amount=Decimal("10.06"),
        tax_rate=Decimal(8),
        discount_percent=Decimal(10),
    )
    after = msgspec.structs.replace(before, discount_percent=Decimal(0))
    first = resolve_invoice(invoice(before, tax=Decimal("0.70"), number="E-1"), SETTINGS, facts, "acme")
    made = xero.put("Invoices", [{**first.body, "Contact": {"ContactID": contact}, "Status": "DRAFT"}])[0]
    assert made["Total"] == first.total == Decimal("9.75")
    second = resolve_invoice(invoice(after, number="E-1"), SETTINGS, facts, "acme")
    kept = {**second.body["LineItems"][0], "LineItemID": made["LineItems"][0]["LineItemID"]}
    body = {**second.body, "LineItems": [kept]}
    edited = xero.call("POST", f"Invoices/{made['InvoiceID']}", {"Invoices": [body]})["Invoices"][0]
    assert edited["Total"] == second.total == Decimal("10.86")


def test_the_examples_contacts_invoices_and_payments_are_taken(xero: Xero) -> None:
    facts = xero.facts()
    commands = [
        to_command(read_event(*event_to_kafka(text)), "salesbinder.invoices", 0, 0)
        for text in (SHARED / "examples" / "events.jsonl").read_bytes().splitlines()
    ]
    invoices: dict[str, str] = {}
    for command in commands:
        if command.entity != "invoice" or command.document is None:
            continue
        if command.action == "created":
            fields = resolve_contact(command.document.contact).fields
            contact = xero.call("POST", "Contacts", {"Contacts": [contact_body(fields, ())]})["Contacts"][0]
            resolved = resolve_invoice(command.document, SETTINGS, facts, command.account)
            body = {
                **resolved.body,
                "Contact": {"ContactID": contact["ContactID"]},
                "Status": "AUTHORISED",
            }
            invoices[command.record_id] = xero.put("Invoices", [body])[0]["InvoiceID"]
        elif command.action == "payment_applied" and command.transaction is not None:
            payment = resolve_payment(command.transaction, SETTINGS, facts, "USD")
            element = {**payment.body, "Invoice": {"InvoiceID": invoices[command.record_id]}}
            xero.put("Payments", [element])
    paid = xero.call("GET", "Invoices/5001")["Invoices"][0]
    assert (paid["Status"], paid["Total"]) == ("PAID", Decimal("276.48"))


def test_an_address_that_is_edited_keeps_who_it_is_for(xero: Xero) -> None:
    made = xero.put(
        "Contacts",
        [
            {
                "Name": "Keeper",
                "Addresses": [{"AddressType": "POBOX", "AddressLine1": "Old", "AttentionTo": "Ann"}],
                "Phones": [{"PhoneType": "MOBILE", "PhoneNumber": "1"}],
            }
        ],
    )[0]
    snapshot = msgspec.structs.replace(CONTACT, name="Keeper", phone="5", billing=Address(city="Bern"))
    body = contact_body(resolve_contact(snapshot).fields, ("email",), made)
    edited = xero.call("POST", f"Contacts/{made['ContactID']}", {"Contacts": [body]})["Contacts"][0]
    box = next(each for each in edited["Addresses"] if each["AddressType"] == "POBOX")
    assert (box["City"], box["AttentionTo"], box.get("AddressLine1", "")) == ("Bern", "Ann", "")
    numbers = {each["PhoneType"]: each["PhoneNumber"] for each in edited["Phones"]}
    assert (numbers["MOBILE"], numbers["DEFAULT"]) == ("1", "5")
