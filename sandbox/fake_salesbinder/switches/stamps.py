"""What moves `modified`, and how far stamps can be relied on."""

from dataclasses import dataclass
from typing import Literal

from .definition import switch


@dataclass(frozen=True)
class StampSwitches:
    """Questions about `modified`, and about what is asked by it."""

    payment_moves_modified: Literal["yes", "no"] = switch(
        "yes", "A payment moves the invoice's `modified`.", "§0 (50 : 50), §7 payment, §14 (1)"
    )
    refund_moves_modified: Literal["yes", "no"] = switch(
        "yes", "A refund moves the invoice's `modified`.", "§0 (50 : 50), §14 (1)"
    )
    reset_moves_modified: Literal["yes", "no"] = switch(
        "yes", "A reset moves the invoice's `modified`.", "§0 (50 : 50), §7 reset, §14 (1)"
    )
    cancel_moves_modified: Literal["yes", "no"] = switch(
        "yes", "Cancelling moves the document's `modified`.", "§7 cancelled (75 %), §14 (1)"
    )
    send_moves_modified: Literal["yes", "no"] = switch(
        "yes", "Sending an invoice or order moves its `modified`.", "§7 order sent (80 %), §14 (1)"
    )
    archive_moves_modified: Literal["yes", "no"] = switch(
        "yes", "Archiving moves the record's `modified`.", "§0 (50 : 50), §14 (1)"
    )
    unarchive_moves_modified: Literal["yes", "no"] = switch(
        "yes", "Bringing a record back from the archive moves its `modified`.", "§14 (1)"
    )
    partial_receipt_moves_modified: Literal["yes", "no"] = switch(
        "yes", "Receiving an order in part moves its `modified`.", "§7 received in part, §14 (1)"
    )
    receipt_moves_modified: Literal["yes", "no"] = switch(
        "yes", "Receiving an order in full moves its `modified`.", "§7 received in full, §14 (1)"
    )
    conversion_moves_modified: Literal["yes", "no"] = switch(
        "yes", "A prospect that becomes a customer gets a new `modified`.", "§7 prospect → customer (60 %)"
    )
    invoice_touches_customer: Literal["no", "modified", "last_invoiced", "both"] = switch(
        "no",
        "Saving an invoice moves the customer's `modified`, sets its `last_invoiced`, both, or neither.",
        "§7 invoice saved → customer (40 %), §14 (1)",
    )
    customer_edit_moves_documents: Literal["no", "yes"] = switch(
        "no",
        "Editing a customer moves `modified` of its documents.",
        "§7 customer of a document edited (stays 70 %)",
    )
    several_servers: Literal["no", "yes"] = switch(
        "no",
        "Stamps come from servers whose clocks lie up to 3 seconds behind: a later write may have the "
        "earlier stamp.",
        "§2 modifiedSince (writes on several servers: not known, assume so)",
    )
    modified_since: Literal["inclusive", "exclusive"] = switch(
        "inclusive", "A record modified in the very second asked for is in, or out.", "§2, §14 (5)"
    )
    deleted_since: Literal["inclusive", "exclusive"] = switch(
        "inclusive", "The same of the deleted log.", "§2 modifiedSince, deletedSince"
    )
    since_reading: Literal["exact", "hour_early", "hour_late"] = switch(
        "exact",
        "The server reads `modifiedSince` exactly; as an hour earlier, so that too much comes; as an hour "
        "later, so that changes are lost.",
        "§2 (nobody has shown the server's reading to be exact; all three pollers ask far back)",
    )


@dataclass(frozen=True)
class LagSwitches:
    """Questions about how soon a write is seen."""

    list_lag: Literal["none", "seconds"] = switch(
        "none", "Lists show records as they were 5 seconds ago.", "§3 Settling (assume lists may lag)"
    )
    detail_lag: Literal["none", "seconds"] = switch(
        "none",
        "Details show records as they were 5 seconds ago.",
        "§3 Settling (reads right after a write may be old), §12.9",
    )
    log_lag: Literal["none", "minute"] = switch(
        "none", "A deletion enters the log at once, or after 60 seconds.", "§4 (lag not known), §14 (4)"
    )
