"""The insides of libraries that ``streams.fetching`` holds on to, and how much is taken out at once."""

import asyncio
import gc
import importlib.metadata
import inspect
import re
from pathlib import Path
from types import SimpleNamespace
from unittest import mock

import aiokafka.client
import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.client import AIOKafkaClient
from aiokafka.consumer import fetcher
from aiokafka.consumer.group_coordinator import GroupCoordinator
from faust.tables import TableManager
from faust.transport import consumer as faust_consumer
from faust.transport.drivers import aiokafka as driver
from faust.types import TP
from kafka.consumer import fetcher as kafka_fetcher

from runtime.environment import Environment
from streams.batches import Records
from streams.codecs import missing_libraries
from streams.faust_app import build_app
from streams.fetching import BACKLOG_BYTES, DRAIN_BYTES, Allowance, Backlog, drained, read_with_faust
from streams.stages import _run
from streams.topic_ids import TopicsRead
from tests.record_batches import batch, record


def test_aiokafka_is_as_it_was_read() -> None:
    """With another version: read its fetcher again, then put the version here."""
    assert importlib.metadata.version("aiokafka") == "0.14.0"
    source = inspect.getsource(fetcher.Fetcher._proc_fetch_request)
    assert "records = MemoryRecords(part_data[-1])" in source
    assert "partition_records = PartitionRecords(" in source
    assert re.search(r"PartitionRecords\(\s+tp,\s+records,\s+aborted_transactions,\s+fetch_offset,\s+"
                     r"self._key_deserializer,", source)  # fmt: skip
    assert "self._records[tp] = FetchResult(" in source
    assert "type(res_or_error) is FetchResult" in inspect.getsource(fetcher.Fetcher.fetched_records)
    assert "isolation_level=self._isolation_level" in inspect.getsource(AIOKafkaConsumer.start)
    asks = inspect.getsource(AIOKafkaClient._metadata_update)
    assert "MetadataRequest(list(topics) if topics else None)" in asks
    assert "self._coordinator = GroupCoordinator(" in inspect.getsource(AIOKafkaConsumer.start)
    for reads in (GroupCoordinator._maybe_refresh_commit_offsets, GroupCoordinator.fetch_committed_offsets):
        assert "offsets = await self._do_fetch_commit_offsets(" in inspect.getsource(reads)
    assert "self._do_commit_offsets(assignment, offsets)" in inspect.getsource(GroupCoordinator)


def test_faust_is_as_it_was_read() -> None:
    assert importlib.metadata.version("faust-streaming") == "0.15.3"
    for name in (
        "_new_offset", "_add_gap", "_commit_offsets", "_committed_offset", "_to_message", "_acked",
        "_acked_index", "_read_offset",
    ):  # fmt: skip
        assert name in inspect.getsource(faust_consumer)
    assert "AIOKafkaConsumerThread(" in inspect.getsource(driver.Consumer._new_consumer_thread)
    assert "max_records=_consumer._max_poll_records" in inspect.getsource(driver.AIOKafkaConsumerThread)
    assert "self.Consumer(" in inspect.getsource(driver.Transport.create_consumer)
    begins = inspect.getsource(TableManager.on_start)
    assert re.search(
        r"await self\.sleep\(1\.0\)\s+if not self\.should_stop:\s+await self\._update_channels\(\)\s+"
        r"await self\.recovery\.start\(\)\s*$",
        begins,
    )


def test_a_stage_does_not_wait_for_tables(tmp_path: Path) -> None:
    """Faust gives them a second before it asks for partitions, at every start."""
    servers = {"SBX_KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:9", "SBX_DATA_DIR": str(tmp_path)}
    with (
        mock.patch("faust.App") as made,
        mock.patch("streams.faust_app.read_with_faust"),
        mock.patch("streams.faust_app.commit_for"),
    ):
        build_app("sbx-test", Environment.read(servers), TopicsRead())
    tables = mock.Mock(sleep=mock.AsyncMock(), _update_channels=mock.AsyncMock())
    tables.recovery.start = mock.AsyncMock()
    asyncio.run(made.call_args.kwargs["TableManager"].on_start(tables))
    tables._update_channels.assert_awaited_once()
    tables.recovery.start.assert_awaited_once()
    tables.sleep.assert_not_called()


def test_kafka_python_is_as_it_was_read() -> None:
    assert importlib.metadata.version("kafka-python") == "3.0.12"
    source = inspect.getsource(kafka_fetcher.Fetcher._parse_fetched_data)
    assert "self.PartitionRecords(fetch_offset, tp, records," in source
    assert "MemoryRecords(completed_fetch.partition_data.records)" in source


def test_every_codec_has_its_library() -> None:
    assert missing_libraries() == []


def test_stage_without_a_codec_says_so_and_ends(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("streams.codecs._LIBRARIES", {"zstd": "no_such_library", "gzip": "zlib"})
    environment = Environment.read({"SBX_KAFKA_BOOTSTRAP_SERVERS": "127.0.0.1:1"})
    assert asyncio.run(_run("transform", environment)) == 1
    said = capsys.readouterr()
    assert "zstd (no_such_library)" in said.err + said.out


def test_only_so_much_is_taken_out_at_once() -> None:
    one = record(0, b"k", bytes(1_000_000))
    records = b"".join([one, *(record(n, b"k", bytes(1_000_000)) for n in range(1, 30))])
    source = Records(batch(records, 30, codec="gzip"), 0)

    first, ended = drained(source, None)
    assert DRAIN_BYTES <= len(first) * 1_000_000 < DRAIN_BYTES + 2_000_000
    assert not ended
    assert source.position == len(first)
    assert len(drained(source, 2)[0]) == 2


def test_the_second_reader_takes_out_no_more_than_it_may() -> None:
    records = b"".join(record(n, b"k", bytes(100_000)) for n in range(20))
    source = Records(batch(records, 20), 0)
    allowance = Allowance()
    allowance.left = 350_000
    taken, ended = allowance.drained(source, None)
    assert len(taken) == 4 and not ended
    assert allowance.left <= 0
    allowance.left = 10_000_000
    assert len(allowance.drained(source, 3)[0]) == 3
    taken, ended = allowance.drained(source, None)
    assert len(taken) == 13 and ended


class _Message:
    pass


def test_backlog_ends_with_the_handler_or_with_the_message() -> None:
    backlog = Backlog()
    handled, dropped, small = _Message(), _Message(), _Message()
    backlog.add(small, 100)
    backlog.add(handled, BACKLOG_BYTES)
    backlog.add(dropped, 5000)
    assert backlog.full

    backlog.done(handled)
    backlog.done(handled)
    backlog.done(small)
    held = backlog._bytes
    assert held == 5000
    del dropped
    gc.collect()
    assert backlog._bytes == 0


@pytest.fixture
def patched(monkeypatch: pytest.MonkeyPatch) -> mock.Mock:
    """An app whose clients read with ours, for the length of a test."""
    for module, names in (
        (aiokafka.client, ["MetadataRequest"]),
        (fetcher, ["MemoryRecords", "PartitionRecords", "FetchResult"]),
    ):
        for name in names:
            monkeypatch.setattr(module, name, getattr(module, name))
    app = mock.Mock(producer=mock.AsyncMock())
    read_with_faust(app)
    return app


@pytest.mark.usefixtures("patched")
def test_a_full_backlog_holds_back_the_consumer_and_not_the_second_reader(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    place = TP("salesbinder.invoices", 0)
    data = batch(record(0, b"k", b"v"), 1)
    state = SimpleNamespace(lso=None, paused=False, position=0, consumed_to=lambda _: None)
    assignment = mock.Mock(active=True, state_value=lambda _: state)

    def taken(key_deserializer: object) -> int:
        records = fetcher.MemoryRecords(data)
        found = fetcher.PartitionRecords(
            place, records, None, 0, key_deserializer, None, True, "read_committed"
        )
        result = fetcher.FetchResult(place, partition_records=found, assignment=assignment, backoff=0.0)
        return len(result.getall(500))

    allowance = Allowance()
    assert (taken(None), taken(allowance)) == (1, 0)
    monkeypatch.setattr("streams.fetching.backlog._bytes", BACKLOG_BYTES)
    allowance.left = 1000
    assert (taken(None), taken(allowance)) == (0, 1)


@pytest.mark.parametrize(("answers", "committed"), [([True], 8), ([False], 5), ([False, True], 8)])
def test_offset_that_the_broker_refused_is_not_committed(
    patched: mock.Mock, answers: list[bool], committed: int
) -> None:
    place = TP("salesbinder.invoices", 0)
    consumer = object.__new__(patched.transport.Consumer)
    consumer.__dict__.update(
        app=patched, log=mock.Mock(), in_transaction=False, _committed_offset={place: 5},
        assignment=lambda: {place}, _commit=mock.AsyncMock(side_effect=answers),
    )  # fmt: skip

    for answer in answers:
        assert asyncio.run(consumer._commit_offsets({place: 8})) is answer
    assert consumer._committed_offset == {place: committed}
    assert consumer._should_commit(place, 8) is (committed < 8)
