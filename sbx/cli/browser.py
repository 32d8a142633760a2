"""Authorize in the browser: Xero's authorization code flow with PKCE, answered on this machine's loopback.

Sources: RFC 6749 section 4.1, RFC 7636 (PKCE), RFC 8252 (native apps), and
developer.xero.com, "The PKCE flow": redirect URIs must be https, localhost excepted.
"""

import errno
import os
import queue
import secrets
import sys
import threading
import time
import webbrowser
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from runtime.environment import Environment
from runtime.secrets import mask_head
from sbx.cli.errors import OperationFailed
from sbx.cli.terminal import say
from sinks.xero.oauth import BROWSER_SCOPES, Token, exchange_code, question

_PATH = "/callback"
_SLOWEST_REQUEST = 10.0
_LOOK_SECONDS = 0.5
_DONE = "Xero has answered. You can close this page and go back to the terminal."
_NOT_OURS = "This response does not belong to the current request. Use the address shown in the terminal."


class _Callback(ThreadingHTTPServer):
    """Waits for Xero's response, which the browser brings.

    Threaded, because browsers open connections in advance and leave them idle.
    """

    daemon_threads = True

    def __init__(self, port: int, state: str) -> None:
        self.state = state
        self.answers: queue.Queue[dict[str, str]] = queue.Queue()
        super().__init__(("127.0.0.1", port), _Handler)


class _Handler(BaseHTTPRequestHandler):
    timeout = _SLOWEST_REQUEST
    server: _Callback

    def do_GET(self) -> None:
        address = urlsplit(self.path)
        if address.path != _PATH:
            self._page(404, "There is nothing here.")
            return
        given = {name: values[-1] for name, values in parse_qs(address.query).items()}
        if not secrets.compare_digest(given.get("state", "").encode(), self.server.state.encode()):
            # Some other page, or the tab of an earlier try: neither may end this one.
            say("ignored a response that does not belong to this request", "yellow")
            self._page(400, _NOT_OURS)
            return
        self._page(200, _DONE)
        self.server.answers.put(given)

    def _page(self, status: int, text: str) -> None:
        body = f"<!doctype html><meta charset=utf-8><title>sbx connect</title><p>{text}".encode()
        self.send_response(status)
        self.send_header("Content-Type", "text/html; charset=utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("Referrer-Policy", "no-referrer")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *arguments: Any) -> None:
        """Log nothing: the address holds the code."""


def authorise(
    used: Environment, client_id: str, client_secret: str | None, port: int, seconds: float
) -> Token:
    """Have somebody allow access in the browser, and fetch the first tokens.

    Raises:
        OperationFailed: nobody allowed access within ``seconds``, somebody declined, or the port is taken.
        TokenRefused, TokenUnavailable: as ``exchange_code``.
    """
    state, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(64)
    redirect_uri = f"http://localhost:{port}{_PATH}"
    with _listening(port, state) as callback:
        _invite(question(used.xero_authorize_url, client_id, redirect_uri, state, verifier), redirect_uri)
        answer = _wait_for(callback.answers, seconds)
        if answer is None:
            raise OperationFailed(
                f"nobody allowed access in the browser within {seconds:g} s",
                f"run it again, with a longer --timeout if need be; if Xero showed an error instead of "
                f"asking for access, the app's redirect URI must be {redirect_uri}",
            )
    if "code" not in answer:
        said = f"{answer.get('error', 'no code')} {answer.get('error_description', '')}".strip()
        raise OperationFailed(
            f"Xero did not grant access: {mask_head(said, 1_000)}",
            f"run it again, choose the organisation and allow access; 'invalid_scope' means that the app "
            f"may not request one of: {BROWSER_SCOPES}",
        )
    say("Xero has responded; fetching the tokens")
    return exchange_code(
        used.xero_token_url, client_id, client_secret, answer["code"], redirect_uri, verifier
    )


def _invite(question: str, redirect_uri: str) -> None:
    say(f"redirect URI that must be registered with the app: {redirect_uri}")
    say("allow access in a browser on this machine, at this address:")
    say(question)
    if sys.platform in ("darwin", "win32") or any(
        os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER")
    ):  # else only browsers of the terminal would be found, which cannot show Xero's page
        threading.Thread(target=webbrowser.open, args=(question,), daemon=True).start()


def _wait_for(answers: "queue.Queue[dict[str, str]]", seconds: float) -> dict[str, str] | None:
    """Return the first answer, or None if there was none in time. A signal that another thread was given, or
    that came just before the wait, does not end a wait for a lock: so none is long.
    """
    until = time.monotonic() + seconds
    while (left := until - time.monotonic()) > 0:
        try:
            return answers.get(timeout=min(left, _LOOK_SECONDS))
        except queue.Empty:
            continue
    return None


@contextmanager
def _listening(port: int, state: str) -> Iterator[_Callback]:
    try:
        callback = _Callback(port, state)
    except OSError as error:
        if error.errno != errno.EADDRINUSE:
            raise
        raise OperationFailed(
            f"port {port} is in use by another program",
            "stop that program, or register a redirect URI with another port and pass it as --port",
        ) from error
    thread = threading.Thread(target=callback.serve_forever, daemon=True)
    thread.start()
    try:
        yield callback
    finally:
        callback.shutdown()
        callback.server_close()
