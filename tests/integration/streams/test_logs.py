"""Log lines of a worker process."""

import json
import subprocess
import sys

from tests.integration.streams.conftest import PATIENCE, ROOT

PROGRAM = """
import logging, structlog
from runtime.logs import configure_logging
configure_logging(stage="transform")
for number in range(1000):
    logging.getLogger("aiokafka.consumer").error("broker %s is away", number)
    logging.getLogger("streams.faust_app").warning("ours %s", number)
logging.getLogger("aiokafka.consumer").error("something else")
logging.getLogger("faust.app").info("chatter")
logging.getLogger("faust.x").error("sent Authorization: Bearer %s", "planted-" * 5)
structlog.stdlib.get_logger("streams.x").warning("answer", body='{"access_token": "planted-token"}')
try:
    raise ValueError("client_secret=planted-secret")
except ValueError:
    structlog.stdlib.get_logger("streams.x").exception("refused")
try:
    1 / 0
except ZeroDivisionError:
    structlog.stdlib.get_logger("streams.x").exception("broken", offset=7)
"""


def test_one_json_object_a_line_and_libraries_do_not_repeat_themselves() -> None:
    ended = subprocess.run(
        [sys.executable, "-c", PROGRAM], cwd=ROOT, capture_output=True, timeout=PATIENCE, check=True
    )

    lines = [json.loads(line) for line in ended.stderr.splitlines()]
    theirs = [line["event"] for line in lines if not line["logger"].startswith("streams")]
    assert theirs == ["broker 0 is away", "something else", "sent Authorization: ***"]
    assert sum(line["event"].startswith("ours") for line in lines) == 1000
    last = lines[-1]
    assert {"event": "broken", "offset": 7, "level": "error", "stage": "transform"}.items() <= last.items()
    assert "ZeroDivisionError" in last["exception"]
    assert ended.stdout == b""
    assert b"planted" not in ended.stderr
    assert ended.stderr.count(b"***") == 3
