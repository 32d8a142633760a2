"""An entry whose call was lost, with two payments in Xero that it may be."""

import json
from typing import Any

from tests.web.office import Office

FIRST = "0a000000-0000-4000-8000-000000000001"
SECOND = "0b000000-0000-4000-8000-000000000002"


def option(xero_id: str, reference: str, record_id: str) -> dict[str, Any]:
    """A candidate as ``sinks.planner.review`` keeps it."""
    return {
        "xero_id": xero_id, "kind": "payment", "number": "1042", "amount": "20.00", "date": "2026-03-02",
        "status": "AUTHORISED", "reference": reference, "target": ["payment", record_id, "t-1"], "seq": 1,
        "url": f"https://go.xero.com/app/payments/{xero_id}", "removed": False, "facts": {"amount": "20.00"},
    }  # fmt: skip


def undecided(office: Office, account: str = "acme") -> str:
    """Put such an entry into ledger and log; its id."""
    [entry_id] = office.failed_invoices(1, account, code="needs_review")
    [row] = office.rows("SELECT record_id FROM ledger.commands WHERE command_id = %s", entry_id)
    options = [
        option(FIRST, "Cash #1a2b3c4d", row["record_id"]),
        option(SECOND, "cash, by hand", row["record_id"]),
    ]
    found = "; ".join(f"payment on 1042 of 20.00, id {one['xero_id']}" for one in options)
    arguments = {
        "step": "payment", "candidates": found, "target": f"payment {row['record_id']} t-1",
        "options": json.dumps(options),
    }  # fmt: skip
    office.rows(
        "UPDATE ledger.commands SET reason_args = %s::jsonb WHERE command_id = %s RETURNING 1",
        json.dumps(arguments),
        entry_id,
    )
    office.change([entry_id], "version = version + 1")
    return entry_id
