"""Kafka's jars: fetched once by jgo, checked against ``kafka_jars.txt``, kept in the user's cache.

``kafka_jars.txt`` (sha256, bytes, name) pins what was tested, as requirements/*.txt does for Python.
A directory ``kafka-VERSION-LIST`` in the cache is complete: it gets that name only after the check.
"""

import contextlib
import fcntl
import hashlib
import shutil
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from sandbox.errors import DownloadFailed
from sandbox.paths import cache_dir
from sandbox.process import Progress

KAFKA_VERSION = "4.3.1"
# Kafka logs through SLF4J and says nothing at all, not even why it ends, without something to log to.
_ENDPOINT = f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}+org.slf4j:slf4j-simple:1.7.36"
_LIST = Path(__file__).with_name("kafka_jars.txt")
_TRIES = 3


@dataclass(frozen=True)
class _Jar:
    sha256: str
    size: int
    name: str

    def is_at(self, path: Path) -> bool:
        if not path.is_file() or path.stat().st_size != self.size:
            return False
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest() == self.sha256


def _expected() -> list[_Jar]:
    lines = (line.split() for line in _LIST.read_text().splitlines())
    return [_Jar(sha256, int(size), name) for sha256, size, name in lines]


def kafka_jars(progress: Progress) -> Path:
    """Return the directory that holds Kafka's jars, downloaded (46 MB) when the cache does not have it yet.

    Raises DownloadFailed.
    """
    # Another list is another directory: nobody runs on the jars of yesterday's list.
    ready = cache_dir() / f"kafka-{KAFKA_VERSION}-{hashlib.sha256(_LIST.read_bytes()).hexdigest()[:8]}"
    if ready.is_dir():
        return ready
    try:
        ready.parent.mkdir(parents=True, exist_ok=True)
        with ready.with_name(f"{ready.name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)  # two first starts at once: the second waits for the first
            if not ready.is_dir():
                _fetch(ready, progress)
    except OSError as error:
        raise DownloadFailed(
            f"Kafka {KAFKA_VERSION} cannot be put into {ready.parent}: {error.strerror or error}. "
            "Make room there, or name another directory with SBX_CACHE_DIR."
        ) from error
    return ready


def _fetch(ready: Path, progress: Progress) -> None:
    import requests  # as below

    work = ready.with_name(f"{ready.name}.part")
    expected = {jar.name: jar for jar in _expected()}
    total = sum(jar.size for jar in expected.values())
    for attempt in range(1, _TRIES + 1):
        kept = _drop_broken(work, expected)
        try:
            jars = _resolve(work, _Meter(kept, total, progress))
            break
        # jgo has no error type of its own: requests' for the network, RuntimeError for the rest.
        except (requests.RequestException, RuntimeError, ValueError) as error:
            if attempt == _TRIES:
                raise DownloadFailed(
                    f"Kafka {KAFKA_VERSION} could not be downloaded after {_TRIES} tries: {error}. "
                    "Check the network (HTTPS_PROXY and REQUESTS_CA_BUNDLE are honoured) and start again: "
                    "what has come is kept. Or name a Kafka of your own with SBX_KAFKA_BOOTSTRAP_SERVERS."
                ) from error
            progress(f"The download was interrupted ({error.__class__.__name__}), trying again", None)
            time.sleep(2 * attempt)
    wrong = _differences(jars, expected)
    if wrong:
        shutil.rmtree(work)
        raise DownloadFailed(
            f"Kafka's jars are not the ones that were tested: {', '.join(wrong)}. They were deleted; "
            "start again. If it stays so, something between this machine and the repository changes files."
        )
    complete = work / "complete"
    complete.mkdir(exist_ok=True)
    for jar in jars:
        jar.rename(complete / jar.name)
    complete.rename(ready)
    shutil.rmtree(work)


def _resolve(work: Path, meter: "_Meter") -> list[Path]:
    # Imported here: 0.2 s that only a first start needs.
    from jgo.env import EnvironmentBuilder, LinkStrategy
    from jgo.maven import MavenContext, PythonResolver

    context = MavenContext(
        resolver=PythonResolver(progress_callback=meter.file), repo_cache=work / "m2", timeout=30
    )
    builder = EnvironmentBuilder(context, cache_dir=work / "envs", link_strategy=LinkStrategy.COPY)
    return list(builder.from_endpoint(_ENDPOINT).all_jars)


def _drop_broken(work: Path, expected: dict[str, _Jar]) -> int:
    """Delete files that an interrupted try left half-written, and return the bytes of the complete ones.

    jgo takes any file that exists for a complete one.
    """
    kept = 0
    shutil.rmtree(work / "envs", ignore_errors=True)
    for path in work.glob("m2/**/*"):
        if path.name in expected and expected[path.name].is_at(path):
            kept += expected[path.name].size
        elif path.is_file():
            path.unlink()
    return kept


def _differences(jars: list[Path], expected: dict[str, _Jar]) -> list[str]:
    names = {jar.name for jar in jars}
    changed = [jar.name for jar in jars if jar.name in expected and not expected[jar.name].is_at(jar)]
    return sorted([*(names ^ expected.keys()), *changed])


class _Meter:
    """Adds up the bytes of all files, as jgo reports them file by file."""

    def __init__(self, kept: int, total: int, progress: Progress) -> None:
        self._bytes = kept
        self._total = total
        self._progress = progress

    @contextlib.contextmanager
    def file(self, name: str, size: int) -> Iterator[Callable[[int], None]]:
        """Yield the function that counts the bytes of a file, as jgo's progress callback."""

        def add(count: int) -> None:
            self._bytes += count
            share = min(self._bytes / self._total, 1.0)
            self._progress(f"Downloading Kafka {KAFKA_VERSION} ({self._total // 10**6} MB, once)", share)

        def ignore(count: int) -> None:
            """Ignore descriptions (.pom), which are small, and not in the total."""

        is_jar = name.endswith(".jar")
        if not is_jar:
            self._progress(f"Looking up the parts of Kafka {KAFKA_VERSION}", None)
        yield add if is_jar else ignore
