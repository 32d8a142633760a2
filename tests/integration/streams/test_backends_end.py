"""The database ends the sessions of the stages, over and over, amid the work."""

import time

import psycopg
import pytest

from tests.integration.streams.installation import Installation, errors

_END = """SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
WHERE datname = current_database() AND application_name LIKE %s"""


@pytest.mark.parametrize("whose", ["sbx-deliver%", "sbx-project%", "sbx-%"])
def test_sessions_of_a_stage_are_ended_over_and_over(whose: str, installation: Installation) -> None:
    """It goes on in place, by the same process; every sale is in the books once."""
    stages = installation.start("transform", "deliver", "project")
    for process in stages:
        process.wait_until_ready()
    ended = 0
    with psycopg.connect(installation.url, autocommit=True) as connection:
        for _ in range(6):
            installation.sell(2)
            for _ in range(3):
                time.sleep(0.3)
                [[count]] = connection.execute(_END, [whose]).fetchall()
                ended += count
    assert ended > 0
    installation.finish()
    for process in stages:
        assert process.code() is None
        assert errors(process) == []
        process.stop()
