"""Many shops with little each: four hundred accounts with five sales, and a Xero whose limits do not bind."""

from bench.figures import Figure, Goal, at_least, at_most
from bench.pipeline import measured

ACCOUNTS = 400
SALES = 5
_GOALS: dict[str, Goal] = {
    "sales": at_least(110),
    "calls": at_most(0.7),
    "deliver": at_most(5),
    "postgres": at_most(4),
}


def run() -> list[Figure]:
    """Measure the same as ``pipeline`` does for few accounts with a long backlog each."""
    return measured(ACCOUNTS, SALES, _GOALS)
