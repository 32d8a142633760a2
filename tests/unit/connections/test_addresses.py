"""Where SalesBinder shows a record: one builder for Xero's Url and the log."""

from datetime import UTC, datetime

import pytest

from connections.addresses import Addresses
from connections.settings import InvalidSetting, Settings, parse_setting
from sinks.resolve.documents import document_url

NOW = datetime(2026, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("entity", "address"),
    [
        ("invoice", "https://acme.salesbinder.com/documents/view/1"),
        ("purchase_order", "https://acme.salesbinder.com/documents/view/1"),
        ("customer", "https://acme.salesbinder.com/customers/view/1"),
        ("supplier", "https://acme.salesbinder.com/suppliers/view/1"),
        ("", "https://acme.salesbinder.com/documents/view/1"),
    ],
)
def test_each_record_has_its_own_page(entity: str, address: str) -> None:
    assert Addresses().record("acme", entity, "1") == address


@pytest.mark.parametrize(
    ("record_id", "written"),
    [("a b", "a%20b"), ("../x", "..%2Fx"), ("1?x=#2", "1%3Fx%3D%232"), ("ü{id}", "%C3%BC%7Bid%7D")],
)
def test_ids_are_written_as_addresses_take_them_and_alike_in_xero(record_id: str, written: str) -> None:
    settings = Settings(enabled_at=NOW, document_url="https://erp.example/{account}?doc={id}")
    log = Addresses.of(settings).record("acme", "invoice", record_id)
    assert log == f"https://erp.example/acme?doc={written}"
    assert document_url(record_id, "acme", settings) == log


def test_the_page_of_an_account_record_is_a_setting() -> None:
    settings = Settings(enabled_at=NOW, account_url="https://erp.example/{kind}/{id}")
    assert Addresses.of(settings).record("acme", "supplier", "7") == "https://erp.example/suppliers/7"
    assert Addresses.of(settings).record("acme", "supplier", "") == ""
    with pytest.raises(InvalidSetting):
        parse_setting("account_url", "https://erp.example/{kind}")
    with pytest.raises(InvalidSetting):
        parse_setting("document_url", "https://erp.example/{kind}/{id}")
