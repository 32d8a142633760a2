"""Alert rules, dashboard and questions in SQL name what there is; their role sees the log alone."""

import asyncio
import json
import re
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import psycopg
import pytest
import yaml
from psycopg import sql
from psycopg.conninfo import make_conninfo

from contracts.results import AccountResult, EntryResult, Result, Warning
from log_projection.projection import apply
from runtime import metrics
from sbx.cli.dashboard_role import grant_views
from sbx.cli.errors import OperationFailed
from tests.integration.log_projection.made import attempt, entry

ROOT = Path(__file__).parents[3]
ALERTS = yaml.safe_load((ROOT / "deploy" / "alerts.yml").read_text(encoding="utf-8"))
BOARD = json.loads((ROOT / "deploy" / "grafana" / "salesbinder-xero.json").read_text(encoding="utf-8"))
RULES = [rule for group in ALERTS["groups"] for rule in group["rules"]]
TARGETS = [target for panel in BOARD["panels"] for target in panel["targets"]]
LOG = (ROOT / "docs" / "log.md").read_text(encoding="utf-8")
QUERIES = re.findall(r"```sql\n(.*?)```", (ROOT / "docs" / "dashboards.md").read_text(encoding="utf-8"), re.S)


def samples() -> set[str]:
    """Names under which metrics can be queried."""
    names = set()
    for metric in metrics.METRICS.values():
        described = next(iter(metric.describe()))
        ends = ("_bucket", "_sum", "_count") if described.type == "histogram" else ("",)
        names |= {metrics.full_name(metric) + end for end in ends}
    return names


def labels() -> set[str]:
    own = {label for metric in metrics.METRICS.values() for label in metric._labelnames}
    return own | {"instance", "job", "le"}


@pytest.mark.parametrize(
    "expression",
    [rule["expr"] for rule in RULES] + [target["expr"] for target in TARGETS if "expr" in target],
)
def test_every_metric_that_is_asked_for_exists(expression: str) -> None:
    named = set(re.findall(r"\bsbx_\w+", expression))
    assert named
    assert named <= samples()
    grouped = {label.strip() for by in re.findall(r"\bby \(([^)]*)\)", expression) for label in by.split(",")}
    matched = set(re.findall(r"[{,]\s*(\w+)\s*(?:=~|!=|=)", expression))
    assert grouped | matched <= labels()


def test_every_alert_says_what_and_what_to_do() -> None:
    assert len({rule["alert"] for rule in RULES}) == len(RULES) > 8
    for rule in RULES:
        assert rule["labels"]["severity"] in ("info", "warning", "critical")
        assert rule["annotations"].keys() == {"summary", "remedy"}


def some_of_everything() -> list[Result]:
    now = datetime.now(UTC)
    posted: dict[str, Any] = {
        "outcome": "posted",
        "event_time": now - timedelta(seconds=5),
        "finished_at": now,
    }
    refused = attempt(
        "a2:2", status=400, started_at=now, refused="xero_refused", refusal="Odd.", refusal_shape="Odd."
    )
    entries: list[EntryResult] = [
        entry("e1", 2, "completed", queued_at=now, **posted,
              made=(attempt("a1:1", started_at=now, status=200),),
              warnings=(Warning(code="contact_shared", text="shared"),)),
        entry("e2", 2, "failed", queued_at=now, reason_code="xero_refused", finished_at=now, made=(refused,)),
        entry("e3", 0, "queued", queued_at=now),
        entry("e4", 0, "failed", queued_at=now, reason_code="event_not_json", triggered_by="dead_letter",
              topic="salesbinder.invoices"),
        entry("e5", 3, "completed", queued_at=now, outcome="skipped_by_operator", actor="cli:me"),
    ]  # fmt: skip
    hold = AccountResult(account="acme", version=1, at=now, held="account_paused", reason="Paused.")
    return [*entries, hold]


@pytest.fixture
def role_url(database_url: str, unique: str) -> Iterator[str]:
    """A database with rows of every kind, as the role for dashboards sees it."""

    async def project() -> None:
        async with await psycopg.AsyncConnection.connect(database_url) as connection:
            await apply(connection, some_of_everything())

    asyncio.run(project())
    role = f"dash_{unique}"
    assert grant_views(database_url, role) is True
    assert grant_views(database_url, role) is False
    with psycopg.connect(database_url, autocommit=True) as owner:
        owner.execute(sql.SQL("ALTER ROLE {} PASSWORD 'pw'").format(sql.Identifier(role)))
        yield make_conninfo(database_url, user=role, password="pw")
        owner.execute(sql.SQL("DROP OWNED BY {0}; DROP ROLE {0}").format(sql.Identifier(role)))


@pytest.mark.parametrize("attributes", ["SUPERUSER", "BYPASSRLS", "CREATEROLE", "member of our own"])
def test_a_role_with_more_rights_is_refused_and_stays_as_it_is(
    database_url: str, unique: str, attributes: str
) -> None:
    role = sql.Identifier(f"dba_{unique}")
    with psycopg.connect(database_url, autocommit=True) as owner:
        if attributes == "member of our own":
            own = sql.Identifier(owner.info.user)
            owner.execute(sql.SQL("CREATE ROLE {0}; GRANT {1} TO {0}").format(role, own))
        else:
            owner.execute(sql.SQL("CREATE ROLE {} {}").format(role, sql.SQL(attributes)))
        try:
            with pytest.raises(OperationFailed, match="is no role for dashboards: it "):
                grant_views(database_url, f"dba_{unique}")
            settings = "SELECT rolconfig FROM pg_roles WHERE rolname = %s"
            assert owner.execute(settings, [f"dba_{unique}"]).fetchone() == (None,)
        finally:
            owner.execute(sql.SQL("DROP ROLE {}").format(role))


def test_our_own_role_is_not_made_to_read_only(database_url: str) -> None:
    with psycopg.connect(database_url) as owner:
        own = str(owner.info.user)
    with pytest.raises(OperationFailed, match="is no role for dashboards"):
        grant_views(database_url, own)
    with psycopg.connect(database_url) as owner:
        assert owner.execute("SHOW default_transaction_read_only").fetchone() == ("off",)


def test_every_question_has_an_answer(role_url: str) -> None:
    asked = QUERIES + [target["rawSql"] for target in TARGETS if "rawSql" in target]
    assert len(asked) > 12
    with psycopg.connect(role_url) as connection:
        for query in asked:
            assert connection.execute(query.encode()).fetchall(), query


def test_the_role_reads_the_log_and_nothing_else(role_url: str) -> None:
    tables = (
        "SELECT n.nspname || '.' || c.relname, n.nspname, c.relname FROM pg_class c "
        "JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.relkind IN ('r', 'v', 'm', 'S') "
        "AND n.nspname NOT IN ('pg_catalog', 'information_schema', 'pg_toast')"
    )
    readable = set()
    with psycopg.connect(role_url, autocommit=True) as connection:
        found = connection.execute(tables).fetchall()
        for name, schema, table in found:
            try:
                connection.execute(sql.SQL("SELECT * FROM {}").format(sql.Identifier(schema, table)))
            except psycopg.errors.InsufficientPrivilege:
                continue
            readable.add(name)
        with pytest.raises(psycopg.Error):
            connection.execute("SET default_transaction_read_only = off; CREATE TABLE public.mine ()")
    assert len(found) > 15
    assert readable == {
        f"integrations_log.{view}" for view in re.findall(r"^## `integrations_log\.(\w+)`", LOG, re.M)
    }
