"""What PostgreSQL and Kafka did for the work that is measured, as they count it themselves."""

import time
from collections.abc import Mapping

from bench.figures import Figure
from bench.rig import Rig
from streams.broker import Broker
from streams.topics import COMMANDS, LEDGER, RESULTS, SOURCES

Counts = Mapping[str, float]
"""By unit and name, as in ``_UNITS``."""

_SETTLED_SECONDS = 2.0
"""Sessions of PostgreSQL report what they did at most once a second, and when they are idle."""
_UNITS = {
    "commits": "",
    "WAL": "KB",
    "rows inserted": "",
    "rows updated": "",
    "of them in place (HOT)": "",
    "rows deleted": "",
    "grown": "KB",
    "messages": "",
}


def counts(rig: Rig) -> Counts:
    """Return what was done so far, once all of it is reported."""
    time.sleep(_SETTLED_SECONDS)
    [(commits, wal, grown)] = rig.query(
        "SELECT xact_commit, (SELECT wal_bytes FROM pg_stat_wal), pg_database_size(datname) "
        "FROM pg_stat_database WHERE datname = current_database()"
    )
    [rows] = rig.query(
        "SELECT sum(n_tup_ins), sum(n_tup_upd), sum(n_tup_hot_upd), sum(n_tup_del) FROM pg_stat_user_tables"
    )
    with Broker({"bootstrap_servers": rig.servers}) as broker:
        messages = sum(broker.ends([*SOURCES, COMMANDS, RESULTS, LEDGER]).values())
    found = (commits, float(wal) / 1000, *rows, grown / 1000, messages)
    return dict(zip(_UNITS, map(float, found), strict=True))


def figures(before: Counts, after: Counts, sales: int) -> list[Figure]:
    """Return how much of each was done per sale."""
    return [
        Figure(what=f"{name}", value=(after[name] - before[name]) / sales, unit=f"{unit}/sale".lstrip())
        for name, unit in _UNITS.items()
    ]
