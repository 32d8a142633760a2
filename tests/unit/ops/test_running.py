"""What the processes of ``sbx up`` are given."""

from dataclasses import replace
from pathlib import Path

from runtime.environment import Environment
from sbx.cli.local.running import variables_of

URL = "postgresql://sbx:secret@db:5432/sbx"


def test_a_database_that_a_file_names_is_given_to_them_once(tmp_path: Path) -> None:
    file = tmp_path / "database"
    file.write_text(f"{URL}\n")
    given = {"SBX_DATABASE_URL_FILE": str(file), "SBX_KAFKA_BOOTSTRAP_SERVERS": "kafka:9092"}
    used = replace(Environment.read(given), data_dir=tmp_path)

    read = Environment.read(variables_of(used, given))
    assert (read.database_url, read.data_dir) == (URL, tmp_path)
    assert read.kafka_bootstrap_servers == "kafka:9092"
    assert read.archive_dir == tmp_path / "archive"
