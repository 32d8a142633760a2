"""Child processes are started again when they end, and none is left when the supervisor stops."""

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest

from sbx.cli.local.supervisor import LOG_BYTES, Command, Supervisor, last_words

_SLEEP = "import time; time.sleep(600)"
_STUBBORN = "import signal, time; signal.signal(15, signal.SIG_IGN); print('on', flush=True); time.sleep(600)"


def wait_until(true: Callable[[], object], seconds: float = 120.0) -> None:
    until = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < until, "it did not come true in time"
        time.sleep(0.05)


def children() -> list[psutil.Process]:
    return [one for one in psutil.Process().children() if "time.sleep(600)" in arguments(one)]


def arguments(process: psutil.Process) -> str:
    try:
        return " ".join(process.cmdline())
    except psutil.Error:  # it has just ended
        return ""


@pytest.fixture
def reports() -> list[str]:
    return []


@pytest.fixture
def supervise(tmp_path: Path, reports: list[str]) -> Iterator[Callable[[str], Supervisor]]:
    started: list[Supervisor] = []

    def start(code: str) -> Supervisor:
        command = Command("child-1", [sys.executable, "-c", code], tmp_path / "logs" / "child-1.jsonl")
        supervisor = Supervisor([command], os.environ, lambda text, trouble: reports.append(text))
        supervisor.start()
        started.append(supervisor)
        return supervisor

    yield start
    for supervisor in started:
        supervisor.stop(0)
    assert not children()


def test_a_killed_child_is_started_again_and_said_so(
    supervise: Callable[[str], Supervisor], reports: list[str]
) -> None:
    supervise(_SLEEP)
    wait_until(children)
    (first,) = children()
    first.kill()
    wait_until(lambda: any(child.pid != first.pid for child in children()))
    assert len(reports) == 1
    assert reports[0].startswith("child-1 ended (killed by SIGKILL); restarting it in 0.5 s")


def test_what_the_system_refuses_is_tried_again_and_said_once(
    supervise: Callable[[str], Supervisor],
    reports: list[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The log cannot be opened, then a process has no memory to start in, then all is well."""
    refusals = [OSError(28, "No space left on device"), *[OSError(12, "Cannot allocate memory")] * 2]
    popen = subprocess.Popen

    def start(*arguments: Any, **options: Any) -> "subprocess.Popen[bytes]":
        if refusals:
            raise refusals.pop(0)
        return popen(*arguments, **options)

    monkeypatch.setattr(subprocess, "Popen", start)
    supervise(_SLEEP)
    wait_until(children)
    assert reports == [
        "child-1 cannot be looked after: [Errno 28] No space left on device; trying again",
        "child-1 cannot be looked after: [Errno 12] Cannot allocate memory; trying again",
    ]
    (first,) = children()
    first.kill()
    wait_until(lambda: any(child.pid != first.pid for child in children()))


def test_a_signal_without_a_name_is_told_by_its_number(
    supervise: Callable[[str], Supervisor], reports: list[str]
) -> None:
    supervise("import os; os.kill(os.getpid(), 40)")
    wait_until(lambda: reports)
    assert reports[0].startswith("child-1 ended (killed by signal 40); restarting it")


def test_what_a_child_said_last_is_reported(
    supervise: Callable[[str], Supervisor], reports: list[str]
) -> None:
    line = '{"level": "error", "event": "topics are missing", "remedy": "run it"}'
    supervise(f"import sys; print('{line}', file=sys.stderr); sys.exit(1)")
    wait_until(lambda: reports)
    assert "child-1 ended (exit code 1): topics are missing; run it; " in reports[0]


def test_the_wait_doubles_while_a_child_ends_at_once(
    supervise: Callable[[str], Supervisor], reports: list[str]
) -> None:
    supervise("raise SystemExit(3)")
    wait_until(lambda: len(reports) >= 3)
    for seconds, text in zip(("0.5", "1", "2"), reports, strict=False):
        assert f"restarting it in {seconds} s" in text


def test_a_child_that_does_not_end_is_killed(supervise: Callable[[str], Supervisor], tmp_path: Path) -> None:
    supervisor = supervise(_STUBBORN)
    wait_until(lambda: (tmp_path / "logs" / "child-1.jsonl").exists())
    wait_until(lambda: "on" in (tmp_path / "logs" / "child-1.jsonl").read_text())
    (child,) = children()
    supervisor.stop(grace=0.3)
    assert not child.is_running()


def test_a_log_that_grows_is_set_aside(supervise: Callable[[str], Supervisor], tmp_path: Path) -> None:
    log = tmp_path / "logs" / "child-1.jsonl"
    supervise(f"print('x' * {LOG_BYTES + 1}, end='', flush=True); import time; time.sleep(600)")
    wait_until(lambda: log.with_suffix(".1.jsonl").exists() and log.exists() and log.stat().st_size == 0)


def test_last_words_are_of_the_newest_trouble(tmp_path: Path) -> None:
    log = tmp_path / "log"
    assert last_words(log) == ""
    log.write_text(
        '{"level": "error", "event": "older"}\n'
        '{"level": "critical", "event": "a batch failed", "exception": "Traceback\\n  File\\nKeyError: 5"}\n'
        '{"level": "info", "event": "stopped"}\nnot json\n'
    )
    assert last_words(log) == "a batch failed; KeyError: 5"
