"""Where the workers of ``sbx up`` serve their metrics, as a file of targets for Prometheus.

Its form is that of Prometheus's file-based service discovery
(https://prometheus.io/docs/prometheus/latest/configuration/configuration/#file_sd_config).
"""

import http.client
import json
import socket
import urllib.error
import urllib.request
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

FILE = "metrics-targets.json"
"""In the data directory."""
_SECONDS = 10.0
_PAST_PROXIES = urllib.request.build_opener(urllib.request.ProxyHandler({}))


@dataclass(frozen=True, slots=True)
class Target:
    """One worker. ``address`` is ``host:port``."""

    worker: str
    stage: str
    address: str


def free_ports(host: str, count: int) -> list[int]:
    """Return this many ports that are free now."""
    with ExitStack() as held:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        sockets = [held.enter_context(socket.socket(family)) for _ in range(count)]
        for one in sockets:
            one.bind((host, 0))
        return [int(one.getsockname()[1]) for one in sockets]


def write(data_dir: Path, targets: Sequence[Target]) -> None:
    """Tell Prometheus and ``sbx status``; atomically, as Prometheus reads the file on each change."""
    listed = [
        {"targets": [target.address], "labels": {"worker": target.worker, "stage": target.stage}}
        for target in targets
    ]
    new = data_dir / f"{FILE}.new"
    new.write_text(json.dumps(listed, indent=1) + "\n", encoding="utf-8")
    new.replace(data_dir / FILE)


def remove(data_dir: Path) -> None:
    """Note that nothing serves metrics any more."""
    (data_dir / FILE).unlink(missing_ok=True)


def read(data_dir: Path) -> list[Target]:
    """Return the workers started by the last ``sbx up`` of this data directory; empty if there was none."""
    try:
        listed = json.loads((data_dir / FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return []
    return [
        Target(entry["labels"]["worker"], entry["labels"]["stage"], entry["targets"][0]) for entry in listed
    ]


def ask_ready(target: Target) -> tuple[bool, str]:
    """Ask ``/readyz`` whether the worker is ready; return that and the text of the answer."""
    try:
        ready, text = ask(f"http://{target.address}/readyz")
    except OSError as error:
        return False, f"does not answer: {error}"
    return ready, "; ".join(text.splitlines())


def ask(url: str) -> tuple[bool, str]:
    """Ask a process on this machine, past any proxy; return whether it said 200, and the text of its answer.

    Raises:
        OSError: it does not answer.
    """
    try:
        with _PAST_PROXIES.open(url, timeout=_SECONDS) as answer:
            return True, answer.read().decode("utf-8", "replace")
    except urllib.error.HTTPError as error:
        return False, error.read().decode("utf-8", "replace")
    except http.client.HTTPException as error:
        raise ConnectionError(f"not an answer of HTTP: {error!r}") from error
