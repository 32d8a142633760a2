"""A database role for dashboards: it can read the views of the Integrations Log and nothing else."""

import psycopg
from psycopg import sql

VIEWS = ("entries", "attempts", "steps", "issues", "unknown_refusals", "summary")
"""The views that dashboards may rely on; see docs/log.md."""


def grant_views(database_url: str, role: str) -> bool:
    """Let ``role`` read the views. Return whether it was created: a new role can log in once it has a
    password.

    Safe to run again. The views read their tables with their owner's rights, so the role needs none on the
    tables.

    Raises:
        psycopg.Error: the database is unavailable, or our own role may not create roles or grant rights.
    """
    name = sql.Identifier(role)
    views = sql.SQL(", ").join(sql.Identifier("integrations_log", view) for view in VIEWS)
    with psycopg.connect(database_url, application_name="sbx migrate") as connection:
        found = connection.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", [role]).fetchone()
        if found is None:
            connection.execute(sql.SQL("CREATE ROLE {} LOGIN").format(name))
        connection.execute(sql.SQL("GRANT USAGE ON SCHEMA integrations_log TO {}").format(name))
        connection.execute(sql.SQL("GRANT SELECT ON {} TO {}").format(views, name))
        # Dashboards run large queries: none may hold up others for long.
        connection.execute(sql.SQL("ALTER ROLE {} SET statement_timeout = '30s'").format(name))
        connection.execute(sql.SQL("ALTER ROLE {} SET default_transaction_read_only = on").format(name))
    return found is None
