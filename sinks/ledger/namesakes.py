"""A lane's memory of the contacts that it has just made or found, by name."""

from contracts.json import JsonObject
from sinks.planner.namesakes import Namesake, name_claim
from sinks.xero.call_guard import machine_seconds
from sinks.xero.elements import Element, StepKey

_GOOD_FOR = 60.0
"""Seconds: somebody may rename or archive a contact in Xero at any time."""
_MOST = 2000


class Namesakes:
    """Contacts by name as Xero compares it. Lost with the lane: names are looked up then."""

    def __init__(self) -> None:
        self._known: dict[StepKey, tuple[float, Namesake]] = {}
        self._names: dict[str, StepKey] = {}
        """The name under which each contact is known, by its id: it has one at a time."""

    def get(self, name: str) -> Namesake | None:
        """Return the contact of this name, None if nothing fresh is known."""
        at, known = self._known.get(name_claim(name), (0.0, None))
        return known if machine_seconds() - at < _GOOD_FOR else None

    def learn(self, element: Element, found: JsonObject) -> None:
        """Note that Xero has taken the element of a contact and shows it like this."""
        contact_id = str(found.get("ContactID") or element.xero_id)
        before = self._forgotten(contact_id)
        if element.claim is None or not contact_id:
            return
        offers = {**(before.offers if before is not None else {}), **element.offers}
        if len(self._known) >= _MOST:
            self._known.clear()
            self._names.clear()
        if element.claim in self._known:
            self.forget(self._known[element.claim][1].contact_id)
        known = Namesake({**found, "ContactID": contact_id}, offers)
        self._known[element.claim] = (machine_seconds(), known)
        self._names[contact_id] = element.claim

    def forget(self, contact_id: str) -> None:
        """Forget a contact that may have been given another name."""
        self._forgotten(contact_id)

    def _forgotten(self, contact_id: str) -> Namesake | None:
        """Forget a contact; return what was known of it, None if nothing was."""
        name = self._names.pop(contact_id, None)
        return None if name is None else self._known.pop(name)[1]
