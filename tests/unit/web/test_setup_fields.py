"""The settings of a set-up as form fields."""

import pytest

from sbx.actions.setup.suggest import Choice, Suggestion
from sbx.web.view.setup import chosen_of, fields_of, title_of

RATES = (Choice("OUTPUT", "Sales (8 %)"), Choice("NONE", "Exempt (0 %)"))
TAX = Suggestion("sales_tax.8", "8 % on 40 lines", "OUTPUT", RATES, is_needed=True)
OTHER = Suggestion("sales_tax.5", "5 % on 1 line", "", RATES, is_needed=True)
CASH = Suggestion("payment_account.cash", "1 by Cash", "", (Choice("090", "Bank"),), is_needed=False)


@pytest.mark.parametrize(
    ("key", "title"),
    [
        ("payment_account", "Account that payments go to"),
        ("payment_account.credit card 9.5", "Payments by “credit card 9.5”"),
        ("sales_tax.8", "Tax of 8 % on invoices"),
        ("purchase_tax.12.5+7", "Tax of 12.5 % and 7 % on purchase orders"),
    ],
)
def test_a_setting_has_a_title_that_a_bookkeeper_reads(key: str, title: str) -> None:
    assert title_of(key) == title


def test_a_suggestion_is_marked_until_somebody_chose_it() -> None:
    def seen(**known: list[str]) -> list[tuple[str, bool]]:
        found = fields_of([TAX, OTHER, CASH], known.get("written", []), known.get("left_out", []), {}, {})
        return [(field.value, field.is_suggested) for field in found]

    assert seen() == [("OUTPUT", True), ("", False), ("", False)]
    assert seen(written=["sales_tax.8"])[0] == ("OUTPUT", False)
    assert seen(left_out=["sales_tax.8", "sales_tax.5"])[:2] == [("-", False), ("-", False)]
    assert seen(written=["sales_tax.8"], left_out=["sales_tax.8"])[0] == ("OUTPUT", False)


def test_what_was_given_stays_with_its_error_even_if_xero_does_not_have_it() -> None:
    (field,) = fields_of([TAX], [], [], {"sales_tax.8": "GONE"}, {"sales_tax.8": "is not in Xero"})
    assert (field.value, field.error, field.is_suggested) == ("GONE", "is not in Xero", False)
    assert field.choices[0] == ("GONE", "GONE (not in Xero)")
    assert [value for value, _ in field.choices[1:]] == ["OUTPUT", "NONE"]


def test_what_documents_need_is_chosen_or_left_out_on_purpose() -> None:
    given = {"sales_tax.8": "NONE", "sales_tax.5": "-", "payment_account.cash": ""}
    assert chosen_of(given, [TAX, OTHER, CASH]) == (
        {"sales_tax.8": "NONE", "sales_tax.5": None, "payment_account.cash": None},
        {},
    )
    _, errors = chosen_of({"sales_tax.8": ""}, [TAX, OTHER, CASH])
    assert errors.keys() == {"sales_tax.8", "sales_tax.5"}, "one that the form did not have was not left out"
