"""Kafka's classes are archived once per Java, and Kafka does without where that is not possible."""

import fcntl
import gzip
import subprocess
from pathlib import Path

import pytest

from sandbox import class_archive as class_archive_module
from sandbox.class_archive import class_archive
from sandbox.java import find_java, release_of
from sandbox.kafka_jars import kafka_jars
from sandbox.process import no_progress

LIST = Path(class_archive_module.__file__).with_name("kafka_classes.txt.gz")
_MAKES = """\
#!/bin/sh
echo run >> "$(dirname "$0")/runs"
for word; do
    case $word in
        -XX:SharedClassListFile=*) grep -q '^kafka/Kafka$' "${word#*=}" || exit 3 ;;
        -XX:SharedArchiveFile=*) echo classes > "${word#*=}" ;;
    esac
done
"""


@pytest.fixture
def jars(tmp_path: Path) -> Path:
    directory = tmp_path / "cache" / "kafka-1"
    directory.mkdir(parents=True)
    return directory


def java(tmp_path: Path, script: str = _MAKES, release: str = 'JAVA_VERSION="21.0.1"') -> Path:
    home = tmp_path / "java"
    (home / "bin").mkdir(parents=True, exist_ok=True)
    (home / "release").write_text(release)
    program = home / "bin" / "java"
    program.write_text(script)
    program.chmod(0o755)
    return program


def runs(program: Path) -> int:
    return len(program.with_name("runs").read_text().splitlines())


def test_it_is_made_once_and_again_for_another_version_of_java(tmp_path: Path, jars: Path) -> None:
    said: list[str] = []
    program = java(tmp_path)
    made = class_archive(program, jars, lambda text, done: said.append(text))
    assert made is not None
    assert made.read_text() == "classes\n"
    assert class_archive(program, jars, no_progress) == made
    assert said == ["Preparing Kafka's classes (once)"]
    assert runs(program) == 1

    newer = class_archive(java(tmp_path, release='JAVA_VERSION="21.0.2"'), jars, no_progress)
    assert newer not in (None, made)
    assert runs(program) == 2
    assert sorted(path.suffix for path in jars.parent.iterdir()) == ["", ".jsa", ".lock"]


def test_a_java_that_makes_none_is_asked_once(tmp_path: Path, jars: Path) -> None:
    program = java(tmp_path, _MAKES + "exit 1\n")
    assert class_archive(program, jars, no_progress) is None
    assert class_archive(program, jars, no_progress) is None
    assert runs(program) == 1


def test_one_that_is_just_being_made_is_not_waited_for(tmp_path: Path, jars: Path) -> None:
    program = java(tmp_path)
    with jars.with_name("kafka-1-classes.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert class_archive(program, jars, no_progress) is None
    assert class_archive(program, jars, no_progress) is not None


def test_an_unknown_java_gets_none(tmp_path: Path, jars: Path) -> None:
    program = java(tmp_path)
    (tmp_path / "java" / "release").unlink()
    assert release_of(program) == ""
    assert class_archive(program, jars, no_progress) is None


def test_a_java_is_found_by_its_installation(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = java(tmp_path)
    monkeypatch.setenv("JAVA_HOME", str(tmp_path / "java"))
    assert find_java() == program
    assert not program.with_name("runs").exists()
    java(tmp_path, release='JAVA_VERSION="11.0.2"')
    assert find_java() != program


def test_kafka_runs_from_it() -> None:
    """``-Xshare:on`` ends a JVM that cannot use its archive."""
    found, jars = find_java(), kafka_jars(no_progress)
    archive = class_archive(found, jars, no_progress)
    assert archive is not None
    done = subprocess.run(
        [
            *(
                found,
                "-Xshare:on",
                f"-XX:SharedArchiveFile={archive}",
                "-XX:+UseSerialGC",
                "-Xlog:class+load",
            ),
            *("-cp", f"{jars}/*", "kafka.Kafka"),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "kafka.Kafka source: shared objects file" in done.stdout, done.stdout[-2000:] + done.stderr[-2000:]


def test_the_list_has_what_a_broker_loads() -> None:
    listed = gzip.decompress(LIST.read_bytes()).decode().splitlines()
    assert listed == sorted(set(listed))
    assert {"kafka/server/BrokerServer", "kafka/server/ControllerServer"} <= set(listed)
    assert any(line.startswith("@lambda-proxy org/apache/kafka/") for line in listed)
