"""A database role for dashboards: it can read the views of the Integrations Log and nothing else."""

import psycopg
from psycopg import sql

from sbx.cli.errors import OperationFailed

VIEWS = (
    "entries",
    "attempts",
    "steps",
    "issues",
    "unknown_refusals",
    "summary",
    "replays",
    "drift",
    "drift_readings",
    "lost_commands",
    "removed_unread",
)
"""The views that dashboards may rely on; see docs/log.md."""

_MORE_RIGHTS = """
SELECT CASE WHEN rolsuper THEN 'it is a superuser'
            WHEN rolname = current_user THEN 'it is our own'
            WHEN pg_has_role(rolname, current_user, 'MEMBER') THEN 'it is a member of our own'
            WHEN rolcreaterole OR rolcreatedb OR rolreplication OR rolbypassrls
                THEN 'it may create roles or databases, replicate, or pass by row security'
       END
FROM pg_roles WHERE rolname = %(role)s
"""


def grant_views(database_url: str, role: str) -> bool:
    """Let ``role`` read the views. Return whether it was created: a new role can log in once it has a
    password.

    Safe to run again. The views read their tables with their owner's rights, so the role needs none on the
    tables.

    Raises:
        OperationFailed: the role has more rights than those, and reading only would be forced upon it.
        psycopg.Error: the database is unavailable, or our own role may not create roles or grant rights.
    """
    name = sql.Identifier(role)
    views = sql.SQL(", ").join(sql.Identifier("integrations_log", view) for view in VIEWS)
    with psycopg.connect(database_url, application_name="sbx migrate") as connection:
        found = connection.execute(_MORE_RIGHTS, {"role": role}).fetchone()
        if found is not None and found[0]:
            raise OperationFailed(
                f"{role} is no role for dashboards: {found[0]}",
                "name a role of its own, which is created if it does not exist",
            )
        if found is None:
            connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(name))
        connection.execute(sql.SQL("GRANT USAGE ON SCHEMA integrations_log TO {}").format(name))
        connection.execute(sql.SQL("GRANT SELECT ON {} TO {}").format(views, name))
        # Dashboards run large queries: none may hold up others for long.
        connection.execute(sql.SQL("ALTER ROLE {} SET statement_timeout = '30s'").format(name))
        connection.execute(sql.SQL("ALTER ROLE {} SET default_transaction_read_only = on").format(name))
    return found is None
