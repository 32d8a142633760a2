"""How lists and the deleted log answer."""

from dataclasses import dataclass
from typing import Literal

from .definition import switch


@dataclass(frozen=True)
class ListSwitches:
    """Questions about envelopes, pages and orders."""

    rows_shape: Literal["nested", "flat", "each_nested"] = switch(
        "nested", "`[[row, row]]`, `[row, row]` or `[[row], [row]]`.", "§2 Envelope, §12.7"
    )
    compact_key: Literal["plural", "singular"] = switch(
        "plural",
        "`compact=true` puts the flat array under `documents` or under `document`.",
        "§2 Envelope (one site found the singular key)",
    )
    empty_rows: Literal["empty", "nested_empty"] = switch(
        "empty", "Nothing found: `[]` or `[[]]`.", "§2 Envelope (CLI accepts all)"
    )
    empty_pages: Literal["0", "1"] = switch("0", "`pages` of nothing.", "§2 Envelope")
    envelope_numbers: Literal["strings", "numbers"] = switch(
        "strings", "`count`, `page` and `pages` are texts or numbers.", "§2 Envelope, §12.7"
    )
    above_page_limit: Literal["cap", "error", "default"] = switch(
        "cap",
        "`pageLimit` above 200 counts as 200; is refused with 400; counts as 20.",
        "§2 (above the limit: not known), §14 (7)",
    )
    after_last_page: Literal["404", "empty"] = switch(
        "404",
        "A page after the last one is 404, or an envelope without rows.",
        "§2 Nothing found (404 in two programs), §14 (7)",
    )
    without_context: Literal["customers", "everything", "error"] = switch(
        "customers",
        "A list asked for without `contextId` holds customers (invoices); all contexts; is refused with 400.",
        "§2 (what is mixed in then: not known), §14 (7)",
    )
    account_order: Literal["newest", "name", "oldest"] = switch(
        "newest", "Accounts by number downwards; by name; by number upwards.", "§2 Order, §14 (7)"
    )
    document_order: Literal["number", "modified"] = switch(
        "number",
        "Documents by number or by `modified`, downwards.",
        "§2 Order (newest number first in two scripts, not documented)",
    )
    archived_in_lists: Literal["hidden", "shown"] = switch(
        "hidden", "Archived records are not in lists, or are.", "§5 (v3 85 %, v2 60 %), §14 (6)"
    )
    archived_detail: Literal["404", "shown"] = switch(
        "404", "The detail of an archived record.", "§5, §7 archived, §14 (6)"
    )


@dataclass(frozen=True)
class LogSwitches:
    """Questions about the deleted log."""

    log_context_ids: Literal["as_elsewhere", "swapped"] = switch(
        "as_elsewhere",
        "The log's `context_id` of estimates is 4 and of invoices 5, or the other way round.",
        "§4 Context ids, §12.10, §14 (4)",
    )
    log_context_filter: Literal["as_rows", "as_elsewhere"] = switch(
        "as_rows",
        "The log's parameter `contextId` means what its rows say (75 %), or what all other lists mean.",
        "§4 Context ids",
    )
    log_key: Literal["deletedlog", "deleted_log"] = switch(
        "deletedlog", "The key of the log's rows.", "§2 Envelope (CLI expects both)"
    )
    log_order: Literal["newest", "oldest"] = switch(
        "newest", "The log's rows by time, downwards or upwards.", "§4 (newest first in the sample)"
    )
    log_kept: Literal["forever", "month"] = switch(
        "forever", "Rows of the log are kept, or dropped after 30 days.", "§4 How long rows are kept"
    )
    archived_in_log: Literal["no", "yes"] = switch(
        "no",
        "Archiving leaves no row in the log, or leaves one although the detail is still shown.",
        "§0 archived (85 % for v3, 60 % for v2), §14 (6)",
    )
