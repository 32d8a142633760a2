"""The command line by itself: its version, and what a shell completes."""

import os
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path

import pytest

SBX = Path(sys.executable).with_name("sbx")


def said(*arguments: str, **more: str) -> str:
    done = subprocess.run(
        [SBX, *arguments], capture_output=True, text=True, check=True, env=os.environ | more
    )
    return done.stdout


def test_the_version_is_that_of_the_package() -> None:
    assert said("--version") == f"sbx {version('salesbinder-xero')}\n"


@pytest.mark.parametrize(
    ("typed", "completed"),
    [("sbx rep", "replay"), ("sbx users set-r", "set-role"), ("sbx log --fol", "--follow")],
)
def test_a_shell_completes_commands_and_options(typed: str, completed: str) -> None:
    count = str(len(typed.split()) - 1)
    assert said(_SBX_COMPLETE="complete_bash", COMP_WORDS=typed, COMP_CWORD=count).split() == [completed]
