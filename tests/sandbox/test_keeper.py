"""What the keeper and the search for leftovers do with processes that behave, and with those that do not."""

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.errors import ServiceFailed
from sandbox.process import Command, Service, end_leftovers

POLITE = "import time; print('up', flush=True); time.sleep(60)"
STUBBORN = "import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN); " + POLITE


def command(tmp_path: Path, code: str, grace: float = 0.5) -> Command:
    mark = f"mark={tmp_path}"
    return Command(
        name="Example",
        argv=[sys.executable, "-c", code, mark],
        log=tmp_path / "log",
        stop_signal=signal.SIGTERM,
        mark=mark,
        cwd=tmp_path,
        grace=grace,
    )


@pytest.mark.parametrize("code", [POLITE, STUBBORN])
def test_stop_ends_the_service(tmp_path: Path, code: str) -> None:
    service = Service(command(tmp_path, code))
    service.wait_until(lambda: "up" in service.log_text(), timeout=240)
    service.stop()
    assert not service.running
    assert not end_leftovers(command(tmp_path, code)), "stop() had left something"


def test_a_service_that_ends_is_reported_with_its_code_and_log(tmp_path: Path) -> None:
    service = Service(
        command(tmp_path, "print('no more room: No space left on device'); raise SystemExit(7)")
    )
    with pytest.raises(ServiceFailed) as failed:
        service.wait_until(lambda: False, timeout=240)
    assert "Example ended while it started (exit code 7). The disk is full" in str(failed.value)
    assert "| no more room" in str(failed.value)
    service.stop()


def test_a_service_that_never_answers_is_reported(tmp_path: Path) -> None:
    service = Service(command(tmp_path, POLITE))
    with pytest.raises(ServiceFailed, match=r"did not answer within 0\.2 seconds"):
        service.wait_until(lambda: False, timeout=0.2)
    service.stop()


def test_a_missing_program_is_reported(tmp_path: Path) -> None:
    absent = Command("Example", ["/nowhere/at/all"], tmp_path / "log", signal.SIGTERM, "x", tmp_path)
    service = Service(absent)
    with pytest.raises(ServiceFailed, match=r"exit code 127(?s:.*)cannot run /nowhere/at/all"):
        service.wait_until(lambda: False, timeout=240)
    service.stop()


@pytest.mark.parametrize("code", [POLITE, STUBBORN])
def test_leftovers_are_ended_and_others_left_alone(tmp_path: Path, code: str) -> None:
    ours = command(tmp_path, code)
    with (
        subprocess.Popen(ours.argv, stdout=subprocess.PIPE) as left,
        subprocess.Popen([*ours.argv[:-1], f"{ours.mark}2"], stdout=subprocess.PIPE) as other,
    ):
        for process in (left, other):
            assert process.stdout is not None
            assert process.stdout.readline() == b"up\n"
        assert end_leftovers(ours)
        assert left.poll() is not None
        assert other.poll() is None
        other.kill()
    assert not end_leftovers(ours)


def test_the_log_of_an_earlier_run_is_not_blamed(tmp_path: Path) -> None:
    (tmp_path / "log").write_text("No space left on device\n")
    service = Service(command(tmp_path, POLITE))
    service.wait_until(lambda: "up" in service.log_text(), timeout=240)
    assert "No space" not in str(service.failed("did nothing"))
    service.stop()
