"""A forked process is what a fresh one is: its variables, descriptors, signals, title and end are its own."""

import json
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="processes are forked on Linux only")

ARGV = ["/opt/a path/python3", "-P", "-m", "sbx.cli.local.child", "deliver"]
# What they are forked from: one thread, and something of its own to undo.
HEAD = """
import atexit, json, os, signal, sys, threading, time
from pathlib import Path
from sbx.cli import interrupt
from sbx.cli.local.forked import ended_unless_released, fork, no_signals, possible
interrupt.arm()
ARGV, LOG = {argv!r}, Path({log!r})
def started(run, *inherited, release=True):
    with no_signals():
        process = fork(ARGV, run, LOG, inherited)
    if release:
        process.release({{"ONLY": "this"}})
    return process
def wait_until(true):
    until = time.monotonic() + 60
    while not true():
        assert time.monotonic() < until
        time.sleep(0.01)
def said():
    return LOG.read_text() if LOG.exists() else ""
"""


def run(code: str, tmp_path: Path, *arguments: str) -> Any:
    """What a fresh process prints as JSON."""
    program = HEAD.format(argv=ARGV, log=str(tmp_path / "logs" / "one.jsonl")) + code
    command = [sys.executable, "-c", program, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_it_runs_with_the_variables_that_it_is_told_and_logs_into_its_file(tmp_path: Path) -> None:
    found = run(
        """
def work():
    atexit.register(print, "at its end")
    print(json.dumps(dict(os.environ)))
    print("a problem", file=sys.stderr)
    return 7
print(json.dumps([started(work).wait(60), said()]))
""",
        tmp_path,
    )
    assert found[0] == 7
    assert sorted(found[1].splitlines()) == ["a problem", "at its end", '{"ONLY": "this"}']


@pytest.mark.parametrize("more", [[], ["x" * 200]], ids=["longer-than-ours", "shorter-than-ours"])
def test_it_shows_its_own_command_line_and_is_a_session_of_its_own(tmp_path: Path, more: list[str]) -> None:
    code = """
process = started(lambda: time.sleep(60) or 0)
import psutil
seen = psutil.Process(process.pid)
# The one that it is forked from may have that name, too, so its line is waited for as well.
wait_until(lambda: seen.name() == "python3" and seen.cmdline()[-1:] == ["deliver"])
print(json.dumps([seen.cmdline(), os.getsid(process.pid) == process.pid]))
process.kill()
"""
    (tmp_path / "p.py").write_text(HEAD.format(argv=ARGV, log=str(tmp_path / "log")) + code)
    done = subprocess.run(
        [sys.executable, "p.py", *more],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
        env={"PYTHONPATH": str(Path(__file__).parents[3]), "ROOM": "x" * 200},
    )
    cmdline, own_session = json.loads(done.stdout)
    assert " ".join(cmdline) == " ".join(ARGV)
    assert cmdline[-2:] == ["sbx.cli.local.child", "deliver"]
    assert own_session


def test_it_ends_of_our_end_and_holds_nobody_elses_pipe(tmp_path: Path) -> None:
    """The second one forked would keep the first, and a service, from seeing that we have ended."""
    found = run(
        """
reader, writer = os.pipe()
kept, keeper = os.pipe()
def work():
    try:
        os.fstat(writer)
    except OSError:
        print("closed")
    os.write(keeper, b"open")
    while os.read(0, 512):
        pass
    print("we have ended")
    return 0
first, second = started(work, keeper), started(work, keeper)
assert os.read(kept, 4) == b"open" and os.read(kept, 4) == b"open"
first.stdin.close()
codes = [first.wait(60)]
second.stdin.close()
print(json.dumps([*codes, second.wait(60), said()]))
""",
        tmp_path,
    )
    assert found[:2] == [0, 0]
    assert sorted(found[2].splitlines()) == ["closed"] * 2 + ["we have ended"] * 2


def test_one_that_is_not_released_does_nothing(tmp_path: Path) -> None:
    found = run(
        """
process = started(lambda: print("never"), release=False)
with ended_unless_released({"one": process}):
    assert process.poll() is None
print(json.dumps([process.returncode, said()]))
""",
        tmp_path,
    )
    assert found[0] in (0, -signal.SIGKILL)
    assert found[1] == ""


@pytest.mark.parametrize(
    ("work", "code", "words"),
    [
        ("raise ValueError('broken')", 1, "ValueError: broken"),
        ("sys.exit(70)", 70, ""),
        ("os._exit(3)", 3, ""),
        ("os.kill(os.getpid(), signal.SIGKILL)", -9, ""),
        ("os.kill(os.getpid(), signal.SIGTERM); time.sleep(60)", 143, ""),
        ("signal.raise_signal(signal.SIGINT)", 130, ""),
    ],
)
def test_how_it_ends_is_seen_and_nothing_of_ours_is_undone(
    tmp_path: Path, work: str, code: int, words: str
) -> None:
    found = run(
        f"""
def work():
    {work}
undone = []
try:
    code = started(work).wait(60)
finally:
    undone.append(1)
print(json.dumps([code, said(), len(undone)]))
""",
        tmp_path,
    )
    assert (found[0], found[2]) == (code, 1)
    assert words in found[1] if words else found[1] == ""


def test_a_signal_that_we_were_started_to_ignore_is_ignored(tmp_path: Path) -> None:
    found = run(
        """
signal.signal(signal.SIGINT, signal.SIG_IGN)
process = started(lambda: signal.raise_signal(signal.SIGINT) or 5)
print(json.dumps(process.wait(60)))
""",
        tmp_path,
    )
    assert found == 5


def test_with_a_second_thread_that_stays_nothing_is_forked(tmp_path: Path) -> None:
    found = run(
        """
found = [possible()]
threading.Thread(target=time.sleep, args=[0.1]).start()
found.append(possible())
threading.Thread(target=time.sleep, args=[60], daemon=True).start()
print(json.dumps([*found, possible()]))
""",
        tmp_path,
    )
    assert found == [True, True, False]


def test_a_signal_while_processes_are_forked_is_heard_once_all_are_known(tmp_path: Path) -> None:
    found = run(
        """
known = []
try:
    with no_signals():
        os.kill(os.getpid(), signal.SIGTERM)
        known.append(fork(ARGV, lambda: 0, LOG, ()))
        known.append(fork(ARGV, lambda: 0, LOG, ()))
    heard = False
except KeyboardInterrupt:
    heard = True
for one in known:
    one.stdin.close()
print(json.dumps([heard, [one.wait(60) for one in known], said()]))
sys.stdout.flush()
os._exit(0)
""",
        tmp_path,
    )
    assert found == [True, [0, 0], ""]


def test_what_the_system_refuses_is_told_and_leaves_nothing_open(tmp_path: Path) -> None:
    found = run(
        """
def refuse():
    raise BlockingIOError("no more processes")
before, told = os.listdir("/proc/self/fd"), []
os.fork = refuse
try:
    fork(ARGV, lambda: 0, LOG, ())
except OSError as error:
    told.append(str(error))
print(json.dumps([told, before == os.listdir("/proc/self/fd")]))
""",
        tmp_path,
    )
    assert found == [["no more processes"], True]


def test_a_supervisor_releases_it_and_starts_the_command_when_it_ends(tmp_path: Path) -> None:
    """Its end is told as any other's."""
    found = run(
        """
from sbx.cli.local.supervisor import Command, Supervisor
from sbx.cli.local.forked import fork
tell = (
    "import os, time; names = ('SBX_WORKER_RESTARTS', 'OWN', 'ALL');"
    "print('told', *map(os.environ.get, names), flush=True)"
)
def work():
    exec(tell)
    os.kill(os.getpid(), signal.SIGKILL)
log = LOG.with_name("two.jsonl")
command = Command("two-1", [sys.executable, "-c", tell + "; time.sleep(60)"], log, {"OWN": "a"})
with no_signals():
    held = {"two-1": fork(command.argv, work, log, ())}
reports = []
supervisor = Supervisor([command], {"ALL": "b"}, lambda text, trouble: reports.append(text), held)
with ended_unless_released(held):
    supervisor.start()
    wait_until(lambda: "told 1" in log.read_text())
    supervisor.stop(20)
print(json.dumps([log.read_text().splitlines(), reports]))
""",
        tmp_path,
    )
    assert found[0] == ["told 0 a b", "told 1 a b"]
    assert len(found[1]) == 1
    assert found[1][0].startswith("two-1 ended (killed by SIGKILL); restarting it in 0.5 s.")


def test_all_that_the_processes_need_is_imported_before_they_are_forked(tmp_path: Path) -> None:
    """What each would import for itself costs each of them the time."""
    found = run(
        """
from sbx.cli.local.child import preload
preload(notifications=True)
before, threads = set(sys.modules), threading.active_count()
import runtime.logs, sbx.cli.notify, sbx.web.server, sources.worker, streams.stages, uvloop
import streams.deliver, streams.project, streams.transform
print(json.dumps([sorted(set(sys.modules) - before), threads]))
""",
        tmp_path,
    )
    assert found == [[], 1]
