"""What payments, refunds, resets and receipts look like."""

from dataclasses import dataclass
from typing import Literal

from .definition import switch


@dataclass(frozen=True)
class MoneySwitches:
    """Questions about `transactions`, `total_transactions` and the amounts of orders."""

    refund: Literal["negative_row", "row_vanishes", "row_shrinks", "marked_row"] = switch(
        "negative_row",
        "A returned payment is a new row below zero; or its row is gone; or its row's amount is what is left "
        "(a row with nothing left is gone); or it is a new row above zero with a mark.",
        "§0 refunds (70 %), §7 refund (negative 70 %, vanishes 20 %, other 10 %), §14 (2)",
    )
    refund_mark: Literal["type", "flag", "reference"] = switch(
        "type",
        "The mark of a `marked_row`: `transaction_type: refund`; `is_refund: true`; or a reference that "
        "begins with `Refund`.",
        "§7 refund (a marked positive row), §12.16",
    )
    marked_row_in_total: Literal["subtracted", "added"] = switch(
        "subtracted",
        "A `marked_row` lowers `total_transactions`, or is summed up like a payment.",
        "§3 total_transactions, §11 payment_applied (row marked otherwise)",
    )
    reset: Literal["rows_vanish", "negative_row_each", "one_negative_row"] = switch(
        "rows_vanish",
        "A reset takes all rows away; or adds a row below zero for each payment that stands; or one for all.",
        "§7 reset (rows vanish 50 %, negative rows 50 %), §11 reset (row or rows), §14 (2)",
    )
    total_without_rows: Literal["never", "converted", "old"] = switch(
        "never",
        "`total_transactions` above zero without any row: never; on invoices that were estimates, whose "
        "deposit came along; on invoices that were brought in with `bring_old_invoice`.",
        "§3 total_transactions, §12.17",
    )
    transaction_fields: Literal["whole", "bare"] = switch(
        "whole",
        "Rows hold `account_id`, `created` and `modified` besides id, document, amount, day and reference, "
        "or none of these three.",
        "§3 Payments by API (the POST's answer has them; details: not shown)",
    )
    receipt: Literal["status_and_lines", "status_only", "lines_only"] = switch(
        "status_and_lines",
        "An order received in full: status and full lines; status alone, the lines' quantities 0 again; full "
        "lines alone.",
        "§7 received in full (lines 60 %, status 80 %), §14 (1)",
    )
    received_status_name: Literal["received", "received_in_full"] = switch(
        "received",
        "The status is called `received` or `received in full`.",
        "§6 orders (guessed names)",
    )
    order_amount: Literal["cost", "price", "both"] = switch(
        "cost",
        "An order's amounts stand in `cost` and `total_cost`; in `price` and `total_price`; in both.",
        "salesbinder.md §3 PO create/edit (which of price and cost: not known)",
    )


@dataclass(frozen=True)
class StatusSwitches:
    """Questions about statuses: ids, names, spelling."""

    status_ids: Literal["low", "high"] = switch(
        "low",
        "Ids of all statuses but 9 unpaid and 15 cancelled: 10 and more, or 30 and more.",
        "§6 (only 9 and 15 are proven), §12.23, §14 (3)",
    )
    status_case: Literal["lower", "title"] = switch(
        "lower", "`partially paid` or `Partially Paid`.", "§6 (lower case in v2; match without case)"
    )
    cancelled_spelling: Literal["cancelled", "canceled"] = switch(
        "cancelled", "One or two l.", "§6 (tolerate one or two l)"
    )
    unproven_statuses: Literal["never", "shown"] = switch(
        "never",
        "Names that nobody has proven (`sent`, `overdue` for unpaid invoices, `pending` for orders) never or "
        "at times.",
        "§6 (Import B's list; treat unknown names as no change of state), §11 status",
    )
