"""A signal at any moment of a command's start ends it: in time, with an exit code, without a traceback."""

import os
import random
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

COMMANDS = (
    "web --port 0",
    "notify",
    "wait --idle",
    "log --follow",
    "migrate",
    "topics create",
    "status",
    "replay",
    "worker transform",
    "worker deliver",
    "connect acme --client-id x --port 0",
    "publish events.jsonl",
    "up",
    "demo --once",
)
SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
_SBX = Path(sys.executable).with_name("sbx")


@pytest.mark.parametrize("seed", range(len(COMMANDS)))
def test_while_it_starts(seed: int, tmp_path: Path) -> None:
    """Kafka and PostgreSQL take connections and never answer: whoever speaks to them hangs."""
    chance = random.Random(seed)
    command = COMMANDS[seed % len(COMMANDS)]
    (tmp_path / "events.jsonl").write_text("{}\n")
    silent = [socket.create_server(("127.0.0.1", 0), backlog=64) for _ in range(2)]
    kafka, database = (listening.getsockname()[1] for listening in silent)
    environ = {name: value for name, value in os.environ.items() if not name.startswith("SBX_")} | {
        "SBX_DATA_DIR": str(tmp_path / "data"),
        "SBX_KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{kafka}",
        "SBX_DATABASE_URL": f"postgresql://sbx:x@127.0.0.1:{database}/sbx",
        "SBX_NOTIFY_WEBHOOK_URL": "http://127.0.0.1:9/x",
    }
    try:
        for number in SIGNALS:
            process = subprocess.Popen(
                [_SBX, *command.split()], cwd=tmp_path, env=environ, stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
            )  # fmt: skip
            _past_the_interpreters_own_start(process)
            time.sleep(chance.random() ** 2 * 3)
            process.send_signal(number)
            try:
                _, said = process.communicate(timeout=300)
            except subprocess.TimeoutExpired:
                process.kill()
                _, said = process.communicate()
                raise AssertionError(f"{command} has not ended of {number.name}: {said.decode()}") from None
            assert b"Traceback" not in said, said.decode()
            assert process.returncode in (0, 1, 2, 128 + number, -number), (
                command,
                number,
                process.returncode,
            )
    finally:
        for listening in silent:
            listening.close()


def _past_the_interpreters_own_start(process: "subprocess.Popen[bytes]") -> None:
    """Wait until it has loaded the first of our modules; before, Python itself speaks for it."""
    until = time.monotonic() + 60
    while time.monotonic() < until and process.poll() is None:
        caught = Path(f"/proc/{process.pid}/status").read_text().partition("SigCgt:")[2].split()[0]
        if int(caught, 16) & (1 << (signal.SIGTERM - 1)):
            return
        time.sleep(0.002)
