"""Each failure that a setting puts right links to that setting."""

import pytest

from contracts.reasons import CATALOGUE
from sbx.web.view.fix_links import mending, with_commands
from sbx.web.view.settings_form import GROUPS


@pytest.mark.parametrize(
    ("code", "cause", "address"),
    [
        ("tax_rate_unmapped", "sales_tax.8+5", "#pair-sales_tax.8%2B5"),
        ("account_code_unknown", "sales_account, 999", "#s-sales_account"),
        ("payment_account_unknown", "payment_account.gift card, 999", "#s-payment_account.gift%20card"),
        ("payment_account_missing", "", "#s-payment_account"),
        ("number_taken", "invoice_number_format", "#s-invoice_number_format"),
    ],
)
def test_the_setting_of_a_cause(code: str, cause: str, address: str) -> None:
    place = mending({"account": "acme", "reason_code": code, "cause": cause})
    assert place is not None and place.address == f"/accounts/acme/settings{address}"


@pytest.mark.parametrize("code", ["connection_lost", "not_connected"])
def test_what_connecting_puts_right_leads_there(code: str) -> None:
    place = mending({"account": "acme", "reason_code": code, "cause": ""})
    assert place is not None
    assert (place.address, place.acts) == ("/connect?account=acme", True)


def test_what_cannot_be_read_leads_to_how_salesbinder_is_read() -> None:
    place = mending({"account": "acme", "reason_code": "sums_disagree", "cause": ""})
    assert place is not None
    assert (place.address, place.acts) == ("/accounts/acme/source", False)


@pytest.mark.parametrize(
    ("account", "code"),
    [("acme", "contact_archived"), ("", "period_locked"), ("acme", "new_code"), ("acme", None)],
)
def test_what_no_setting_puts_right_has_no_link(account: str, code: str | None) -> None:
    assert mending({"account": account, "reason_code": code, "cause": ""}) is None


def test_an_account_that_is_not_connected_is_connected_on_the_page() -> None:
    place = mending({"account": "acme", "reason_code": "not_connected", "cause": ""})
    assert place is not None and place.address == "/connect?account=acme"


def test_every_reason_that_lies_in_the_settings_is_found_there() -> None:
    keys = {one.key for _, fields in GROUPS for one in fields}
    elsewhere = {"item_code_taken", "currency_not_enabled", "not_connected"}
    for code, reason in CATALOGUE.items():
        if reason.who == "settings" and reason.kind != "warning" and code not in elsewhere:
            place = mending({"account": "acme", "reason_code": code, "cause": "sales_account"})
            assert place is not None, code
            anchor = place.address.partition("#")[2]
            assert anchor.startswith("pair-") or anchor.removeprefix("s-") in keys, code


def test_commands_stand_out_and_nothing_else_becomes_markup() -> None:
    assert with_commands("a <b>; 'sbx log <x>' or 'b'") == (
        "a &lt;b&gt;; <code>sbx log &lt;x&gt;</code> or &#39;b&#39;"
    )
