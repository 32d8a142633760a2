"""Whom the process trusts, and that nothing makes a connection of its own."""

import ast
import os
import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from runtime.outgoing.authorities import tls_context
from tests.unit.outgoing.authority import Authority

ROOT = Path(__file__).parents[3]
PACKAGES = (
    *("contracts", "runtime", "mappers", "connections"),
    *("sinks", "log_projection", "sources", "streams", "sbx"),
)
MAKERS = {
    *("PoolManager", "ProxyManager", "ClientSession", "TCPConnector", "SMTP", "SMTP_SSL", "urlopen"),
    *("create_connection", "create_default_context", "SSLContext", "HTTPConnection", "HTTPSConnection"),
    *("build_opener",),
}
ALLOWED = {
    "runtime/environment.py": "Kafka's own authorities",
    "runtime/variables.py": "a look at SBX_CA_FILE",
    "sbx/cli/targets.py": "this machine's workers",
    "sbx/cli/environment.py": "whether a broker listens",
}


def made() -> Iterator[str]:
    """The modules that make connections."""
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call):
                    name = getattr(node.func, "attr", getattr(node.func, "id", ""))
                    if name in MAKERS:
                        yield str(path.relative_to(ROOT))


def test_connections_are_made_in_one_place() -> None:
    places = set(made())
    assert {path for path in places if not path.startswith("runtime/outgoing/")} == set(ALLOWED)
    assert len(places) > len(ALLOWED)


def names(context: ssl.SSLContext) -> set[str]:
    subjects: list[Any] = [held["subject"] for held in context.get_ca_certs()]
    return {value for subject in subjects for ((name, value),) in subject if name == "commonName"}


OWN = "The company's authority"


def test_our_authority_comes_beside_the_machine_s(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = names(tls_context())
    monkeypatch.setenv("SBX_CA_FILE", str(authority.file))
    assert names(tls_context()) == before | {OWN} and len(before) > 10


def test_the_standard_variable_comes_in_their_place(
    authority: Authority, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.file))
    assert OWN in names(tls_context())
    assert "ISRG Root X1" not in names(tls_context())


def test_a_blank_variable_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    before = names(tls_context())
    monkeypatch.setenv("SSL_CERT_FILE", " ")
    assert names(tls_context()) == before
    assert "SSL_CERT_FILE" not in os.environ


def test_certificates_are_checked() -> None:
    context = tls_context()
    assert context.check_hostname and context.verify_mode == ssl.CERT_REQUIRED
