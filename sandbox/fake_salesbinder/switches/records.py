"""What rows and details hold."""

from dataclasses import dataclass
from typing import Literal

from .definition import switch


@dataclass(frozen=True)
class RecordSwitches:
    """Questions about fields, lines and the ways of writing them."""

    numbers: Literal["numbers", "strings", "mixed", "noisy"] = switch(
        "numbers",
        "Amounts and numbers are JSON numbers; all texts; texts in transactions and document numbers only; "
        "numbers with the noise of binary fractions.",
        "§3 Numbers, §12.7",
    )
    empty_object: Literal["null", "array", "absent"] = switch(
        "null",
        "An object without content (a line's `item`, a document's `user`) is null, PHP's `[]`, or not there.",
        "§1 (a CakePHP application), §2 Nothing found, issue: PHP's empties",
    )
    line_ids_on_edit: Literal["kept", "replaced"] = switch(
        "kept", "An edit keeps the ids of lines, or gives all of them new ones.", "§7 edited, §14 (10)"
    )
    removed_lines: Literal["gone", "in_rows", "everywhere"] = switch(
        "gone",
        "A line that was taken out is gone; stays in rows with `delete: 1`; stays in details, too.",
        "§3 (line `delete`: both imports skip such lines), §12.8",
    )
    row_lines: Literal["whole", "partial", "absent"] = switch(
        "whole",
        "Rows of documents hold all lines; the first only; none.",
        "§3 (two companies used them, CLI notes that rows may be incomplete), §12.8",
    )
    item_in_lines: Literal["whole", "name", "absent"] = switch(
        "whole",
        "Lines of a detail hold the whole `item`; its name; nothing. Rows hold its name at most.",
        "§3 (rows: `item{name}`), §14 (10)",
    )
    nested_customer: Literal["live", "as_saved"] = switch(
        "live",
        "A document's `customer` shows the account as it is, or as it was when the document was saved.",
        "§7 customer of a document edited (70 %), §12.13",
    )
    account_rows: Literal["whole", "partial"] = switch(
        "whole",
        "Rows of accounts have all fields of the detail, or leave the addresses out.",
        "§3 (85 %)",
    )
    account_context_id: Literal["shown", "absent"] = switch(
        "shown", "Accounts hold `context_id` or not.", "salesbinder.md §1.4 (the view sample omits it)"
    )
    phone_name: Literal["office_phone", "office_number"] = switch(
        "office_phone",
        "The phone's key.",
        "salesbinder.md §1.4 (field tables say office_number, all samples office_phone)",
    )
    converted_prospect: Literal["same_id", "new_id"] = switch(
        "same_id",
        "A prospect that becomes a customer keeps its id, or is a new account while the prospect stays.",
        "§7 prospect → customer (60 %)",
    )
    converted_estimate: Literal["new_id", "same_id"] = switch(
        "new_id",
        "An estimate that becomes an invoice makes a document of its own and closes, or changes its context.",
        "§7 estimate → invoice (85 %)",
    )
    archived_flag: Literal["shown", "absent"] = switch(
        "shown", "Records hold `archived` or not.", "§3 (observed, unofficial), §5 (v2: no field documented)"
    )
