"""`sbx web` and `sbx users` as people run them, and the page of `sbx up`."""

import re
import signal
from pathlib import Path

import psutil
import pytest
import urllib3

from tests.integration.ops.sbx import Sbx, Stack, environ, wait_until
from tests.web.office import PASSWORD, Client


@pytest.fixture
def sbx(database_url: str, tmp_path: Path) -> Sbx:
    """`sbx` with a database of this test's own."""
    return Sbx(environ(tmp_path / "data", SBX_DATABASE_URL=database_url))


def test_users_are_set_up_without_a_password_on_the_command_line(sbx: Sbx) -> None:
    added = sbx("users", "add", "ann", "--role", "operator", "--account", "acme", stdin=PASSWORD + "\n")
    assert (added.code, added.out) == (0, "")
    assert sbx("users", "add", "ann", stdin=PASSWORD + "\n").code == 1
    short = sbx("users", "add", "bob", stdin="short\n")
    assert (short.code, "12 to 512" in short.err) == (1, True)
    assert sbx("users", "add", "bot", "--no-password").code == 0
    token = sbx("users", "token", "bot", "--days", "2").out.strip()
    assert token.startswith("sbx_")

    shown = sbx("users", "list", "--json")
    assert token not in shown.out
    assert "argon2" not in shown.out
    assert '"name": "ann", "role": "operator", "accounts": ["acme"], "has_password": true' in shown.out
    assert sbx("users", "set-password", "ann", stdin="another long one\n").code == 0
    assert sbx("users", "set-role", "bot", "operator").code == 0
    listed = sbx("users", "tokens", "bot", "--json").out
    assert '"label": "api"' in listed and '"last_used_at": null' in listed and token not in listed
    assert sbx("users", "revoke", "bot").code == 2
    unknown = sbx("users", "revoke", "bot", "--label", "none")
    assert (unknown.code, "has no token 'none'" in unknown.err) == (1, True)
    assert sbx("users", "revoke", "bot", "--label", "api").code == 0
    assert sbx("users", "tokens", "--json").out == ""
    assert sbx("users", "remove", "bot").code == 0
    gone = sbx("users", "token", "bot")
    assert (gone.code, "sbx users list" in gone.err) == (1, True)


def test_a_link_and_the_status_name_the_port_at_which_the_page_is(sbx: Sbx, tmp_path: Path) -> None:
    (tmp_path / "data").mkdir(exist_ok=True)
    (tmp_path / "data" / "page-address").write_text("http://127.0.0.1:1\n", encoding="utf-8")
    assert sbx("users", "link").out.startswith("http://127.0.0.1:1/sign-in/once?key=")
    assert sbx("status", "--json").json["page"] == "http://127.0.0.1:1"
    opened = sbx("open")
    assert (opened.code, "http://127.0.0.1:1 does not answer" in opened.err) == (1, True)


def test_the_page_says_its_address_and_ends_in_good_order(sbx: Sbx) -> None:
    web = sbx.start("web", "--port", "0")
    try:
        assert web.stdout is not None
        url = web.stdout.readline().strip()
        assert re.fullmatch(r"http://localhost:\d+", url)
        wait_until(lambda: _answers(url))
        assert web.stderr is not None
        said = web.stderr.readline() + web.stderr.readline()
        client = Client(url)
        assert client.follow(said.split()[-1].partition("key=")[2]).status == 303
        assert "local" in client.get("/").text

        taken = sbx("web", "--port", url.rpartition(":")[2])
        assert (taken.code, "--port" in taken.err) == (1, True)
    finally:
        web.send_signal(signal.SIGTERM)
        web.communicate(timeout=240)
    assert web.returncode in (0, -signal.SIGTERM)


def test_up_serves_the_page(stack: Stack) -> None:
    url = stack.status["web"]["url"]
    assert Client(url).get("/healthz").status == 200
    link = stack.sbx("users", "link", "--url", url).out.strip()
    client = Client(url)
    assert client.follow(link.partition("key=")[2]).status == 303
    assert "operator" in client.get("/").text


def test_the_page_refuses_nobody_while_its_process_is_started_again(stack: Stack) -> None:
    """Nor can another program take its port meanwhile."""
    (page,) = [
        one for one in stack.process.children() if one.cmdline()[-3:-1] == ["sbx.cli.local.child", "web"]
    ]
    page.kill()
    psutil.wait_procs([page], timeout=60)
    answer = urllib3.request("GET", stack.status["web"]["url"] + "/healthz", timeout=120, retries=False)
    assert answer.status == 200


def _answers(url: str) -> bool:
    try:
        return Client(url).get("/healthz").status == 200
    except urllib3.exceptions.HTTPError:
        return False
