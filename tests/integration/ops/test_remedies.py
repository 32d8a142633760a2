"""What became a dead letter is mended as its entry says: corrected, and published again with its id."""

import json
from typing import Any

import pytest
from kafka import KafkaProducer

from contracts.commands import command_id
from contracts.events.reader import event_to_kafka
from tests.integration.ops.accounts import Account, Event, connected, services
from tests.integration.ops.sbx import Stack, wait_until
from tests.record_batches import Wire
from tests.reliability.fuzz_records import bomb

Message = tuple[bytes | None, bytes | None]
"""Key and value."""


@pytest.fixture
def account(stack: Stack, unique: str) -> Account:
    return connected(stack, unique)


def broken(code: str, event: Event) -> Message:
    """The event as a publisher with a fault would send it."""
    _, key, value, _ = event_to_kafka(event)
    said: dict[str, Any] = json.loads(value)
    document = said["data"]["document"]
    if code == "event_not_json":
        return key, value[:-2]
    if code == "event_empty":
        return key, None
    if code == "event_key_mismatch":
        return key + b"-of-another", value
    if code == "event_not_cloudevent":
        del said["specversion"]
    elif code == "event_unknown_type":
        said["type"] = "salesbinder.invoice.sent"
    elif code == "event_field_missing":
        del document["customer_id"]
    elif code == "event_field_wrong":
        document["currency"] = "EURO"
    elif code == "event_amount_invalid":
        document["document_items"][0]["price"] = "a lot"
    elif code == "event_time_invalid":
        said["time"] = said["time"].removesuffix("+00:00")
    elif code == "event_subject_mismatch":
        document["id"] = "another"
    elif code == "event_too_large":
        document["document_items"][0]["description"] = "x" * 1_100_000
    else:
        raise ValueError(code)
    return key, json.dumps(said).encode()


CODES = (
    "event_not_json",
    "event_empty",
    "event_key_mismatch",
    "event_not_cloudevent",
    "event_unknown_type",
    "event_field_missing",
    "event_field_wrong",
    "event_amount_invalid",
    "event_time_invalid",
    "event_subject_mismatch",
    "event_too_large",
)


def test_what_could_not_be_read_is_published_again(account: Account) -> None:
    make, customer = account.make, account.make.customer(f"Buyer of {account.name}")
    events = {code: make.created(make.document(customer, n)) for n, code in enumerate(CODES, 1)}
    topic, _, _, headers = event_to_kafka(events["event_empty"])
    producer = KafkaProducer(
        bootstrap_servers=services(account.stack)[0], max_request_size=4_000_000, compression_type="gzip"
    )
    for code, event in events.items():
        key, value = broken(code, event)
        producer.send(topic, key=key, value=value, headers=headers).get(120)
    producer.close()
    wait_until(lambda: len(account.logged()) == len(CODES))
    failed = {row["reason_code"]: row for row in account.logged()}
    assert set(failed) == set(CODES)
    assert {row["state"] for row in failed.values()} == {"failed"}
    again = {code for code, row in failed.items() if "publish the change again with the id" in row["remedy"]}
    assert again == set(CODES) - {"event_empty"}
    assert account.books["invoices"] == []

    account.run(*events.values())
    ended = {row["entry_id"]: row["outcome"] for row in account.logged()}
    assert {ended[command_id(event["source"], event["id"])] for event in events.values()} == {"posted"}
    assert len(account.books["invoices"]) == len(CODES)
    account.run(*events.values())
    assert len(account.books["invoices"]) == len(CODES)


def test_what_nobody_can_say_is_published_again(account: Account) -> None:
    """``record_unreadable``: what had come through before is not done twice."""
    sale = account.sale(1)
    account.run(*sale[:2])
    wire = Wire(services(account.stack)[0])
    assert wire.produce("salesbinder.invoices", 5, bomb(100))[0] == 0
    wire.close()
    wait_until(lambda: "record_unreadable" in account.sbx("log", "--state", "failed", "--json").out)
    account.run(*sale)
    assert [row["outcome"] for row in account.rows()] == ["posted"] * 3
    assert [invoice["status"] for invoice in account.books["invoices"]] == ["PAID"]
