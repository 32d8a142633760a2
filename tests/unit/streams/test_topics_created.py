"""Missing topics are created in one request, and beside somebody who creates them, too."""

from collections.abc import Mapping
from typing import Any

from kafka.errors import TopicAlreadyExistsError

from streams.topics import _created, layout

WANTED = layout()
NAMES = [topic.name for topic in WANTED]


class Admin:
    """A broker that has some topics, and gets others from somebody else just after it was asked."""

    def __init__(self, *present: str, late: tuple[str, ...] = ()) -> None:
        self.present = set(present)
        self.late = late
        self.requests: list[list[str]] = []

    def list_topics(self) -> list[str]:
        listed = sorted(self.present)
        self.present.update(self.late)
        return listed

    def create_topics(self, topics: Mapping[str, Any]) -> None:
        self.requests.append(list(topics))
        known = self.present.intersection(topics)
        self.present.update(topics)  # a broker creates each that it can
        if known:
            raise TopicAlreadyExistsError(str(known))


def created(admin: Any) -> set[str]:
    return _created(admin, WANTED, 1)


def test_all_are_created_in_one_request() -> None:
    admin = Admin()
    assert created(admin) == set(NAMES)
    assert admin.requests == [NAMES]


def test_only_those_that_are_missing_are_asked_for() -> None:
    admin = Admin(*NAMES[:5])
    assert created(admin) == set(NAMES[5:])
    assert admin.requests == [NAMES[5:]]
    assert created(admin) == set()
    assert len(admin.requests) == 1


def test_one_that_somebody_else_creates_meanwhile_is_no_error() -> None:
    admin = Admin(*NAMES[:5], late=(NAMES[6],))
    assert NAMES[6] not in created(admin)
    assert admin.present == set(NAMES)
