"""Topics that are deleted and made again under running workers, with another number of partitions."""

from collections import Counter
from collections.abc import Sequence
from contextlib import closing
from functools import partial
from itertools import product
from pathlib import Path

import psycopg
import pytest
from kafka import KafkaProducer
from kafka.admin import KafkaAdminClient
from kafka.errors import UnknownTopicOrPartitionError

from sandbox import EmbeddedStack
from sbx import migrations
from streams.standings import standings
from streams.topics import COMMANDS, RESULTS, SOURCES, create_topics, layout
from tests.integration.streams.conftest import StartStage, eventually
from tests.integration.streams.test_kafka_as_published import event


def again(servers: str, names: Sequence[str], partitions: int) -> None:
    """Delete the topics and make them again. Nobody else may make one meanwhile, with a layout of its own."""
    with closing(KafkaAdminClient(bootstrap_servers=servers)) as admin:
        admin.delete_topics(list(names))
        eventually(lambda: not set(names) & set(admin.list_topics()), "they are gone")

        def made() -> bool:
            try:
                create_topics({"bootstrap_servers": servers}, layout(partitions))
            except UnknownTopicOrPartitionError:
                return False
            found = [topic["partitions"] for topic in admin.describe_topics(list(names))]
            return all(len(of) == partitions and all(one["leader_id"] >= 0 for one in of) for of in found)

        eventually(made, "they are there again")


def settled(servers: str, stage: str, topics: Sequence[str], count: int) -> bool:
    """True when the stage has read at least so many messages, and nothing waits."""
    found = standings({"bootstrap_servers": servers}, f"sbx-{stage}", topics)
    return sum(place.reached for place in found.values()) >= count and all(
        place.reached == place.end for place in found.values()
    )


class Workers:
    """The three stages under a supervisor that has the patience for one restart of each whenever their topics
    were made again.
    """

    def __init__(self, start: StartStage, servers: str, database: str) -> None:
        self.restarts: Counter[str] = Counter()
        self._made_again = 0
        self._servers = servers
        self._start = partial(start, database_url=database, SBX_KAFKA_BOOTSTRAP_SERVERS=servers)
        self._running = {
            name: self._start(name).wait_until_ready() for name in ("transform", "deliver", "project")
        }

    def again(self, names: Sequence[str], partitions: int) -> None:
        """Delete the topics and make them again."""
        self._made_again += 1
        again(self._servers, names, partitions)

    def alive(self) -> bool:
        """True, once what ended in good order to be started again was started again."""
        for name, process in self._running.items():
            if process.code() is not None:
                self.restarts[name] += 1
                assert process.code() == 70, process.log
                assert self.restarts[name] <= self._made_again, process.log
                self._running[name] = self._start(name)
        return True

    def have_read(self, servers: str, stage: str, topics: Sequence[str]) -> bool:
        """True when the stage is past what was published."""
        return self.alive() and settled(servers, stage, topics, 60)

    def stop(self) -> None:
        """End all in good order."""
        for process in self._running.values():
            process.stop()


@pytest.mark.parametrize("partitions", [5, 20])
def test_workers_go_on(start_stage: StartStage, tmp_path: Path, partitions: int) -> None:
    with EmbeddedStack(tmp_path / "own") as stack:
        servers, database = stack.bootstrap_servers, stack.database_url
        create_topics({"bootstrap_servers": servers})
        migrations.migrate(database)
        workers = Workers(start_stage, servers, database)
        for round_ in range(2):
            with KafkaProducer(bootstrap_servers=servers) as producer:
                for number in range(60):
                    topic, key, value, headers = event(f"again{round_}", number)
                    producer.send(topic, key=key, value=value, headers=headers)
            for stage, topics in (("transform", SOURCES), ("deliver", (COMMANDS,)), ("project", (RESULTS,))):
                eventually(
                    partial(workers.have_read, servers, stage, topics), f"{stage} has read them, {round_}"
                )
            if not round_:
                workers.again([*SOURCES, COMMANDS, RESULTS], partitions)
        print(f"restarts: {dict(workers.restarts)}")
        workers.stop()


def test_dead_letters_of_a_topic_made_again_have_identities_of_their_own(
    start_stage: StartStage, tmp_path: Path
) -> None:
    """The same bytes at the same place, while the workers run: other messages all the same."""
    with EmbeddedStack(tmp_path / "own") as stack:
        servers, database = stack.bootstrap_servers, stack.database_url
        create_topics({"bootstrap_servers": servers})
        migrations.migrate(database)
        workers = Workers(start_stage, servers, database)

        def letters() -> list[tuple[str, str, int, int]]:
            with psycopg.connect(database) as connection:
                return connection.execute(
                    'SELECT entry_id, topic, partition, "offset" FROM integrations_log.entry '
                    "WHERE triggered_by = 'dead_letter' AND state = 'failed'"
                ).fetchall()

        def have_come(count: int) -> bool:
            return workers.alive() and len(letters()) == count

        come = 0
        # As long as the old one was, and longer: where a worker stands tells nothing.
        for round_, length in enumerate((3, 3, 6)):
            if round_:
                workers.again(SOURCES, 12)
                found = standings({"bootstrap_servers": servers}, "sbx-transform", SOURCES)
                assert {place.reached for place in found.values()} == {0}
            with KafkaProducer(bootstrap_servers=servers) as producer:
                for number, partition in product(range(length), range(4)):
                    producer.send(
                        SOURCES[0], key=b"acme/x", value=b"junk %d" % number, partition=partition
                    ).get(60)
            come += 4 * length
            eventually(partial(have_come, come), f"an entry for each dead letter, {round_}")
        at = Counter(offset for *_, offset in letters())
        assert at == {0: 12, 1: 12, 2: 12, 3: 4, 4: 4, 5: 4}
        assert len({entry_id for entry_id, *_ in letters()}) == come
        workers.stop()
