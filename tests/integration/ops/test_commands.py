"""The commands against a whole pipeline with a fake Xero."""

import json
from pathlib import Path
from typing import Any

import pytest

from runtime.environment import Environment
from tests.integration.ops.sbx import Done, Stack, wait_until
from tests.integration.sinks.shops import Shop


def connect(stack: Stack, account: str, *more: str, secret: str = "") -> Done:
    """Connect with the fake's own app."""
    return stack.sbx(
        *(
            "connect",
            account,
            "--client-id",
            stack.xero.client_id,
            "--enabled-at",
            "2026-01-01T00:00:00Z",
            *more,
        ),
        SBX_XERO_CLIENT_SECRET=secret or stack.xero.client_secret,
    )


def events(shared_dir: Path, account: str) -> str:
    text = (shared_dir / "examples" / "events.jsonl").read_text(encoding="utf-8")
    return text.replace("/salesbinder/acme", f"/salesbinder/{account}")


def entries(stack: Stack, *filters: str) -> list[dict[str, Any]]:
    return [json.loads(line) for line in stack.sbx("log", "--json", *filters).out.splitlines()]


def account_of(stack: Stack, name: str) -> dict[str, Any]:
    status = stack.sbx("status", "--json").json
    found = [account for account in status["accounts"] if account["name"] == name]
    assert len(found) == 1, status
    account: dict[str, Any] = found[0]
    return account


def test_up_says_ready_when_all_stages_work(stack: Stack) -> None:
    assert stack.status["ready"] is True
    assert stack.status["database"]["url"].startswith("postgresql://sbx@127.0.0.1:")
    found = stack.sbx("status", "--json").json
    assert found["kafka"] == stack.status["kafka"]
    assert {name: stage["processes"] for name, stage in found["stages"].items()} == {
        "transform": 1,
        "deliver": 1,
        "project": 1,
    }


def test_a_second_up_is_refused(stack: Stack) -> None:
    done = stack.sbx("up")
    assert done.code == 1
    assert "in use by process" in done.err


def test_setting_up_again_changes_nothing(stack: Stack) -> None:
    assert stack.sbx("migrate", "--json").json == {"applied": []}
    topics = [json.loads(line) for line in stack.sbx("topics", "create", "--json").out.splitlines()]
    assert len(topics) == 8
    assert {(topic["status"], *topic["differences"]) for topic in topics} == {("already there",)}


def test_a_wrong_secret_is_told_and_nothing_is_stored(stack: Stack, unique: str) -> None:
    done = connect(stack, unique, secret="wrong-secret")
    assert done.code == 1
    assert "invalid_client" in done.err
    assert "wrong-secret" not in done.err
    assert stack.sbx("settings", "show", unique).code == 1


def test_a_tenant_that_is_not_connected_lists_those_that_are(stack: Stack, unique: str) -> None:
    done = connect(stack, unique, "--tenant", "00000000-0000-0000-0000-000000000000")
    assert done.code == 1
    assert stack.xero.tenant_id in done.err


def test_connect_reads_the_organisation_and_tells_what_is_left_to_set(stack: Stack, unique: str) -> None:
    done = connect(stack, unique, "--json")
    assert done.code == 0, done.err
    assert done.json["tenant_name"] == "Demo Company"
    assert done.json["base_currency"] == "USD"
    assert "payment_account" in [finding["key"] for finding in done.json["findings"]]
    assert stack.sbx("settings", "check", unique).code == 1


def test_settings_must_exist_in_the_organisation(stack: Stack, unique: str) -> None:
    connect(stack, unique)
    done = stack.sbx("settings", "set", unique, "due_days=14", "payment_account=777", "sales_tax.8=NOPE")
    assert done.code == 1
    assert "payment_account=777 is not in Xero's chart of accounts" in done.err
    assert "sales_tax.8=NOPE is not a TaxType" in done.err
    shown = stack.sbx("settings", "show", unique, "--json").json
    assert shown["written"] == []
    done = stack.sbx("settings", "set", unique, "due_days=14", "payment_account=090", "sales_tax.8=OUTPUT")
    assert done.code == 0, done.err
    shown = stack.sbx("settings", "show", unique, "--json").json
    assert shown["settings"]["due_days"] == "14"
    assert sorted(shown["written"]) == ["due_days", "payment_account", "sales_tax.8"]
    assert stack.sbx("settings", "set", unique, "due_days=").out == "due_days: 14 -> default\n"


def test_the_history_names_who_changed_what_and_when(stack: Stack, unique: str) -> None:
    connect(stack, unique)
    for change in ("due_days=7", "due_days=14", "due_days="):
        assert stack.sbx("settings", "set", unique, change, USER="ann").code == 0
    shown = stack.sbx("settings", "history", unique, "due_days", "--json").json["history"]
    assert [(one["old"], one["new"]) for one in shown] == [(None, "7"), ("7", "14"), ("14", None)]
    assert all(one["actor"] and one["at"].endswith("Z") for one in shown)
    whole = stack.sbx("settings", "history", unique)
    assert "tenant_id" in whole.out
    assert "due_days" in whole.out
    assert stack.sbx("settings", "history", unique, "due_dais").code == 2
    assert "never changed" in stack.sbx("settings", "history", unique, "currency").err


def test_an_account_added_in_xero_meanwhile_is_found(stack: Stack, unique: str) -> None:
    connect(stack, unique)
    code = unique[:6]
    account = {"Code": code, "Name": f"Till {code}", "Type": "BANK", "BankAccountNumber": code}
    stack.xero.admin.seed(stack.xero.tenant_id, accounts=[account])
    done = stack.sbx("settings", "set", unique, f"payment_account={code}")
    assert done.code == 0, done.err


@pytest.fixture
def connected(stack: Stack, unique: str) -> str:
    """An account that is connected and set up."""
    assert connect(stack, unique).code == 0
    taxes = ["sales_tax.8=OUTPUT", "sales_tax.8+5=TAX001", "sales_tax.5=TAX003", "purchase_tax.8=INPUT"]
    assert stack.sbx("settings", "set", unique, "payment_account=090", *taxes).code == 0
    return unique


def test_published_events_end_in_the_log(stack: Stack, connected: str, shared_dir: Path) -> None:
    text = events(shared_dir, connected)
    done = stack.sbx("publish", "-", "--json", stdin=text)
    assert done.code == 0, done.err
    assert done.json["published"] == 23
    assert {topic: value["events"] for topic, value in done.json["topics"].items()} == {
        "salesbinder.customers": 3,
        "salesbinder.suppliers": 3,
        "salesbinder.invoices": 12,
        "salesbinder.purchase-orders": 5,
    }
    waited = stack.sbx("wait", "--idle", "--timeout", "240")
    assert waited.code == 0, waited.err
    found = entries(stack, "--account", connected)
    assert len(found) == 23
    assert {entry["state"] for entry in found} <= {"completed", "failed"}
    assert [entry["queued_at"] for entry in found] == sorted(entry["queued_at"] for entry in found)
    assert len(entries(stack, "--account", connected, "--limit", "5")) == 5
    (paid,) = (e for e in found if e["action"] == "payment_applied" and e["amount"] == "176.48")
    assert paid["state"] == "completed"
    assert entries(stack, "--id", paid["entry_id"]) == [paid]
    number = entries(stack, "--account", connected, "--number", "5001", "--entity", "invoice")
    assert {entry["record_id"] for entry in number} == {paid["record_id"]}
    shown = stack.sbx("log", "--account", connected, "--limit", "3")
    assert "the newest 3" in shown.err
    assert len(shown.out.splitlines()) >= 4
    unknown = stack.sbx("log", "--account", "nobody")
    assert "no account nobody" in unknown.err and connected in unknown.err


def test_explain_tells_where_a_document_stands_and_what_to_do(
    stack: Stack, connected: str, shared_dir: Path
) -> None:
    numbers = f"invoice_number_format={connected}-{{number}}"  # all share one organisation
    assert stack.sbx("settings", "set", connected, "payment_account=", numbers).code == 0
    assert stack.sbx("publish", "-", stdin=events(shared_dir, connected)).code == 0
    assert stack.sbx("wait", "--idle", "--timeout", "240").code == 0
    told = stack.sbx("explain", "5001", "--account", connected, "--json").json
    assert told["entity"] == "invoice"
    assert "failed" in told["standing"]
    assert [row["kind"] for row in told["in_xero"]] == ["invoice"]
    (xero_id,) = (row["xero_id"] for row in told["in_xero"])
    assert stack.sbx("explain", xero_id, "--json").json["record_id"] == told["record_id"]
    assert {e["reason_code"] for e in told["entries"] if e["entry_id"] in told["failed"]} >= {
        "payment_account_missing"
    }
    shown = stack.sbx("explain", "5001", "--account", connected)
    assert f"sbx settings set {connected} payment_account=" in shown.out
    assert f"sbx retry --id {told['failed'][0]} --yes" in shown.out
    unknown = stack.sbx("explain", "no such thing")
    assert (unknown.code, "nothing is known about no such thing" in unknown.err) == (1, True)


def test_explain_asks_which_where_several_records_have_the_number(stack: Stack, unique: str) -> None:
    """One number in two accounts; neither is connected."""
    made = {
        "specversion": "1.0",
        "type": "salesbinder.customer.created",
        "subject": f"id-{unique}",
        "time": "2026-03-02T09:00:00Z",
        "data": {"customer": {"id": f"id-{unique}", "name": f"Twins {unique}"}},
    }
    for account in ("a", "b"):
        event = {**made, "id": unique, "source": f"/salesbinder/{account}-{unique}"}
        assert stack.sbx("publish", "-", stdin=json.dumps(event)).code == 0
    assert stack.sbx("wait", "--idle", "--timeout", "240").code == 0
    done = stack.sbx("explain", f"twins {unique}")
    assert (done.code, "--account" in done.err) == (2, True)
    assert stack.sbx("explain", f"twins {unique}", "--account", f"a-{unique}").out.startswith(
        "Customer Twins"
    )


def test_an_unpaired_tax_rate_is_shown_mended_and_tried_again(
    stack: Stack, connected: str, shared_dir: Path
) -> None:
    numbers = f"invoice_number_format={connected}-{{number}}"  # all share one organisation
    assert stack.sbx("settings", "set", connected, "sales_tax.8=", numbers).code == 0
    created = [line for line in events(shared_dir, connected).splitlines() if "invoice.created" in line]
    assert stack.sbx("publish", "-", stdin="\n".join(created)).code == 0
    assert stack.sbx("wait", "--idle", "--timeout", "240").code == 0
    checked = stack.sbx("settings", "check", connected, "--json").json
    (failure,) = [one for one in checked["failures"] if one["cause"] == "sales_tax.8"]
    assert failure["reason_code"] == "tax_rate_unmapped"
    issue = str(failure["issue_id"])
    listed = entries(stack, "--issue", issue)
    assert len(listed) == failure["entries"] > 0
    assert stack.sbx("settings", "set", connected, "sales_tax.8=OUTPUT").code == 0
    done = stack.sbx("retry", "--issue", issue, "--offset", "0-", "--yes", "--json").json
    assert sorted(done["done"]) == sorted(entry["entry_id"] for entry in listed)
    assert stack.sbx("wait", "--idle", "--timeout", "240").code == 0
    assert entries(stack, "--issue", issue) == []
    assert stack.sbx("status", "--json").json["unknown_refusals"] == []


def test_wait_counts_what_a_paused_account_holds(stack: Stack, connected: str, shared_dir: Path) -> None:
    assert stack.sbx("pause", connected, "--reason", "stocktaking").code == 0
    assert account_of(stack, connected)["paused"] is True
    first = events(shared_dir, connected).splitlines()[0]
    assert stack.sbx("publish", "-", stdin=first).code == 0
    wait_until(lambda: account_of(stack, connected)["queued"] == 1 and entries(stack, "--account", connected))
    # Before that it waits for deliver, which notes a little later what it has taken in.
    wait_until(lambda: f"1 action of {connected}" in stack.sbx("wait", "--idle", "--timeout", "3").err)
    assert stack.sbx("wait", "--idle", "--timeout", "3").code == 1
    waiting = account_of(stack, connected)
    assert (waiting["queued"], waiting["failed"]) == (1, 0)
    assert waiting["oldest_age"] > 0
    assert stack.sbx("resume", connected).out == f"{connected} is not paused\n"
    assert stack.sbx("wait", "--idle", "--timeout", "240").code == 0
    (entry,) = entries(stack, "--account", connected)
    assert entry["state"] == "completed"
    assert account_of(stack, connected)["calls_left"]["day"] < 5000


def test_output_that_nobody_reads_to_its_end_is_no_trouble(stack: Stack) -> None:
    listing = stack.sbx.start("log", "--json")
    assert listing.stdout is not None
    listing.stdout.close()
    _, err = listing.communicate(timeout=240)
    assert "Traceback" not in err
    assert "Exception" not in err


def test_drift_shows_what_was_changed_in_xero_until_it_is_adopted(
    stack: Stack, connected: str, shared_dir: Path
) -> None:
    numbers = f"invoice_number_format={connected}-{{number}}"  # all share one organisation
    assert stack.sbx("settings", "set", connected, numbers).code == 0
    assert stack.sbx("publish", "-", stdin=events(shared_dir, connected)).code == 0
    assert stack.sbx("wait", "--idle", "--timeout", "240").code == 0
    first = stack.sbx("drift", connected, "--json", "--check")
    assert (first.code, first.json["differences"]) == (0, []), first.err
    assert "at least 5 calls" in first.err
    (invoice,) = (
        i
        for i in stack.xero.admin.state(stack.xero.tenant_id)["invoices"]
        if i["number"] == f"{connected}-5001"
    )
    body = {"Invoices": [{"InvoiceID": invoice["id"], "Reference": "By hand"}]}
    Shop(connected, Environment.read({}), stack.xero).by_hand("POST", "Invoices", body)
    found = stack.sbx("drift", connected, "--json", "--check")
    assert found.code == 1, found.err
    (row,) = found.json["differences"]
    assert (row["kind"], row["field"], row["xeros"]) == ("invoice", "reference", "By hand")
    assert (row["proposal"], row["note"]) == ("resend", "fails while edit_authorised is refuse")
    assert (row["changed_by"], row["changed_by_at"][:4]) == ("Pat Bookkeeper", row["changed_at"][:4])
    assert "one more per record that differs (50 at most)" in " ".join(found.err.split())
    assert account_of(stack, connected)["drift"]["differences"] == 1
    shown = stack.sbx("drift", connected, "--last", "--adopt")
    assert "By hand" in shown.out
    assert "by Pat Bookkeeper on" in " ".join(shown.out.split())
    assert "add --yes" in shown.err
    done = stack.sbx("drift", connected, "--last", "--adopt", "--yes", "--json")
    assert done.json["adopted"] == 1, done.err
    assert stack.sbx("drift", connected, "--check").code == 0
    assert account_of(stack, connected)["drift"]["differences"] == 0
