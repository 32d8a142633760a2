"""The page and the commands load nothing that they do not use: somebody waits for each of them."""

import subprocess
import sys

import pytest

SDK = ("xero_python",)


def loaded(code: str) -> set[str]:
    """Names of the modules that a fresh process has after ``code``."""
    done = subprocess.run(
        [sys.executable, "-c", f"{code}\nimport sys; print('loaded:', *sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    )
    return set(done.stdout.rpartition("loaded:")[2].split())


@pytest.mark.parametrize(
    "module",
    [
        "sbx.web.server",
        "sbx.notify.worker",
        "sbx.actions.connect",
        "sinks.preview",
        "sinks.delivery",
        "streams.deliver",
        "streams.project",
        "streams.transform",
    ],
)
def test_the_xero_sdk_is_not_loaded_before_there_is_a_call(module: str) -> None:
    assert loaded(f"import {module}").isdisjoint(SDK)


def test_the_xero_sdk_is_loaded_with_the_first_client() -> None:
    code = "from sinks.xero.client import XeroClient; XeroClient('http://127.0.0.1:1', 'tenant', 1.0)"
    assert loaded(code).issuperset(SDK)


def test_the_deliver_stage_can_load_it_before_its_first_call() -> None:
    assert loaded("from sinks.xero.client import load_sdk; load_sdk()").issuperset(SDK)
