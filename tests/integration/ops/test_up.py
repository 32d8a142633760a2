"""`sbx up` keeps its processes running, and leaves none behind however it ends."""

import signal
import subprocess
import urllib.request
from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from tests.integration.ops.sbx import Sbx, environ, wait_ready, wait_until


@pytest.fixture
def up(tmp_path: Path) -> Iterator["subprocess.Popen[str]"]:
    """A `sbx up` that is ready."""
    started = Sbx(environ(tmp_path / "data")).start("up", "--json")
    try:
        wait_ready(started)
        yield started
    finally:
        if started.poll() is None:
            started.terminate()
        started.communicate(timeout=240)


def test_a_stage_that_dies_is_started_again(up: "subprocess.Popen[str]", tmp_path: Path) -> None:
    def deliver() -> list[int]:
        return [one.pid for one in psutil.Process(up.pid).children() if _runs_deliver(one)]

    (first,) = deliver()
    psutil.Process(first).kill()
    wait_until(lambda: deliver() not in ([], [first]))
    sbx = Sbx(environ(tmp_path / "data"))
    # The broker counts the dead one until its session ends.
    wait_until(lambda: sbx("status", "--json").json["ready"])
    workers = {one["name"]: one for one in sbx("status", "--json").json["workers"]}
    assert {one["stage"] for one in workers.values()} == {"transform", "deliver", "project", "source", "web"}
    wait_until(lambda: all(one["ready"] for one in sbx("status", "--json").json["workers"]))
    with urllib.request.urlopen(workers["deliver-1"]["metrics"], timeout=120) as answer:
        assert "sbx_worker_restarts 1.0" in answer.read().decode()
    up.send_signal(signal.SIGINT)
    _, err = up.communicate(timeout=240)
    assert up.returncode == 0
    assert "deliver-1 ended (killed by SIGKILL)" in err


def _runs_deliver(process: psutil.Process) -> bool:
    return _arguments(process)[-2:] == ["sbx.cli.local.child", "deliver"]


def _arguments(process: psutil.Process) -> list[str]:
    """None of a process that has ended, whether or not somebody has looked after it yet."""
    try:
        return process.cmdline()
    except psutil.Error:
        return []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_no_process_is_left(up: "subprocess.Popen[str]", number: signal.Signals) -> None:
    family = psutil.Process(up.pid).children(recursive=True)
    names = " ".join(word for one in family for word in _arguments(one))
    assert all(part in names for part in ("sbx.cli.local.child", "kafka.Kafka", "postgres"))
    up.send_signal(number)
    up.wait(240)
    assert up.returncode == (0 if number is signal.SIGTERM else -number)
    # After SIGKILL nobody waits for them: they end by themselves.
    _, left = psutil.wait_procs(family, timeout=0.1 if number is signal.SIGTERM else 240)
    assert not [words for one in left if (words := _arguments(one))]
