"""The fixtures that every other test stands on."""

import psycopg
from kafka import KafkaAdminClient, KafkaProducer


def test_kafka_answers(kafka: str) -> None:
    admin = KafkaAdminClient(bootstrap_servers=kafka)
    try:
        assert len(admin.describe_cluster()["brokers"]) == 1
    finally:
        admin.close()


def test_messages_up_to_4_mb_pass(kafka: str, unique: str) -> None:
    value = b"x" * (4 * 1024 * 1024 - 1024)
    producer = KafkaProducer(bootstrap_servers=kafka, max_request_size=5_000_000)
    try:
        assert producer.send(f"large-{unique}", value).get(timeout=240).offset == 0
    finally:
        producer.close()


def test_databases_are_apart(empty_database_url: str) -> None:
    with psycopg.connect(empty_database_url) as connection:
        connection.execute("CREATE TABLE only_here ()")


def test_databases_are_apart_and_gone_afterwards(empty_database_url: str) -> None:
    with psycopg.connect(empty_database_url) as connection:
        found = connection.execute("SELECT to_regclass('only_here')").fetchone()
        assert found == (None,)
        left = connection.execute(
            "SELECT count(*) FROM pg_database WHERE datname LIKE 'empty\\_%'"
        ).fetchone()
        assert left == (1,)
