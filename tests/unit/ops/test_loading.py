"""The page and the commands load nothing that they do not use: somebody waits for each of them."""

import inspect
import json
import subprocess
import sys
from typing import Any

import pytest
import typer

from sbx import migrations
from sbx.cli.command_line import PANELS, app
from sbx.cli.commands import drift, topics
from sbx.cli.commands.groups import first_paragraph
from sinks.drift.scan import LISTS

SDK = "xero_python"
PACKAGES = (
    "connections",
    "contracts",
    "log_projection",
    "mappers",
    "runtime",
    "sbx",
    "sinks",
    "sources",
    "streams",
)
HEAVY = {
    *(
        "aiokafka",
        "asyncio",
        "cryptography",
        "faust",
        "jinja2",
        "kafka",
        "prometheus_client",
        "psutil",
        "psycopg",
    ),
    *("pydantic", "rich", "starlette", "structlog", "urllib3", "uvicorn", SDK),
}
EACH_HELP = """
import contextlib, io, json, sys, typer
from sbx.cli.command_line import app
found = {}
def show(*words):
    with contextlib.redirect_stdout(io.StringIO()) as shown, contextlib.suppress(SystemExit):
        app([*words, "--help"], prog_name="sbx")
    found[" ".join(words)] = [shown.getvalue(), sorted(sys.modules)]
show()
for name, command in ((name, app_.get_command(None, name)) for app_ in [typer.main.get_command(app)]
                      for name in app_.list_commands(None)):
    show(name)
    for inner in getattr(command, "commands", ()):
        show(name, inner)
print(json.dumps(found))
"""
EVERY_MODULE = """
import importlib, pkgutil
for package in {packages}:
    for module in pkgutil.walk_packages(importlib.import_module(package).__path__, package + "."):
        if not module.name.endswith(("__main__", "sinks.xero.transport")):
            importlib.import_module(module.name)
"""


def said(code: str) -> str:
    """What a fresh process prints."""
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout


def loaded(code: str) -> set[str]:
    """Names of the modules that a fresh process has after ``code``."""
    return set(said(f"{code}\nimport sys; print('loaded:', *sys.modules)").rpartition("loaded:")[2].split())


# The SDK


def test_of_all_modules_one_loads_the_xero_sdk() -> None:
    found = loaded(EVERY_MODULE.format(packages=PACKAGES))
    assert {"sbx.web.server", "sbx.cli.retry", "sinks.preview.run", "streams.deliver"} <= found
    assert SDK not in found


def test_the_xero_sdk_is_loaded_with_the_first_client() -> None:
    code = "from sinks.xero.client import XeroClient; XeroClient('http://127.0.0.1:1', 'tenant', 1.0)"
    assert SDK in loaded(code)


def test_the_deliver_stage_can_load_it_before_its_first_call() -> None:
    assert SDK in loaded("from sinks.xero.client import load_sdk; load_sdk()")


# Help


@pytest.fixture(scope="module")
def help_pages() -> dict[str, tuple[str, set[str]]]:
    """By command: its help, and the modules that were loaded when it had been shown, one after the other."""
    return {name: (text, set(modules)) for name, (text, modules) in json.loads(said(EACH_HELP)).items()}


def test_no_help_loads_what_the_command_works_with(help_pages: dict[str, tuple[str, set[str]]]) -> None:
    assert {"", "log", "users add", "settings set", "notify"} <= help_pages.keys()
    assert {name: HEAVY & modules for name, (_, modules) in help_pages.items() if HEAVY & modules} == {}


def test_the_list_of_commands_loads_none_of_them(help_pages: dict[str, tuple[str, set[str]]]) -> None:
    _, modules = help_pages[""]
    own = {name for name in modules if name.partition(".")[0] in PACKAGES}
    assert own <= {
        "sbx", "sbx.cli", "sbx.cli.main", "sbx.cli.interrupt", "sbx.cli.command_line",
        "sbx.cli.commands", "sbx.cli.commands.groups",
    }  # fmt: skip


def test_the_list_of_commands_says_how_the_help_of_each_begins() -> None:
    group: Any = typer.main.get_command(app)
    written = {name: text for commands in PANELS.values() for name, text in commands.items()}
    assert list(written) == group.list_commands(None)
    helps = {name: first_paragraph(group.get_command(None, name).help) for name in written}
    assert written == helps, "correct PANELS of sbx/cli/command_line.py"


def test_each_help_begins_with_usage_and_says_what_the_command_does(
    help_pages: dict[str, tuple[str, set[str]]],
) -> None:
    for commands in PANELS.values():
        for name, text in commands.items():
            shown, _ = help_pages[name]
            assert shown.startswith(f"Usage: sbx {name} ")
            assert text in " ".join(shown.split())
            assert f"  {name} " in help_pages[""][0]


# The start


def test_the_services_of_sbx_up_begin_before_the_rest_is_loaded() -> None:
    found = loaded("import sbx.cli.commands.up; from sbx.cli.local.services import FirstSteps, begun")
    assert {"sandbox.kafka", "sandbox.postgres"} <= found
    assert found & (HEAVY - {"psutil"}) == set()


# What the light modules repeat of the others


def test_the_kinds_of_drift_are_those_that_it_reads() -> None:
    assert tuple(kind for listing in LISTS for kind in listing.kinds) == drift.KINDS


def test_sbx_migrate_waits_as_long_as_migrations_do() -> None:
    assert inspect.signature(topics.migrate).parameters["wait"].default == migrations.WAIT_SECONDS
