"""Record the installation that ``test_upgrade.py`` upgrades, as this version leaves it behind.

Usage: python -m tests.reliability.record_upgrade, in a checkout of the version to upgrade from.
"""

import json
import subprocess
import tempfile
from pathlib import Path
from typing import Any

import psycopg
import zstandard
from kafka import KafkaProducer
from psycopg.rows import dict_row

from runtime.secrets import KEY_FILE
from sandbox.fake_xero.server import FakeXeroServer
from tests.reliability.crashing import history
from tests.reliability.estate import Estate, sbx_path
from tests.reliability.restores import idle, run_postgres, sbx
from tests.reliability.sales import sales

BEFORE = Path(__file__).with_name("before")
PASSWORD = "correct horse battery"
BROKEN = {"topic": "salesbinder.invoices", "key": "acme/99", "value": "{not JSON"}
WAITING = 4
"""Events at the end that the pause keeps back."""


def record(directory: Path) -> None:
    """Let an account trade, fail and be paused, and write down what there is then."""
    with FakeXeroServer(subprocess=True) as xero, Estate(directory, xero) as estate:
        maker = estate.maker
        unmapped = maker.document(maker.customer("Odd Rates"), 20)
        unmapped["document_items"][0]["tax"] = "17.5"
        for event in (*history(maker), *sales(maker, 3, first=10), maker.created(unmapped)):
            publish(estate, event)
        with KafkaProducer(bootstrap_servers=estate.kafka.bootstrap_servers) as producer:
            producer.send(BROKEN["topic"], key=BROKEN["key"].encode(), value=BROKEN["value"].encode())
        sbx(estate, "settings", "set", "acme", "payment_account.Cash=091")
        _said(estate, "users", "add", "ann", "--role", "operator", stdin=f"{PASSWORD}\n")
        token = _said(estate, "users", "token", "ann", "--days", "3650").strip()
        idle(estate)
        sbx(estate, "pause", "acme", "--reason", "an upgrade")
        estate.publish(sales(maker, 1, first=30))
        estate.wait("the last ones wait", lambda: estate.states().get("queued") == WAITING)
        rest = {
            "settings": json.loads(sbx(estate, "settings", "show", "acme", "--json")),
            "token": token,
            "password": PASSWORD,
            "broken": BROKEN,
            "secret_key": (estate.data_dir / KEY_FILE).read_text().strip(),
        }
        _write("books.json", xero.admin.state(xero.tenant_id))
        _write("log.json", log(estate))
        _write("rest.json", rest)
        events = "".join(f"{json.dumps(event)}\n" for event in estate.published)
        (BEFORE / "events.jsonl").write_text(events, encoding="utf-8")
        dump = directory / "database.sql"
        run_postgres(
            "pg_dump", "--no-owner", "--no-privileges", f"--file={dump}", estate.postgres.database_url
        )
        packed = zstandard.ZstdCompressor(level=19).compress(dump.read_bytes())
        (BEFORE / "database.sql.zst").write_bytes(packed)


def publish(estate: Estate, event: dict[str, Any]) -> None:
    """One event, and wait for its end: so books are made in the same order each time."""
    estate.publish([event])
    wanted = len(estate.published)

    def ended() -> bool:
        states = estate.states()
        return states.get("completed", 0) + states.get("failed", 0) == wanted

    estate.wait(f"event {wanted} has ended", ended)


def log(estate: Estate) -> list[dict[str, Any]]:
    """The rows of the log, as JSON has them."""
    url = estate.postgres.database_url
    with psycopg.connect(url, autocommit=True, row_factory=dict_row) as connection:
        rows = connection.execute("SELECT * FROM integrations_log.entries ORDER BY entry_id").fetchall()
    return list(json.loads(json.dumps(rows, default=str)))


def _said(estate: Estate, *arguments: str, stdin: str = "") -> str:
    done = subprocess.run(
        [sbx_path(), *arguments],
        env=estate.environment,
        input=stdin,
        text=True,
        capture_output=True,
        check=True,
    )
    return done.stdout


def _write(name: str, content: object) -> None:
    (BEFORE / name).write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as made:
        record(Path(made))
