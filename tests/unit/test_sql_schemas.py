"""Which package's SQL names which database schema: a coupling that imports do not show, declared here."""

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
SCHEMAS = ("alerts", "connections", "integrations_log", "ledger", "source", "web")
OWNS = {
    "connections": "connections",
    "sinks": "ledger",
    "log_projection": "integrations_log",
    "sources": "source",
    "sbx/actions": "web",
    "sbx/web": "web",
    "sbx/notify": "alerts",
}
"""Packages and the schema that is theirs."""
ALSO_NAMES = {
    # Lanes read the settings, tokens and holds of their account, in the transaction that rests on them.
    "sinks": {"connections", "integrations_log"},
    # The reader leaves out deep reads of what the cut-off leaves out.
    "sources": {"connections"},
    # The log tells of replays, of what a comparison found, and of commands that were lost.
    "log_projection": {"ledger"},
    # The status says how far a set-up is.
    "sbx/cli": {"connections", "integrations_log", "ledger", "source", "web"},
    "sbx/notify": {"connections", "integrations_log", "source", "web"},
    "sbx/web": {"connections", "integrations_log", "ledger"},
    "bench": {"integrations_log", "ledger", "source"},
    # Views of the log show replays and drift of the ledger, alerts, and whether an account is paused.
    "log_projection/migrations": {"alerts", "connections", "integrations_log", "ledger"},
    "connections/migrations": {"connections"},
    "sinks/migrations": {"ledger"},
    "sources/migrations": {"source"},
    "sbx/migrations": {"web"},
}
"""What else each may name, and why where it is not told by what the package is for."""
LOG_NAMED_BY_SINKS = {"sinks/recover/taking_up.sql", "sinks/replay/replay.sql"}
"""Versions of entries that the log has seen, so that it does not take what comes again for old."""

_NAMED = re.compile(rf"(?<![\w.'\"/])({'|'.join(SCHEMAS)})\.[a-z_]")
_INCLUDE = re.compile(r"-- include: (\S+)")
_STATEMENT = re.compile(r"\b(SELECT|INSERT|UPDATE|DELETE|TRUNCATE|LOCK|GRANT|CREATE|ALTER|DROP)\b")


def named(root: Path) -> dict[str, set[str]]:
    """Schemas by the file whose SQL names them, in files of SQL and in texts of Python."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for path in (*root.rglob("*.sql"), *root.rglob("*.py")):
        file = path.relative_to(root)
        if file.parts[0] not in ("tests", ".venv"):
            for text in texts(path):
                found[str(file)].update(_NAMED.findall(text))
    return {file: schemas for file, schemas in found.items() if schemas}


def texts(path: Path) -> Iterator[str]:
    if path.suffix == ".sql":
        yield re.sub(r"--.*", "", with_includes(path))
        return
    source = path.read_text(encoding="utf-8")
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str | bytes):
            text = node.value if isinstance(node.value, str) else node.value.decode("utf-8", "replace")
            if _STATEMENT.search(text):
                yield text


def with_includes(path: Path) -> str:
    """A file of SQL with what it includes of others: it names what those name."""
    source = path.read_text(encoding="utf-8")
    return _INCLUDE.sub(lambda found: with_includes(path.parent / found[1]), source)


def package_of(file: str) -> str:
    parts = Path(file).parts
    if "migrations" in parts[:-1]:
        return f"{parts[0]}/migrations"
    return "/".join(parts[:2]) if parts[0] == "sbx" else parts[0]


def by_package(root: Path) -> dict[str, set[str]]:
    found: defaultdict[str, set[str]] = defaultdict(set)
    for file, schemas in named(root).items():
        found[package_of(file)] |= schemas
    return dict(found)


def declared() -> dict[str, set[str]]:
    packages = OWNS.keys() | ALSO_NAMES.keys()
    return {one: ALSO_NAMES.get(one, set()) | ({OWNS[one]} if one in OWNS else set()) for one in packages}


def test_sql_names_the_schemas_that_are_declared() -> None:
    assert by_package(ROOT) == declared()


def test_where_the_sinks_name_the_log() -> None:
    files = {file for file, schemas in named(ROOT).items() if "integrations_log" in schemas}
    assert {file for file in files if file.startswith("sinks/")} == LOG_NAMED_BY_SINKS


def test_a_name_that_is_planted_is_found(tmp_path: Path) -> None:
    for file, text in {
        "mappers/money.sql": "SELECT * FROM ledger.links -- of web.users\n-- include: ../x/y.sql",
        "x/y.sql": "WHERE account IN (SELECT account FROM connections.accounts)",
        "streams/deliver.py": 'QUERY = b"""DELETE FROM connections.accounts"""\n"""See web.users."""\n',
        "contracts/urls.py": 'HOST = "web.example.com"\n',
        "tests/made.sql": "SELECT 1 FROM alerts.alert",
    }.items():
        (tmp_path / file).parent.mkdir()
        (tmp_path / file).write_text(text, encoding="utf-8")
    assert by_package(tmp_path) == {
        "mappers": {"ledger", "connections"},
        "x": {"connections"},
        "streams": {"connections"},
    }
