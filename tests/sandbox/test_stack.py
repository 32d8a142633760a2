"""The embedded stack as its users see it: data stays, nobody shares, and no process is left behind."""

import json
import os
import re
import shutil
import signal
import socket
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path

import psutil
import psycopg
import pytest
from kafka import KafkaAdminClient
from kafka.admin import NewTopic

from sandbox import (
    DataDirInUse,
    DataDirUnusable,
    EmbeddedStack,
    ServiceFailed,
    cache_dir,
    find_running,
    paths,
)
from sandbox.postgres import packaged_bin_dir
from sandbox.process import Ports

ROOT = Path(__file__).parents[2]
HOLDER = Path(__file__).with_name("holder.py")


def processes_of(data_dir: Path) -> list[psutil.Process]:
    """Everything that runs for ``data_dir``: servers and keepers, by their command lines."""
    found = []
    for process in psutil.process_iter():
        try:
            if any(str(data_dir.resolve()) in argument for argument in process.cmdline()):
                found.append(process)
        except psutil.Error:
            continue
    return found


def wait_for_none(data_dir: Path, seconds: float = 240) -> None:
    deadline = time.monotonic() + seconds
    while left := processes_of(data_dir):
        assert time.monotonic() < deadline, f"still there: {left}"
        time.sleep(0.1)


def wait_until(holds: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 240
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.1)


@pytest.fixture
def holder(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that holds PostgreSQL in ``tmp_path / "data"``, and Kafka where the parameter says so."""
    process = subprocess.Popen(
        [sys.executable, str(HOLDER), str(tmp_path / "data"), *getattr(request, "param", [])],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        start_new_session=True,
    )
    assert process.stdout is not None
    assert process.stdin is not None
    assert process.stdout.readline(), "the stack did not start"
    yield process
    process.kill()
    process.wait()
    process.stdout.close()
    process.stdin.close()


def write_row(database_url: str) -> None:
    with psycopg.connect(database_url) as connection:
        connection.execute("CREATE TABLE kept AS SELECT 42 AS answer")


def read_row(database_url: str) -> object:
    with psycopg.connect(database_url) as connection:
        row = connection.execute("SELECT answer FROM kept").fetchone()
    return row[0] if row else None


def create_topic(bootstrap_servers: str, name: str) -> None:
    admin = KafkaAdminClient(bootstrap_servers=bootstrap_servers)
    try:
        admin.create_topics([NewTopic(name=name, num_partitions=3, replication_factor=1)])
    finally:
        admin.close()


def topics(bootstrap_servers: str) -> list[str]:
    admin = KafkaAdminClient(bootstrap_servers=bootstrap_servers)
    try:
        return list(admin.list_topics())
    finally:
        admin.close()


def test_data_and_ports_stay_between_starts(tmp_path: Path) -> None:
    data = tmp_path / "Josés Bücher, 2. Teil"  # a path as people have them
    said: list[str] = []
    with EmbeddedStack(data) as first:
        write_row(first.database_url)
        create_topic(first.bootstrap_servers, "kept")
        before = (first.bootstrap_servers, first.database_url)
    wait_for_none(data, seconds=0.5)

    second = EmbeddedStack(data)
    second.start(progress=lambda text, done: said.append(text))
    try:
        assert (second.bootstrap_servers, second.database_url) == before
        assert read_row(second.database_url) == 42
        assert "kept" in topics(second.bootstrap_servers)
    finally:
        second.stop()
    assert said == ["Starting PostgreSQL 18", "Starting Kafka 4.3.1"]


def test_second_start_is_refused_and_names_the_holder(holder: subprocess.Popen[str], tmp_path: Path) -> None:
    with pytest.raises(DataDirInUse) as refused:
        EmbeddedStack(tmp_path / "data").start()
    text = str(refused.value)
    assert f"process {holder.pid} (holder.py" in text
    assert re.search(r"since 20\d\d-\d\d-\d\dT\d\d:\d\d:\d\d\+00:00", text)
    assert "SBX_DATA_DIR" in text


def test_a_running_stack_is_found_until_its_owner_ends(holder: subprocess.Popen[str], tmp_path: Path) -> None:
    assert find_running(tmp_path / "elsewhere") is None
    found = find_running(tmp_path / "data")
    assert found is not None
    assert found.bootstrap_servers == ""
    with psycopg.connect(found.database_url) as connection:
        assert connection.execute("SELECT current_database()").fetchone() == ("sbx",)
    assert stat.S_IMODE((tmp_path / "data" / "running.json").stat().st_mode) == 0o600
    holder.kill()
    holder.wait()
    assert find_running(tmp_path / "data") is None


@pytest.mark.parametrize("holder", [["kafka"]], indirect=True)
def test_services_end_when_their_owner_is_killed(holder: subprocess.Popen[str], tmp_path: Path) -> None:
    # The owner, two keepers, two servers; what PostgreSQL has just forked looks like it for a moment.
    wait_until(lambda: len(processes_of(tmp_path / "data")) == 5)
    holder.kill()
    holder.wait()
    wait_for_none(tmp_path / "data")


@pytest.mark.skipif(sys.platform != "linux", reason="parent-death signals are Linux's")
def test_services_end_when_owner_and_keepers_are_killed(tmp_path: Path) -> None:
    data = tmp_path / "data"
    stack = EmbeddedStack(data, kafka=False).start()
    write_row(stack.database_url)
    for process in processes_of(data):
        with suppress(psutil.NoSuchProcess):
            if any(argument.endswith("keeper.py") for argument in process.cmdline()):
                process.kill()
    wait_for_none(data)
    stack.stop()
    with EmbeddedStack(data, kafka=False) as again:
        assert read_row(again.database_url) == 42


def test_a_server_killed_the_hard_way_comes_back_with_its_data(tmp_path: Path) -> None:
    data = tmp_path / "data"
    stack = EmbeddedStack(data, kafka=False).start()
    write_row(stack.database_url)
    for process in processes_of(data):
        with suppress(psutil.NoSuchProcess):  # one may end another
            process.kill()
    wait_for_none(data)
    stack.stop()
    assert (data / "postgres" / "postmaster.pid").exists()
    with EmbeddedStack(data, kafka=False) as again:
        assert read_row(again.database_url) == 42


@pytest.mark.parametrize(
    ("holder", "number"), [(["kafka"], signal.SIGINT), ([], signal.SIGTERM)], indirect=["holder"]
)
def test_ctrl_c_and_sigterm_leave_nothing_behind(
    holder: subprocess.Popen[str], tmp_path: Path, number: signal.Signals
) -> None:
    os.killpg(holder.pid, number)  # a terminal signals the whole group
    holder.wait(240)
    wait_for_none(tmp_path / "data")


def test_the_password_is_the_owners_alone(tmp_path: Path) -> None:
    data = tmp_path / "data"
    with EmbeddedStack(data, kafka=False) as stack:
        mode = (data / "postgres.password").stat().st_mode
        assert stat.S_IMODE(mode) == 0o600
        wrong = re.sub(r":[^:@]+@", ":wrong@", stack.database_url)
        with pytest.raises(psycopg.OperationalError, match="password authentication failed"):
            psycopg.connect(wrong)
    (data / "postgres.password").unlink()
    with pytest.raises(ServiceFailed, match=r"postgres\.password is missing"):
        EmbeddedStack(data, kafka=False).start()


def test_a_taken_port_is_given_up_for_another(tmp_path: Path) -> None:
    data = tmp_path / "data"
    data.mkdir()
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        (data / "ports.json").write_text(json.dumps({"postgres": port}))
        with EmbeddedStack(data, kafka=False) as stack:
            assert f":{port}/" not in stack.database_url


def test_a_port_that_is_taken_meanwhile_is_given_up_for_another(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between the choice of a port and the start of its service."""
    take = Ports.take
    with socket.create_server(("127.0.0.1", 0)) as one, socket.create_server(("127.0.0.1", 0)) as two:
        taken = {"postgres": one.getsockname()[1], "kafka": two.getsockname()[1]}
        late = dict(taken)

        def chosen(ports: Ports, *names: str) -> dict[str, int]:
            found = take(ports, *names)
            return {name: late.pop(name, port) for name, port in found.items()}

        monkeypatch.setattr(Ports, "take", chosen)
        with EmbeddedStack(tmp_path / "data") as stack:
            assert late == {}
            assert f":{taken['postgres']}/" not in stack.database_url
            assert not stack.bootstrap_servers.endswith(f":{taken['kafka']}")


def test_an_unusable_data_directory_is_named_with_a_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(DataDirUnusable, match=r"file/data cannot be used: .*SBX_DATA_DIR"):
        EmbeddedStack(tmp_path / "file" / "data").start()
    monkeypatch.setattr(paths, "MIN_FREE_BYTES", 2**62)
    with pytest.raises(DataDirUnusable, match=r"MB left.*SBX_DATA_DIR"):
        EmbeddedStack(tmp_path / "data").start()


def test_postgresql_is_where_the_package_is_expected_to_have_it() -> None:
    answer = subprocess.run(
        [packaged_bin_dir() / "postgres", "--version"], capture_output=True, text=True, check=True
    )
    assert answer.stdout.startswith("postgres (PostgreSQL) 18.")


def _python_for_everybody() -> str | None:
    """A Python of this version that an ordinary user may run: ours may lie below root's home."""
    for candidate in (sys.executable, f"/usr/bin/python3.{sys.version_info.minor}"):
        path = Path(candidate)
        if path.exists() and paths.open_to_all(path) and os.access(path, os.X_OK):
            return candidate
    return None


@pytest.mark.skipif(os.geteuid() != 0, reason="needs root to become an ordinary user")
def test_root_and_an_ordinary_user_get_the_same(tmp_path_factory: pytest.TempPathFactory) -> None:
    """``nobody`` with a home of its own, and a ``postmaster.pid`` that names a live process of its own."""
    python = _python_for_everybody()
    packages = Path(psycopg.__file__).parents[1]
    if python is None or not paths.open_to_all(packages) or not paths.open_to_all(ROOT):
        pytest.skip("this Python or this checkout is closed to ordinary users")
    home = Path(tempfile.mkdtemp())  # not below tmp_path, which only root may enter
    try:
        # Downloaded already: the test is about running, not about fetching.
        with EmbeddedStack(tmp_path_factory.mktemp("root") / "data") as stack:
            assert topics(stack.bootstrap_servers) == []
        shutil.copytree(cache_dir(), home / "cache", ignore=shutil.ignore_patterns("*.lock"))
        for path in (home, *home.rglob("*")):
            os.chown(path, 65534, 65534)
        code = (
            "import os, pathlib, sys; from sandbox import EmbeddedStack\n"
            "data = pathlib.Path.home() / 'data'\n"
            "for attempt in range(2):\n"
            "    with EmbeddedStack(data, kafka=attempt == 0) as stack:\n"
            "        print(stack.bootstrap_servers, stack.database_url)\n"
            "    (data / 'postgres' / 'postmaster.pid').write_text(f'{os.getpid()}\\n{data}\\n')\n"
        )
        done = subprocess.run(
            [python, "-c", code],
            env={
                "HOME": str(home),
                "PATH": "/usr/bin:/bin",
                "PYTHONPATH": f"{ROOT}:{packages}",
                "SBX_CACHE_DIR": str(home / "cache"),
            },
            cwd=home,
            user=65534,
            group=65534,
            extra_groups=[],
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        assert len(done.stdout.splitlines()) == 2
        wait_for_none(home / "data", seconds=1)
    finally:
        shutil.rmtree(home)
