"""The catalogue of reasons: complete, in plain words, and never in the way at run time."""

import string
import time
from pathlib import Path
from typing import get_args

import pytest

from contracts.reasons import CATALOGUE, Reason, ReasonCode, Refused, cause_of, render, text_shape, warning
from contracts.reasons.__main__ import document

ROOT = Path(__file__).parents[3]
NAMED_IN_THE_CONTRACT = [
    "authorised_not_editable",
    "event_id_reused",
    "foreign_payments",
    "tax_rate_unmapped",
    "total_mismatch",
    "number_taken",
    "document_not_in_xero",
    "document_removed",
    "contact_shared",
    "contact_name_taken",
    "contact_archived",
    "contact_name_invalid",
    "total_negative",
    "paid_not_editable",
    "exceeds_amount_due",
    "amount_not_positive",
    "no_matching_payment",
    "refund_exceeds_paid",
    "payment_reconciled",
    "period_locked",
    "order_billed",
    "overtaken",
    "needs_review",
    "not_connected",
    "account_paused",
    "invoice_stays_paid",
]


@pytest.mark.parametrize("code", NAMED_IN_THE_CONTRACT)
def test_every_code_of_the_contract_is_there(code: str) -> None:
    assert code in CATALOGUE


@pytest.mark.parametrize("reason", CATALOGUE.values(), ids=CATALOGUE)
def test_every_reason_is_whole(reason: Reason) -> None:
    assert all((reason.sentence, reason.cause, reason.remedy, reason.retry))
    for template in (reason.sentence, reason.remedy):
        for _, name, spec, conversion in string.Formatter().parse(template):
            assert name is None or name.isidentifier(), "a field has a name"
            assert not spec
            assert not conversion
        assert template.endswith((".", "}")), "a sentence ends"


@pytest.mark.parametrize("code", CATALOGUE)
def test_missing_details_show_as_a_gap(code: str) -> None:
    sentence, remedy = render(code, {})
    assert sentence[0].isupper() or sentence[0] in "…'"
    assert "{account" not in sentence + remedy


def test_details_stand_in_the_sentence_and_are_not_templates_themselves() -> None:
    sentence, remedy = render(
        "total_mismatch",
        {"document": "invoice 1042", "total": "110.00", "xero_total": "{oops}", "tried": "{total}"},
    )
    assert sentence == "Invoice 1042 is 110.00 in SalesBinder, but its lines come to {oops}. Tried: {total}."
    assert remedy.startswith("Open the document")


def test_a_number_format_in_a_remedy_is_shown_as_one_types_it() -> None:
    _, remedy = render("number_taken", {"account": "acme", "setting": "invoice_number_format"})
    assert "'sbx settings set acme invoice_number_format=SB-{number}'" in remedy


def test_refused_carries_code_and_details_as_text() -> None:
    refused = Refused("exceeds_amount_due", document="invoice 7", amount=12, due="9.50")
    assert refused.code == "exceeds_amount_due"
    assert refused.details == {"document": "invoice 7", "amount": "12", "due": "9.50"}
    assert str(refused) == "The payment of 12 on invoice 7 is more than Xero still counts as due (9.50)."
    assert refused.reason is CATALOGUE["exceeds_amount_due"]


def test_the_type_checker_knows_the_codes_of_the_catalogue() -> None:
    assert sorted(get_args(ReasonCode)) == sorted(reason.code for reason in CATALOGUE.values())


def test_an_unknown_code_is_found_where_it_is_made() -> None:
    with pytest.raises(KeyError, match="no_such_code"):
        Refused("no_such_code")  # type: ignore[arg-type]
    with pytest.raises(KeyError, match="no_such_code"):
        warning("no_such_code")  # type: ignore[arg-type]


def test_a_warning_is_a_sentence_for_the_entry() -> None:
    made = warning("text_cut", field="description", length=4000)
    assert (made.code, made.text) == (
        "text_cut",
        "The description was too long for Xero and was cut to 4000 characters.",
    )


def test_the_page_is_current() -> None:
    assert (ROOT / "docs" / "reasons.md").read_text(encoding="utf-8") == document(), (
        "run: python -m contracts.reasons > docs/reasons.md"
    )


@pytest.mark.parametrize(
    "reason", [r for r in CATALOGUE.values() if r.kind == "warning"], ids=lambda r: r.code
)
def test_a_warning_needs_nothing_that_only_the_entry_knows(reason: Reason) -> None:
    assert not {"account", "document"} & {name for _, name, _, _ in string.Formatter().parse(reason.sentence)}


def test_a_blank_detail_shows_as_a_gap() -> None:
    assert render("number_taken", {"number": "1042", "contact": " "})[0] == (
        "Xero already has another document with the number 1042 (contact: …)."
    )


@pytest.mark.parametrize("reason", CATALOGUE.values(), ids=CATALOGUE)
def test_a_cause_is_made_of_what_the_reason_names_and_no_document_or_amount(reason: Reason) -> None:
    templates = (reason.sentence, reason.remedy)
    named = {name for template in templates for _, name, _, _ in string.Formatter().parse(template)}
    assert set(reason.cause_args) <= named
    assert not set(reason.cause_args) & {"document", "amount", "total", "event_id", "date", "account"}


def test_two_failures_have_one_cause_when_they_are_put_right_together() -> None:
    assert cause_of("tax_rate_unmapped", {"setting": "sales_tax.8", "document": "invoice 1"}) == "sales_tax.8"
    assert cause_of("tax_type_unfit", {"setting": "sales_tax.8", "tax_type": "INPUT", "code": "200"}) == (
        "sales_tax.8, INPUT, 200"
    )
    assert cause_of("total_mismatch", {"document": "invoice 1", "total": "5.00"}) == ""
    assert cause_of("event_field_missing", {"field": "data.document.document_items[3].id"}) == (
        "data.document.document_items[].id"
    )
    assert cause_of("contact_archived", {}) == ""


@pytest.mark.parametrize("begin", ["a", "'a ", "\"'", "'", "1.", "a'"])
def test_no_text_takes_longer_than_a_moment_to_get_its_shape(begin: str) -> None:
    """Xero quotes what it refuses, and that is a publisher's text."""
    began = time.process_time()
    assert len(text_shape(begin * 20_000)) <= 500
    assert time.process_time() - began < 2


def test_the_shape_of_a_text_is_without_numbers_and_names() -> None:
    said = "Invoice INV-77 of 12.50 for 'Bolt & Co' isn't valid."
    assert text_shape(said) == "Invoice # of # for '…' isn't valid."
    assert cause_of("xero_refused", {"message": said}) == text_shape(said)
    assert cause_of("xero_refused", {"message": said.replace("77", "8").replace("Bolt", "Nut")}) == (
        text_shape(said)
    )
