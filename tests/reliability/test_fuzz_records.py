"""Some hundreds of raw record batches at random; ``make fuzz`` sends thousands."""

from pathlib import Path

from sandbox import EmbeddedStack
from sbx import migrations
from streams.topics import create_topics
from tests.reliability.fuzz_records import KEPT, fuzz


def test_raw_batches_end_once_and_stop_no_stage(tmp_path: Path) -> None:
    with EmbeddedStack(tmp_path / "own") as stack:
        create_topics({"bootstrap_servers": stack.bootstrap_servers}, KEPT)
        migrations.migrate(stack.database_url)
        outcome = fuzz(
            stack.bootstrap_servers, stack.database_url, tmp_path, seed=7, batches=300, account="fuzz"
        )
        print(outcome.report())
    assert outcome.problems == []
    assert len(outcome.taken) > 50
    assert sum(outcome.refused.values()) > 20
