"""One company that uses SalesBinder: its records, users, switches, truth, and what it hints at."""

from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from random import Random
from threading import RLock
from typing import Any
from uuid import UUID

from sandbox.clock import Clock

from .access import User
from .hints import Hints
from .records import CONTEXTS, Document, Item, Party, Tombstone
from .store import Store
from .switches import Switches
from .truth import Truth

DEFAULT_KEY = "demo-key"
FIRST_NUMBER = 1001
LAG = 5.0
"""Seconds that lists and details lag behind, where a switch says so."""
LOG_LAG = 60.0
_SERVERS_APART = 3  # seconds


class Shop:
    """The state of one sub-domain. Acts on it are in `acts`; all of them take `lock`."""

    def __init__(self, name: str, clock: Clock, switches: Switches | None = None, seed: int = 0) -> None:
        self.name = name
        self.clock = clock
        self.switches = switches or Switches()
        self.lock = RLock()
        self.chance = Random(f"{name}/{seed}")
        lags = "seconds" in (self.switches.list_lag, self.switches.detail_lag)
        self.store = Store(clock.seconds, lags)
        self.truth = Truth()
        self.hints = Hints(clock)
        self.numbers: Counter[int] = Counter()
        self.items: list[Item] = []
        self.tenant_id = self.new_id()
        self.users: dict[str, User] = {}
        self.add_user(DEFAULT_KEY if name == "demo" else f"{name}-key")

    def add_user(self, key: str) -> User:
        """Add a user with this API key and all permissions."""
        user = User(self.new_id(), key)
        self.users[key] = user
        return user

    @property
    def owner(self) -> User:
        """Return the first user."""
        return next(iter(self.users.values()))

    @property
    def key(self) -> str:
        """Return the first user's API key."""
        return self.owner.key

    def new_key(self, key: str | None = None) -> str:
        """Give the first user another key, as on the Profile page: the old one is refused from now on."""
        user = self.owner
        del self.users[user.key]
        user.key, user.lost_access = key or self.new_id().replace("-", ""), False
        self.users = {user.key: user, **self.users}
        return user.key

    def new_id(self) -> str:
        """Return a uuid, the same for the same seed and acts."""
        return str(UUID(int=self.chance.getrandbits(128), version=4))

    def next_number(self, context_id: int) -> int:
        """Return the next number of this context; contexts count apart, from the same start."""
        self.numbers[context_id] += 1
        return FIRST_NUMBER - 1 + self.numbers[context_id]

    def stamp(self) -> datetime:
        """Return the moment of a write: whole seconds, of one of several servers if the switch says so."""
        now = self.clock.now().replace(microsecond=0)
        if self.switches.several_servers == "yes":
            now -= timedelta(seconds=self.chance.randrange(_SERVERS_APART + 1))
        return now

    def party(self, party_id: str) -> Party:
        """Return an account. Raises LookupError."""
        found = self.store.parties.get(party_id)
        if found is None:
            raise LookupError(f"no account {party_id}")
        return found

    def document(self, document_id: str) -> Document:
        """Return a document. Raises LookupError."""
        found = self.store.documents.get(document_id)
        if found is None:
            raise LookupError(f"no document {document_id}")
        return found

    def save(self, document: Document, *, moves: str = "yes") -> Document:
        """Store a new version of a document; `moves` is the switch that says whether `modified` moves."""
        if moves == "yes":
            document = replace(document, modified=self.stamp())
        self.store.documents.put(document)
        return document

    def save_party(self, party: Party, *, moves: str = "yes") -> Party:
        """Store a new version of an account."""
        if moves == "yes":
            party = replace(party, modified=self.stamp())
        self.store.parties.put(party)
        return party

    def bury(self, record_id: str, context_id: int) -> None:
        """Write a row of the deleted log."""
        number, seconds = len(self.store.log) + 1, self.clock.seconds()
        self.store.log.append(Tombstone(number, context_id, record_id, self.stamp(), seconds))

    def happened(self, what: str, record: Party | Document, **told: Any) -> None:
        """Note in the history that `what` happened to a record (see `Truth.happened`), and hint at it."""
        kind = f"{CONTEXTS[record.context_id]}.{what}"
        self.truth.happened(self.clock.now(), kind, record.id, **told)
        self.hints.changed(record, kind, self.switches)
