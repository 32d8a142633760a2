"""Settings: defaults of the contract, normal forms, and refusals that say what to write instead."""

import re
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from connections.settings import InvalidSetting, Settings, normal_key, parse_setting, tax_key

NOW = datetime(2026, 1, 31, tzinfo=UTC)
UUID = "13918178-849A-4823-9A31-57B7EAC713D7"


def settings(**rows: str) -> Settings:
    return Settings.from_rows({key.replace("__", "."): value for key, value in rows.items()}, NOW)


def test_the_defaults_are_those_of_the_contract() -> None:
    default = settings()
    assert default == Settings(enabled_at=NOW)
    assert (default.invoice_status, default.purchase_order_status) == ("authorised", "authorised")
    assert (default.edit_authorised, default.refund_as, default.received_as) == (
        "refuse",
        "credit_note",
        "bill",
    )
    assert (default.item_code, default.sales_account, default.purchases_account) == ("SB-ITEM", "200", "300")
    assert (default.payment_account, default.payment_accounts) == (None, {})
    assert (default.sales_tax, default.purchase_tax) == ({"0": "NONE"}, {"0": "NONE"})
    assert (default.invoice_number_format, default.purchase_order_number_format) == ("{number}", "{number}")
    assert (default.due_days, default.currency, default.locked_period) == (30, None, "fail")
    assert default.rounding_account == "860"
    assert default.document_url == "https://{account}.salesbinder.com/documents/view/{id}"


def test_rows_become_settings() -> None:
    read = Settings.from_rows(
        {
            "invoice_status": "draft",
            "due_days": "14",
            "currency": "EUR",
            "sales_tax.8": "OUTPUT",
            "sales_tax.8+5": "TAX001",
            "purchase_tax.0": "EXEMPTEXPENSES",
            "payment_account": "090",
            "payment_account.cash": UUID,
        },
        NOW,
    )
    assert (read.invoice_status, read.due_days, read.currency) == ("draft", 14, "EUR")
    assert read.sales_tax == {"0": "NONE", "8": "OUTPUT", "8+5": "TAX001"}
    assert read.purchase_tax == {"0": "EXEMPTEXPENSES"}
    assert read.payment_account_for("  CASH ") == ("payment_account.cash", UUID)
    assert read.payment_account_for("Cheque") == ("payment_account", "090")
    assert settings().payment_account_for("x") == ("payment_account", None)


@pytest.mark.parametrize(
    ("key", "value", "normal_key_", "normal_value"),
    [
        ("invoice_status", "DRAFT", "invoice_status", "draft"),
        ("refund_as", "reverse-payment", "refund_as", "reverse_payment"),
        ("sales_tax.8.0", "output2", "sales_tax.8", "OUTPUT2"),
        ("sales_tax.012.50", "X", "sales_tax.12.5", "X"),
        ("sales_tax.8 + 5.0", "X", "sales_tax.8+5", "X"),
        ("purchase_tax.8+0", "X", "purchase_tax.8", "X"),
        ("purchase_tax.0+7", "X", "purchase_tax.0+7", "X"),
        ("purchase_tax.0.0", "X", "purchase_tax.0", "X"),
        ("payment_account.Credit  Card 9008", " 090 ", "payment_account.credit card 9008", "090"),
        ("payment_account.a.b", "090", "payment_account.a.b", "090"),
        ("payment_account", UUID, "payment_account", UUID),
        ("currency", "usd", "currency", "USD"),
        ("due_days", "007", "due_days", "7"),
        ("enabled_at", "2026-01-31T13:00:00+13:00", "enabled_at", "2026-01-31T00:00:00Z"),
        ("invoice_number_format", "SB-{number}", "invoice_number_format", "SB-{number}"),
        ("document_url", "https://x.example/{id}", "document_url", "https://x.example/{id}"),
    ],
)
def test_normal_forms(key: str, value: str, normal_key_: str, normal_value: str) -> None:
    assert parse_setting(key, value) == (normal_key_, normal_value)
    assert normal_key(key) == normal_key_
    assert parse_setting(normal_key_, normal_value) == (normal_key_, normal_value)


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("invoice_staus", "draft", "did you mean 'invoice_status'"),
        ("Due-Days", "10", "did you mean 'due_days'"),
        ("sale_tax.8", "X", r"did you mean 'sales_tax\.8'"),
        ("sales_tax", "X", r"write sales_tax\.8=TAXTYPE"),
        ("sales_tax.", "X", r"write sales_tax\.8=TAXTYPE"),
        ("payment_account.", "X", r"write payment_account\.cash=CODE"),
        ("zzz", "x", "the settings are enabled_at"),
        ("invoice_status", "paid", "authorised, draft"),
        ("sales_tax.-8", "X", "not a tax rate"),
        ("sales_tax.8%", "X", "not a tax rate"),
        ("sales_tax.1e3", "X", "not a tax rate"),
        ("sales_tax.8+5+1", "X", "more than two rates"),
        ("sales_tax.8", "", "not a TaxType"),
        ("sales_tax.8", "8 %", "not a TaxType"),
        ("sales_account", "", "not an account code"),
        ("sales_account", UUID, "not an account code"),
        ("payment_account", "Business account", "neither an account code"),
        ("item_code", "x" * 31, "1 to 30"),
        ("due_days", "-1", "number of days"),
        ("due_days", "1.5", "number of days"),
        ("currency", "US", "three letters"),
        ("enabled_at", "yesterday", "not a time"),
        ("enabled_at", "2026-01-31T00:00:00", "no offset"),
        ("enabled_at", "9999-12-31T23:59:59-12:00", "outside the calendar"),
        ("invoice_number_format", "SB", r"must contain \{number\}"),
        ("invoice_number_format", "{number", "unbalanced"),
        ("invoice_number_format", "{number}-{year}", "no other field"),
        ("invoice_number_format", "{number:>5}", "no other field"),
        ("invoice_number_format", "{number.real}", "no other field"),
        ("document_url", "https://x.example/", r"must contain \{id\}"),
        ("document_url", "x.example/{id}", "not a web address"),
        ("document_url", "https://x.example/ {id}", "not a web address"),
    ],
)
def test_refusals(key: str, value: str, says: str) -> None:
    with pytest.raises(InvalidSetting, match=says) as raised:
        parse_setting(key, value)
    assert raised.value.key.split(".")[0] in str(raised.value)
    assert raised.value.remedy


@pytest.mark.parametrize(
    ("tax", "tax2", "key"),
    [
        ("8", "0", "8"),
        ("8.00", "0.0", "8"),
        ("12.50", "0", "12.5"),
        ("8", "5", "8+5"),
        ("0", "7", "0+7"),
        ("0.00", "0", "0"),
        ("-0", "0E+2", "0"),
        ("1E+1", "0", "10"),
    ],
)
def test_tax_keys(tax: str, tax2: str, key: str) -> None:
    assert tax_key(Decimal(tax), Decimal(tax2)) == key


rates = st.decimals(min_value=0, max_value=100, places=3)


@given(rates, rates, st.integers(0, 3))
def test_a_documents_rates_find_the_setting_however_it_was_written(
    tax: Decimal, tax2: Decimal, more: int
) -> None:
    written = f"sales_tax.{tax:f}{'0' * more}+{tax2:f}"
    key, _ = parse_setting(written, "X")
    assert key == f"sales_tax.{tax_key(tax, tax2)}"


@given(
    st.sampled_from(
        sorted({"due_days", "currency", "document_url", "enabled_at", "sales_tax.8", "x", "x.y"})
    ),
    st.text(),
)
def test_any_text_is_taken_or_refused(key: str, value: str) -> None:
    try:
        normal: Any = parse_setting(key, value)
    except InvalidSetting:
        return
    assert parse_setting(*normal) == normal


@pytest.mark.parametrize("value", ["2026-01-31", "20260131", "2026-01-31 10:00", "2026-01-31T10:00:00"])
def test_a_time_written_as_the_remedy_says_is_taken(value: str) -> None:
    with pytest.raises(InvalidSetting) as refused:
        parse_setting("enabled_at", value)
    remedy = str(refused.value.remedy)
    [written] = re.findall(r"write it as (\S+)", remedy)
    assert parse_setting("enabled_at", written)
