"""`sbx replay` against a whole pipeline: real topics, a real ledger, a fake Xero."""

import asyncio
import json
import shlex
import uuid
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import msgspec
import psycopg
import pytest
from kafka import KafkaProducer, TopicPartition
from kafka.admin import KafkaAdminClient

from contracts.events.reader import event_to_kafka
from contracts.results import EntryResult, decode_result, encode_result
from log_projection import queries
from log_projection.queries import Filters
from runtime.environment import Environment
from sbx.actions.refused import ActionRefused
from sbx.actions.replay import run, topics
from sbx.actions.replay.topics import Range, Reader
from sinks.replay import replay
from streams.dead_letters import DeadLetterReason, Letter, failed_entry, place_id_of
from streams.records import Record
from streams.topic_ids import topic_ids
from streams.topics import RESULTS
from tests.integration.ops.accounts import Account, connected, here, services
from tests.integration.ops.sbx import Sbx, Stack, wait_until
from tests.integration.sinks.shops import Shop

MAIL = "office@example.com"
SKIPPED = "skipped_by_operator"


@pytest.fixture
def account(stack: Stack, unique: str) -> Account:
    return connected(stack, unique)


def test_replaying_what_is_done_makes_no_call_and_changes_nothing(account: Account) -> None:
    account.run(*account.sale(1))
    before, logged, calls = account.rows(), account.logged(), account.calls()
    assert [row["state"] for row in before] == ["completed"] * 3
    plan = account.replay()
    assert (plan["applied"], plan["events"], plan["done"], plan["calls"]) == (False, 3, 3, 0)
    assert (plan["minutes"], plan["accounts"]) == (0, [])
    done = account.replay("--yes")
    assert (done["state"], done["done"], done["inserted"], done["retried"]) == ("completed", 3, 0, 0)
    account.idle()
    assert account.rows() == before
    assert account.logged() == logged
    assert account.calls() == calls


def test_done_is_also_what_was_published_twice_or_taken_in_by_an_older_version(account: Account) -> None:
    """What the place of a message does not tell, its content does."""
    events = account.sale(2)
    account.run(*events)
    account.run(events[1])
    assert {row["place"] is None for row in account.rows()} == {False}
    assert account.replay()["done"] == 4
    with account.database() as connection:
        connection.execute("UPDATE ledger.commands SET place = NULL WHERE account = %s", [account.name])
    assert account.replay()["done"] == 4
    reused = {**events[0], "time": "2026-03-02T00:00:00Z"}
    account.run(reused)
    plan = account.replay()
    assert (plan["events"], plan["done"], plan["event_id_reused"]) == (5, 4, 1)


def test_what_the_ledger_lost_is_taken_in_and_posted_once_in_order(account: Account) -> None:
    account.sbx("pause", account.name)
    events = account.sale(7)
    account.publish(*events)
    account.taken_in(*events)
    account.lose(*events)
    plan = account.replay()
    assert (plan["unknown"], plan["done"], plan["failed"]) == (3, 0, 0)
    [told] = plan["accounts"]
    assert (told["actions"], told["paused"], told["connected"]) == (3, True, True)
    assert (plan["calls"], plan["minutes"]) == (4, 1)
    assert account.rows() == []
    assert account.replay("--yes")["inserted"] == 3
    assert {(row["triggered_by"], row["state"]) for row in account.rows()} == {("replay", "queued")}
    assert account.replay()["under_way"] == 3
    account.sbx("resume", account.name)
    account.idle()
    [invoice] = account.books["invoices"]
    assert invoice["status"] == "PAID"
    assert len(account.books["payments"]) == 1
    invoice_id = events[1]["subject"]
    order = [row["action"] for row in account.rows() if row["record_id"] == invoice_id]
    assert order == ["created", "payment_applied"]
    assert {(e["state"], e["triggered_by"], e["actor"]) for e in account.logged()} == {
        ("completed", "event", "")
    }
    assert account.replayed() == [("cli:", 3)]


def test_a_payment_lost_after_it_was_made_is_not_made_again(account: Account) -> None:
    events = account.sale(8)
    account.run(*events)
    account.lose(events[2])
    [before] = [e for e in account.logged() if e["action"] == "payment_applied"]
    assert account.replay("--yes")["inserted"] == 1
    account.idle()
    assert len(account.books["payments"]) == 1
    [after] = [e for e in account.logged() if e["action"] == "payment_applied"]
    assert (after["state"], after["triggered_by"]) == ("completed", "event")
    assert account.replayed() == [("cli:", 1)]
    assert after["version"] > before["version"]


def test_what_failed_is_tried_again_with_the_settings_of_today(account: Account) -> None:
    account.sbx("settings", "set", account.name, "payment_account=")
    account.run(*account.sale(9))
    assert [row["reason_code"] for row in account.rows()] == [None, None, "payment_account_missing"]
    account.sbx("settings", "set", account.name, "payment_account=090")
    retrial = account.sbx("retry", "--account", account.name, "--json").json
    assert (retrial["possible"], retrial["calls"], retrial["minutes"]) == (1, 1, 1)
    assert "1 action, about 1 call to Xero, 1 minute" in account.sbx("retry", "--account", account.name).out
    [failure] = [entry for entry in account.logged() if entry["state"] == "failed"]
    for selection in (
        ("--state", "failed"),
        ("--reason", "payment_account_missing"),
        ("--issue", failure["issue_id"]),
        ("--id", failure["entry_id"]),
        ("--text", failure["entry_id"][:13]),
    ):
        plan = account.replay(*selection)
        assert (plan["events"], plan["failed"]) == (1, 1), selection
    assert account.replay("--state", "queued")["events"] == 0
    plan = account.replay("--entity", "invoice")
    assert (plan["events"], plan["done"], plan["failed"], plan["calls"]) == (2, 1, 1, 1)
    done = account.replay("--number", "9", "--action", "payment_applied", "--yes")
    assert (done["events"], done["retried"], done["inserted"]) == (1, 1, 0)
    account.idle()
    assert (
        "matching entries in other states are left as they are: 3 completed"
        in account.sbx("retry", "--account", account.name).err
    )
    last = account.rows()[-1]
    assert (last["state"], last["triggered_by"], last["revision"]) == ("completed", "replay", 1)
    shown = account.sbx("replay", "--list").out
    assert "number=9" in shown


def test_a_reset_that_would_undo_later_payments_is_shown_and_left_alone(account: Account) -> None:
    customer = account.make.customer(f"Resetter of {account.name}")
    document = account.make.document(customer, 11)
    created, first = account.make.created(document), account.make.paid(document, "50.00")
    reset = account.make.act("reset", document)
    second = account.make.paid(document, "20.00")
    account.run(created, first, reset, second)
    account.lose(reset)
    assert account.replay()["overtaken"] == 1
    assert account.replay("--yes")["overtaken"] == 1
    account.idle()
    assert [p["amount"] for p in account.books["payments"] if p["status"] != "DELETED"] == ["20.00"]
    [shown] = [e for e in account.logged() if e["action"] == "reset"]
    assert (shown["state"], shown["reason_code"]) == ("failed", "overtaken")
    account.replay("--yes")
    account.idle()
    [again] = [e for e in account.logged() if e["action"] == "reset"]
    assert again["position"] == shown["position"]

    mine = ("--account", account.name, "--action", "reset")
    plan = account.sbx("retry", *mine)
    assert "they would undo later actions" in plan.err
    assert "nothing to do" in plan.err
    tried = account.sbx("retry", "--id", shown["entry_id"], "--yes", "--json").json
    assert (tried["done"], [one["code"] for one in tried["left"]]) == ([], ["overtaken"])
    skipped = account.sbx("skip", *mine, "--note", "stays as it is", "--yes", "--json").json
    assert (skipped["done"], skipped["left"]) == ([shown["entry_id"]], [])
    wait_until(lambda: [e["outcome"] for e in account.logged() if e["action"] == "reset"] == [SKIPPED])
    assert account.replay()["done"] == 4


def test_force_compares_what_is_done_and_sends_again_what_differs(account: Account) -> None:
    first, second = (account.make.customer(f"{name} of {account.name}", office_email=MAIL) for name in "AB")
    account.run(account.make.contact("created", first), account.make.contact("created", second))
    shop = Shop(account.name, Environment.read({}), account.stack.xero, tenant_id=account.tenant_id)
    for contact in account.books["contacts"]:
        body = {"Contacts": [{"ContactID": contact["id"], "EmailAddress": "by-hand@example.com"}]}
        shop.by_hand("POST", "Contacts", body)
    selection = ("--record", first["id"], "--force")
    calls = account.calls()
    plan = account.replay(*selection)
    assert account.calls() == calls, "a plan asks Xero nothing"
    assert plan["done"] == 1
    [told] = plan["compare"]
    assert (told["records"], told["calls"], told["differences"]) == (1, 1, [])
    shown = account.sbx("replay", "--account", account.name, *selection).out
    assert "1 record to compare with Xero: at least 1 call" in shown
    done = account.replay(*selection, "--yes")
    assert (done["done"], done["compared"], done["differing"], done["resent"]) == (1, 1, 1, 1)
    account.idle()
    found = {contact["name"]: contact["email"] for contact in account.books["contacts"]}
    assert found == {first["name"]: MAIL, second["name"]: "by-hand@example.com"}, "one was selected"
    again = account.replay(*selection, "--yes")
    assert (again["compared"], again["differing"], again["resent"]) == (1, 0, 0)


def test_force_says_which_accounts_cannot_be_read(account: Account) -> None:
    account.run(*account.sale(53))
    account.sbx("pause", account.name)
    done = account.replay("--force", "--yes")
    assert (done["state"], done["compared"]) == ("completed", 0)
    assert "is paused" in done["not_compared"][account.name]


def test_deletions_are_found_by_the_number_that_they_do_not_name(account: Account) -> None:
    customer = account.make.customer(f"Deleter of {account.name}")
    document = account.make.document(customer, 12)
    account.run(account.make.created(document), account.make.act("deleted", document))
    assert account.replay("--number", "12")["done"] == 2
    assert account.replay("--number", "12", "--action", "deleted")["done"] == 1
    assert account.replay("--number", "13")["events"] == 0


def test_dead_letters_are_told_and_left(account: Account) -> None:
    event = account.make.created(account.make.document(account.make.customer("Odd one"), 14))
    topic, key, value, headers = event_to_kafka(event)
    broken = value.replace(b'"100.00"', b'"a lot"')
    assert broken != value
    with KafkaProducer(bootstrap_servers=services(account.stack)[0]) as producer:
        producer.send(topic, key=key, value=broken, headers=headers).get(120)
    account.idle()
    plan = account.replay()
    assert (plan["events"], plan["unreadable"]) == (1, {"event_amount_invalid": 1})
    assert account.replay("--yes")["inserted"] == 0
    assert account.replay("--record", "no such record")["events"] == 0
    assert account.replay("--reason", "event_amount_invalid")["unreadable"] == {"event_amount_invalid": 1}
    shown = account.sbx("replay", "--account", account.name)
    assert "unreadable (event_amount_invalid)" in shown.out


@pytest.mark.parametrize("by", ["bytes", "place"])
def test_a_dead_letter_that_can_be_read_now_is_taken_in_and_its_old_entry_ends(
    account: Account, by: str
) -> None:
    """As after an update that mended a fault of ours. Earlier versions made ids of the place alone."""
    event = account.make.contact("created", account.make.customer(f"Risen of {account.name}"))
    account.run(event)
    [entry] = account.logged()
    account.lose(event)
    topic, key, value, headers = event_to_kafka(event)
    servers = services(account.stack)[0]
    record = Record(entry["topic"], entry["partition"], entry["offset"], key, value, tuple(headers))
    dead = Letter(record, DeadLetterReason.of_record(record, "our_error", "of old"))
    ids = topic_ids({"bootstrap_servers": servers}, [topic])
    letter = failed_entry(dead, datetime.now(UTC), ids[topic]).value or b""
    result = decode_result(letter)
    assert isinstance(result, EntryResult)
    if by == "place":
        place = (record.topic, record.partition, record.offset)
        result = msgspec.structs.replace(result, entry_id=place_id_of(*place))
    # At the same place, of a broker that there is no more: another message, which stays as it is.
    of_old = msgspec.structs.replace(result, entry_id=str(uuid.uuid4()), event_id="another")
    with KafkaProducer(bootstrap_servers=servers) as producer:
        for one in (result, of_old):
            producer.send(RESULTS, key=key, value=encode_result(one)).get(120)
    wait_until(lambda: [e["state"] for e in account.logged()] == ["completed", "failed", "failed"])
    assert account.replay("--yes")["inserted"] == 1
    account.idle()
    wait_until(lambda: sorted(e["state"] for e in account.logged()) == ["completed", "completed", "failed"])
    outcomes = {e["entry_id"]: e["outcome"] for e in account.logged() if e["triggered_by"] == "dead_letter"}
    assert outcomes == {result.entry_id: "superseded", of_old.entry_id: None}


def test_a_lost_command_is_told_and_the_named_replay_completes_it(account: Account) -> None:
    event = account.make.contact("created", account.make.customer(f"Lost of {account.name}"))
    account.run(event)
    [entry] = account.logged()
    account.lose(event)

    def queued_for(minutes: int) -> None:
        """As the log has it while the command is nowhere: nothing but what the transform stage told."""
        with account.database() as connection:
            connection.execute(
                "UPDATE integrations_log.entry SET state = 'queued', outcome = NULL, version = 0, "
                "finished_at = NULL, queued_at = now() - %s * interval '1 minute', "
                "position = nextval('integrations_log.position_seq') WHERE entry_id = %s",
                [minutes, entry["entry_id"]],
            )

    def lost() -> list[Any]:
        found = account.sbx("status", "--json").json
        return [one for one in found["lost_commands"] if one["account"] == account.name]

    queued_for(1)  # four minutes until it is told, however long that takes to be seen
    wait_until(
        lambda: account.rows(
            "SELECT l.* FROM integrations_log.lost_command l JOIN integrations_log.entry USING (entry_id) "
            "WHERE account = %s"
        )
    )
    assert lost() == []
    queued_for(6)
    [one] = lost()
    assert one["entry_id"] == entry["entry_id"]
    [alarm] = [text for text in account.sbx("status", "--json").json["alarms"] if "command_lost" in text]
    assert f"'{one['replay']}'" in alarm
    assert "command_lost" in account.sbx("status").err
    account.sbx(*shlex.split(one["replay"])[1:])
    account.idle()
    wait_until(lambda: [e["state"] for e in account.logged()] == ["completed"])
    assert lost() == []


def test_ranges(account: Account) -> None:
    events = account.sale(15)
    account.run(*events)
    [place] = [e for e in account.logged() if e["action"] == "created" and e["entity"] == "invoice"]
    topic, partition, offset = place["topic"], str(place["partition"]), place["offset"]
    inside = ("--topic", topic, "--partition", partition, "--offset")
    assert account.replay(*inside, str(offset))["events"] == 1
    assert account.replay(*inside, f"{offset}-")["events"] == 2
    assert account.replay("--topic", topic)["events"] == 2
    assert account.replay("--topic", topic, "--topic", "salesbinder.customers")["events"] == 3
    assert account.replay("--since", "1h")["events"] == 3
    assert account.replay("--since", "1h", "--until", "30m")["events"] == 0
    assert account.replay("--until", "30m")["events"] == 0
    beyond = here(account.stack, "replay", *inside, "999999")
    assert beyond.code == 1
    assert "holds offsets 0 to" in beyond.err
    past = here(account.stack, "replay", *inside, f"{offset}-999999", "--json")
    assert past.code == 0
    assert "holds offsets 0 to" in past.err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--topic", "xero.commands"], "salesbinder.invoices"),
        (["--topic", "salesbinder.invoices", "--entity", "customer"], "--topic salesbinder.customers"),
        (["--partition", "12"], "use 0 to 11"),
        (["--offset", "3"], "--topic and --partition"),
        (["--offset", "9-3"], "backwards"),
        (["--since", "1h", "--until", "2h"], "is not after"),
        (["--list", "--yes"], "must be used alone"),
        (["--resume", "1", "--account", "acme"], "must be used alone"),
    ],
)
def test_what_makes_no_sense_is_refused(stack: Stack, arguments: list[str], says: str) -> None:
    done = here(stack, "replay", *arguments)
    assert (done.code, done.out) == (2, "")
    assert says in done.err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--account", "nobody"], "nothing is known of the account nobody"),
        (["--account", "nobody", "--yes"], "sbx connect nobody"),
        (["--resume", "9999"], "there is no replay 9999"),
        (["--cancel", "9999"], "there is no replay 9999"),
    ],
)
def test_what_is_not_there_is_told(stack: Stack, arguments: list[str], says: str) -> None:
    done = here(stack, "replay", *arguments)
    assert (done.code, done.out) == (1, "")
    assert says in done.err


def test_nothing_runs(alone: Sbx) -> None:
    done = alone("replay")
    assert done.code == 1
    assert "sbx up" in done.err


# Long ones, stopped and gone on with


def database_of(account: Account) -> Any:
    return psycopg.AsyncConnection.connect(services(account.stack)[1], autocommit=True)


async def begun(database: Any, account: Account) -> tuple[run.Replay, dict[str, Any]]:
    """A replay of all that the account has, noted but not run; and how to reach Kafka."""
    kafka = {"bootstrap_servers": services(account.stack)[0]}
    wanted = Filters(account=account.name)
    ranges = topics.find_ranges(kafka, topics.topics_of([], None), wanted)
    made = await run.begin(database, {"account": account.name}, wanted, ranges.found, "ann")
    return made, kafka


def copied(ranges: list[Range]) -> list[Range]:
    return [Range(r.topic, r.partition, r.first, r.end, r.next) for r in ranges]


def test_stopped_and_gone_on_with(account: Account, monkeypatch: pytest.MonkeyPatch) -> None:
    account.sbx("pause", account.name)
    events = [event for number in (21, 22, 23) for event in account.sale(number)]
    account.publish(*events)
    account.taken_in(*events)
    account.lose(*events)
    monkeypatch.setattr(topics, "BATCH", 4)
    stop = run.Stop()

    def progress(_: int) -> None:
        stop.asked = bool(account.rows())

    async def until_stopped() -> int:
        async with await database_of(account) as database, run.alone(database):
            made, kafka = await begun(database, account)
            with pytest.raises(ActionRefused, match=f"replay {made.replay_id} is running"):
                async with await database_of(account) as second, run.alone(second):
                    pass
            with Reader(kafka, copied(made.ranges)) as reader:
                assert await made.run(database, reader, stop, progress) == "cancelled"
            await made.finish(database, "cancelled")
            return made.replay_id

    replay_id = asyncio.run(until_stopped())
    assert 0 < len(account.rows()) < 9
    done = here(account.stack, "replay", "--resume", str(replay_id), "--json")
    assert done.code == 0, done.err
    assert (done.json["state"], done.json["inserted"], done.json["unknown"]) == ("completed", 9, 9)
    orders: dict[str, list[str]] = {}
    for row in account.rows():
        if row["entity"] == "invoice":
            orders.setdefault(row["record_id"], []).append(row["action"])
    assert list(orders.values()) == [["created", "payment_applied"]] * 3
    again = here(account.stack, "replay", "--resume", str(replay_id))
    assert (again.code, "is completed" in again.err) == (1, True)
    account.sbx("resume", account.name)
    account.idle()


def test_one_that_died_is_told_and_can_be_cancelled_or_gone_on_with(account: Account) -> None:
    account.run(*account.sale(31))

    async def until_it_dies() -> int:
        async with await database_of(account) as database, run.alone(database):
            made, _ = await begun(database, account)
            async with await database_of(account) as other:
                [row] = await queries.replays(other, made.replay_id)
                assert row["state"] == "running"
                assert await replay.cancel(other, made.replay_id) == "cancelling"
            return made.replay_id

    replay_id = asyncio.run(until_it_dies())
    # The server ends the session on its own time.
    wait_until(lambda: state_of(account, replay_id) == "interrupted")
    done = here(account.stack, "replay", "--cancel", str(replay_id), "--json")
    assert done.json == {"replay_id": replay_id, "state": "cancelled"}
    done = here(account.stack, "replay", "--resume", str(replay_id), "--json")
    assert (done.json["state"], done.json["done"]) == ("completed", 3)


def test_one_may_follow_at_once_on_one_that_has_just_ended(account: Account) -> None:
    """The server frees the lock of a session that has ended on its own time."""

    async def begin_after_the_other() -> str:
        async with await database_of(account) as ending, await database_of(account) as database:
            await ending.execute("SELECT pg_advisory_lock(%s)", [replay.LOCK])
            freeing = asyncio.create_task(after_half_a_second(ending.close))
            async with run.alone(database):
                await freeing
                return "it has begun"

    async def after_half_a_second(close: Callable[[], Awaitable[None]]) -> None:
        await asyncio.sleep(0.5)
        await close()

    assert asyncio.run(begin_after_the_other()) == "it has begun"


def test_a_running_one_ends_when_asked_from_elsewhere(
    account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    account.run(*account.sale(41), *account.sale(42))
    monkeypatch.setattr(topics, "BATCH", 1)

    async def until_asked() -> None:
        async with await database_of(account) as database, run.alone(database):
            made, kafka = await begun(database, account)
            async with await database_of(account) as other:
                assert await replay.cancel(other, made.replay_id) == "cancelling"
            with Reader(kafka, copied(made.ranges)) as reader:
                assert await made.run(database, reader, run.Stop(), lambda _: None) == "cancelled"
            assert any(one.left for one in made.ranges)

    asyncio.run(until_asked())


def state_of(account: Account, replay_id: int) -> str:
    lines = account.sbx("replay", "--list", "--json").out.splitlines()
    [found] = [row for row in map(json.loads, lines) if row["replay_id"] == replay_id]
    return str(found["state"])


def test_what_retention_has_removed_is_refused_or_told(account: Account) -> None:
    """The last of this module: nobody after it wants what is gone."""
    events = account.sale(61)
    account.run(*events)

    async def begin_and_die() -> int:
        async with await database_of(account) as database, run.alone(database):
            return (await begun(database, account))[0].replay_id

    replay_id = asyncio.run(begin_and_die())
    [place] = [e for e in account.logged() if e["action"] == "created" and e["entity"] == "invoice"]
    topic, partition, offset = place["topic"], place["partition"], place["offset"]
    kafka = KafkaAdminClient(bootstrap_servers=services(account.stack)[0])
    kafka.delete_records({TopicPartition(topic, partition): offset + 1})
    kafka.close()
    inside = ("replay", "--topic", topic, "--partition", str(partition))
    gone = here(account.stack, *inside, "--offset", str(offset), "--yes")
    assert gone.code == 1
    assert f"{offset} to {offset} were removed by retention" in gone.err
    assert f"--offset {offset + 1}-" in gone.err
    told = here(account.stack, *inside, "--since", "1h", "--account", account.name, "--json")
    assert (told.code, told.json["events"]) == (0, 1)
    assert "the beginning of 1 partition was removed by retention" in told.err
    late = here(account.stack, "replay", "--resume", str(replay_id))
    assert (late.code, "removed by retention" in late.err) == (1, True)
    assert state_of(account, replay_id) == "interrupted"
