"""An account whose books in Xero were changed by hand, as the last comparison found them."""

import uuid
from collections.abc import Iterator
from contextlib import contextmanager

import psycopg

from tests.web.office import Office


@contextmanager
def delivering(office: Office) -> Iterator[None]:
    """What the page takes for a deliver process at work: its session."""
    with psycopg.connect(office.database_url, application_name="sbx-deliver-holder"):
        yield


def drifted(office: Office, account: str = "acme") -> list[str]:
    """Three differences: a total, a status, and one that is only worth knowing; the ids of the records."""
    ids = office.failed_invoices(2, account)
    office.change(ids, "state = 'completed', outcome = 'posted', reason_code = NULL, version = version + 1")
    found = office.rows("SELECT record_id FROM ledger.commands WHERE account = %s ORDER BY seq", account)
    records = [*(row["record_id"] for row in found), str(uuid.uuid4())]
    for record, kind, number, field, ours, xeros, information in (
        (records[0], "invoice", "7000", "total", "108.00", "98.00", False),
        (records[1], "invoice", "7001", "status", "AUTHORISED", "VOIDED", False),
        (records[2], "purchase_order", "PO-118", "reference", "", "Fax", True),
    ):
        xero_id = str(uuid.uuid5(uuid.NAMESPACE_URL, number))
        office.rows(
            "INSERT INTO ledger.links (account, kind, record_id, xero_id, xero_number, seq) "
            "VALUES (%s, %s, %s, %s, %s, 1) RETURNING 1",
            account, kind, record, xero_id, number,
        )  # fmt: skip
        office.rows(
            "INSERT INTO ledger.drift (account, kind, record_id, field, xero_id, xero_status, ours, xeros, "
            "information, changed_at) "
            "VALUES (%s, %s, %s, %s, %s, %s, %s, %s, %s, now() - interval '3 hours') RETURNING 1",
            account, kind, record, field, xero_id, "VOIDED" if field == "status" else "DRAFT", ours, xeros,
            information,
        )  # fmt: skip
    compared(office, account)
    return records


def compared(office: Office, account: str = "acme") -> None:
    """A comparison that has come to its end."""
    run_id = uuid.uuid4()
    office.rows(
        "INSERT INTO ledger.requests (request_id, account, kind, answered_at) "
        "VALUES (%s, %s, 'drift', now()) RETURNING 1",
        run_id,
        account,
    )
    office.rows(
        "INSERT INTO ledger.drift_runs (run_id, account, actor, covers, asked_at, started_at, finished_at, "
        "calls, calls_expected, read, compared, next_since) "
        "VALUES (%s, %s, 'drift_every', true, now(), now(), now(), 6, 6, 412, 398, now()) RETURNING 1",
        run_id,
        account,
    )
