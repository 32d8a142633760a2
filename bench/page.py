"""The page as the process that it is, and browsers that have it open."""

import asyncio
import json
import re
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from html import unescape
from pathlib import Path
from typing import Any, Self
from urllib.parse import urlsplit

import psycopg
import urllib3

from bench.processes import end, end_with_parent
from sbx.actions import users
from sbx.actions.actors import Actor
from sbx.web.auth import sessions
from sbx.web.auth.gate import SESSION_COOKIE, cookie_name

_ROOT = Path(__file__).resolve().parents[1]
_BROWSERS = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_SECONDS = 60.0
_RETRY_SECONDS = 2.0
"""Seconds that the server's messages tell browsers to wait before they reconnect."""
# When a row that says "completed" came to be in the document, which is just before it is painted.
_WATCH = """
window.seen = {};
const look = () => {
  for (const row of document.querySelectorAll("tr.completed")) {
    window.seen[row.id] ??= performance.timeOrigin + performance.now();
  }
};
document.addEventListener("DOMContentLoaded", () => {
  new MutationObserver(look).observe(document.getElementById("rows"), { childList: true, subtree: true });
});
"""


@contextmanager
def served(environ: Mapping[str, str]) -> Iterator[str]:
    """Run ``sbx web`` for as long as the block runs; yield its address."""
    argv = [
        sys.executable,
        "-c",
        "import sys; from sbx.cli.main import main; sys.exit(main())",
        "web",
        "--port",
        "0",
    ]
    process = subprocess.Popen(
        argv,
        cwd=_ROOT,
        env=dict(environ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        preexec_fn=end_with_parent,
    )
    assert process.stdout is not None
    try:
        url = process.stdout.readline().strip()
        if not url:
            raise RuntimeError(f"sbx web ended with exit code {process.wait()}")
        yield url
    finally:
        end(process)
        process.stdout.close()


def signed_in(database_url: str, name: str, accounts: Sequence[str] = ()) -> str:
    """Return a session of a new user who sees these accounts, all when empty: the cookie's value."""

    async def start() -> str:
        async with await psycopg.AsyncConnection.connect(database_url, autocommit=True) as connection:
            await users.add(connection, Actor("bench"), name, "operator", None, accounts)
            return await sessions.start(connection, name)

    return asyncio.run(start())


class OpenPage:
    """A page that is open: reads ``/``, then follows the address that the page names for live updates.

    ``seen`` has when each entry was first shown as completed (``time.monotonic()``), by its id. A stream that
    ends is opened again behind its last event, as browsers do; ``again`` counts that.
    """

    def __init__(self, url: str, session: str) -> None:
        self._headers = {"Cookie": f"{_cookie(url)}={session}"}
        self._http = urllib3.PoolManager(retries=False, timeout=urllib3.Timeout(_SECONDS))
        self.seen: dict[str, float] = {}
        self.reloads = self.again = 0
        page = self._http.request("GET", url + "/", headers=self._headers, redirect=False)
        found = re.search(r'data-live="([^"]+)"', page.data.decode())
        if page.status != 200 or found is None:
            raise RuntimeError(f"GET / answered {page.status}, without an address for live updates")
        self._address = url + unescape(found[1])
        self._closing = threading.Event()
        self._stream = self._follow()
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def _follow(self) -> Any:
        return self._http.request("GET", self._address, headers=self._headers, preload_content=False)

    def _read(self) -> None:
        while True:
            for event in self._events():
                self._headers["Last-Event-ID"] = event.get("id", "")
                self._show(json.loads(event["data"]))
            if self._closing.wait(_RETRY_SECONDS):
                return
            self.again += 1
            self._stream = self._follow()

    def _events(self) -> Iterator[dict[str, str]]:
        text = ""
        while received := self._next():
            *whole, text = (text + received.decode()).replace("\r\n", "\n").split("\n\n")
            for block in whole:
                pairs = (line.partition(": ") for line in block.splitlines())
                event = {name: value for name, _, value in pairs if name}
                if "data" in event:
                    yield event

    def _next(self) -> bytes:
        try:
            return bytes(self._stream.read1(65536))
        except urllib3.exceptions.ProtocolError:
            return b""  # it has ended

    def _show(self, news: Mapping[str, Any]) -> None:
        at = time.monotonic()
        self.reloads += bool(news["reload"])
        for row in news["rows"]:
            if 'class="completed"' in row["html"].partition(">")[0]:
                self.seen.setdefault(row["id"], at)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Close it."""
        self._closing.set()
        self._stream.shutdown()
        self._thread.join(_SECONDS)
        self._http.clear()


@contextmanager
def in_chromium(url: str, session: str) -> Iterator[Any]:
    """Open the page in the machine's own Chromium, watched by ``shown_in``; yield None if there is no
    Chromium.
    """
    executable = next((path for name in _BROWSERS if (path := shutil.which(name))), None)
    if executable is None:
        yield None
        return
    from playwright.sync_api import (
        sync_playwright,
    )  # only here: a machine without a browser measures the rest

    arguments = ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage"]
    with (
        sync_playwright() as playwright,
        playwright.chromium.launch(executable_path=executable, args=arguments) as browser,
    ):
        context = browser.new_context()
        context.add_cookies([{"name": _cookie(url), "value": session, "url": url}])
        page = context.new_page()
        page.add_init_script(_WATCH)
        page.goto(url)
        page.wait_for_selector("#live-state:has-text('Live') .dot:not(.away)", state="attached")
        yield page


def shown_in(page: Any) -> dict[str, float]:
    """Return when each entry was first shown as completed (``time.monotonic()``), by its id."""
    offset = time.monotonic() - time.time()
    found: dict[str, float] = page.evaluate("window.seen")
    return {row.removeprefix("e-"): at / 1000 + offset for row, at in found.items()}


def _cookie(url: str) -> str:
    return cookie_name(SESSION_COOKIE, urlsplit(url).port)
