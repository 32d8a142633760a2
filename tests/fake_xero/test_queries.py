"""Facts about reading: lists, filters, order, pages (reference §1.2, §2, §6)."""

from typing import Any

import pytest
from xero_python.exceptions import AccountingBadRequestException

from .client import Xero, bill, invoice


@pytest.fixture
def shop(xero: Xero, contact_id: str) -> Xero:
    """Three sales invoices (one of another contact, one draft) and a bill."""
    xero.write(
        "put",
        "invoices",
        invoice(contact_id, InvoiceNumber="1", Reference="one", Date="2026-03-01"),
        invoice(contact_id, InvoiceNumber="2", Status="DRAFT", Date="2026-03-02"),
        invoice("", InvoiceNumber="3", Contact={"Name": "Other Ltd"}, Date="2026-03-03"),
        bill(contact_id, InvoiceNumber="B", Date="2026-03-04"),
    )
    return xero


def numbers(xero: Xero, **query: Any) -> list[str]:
    return [found["InvoiceNumber"] for found in xero.list("invoices", **query)]


@pytest.mark.parametrize(
    ("where", "expected"),
    [
        ('Type=="ACCREC"', ["1", "2", "3"]),
        ('Type=="ACCREC" AND Status=="AUTHORISED"', ["1", "3"]),
        ('Type=="ACCREC" && Status!="DRAFT"', ["1", "3"]),
        ('InvoiceNumber=="1" OR InvoiceNumber=="B"', ["1", "B"]),
        ('(InvoiceNumber=="1" || InvoiceNumber=="2") AND Status=="DRAFT"', ["2"]),
        ('InvoiceNumber=="1"', ["1"]),
        ('Contact.Name=="OTHER LTD"', ["3"]),
        ('Contact.ContactNumber=="sb-1" AND Type=="ACCPAY"', ["B"]),
        ('Reference=="one"', ["1"]),
        ("Date>=DateTime(2026,3,3)", ["3", "B"]),
        ('Date < DateTime.Parse("2026-03-02")', ["1"]),
        ("AmountDue>107.99", ["1", "2", "3", "B"]),
        ('Contact.Name.StartsWith("wid")', ["1", "2", "B"]),
        ('Contact.Name.Contains("ther")', ["3"]),
    ],
)
def test_where(shop: Xero, where: str, expected: list[str]) -> None:
    assert numbers(shop, where=where) == expected


def test_where_with_a_guid(shop: Xero, contact_id: str) -> None:
    assert numbers(shop, where=f'Contact.ContactID==guid("{contact_id.upper()}")') == ["1", "2", "B"]
    found = shop.list("invoices", where='InvoiceNumber=="2"')[0]["InvoiceID"]
    assert numbers(shop, where=f'InvoiceID==Guid("{found}") AND Status=="DRAFT"') == ["2"]


@pytest.mark.parametrize(
    "where", ["Nonsense==1", 'Type=="ACCREC" AND', "Type==", "(Type", 'Type=="a" "b"', "#"]
)
def test_a_where_that_makes_no_sense_is_refused(shop: Xero, where: str) -> None:
    with pytest.raises(AccountingBadRequestException) as caught:
        shop.list("invoices", where=where)
    assert caught.value.error_data["Type"] == "QueryParseException"


def test_filters_by_lists(shop: Xero, contact_id: str) -> None:
    assert numbers(shop, invoice_numbers=["1", "3"]) == ["1", "3"]
    assert numbers(shop, statuses=["DRAFT"]) == ["2"]
    assert numbers(shop, contact_i_ds=[contact_id]) == ["1", "2", "B"]
    ids = [found["InvoiceID"] for found in shop.list("invoices")[:2]]
    assert numbers(shop, i_ds=ids) == ["1", "2"]


def test_order_and_pages(shop: Xero) -> None:
    assert numbers(shop, order="Date DESC") == ["B", "3", "2", "1"]
    assert numbers(shop, page=2, page_size=3) == ["B"]
    answer = shop.api.get_invoices(shop.tenant_id, page=1, page_size=3)
    assert (answer.pagination.page_count, answer.pagination.item_count) == (2, 4)


def test_lines_come_with_a_page_or_an_id_but_not_in_a_plain_list(shop: Xero) -> None:
    assert shop.list("invoices")[0]["LineItems"] == []
    assert shop.list("invoices", page=1)[0]["LineItems"]
    assert shop.get("invoices", "1")["LineItems"]


def test_an_invoice_is_found_by_id_and_by_number(shop: Xero) -> None:
    found = shop.get("invoices", "3")
    assert shop.get("invoices", found["InvoiceID"])["InvoiceNumber"] == "3"


def test_search_term(shop: Xero) -> None:
    assert numbers(shop, search_term="ONE") == ["1"]


def test_if_modified_since(shop: Xero) -> None:
    shop.admin.advance(100)
    border = shop.admin.clock()["now"]
    shop.admin.advance(100)
    shop.update("invoices", shop.get("invoices", "2")["InvoiceID"], {"Reference": "new"})
    assert numbers(shop, if_modified_since=border) == ["2"]


def test_accounts_and_tax_rates_say_what_fits(xero: Xero) -> None:
    accounts = {part.code: part.type.value for part in xero.api.get_accounts(xero.tenant_id).accounts}
    assert {code: accounts[code] for code in ("200", "300", "090", "091", "860")} == {
        "200": "REVENUE",
        "300": "DIRECTCOSTS",
        "090": "BANK",
        "091": "BANK",
        "860": "EXPENSE",
    }
    rates = {part.tax_type: part for part in xero.api.get_tax_rates(xero.tenant_id).tax_rates}
    assert (rates["OUTPUT"].effective_rate, rates["TAX001"].effective_rate) == (8, 13)
    assert (rates["INPUT"].can_apply_to_revenue, rates["INPUT"].can_apply_to_expenses) == (False, True)


def test_accounts_by_where(xero: Xero) -> None:
    found = xero.api.get_accounts(xero.tenant_id, where='Type=="BANK"').accounts
    assert [part.code for part in found] == ["090", "091"]


def test_the_organisation_shows_its_lock_dates_and_base_currency(xero: Xero) -> None:
    xero.admin.seed(xero.tenant_id, period_lock_date="2026-01-31")
    (found,) = xero.api.get_organisations(xero.tenant_id).organisations
    assert (found.base_currency.value, str(found.period_lock_date)) == ("USD", "2026-01-31")


def test_items_are_one_unpaged_list(xero: Xero) -> None:
    xero.write("put", "items", *[{"Code": f"I{number}"} for number in range(150)])
    assert len(xero.list("items")) == 150
