"""The workers of ``sbx up`` are asked at once: a slow one holds nobody up."""

import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from runtime.environment import Environment
from sbx.cli import targets
from sbx.cli.status import Status, ask_workers


def test_workers_are_asked_at_once_and_told_in_their_order(tmp_path: Path) -> None:
    all_asked = threading.Barrier(3)

    class Worker(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            all_asked.wait(20)
            self.send_response(200)
            self.end_headers()
            self.wfile.write(f"ready at {self.server.server_port}\n".encode())  # type: ignore[attr-defined]

        def log_message(self, format: str, *args: object) -> None:
            return

    servers = [ThreadingHTTPServer(("127.0.0.1", 0), Worker) for _ in range(3)]
    for server in servers:
        threading.Thread(target=server.serve_forever, daemon=True).start()
    ports = [server.server_port for server in servers]
    targets.write(tmp_path, [targets.Target(f"w-{port}", "web", f"127.0.0.1:{port}") for port in ports])
    status = Status(Environment.read({"SBX_DATA_DIR": str(tmp_path)}))
    try:
        ask_workers(status)
    finally:
        for server in servers:
            server.shutdown()
            server.server_close()
    assert [(one["name"], one["ready"], one["says"]) for one in status.workers] == [
        (f"w-{port}", True, f"ready at {port}") for port in ports
    ]


def test_without_workers_nobody_is_asked(tmp_path: Path) -> None:
    status = Status(Environment.read({"SBX_DATA_DIR": str(tmp_path)}))
    ask_workers(status)
    assert status.workers == []
