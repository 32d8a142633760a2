"""Put the sink together: the lanes, and the side jobs that they can be asked to do."""

from runtime.environment import Environment
from sinks.drift.acts import ask_due
from sinks.drift.scan import COMPARING
from sinks.lanes.outbox import Publish
from sinks.lanes.session import Pool
from sinks.lanes.supervisor import LaneSupervisor
from sinks.ledger.generation import Marks
from sinks.recover.clearing import CLEARING


def new_supervisor(
    *, pool: Pool, publish: Publish, environment: Environment, marks: Marks | None = None
) -> LaneSupervisor:
    """Return the supervisor of all lanes of this process.

    Args:
        publish: sends results to the log; returns once the broker has stored them.
        marks: the place outside of the database that keeps the ledger's marks; None: there is none, so that
            nothing can notice that the database is old.
    """
    return LaneSupervisor(
        pool=pool,
        publish=publish,
        environment=environment,
        marks=marks,
        side_jobs=(CLEARING, COMPARING),
        ask_due=ask_due,
    )
