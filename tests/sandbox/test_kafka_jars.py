"""Kafka's jars: whole, and the ones that were tested, or none."""

import shutil
from pathlib import Path

import pytest

from sandbox import DownloadFailed, kafka_jars


def nothing(text: str, done: float | None) -> None:
    pass


def test_without_a_network_the_error_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTPS_PROXY", "https_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")  # nobody listens there
    monkeypatch.setenv("SBX_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr(kafka_jars, "_TRIES", 1)
    with pytest.raises(
        DownloadFailed, match=r"could not be downloaded.*Check the network.*SBX_KAFKA_BOOTSTRAP"
    ):
        kafka_jars.kafka_jars(nothing)
    assert not [path for path in tmp_path.iterdir() if path.suffix not in {".lock", ".part"}]


def test_half_a_file_of_an_interrupted_download_is_not_kept(tmp_path: Path) -> None:
    expected = {jar.name: jar for jar in kafka_jars._expected()}
    ready = kafka_jars.kafka_jars(nothing)
    whole, half = sorted(path for path in ready.iterdir())[:2]
    (tmp_path / "m2").mkdir()
    shutil.copy(whole, tmp_path / "m2")
    (tmp_path / "m2" / half.name).write_bytes(half.read_bytes()[:-1])
    (tmp_path / "m2" / "half.pom").write_text("<project>")

    assert kafka_jars._drop_broken(tmp_path, expected) == whole.stat().st_size
    assert [path.name for path in (tmp_path / "m2").iterdir()] == [whole.name]


def test_jars_that_were_not_tested_are_named(tmp_path: Path) -> None:
    expected = {jar.name: jar for jar in kafka_jars._expected()}
    changed, missing, *same = sorted(kafka_jars.kafka_jars(nothing).iterdir())
    other = tmp_path / changed.name
    other.write_bytes(b"something else")
    more = tmp_path / "more.jar"
    more.write_bytes(b"")
    assert kafka_jars._differences([other, more, *same], expected) == sorted(
        [changed.name, missing.name, "more.jar"]
    )


def test_what_is_kept_is_what_the_list_says() -> None:
    ready = kafka_jars.kafka_jars(nothing)
    assert kafka_jars._differences(list(ready.iterdir()), {j.name: j for j in kafka_jars._expected()}) == []
