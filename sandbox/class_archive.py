"""Kafka's classes as the JVM has them in memory, in a file that it maps: half the processor time of a start.

Class data sharing (https://docs.oracle.com/en/java/javase/17/vm/class-data-sharing.html). The archive is made
once per Java and set of jars, and kept in the cache beside the jars. ``kafka_classes.txt.gz`` lists what it
has; another version of Kafka or Java leaves out the names that it does not know. To list them again:

    JDK_JAVA_OPTIONS=-XX:DumpLoadedClassList=/tmp/list sbx up
    sed -e '/^#/d' -e '/^[^@]/s/ .*//' /tmp/list | LC_ALL=C sort -u | gzip -9n > sandbox/kafka_classes.txt.gz
"""

import fcntl
import gzip
import hashlib
import os
import subprocess
from pathlib import Path

from sandbox.java import release_of
from sandbox.paths import too_full
from sandbox.process import Progress, environment

_CLASSES = Path(__file__).with_name("kafka_classes.txt.gz")
_SECONDS = 240.0


def class_archive(java: Path, jars: Path, progress: Progress) -> Path | None:
    """Return the archive for this Java and these jars, made (some seconds) if there is none yet.

    None if there cannot be one: Kafka starts without it, too.
    """
    release = release_of(java)
    if not release:
        return None
    place = hashlib.sha256(str(java.resolve()).encode()).hexdigest()[:8]
    content = hashlib.sha256(release.encode() + _CLASSES.read_bytes()).hexdigest()[:8]
    archive = jars.with_name(f"{jars.name}-classes-{place}-{content}.jsa")
    try:
        if not archive.exists():
            with jars.with_name(f"{jars.name}-classes.lock").open("w") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                if not archive.exists():
                    _make(archive, java, jars, progress)
                    _remove_others(archive, jars, place)
        # An empty one is the memory of a Java that makes none.
        return archive if archive.stat().st_size else None
    except (
        OSError,
        subprocess.TimeoutExpired,
    ):  # another start makes it; no room, or no right to write there
        return None


def _make(archive: Path, java: Path, jars: Path, progress: Progress) -> None:
    progress("Preparing Kafka's classes (once)", None)
    names, new = archive.with_suffix(".txt"), archive.with_suffix(".part")
    try:
        names.write_bytes(gzip.decompress(_CLASSES.read_bytes()))
        done = subprocess.run(
            [
                *(str(java), "-Xshare:dump", "-XX:+UseSerialGC"),
                *(f"-XX:SharedClassListFile={names}", f"-XX:SharedArchiveFile={new}", "-cp", f"{jars}/*"),
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            timeout=_SECONDS,
            check=False,
            env=environment(),
        )
        if done.returncode or not new.exists():
            new.unlink(missing_ok=True)
            if too_full(archive.parent):
                return
            new.touch()
        os.chmod(new, 0o644)
        new.rename(archive)
    finally:
        names.unlink(missing_ok=True)
        new.unlink(missing_ok=True)


def _remove_others(archive: Path, jars: Path, place: str) -> None:
    """Remove those of earlier versions of the same Java (60 MB each)."""
    for old in jars.parent.glob(f"{jars.name}-classes-{place}-*.jsa"):
        if old != archive:
            old.unlink()
