"""A lane's memory of contacts by name, against a plain list of what was learnt."""

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from contracts.json import JsonObject
from sinks.ledger import namesakes
from sinks.ledger.namesakes import Namesakes
from sinks.planner.namesakes import Offers, name_claim
from sinks.xero.elements import Element, StepKey
from tests.unit.resolve.books import NOW


def sent(name: str | None, offers: Offers | None = None) -> Element:
    claim = None if name is None else name_claim(name)
    return Element(
        "contacts.create", "contact", StepKey("contact", "c"), {}, claim=claim, offers=dict(offers or {})
    )


def offer(value: str) -> Offers:
    return {"phone": (value, (True, NOW, NOW))}


@dataclass
class Plain:
    """Names and the ids of their contacts: a contact has its last name alone, a name its last contact."""

    known: list[tuple[str, str]] = field(default_factory=list)

    def learn(self, name: str, contact_id: str) -> None:
        self.known = [one for one in self.known if contact_id != one[1] and name != one[0]]
        self.known.append((name, contact_id))

    def forget(self, contact_id: str) -> None:
        self.known = [one for one in self.known if contact_id != one[1]]


NAMES, IDS = st.sampled_from("abc"), st.sampled_from("123")


@given(st.lists(st.tuples(st.none() | NAMES, IDS), max_size=12))
def test_a_name_has_its_last_contact_and_a_contact_its_last_name(steps: list[tuple[str | None, str]]) -> None:
    memory, plain = Namesakes(), Plain()
    for name, contact_id in steps:
        if name is None:
            memory.forget(contact_id)
            plain.forget(contact_id)
        else:
            memory.learn(sent(name), {"ContactID": contact_id, "Name": name})
            plain.learn(name, contact_id)
    found = {name: known.contact_id for name in "abc" if (known := memory.get(name)) is not None}
    assert found == dict(plain.known)


def test_a_contact_keeps_what_it_was_sent_under_another_name() -> None:
    memory = Namesakes()
    shown: JsonObject = {"ContactID": "1"}
    memory.learn(sent("Bolt", offer("1")), shown)
    memory.learn(sent("Nut"), shown)
    nut = memory.get("Nut")
    assert nut is not None
    assert (memory.get("Bolt"), dict(nut.offers)) == (None, offer("1"))


def test_a_contact_without_a_name_of_its_own_is_forgotten() -> None:
    memory = Namesakes()
    memory.learn(sent("Bolt"), {"ContactID": "1"})
    memory.learn(sent(None), {"ContactID": "1"})
    assert memory.get("Bolt") is None


def test_it_starts_over_when_it_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(namesakes, "_MOST", 2)
    memory = Namesakes()
    for number in range(3):
        memory.learn(sent(f"n{number}"), {"ContactID": str(number)})
    assert [memory.get(f"n{number}") is not None for number in range(3)] == [False, False, True]
    memory.learn(sent("again"), {"ContactID": "0"})
    assert memory.get("again") is not None
