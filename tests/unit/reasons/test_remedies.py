"""Would the remedy, followed by the letter, mend it? Each reason for which an entry fails, waits or cannot be
read has a scenario that brings it about, follows its remedy and sees the entry end well, or says why it has
none. A new code needs one of the two.
"""

import ast
from functools import cache
from pathlib import Path

import pytest

from contracts.reasons import CATALOGUE
from tests.integration.ops.test_remedies import CODES

TESTS = Path(__file__).parents[2]
SINKS = "integration/sinks"
KINDS = ("failed", "settings", "waiting", "event")
REASONS = {code for code, reason in CATALOGUE.items() if reason.kind in KINDS}
SCENARIOS = {
    "authorised_not_editable": "test_remedies::test_authorised_not_editable",
    "paid_not_editable": "test_remedies::test_paid_not_editable",
    "document_not_in_xero": "test_remedies::test_document_not_in_xero",
    "document_removed": "test_remedies::test_document_removed",
    "event_id_reused": "test_remedies::test_event_id_reused",
    "foreign_payments": "test_remedies::test_foreign_payments_and_exceeds_amount_due",
    "exceeds_amount_due": "test_remedies::test_foreign_payments_and_exceeds_amount_due",
    "amount_not_positive": "test_remedies::test_amount_not_positive",
    "number_taken": "test_remedies::test_number_taken",
    "order_billed": "test_remedies::test_order_billed",
    "tax_rate_unmapped": "test_remedies::test_settings",
    "payment_account_missing": "test_remedies::test_settings",
    "account_code_unknown": "test_remedies::test_settings",
    "tax_type_unknown": "test_remedies::test_settings",
    "tax_type_unfit": "test_remedies::test_settings",
    "payment_account_unknown": "test_remedies::test_payment_account_of_a_reference",
    "payment_account_not_payable": "test_remedies::test_payment_account_of_a_reference",
    "account_code_archived": "test_refusals::test_archived_account",
    "total_mismatch": "test_refusals::test_document_that_xero_cannot_hold",
    "total_negative": "test_refusals::test_document_that_xero_cannot_hold",
    "currency_not_enabled": "test_refusals::test_setting_that_xero_does_not_take",
    "item_tracked": "test_items::test_nothing_is_posted_on_a_tracked_item_until_another_code_is_set",
    "received_in_part": "test_receipts::test_received_in_part_is_no_receipt",
    "contact_archived": "test_contacts::test_archived_contact_fails_until_it_is_restored",
    "contact_gone": "test_contact_care::test_contact_that_is_gone_is_made_again_by_a_retry",
    "contact_name_unseen": "test_namesakes::test_name_that_xero_calls_taken_and_never_shows_names_no_contact",
    "contact_name_invalid": "test_contacts::test_name_that_xero_cannot_hold_fails_until_it_is_corrected",
    "no_matching_payment": "test_reversals::test_no_payment_of_ours_matches",
    "refund_exceeds_paid": "test_refunds::test_more_than_was_paid_goes_through_once_it_was",
    "period_locked": "test_removal::test_locked_period_stops_everything",
    "refund_changed": "test_corrections::test_a_changed_refund_that_took_a_payment_back_fails",
    "payment_refunded": "test_corrections::test_a_payment_that_a_refund_took_back_is_not_made_again",
    "newer_version_refused": "test_care::test_what_could_never_be_changed_is_not_sent",
    "xero_stumbles": "test_care::test_a_document_that_xero_alone_stumbles_over_fails_by_itself",
    "overtaken": "test_removal::test_cancel_retried_after_a_later_action_is_overtaken",
    "not_connected": "test_connection::test_not_connected_fails_and_retry_works_after_connecting",
    "contact_name_taken": "test_contacts::test_rename_to_a_taken_name_works_once_the_other_gives_way",
    "payment_reconciled": "test_removal::test_reconciled_payment_stops_everything",
    "item_code_invalid": "test_remedies::test_item_code_invalid",
    "xero_plan_limit": "test_remedies::test_xero_plan_limit",
    "needs_review": "test_decisions::test_the_command",
    "account_paused": "test_connection::test_paused_account_keeps_everything_queued",
    "connection_lost": "test_connection::test_lost_connection_keeps_everything_queued",
    "kafka_unavailable": "test_remedies::test_kafka_unavailable",
    "proxy_refuses": "test_remedies::test_proxy_refuses",
    "xero_minute_limit": "reliability/test_limits::test_limit_of_each_kind",
    "xero_day_limit": "reliability/test_limits::test_limit_of_each_kind",
    "xero_unavailable": "reliability/test_outages::test_xero_cannot_be_reached",
    "waiting_for_answer": "reliability/test_bills::test_answer_lost_for_good_is_looked_up",
    "secret_key_missing": "test_keys::test_a_worker_without_the_key_waits_until_it_has_it",
    "ledger_behind": "reliability/test_recovery::test_the_steps_of_the_chapter_as_they_stand_there",
    "command_lost": "integration/ops/test_replay::"
    "test_a_lost_command_is_told_and_the_named_replay_completes_it",
    "record_unreadable": "integration/ops/test_remedies::test_what_nobody_can_say_is_published_again",
    **dict.fromkeys(
        CODES,
        "integration/ops/test_remedies::test_what_could_not_be_read_is_published_again",
    ),
}
"""Where the remedy is followed: in ``tests/integration/sinks``, or where the path under ``tests`` says."""
WITHOUT = {
    "document_not_editable": "what Xero says of a state that the planner then reads: the entry fails by that",
    "document_not_authorised": "as above; the stand-in lets us approve whatever is to be approved",
    "amount_too_large": "its remedy is a smaller document, which is another one",
    "lines_missing": "Xero's own words, for a document that we never send: one without lines gets a line",
    "contact_number_taken": "somebody copied our id to another contact, which the stand-in looks up by it",
    "contact_email_invalid": "an address that Xero would refuse is left out beforehand",
    "payment_already_removed": "counts as taken off, so that no entry ends with it",
    "not_supported_yet": "every action of the contract is supported",
    "xero_refused": "whatever it is: the remedy is in Xero's words",
    "our_error": "an error of ours has no remedy but an update",
    "item_code_taken": "planned on by itself with the item that is there",
    "command_unreadable": "begins with an update of the program; the replay is that of command_lost",
}
"""Why there is no scenario."""


@cache
def read(module: str) -> tuple[str, frozenset[str]]:
    """A test module's text, and the names of its functions."""
    path = module if "/" in module else f"{SINKS}/{module}"
    text = (TESTS / f"{path}.py").read_text(encoding="utf-8")
    tree = ast.parse(text)
    return text, frozenset(
        node.name for node in tree.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )


def test_each_reason_has_a_scenario_or_says_why_not() -> None:
    assert set(SCENARIOS) | set(WITHOUT) == REASONS
    assert set(SCENARIOS) & set(WITHOUT) == set()
    assert len(WITHOUT) <= 12, "a reason without a scenario is one that nobody has seen mended"


@pytest.mark.parametrize(("code", "place"), SCENARIOS.items())
def test_the_scenario_is_there_and_brings_the_reason_about(code: str, place: str) -> None:
    module, _, name = place.partition("::")
    text, names = read(module)
    assert name in names
    assert code in text
