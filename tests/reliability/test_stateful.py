"""Whole shops as hypothesis drives them, held against the model of the books and replayed: G1-G3, G8, G11.

What fails is shrunk to the fewest steps. The same few shops each time, so that the suite is never red by
chance; with ``SBX_STATEFUL_EXAMPLES`` as many others as it says.
"""

import asyncio
import os
import random
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    precondition,
    rule,
    run_state_machine_as_test,
)

from sandbox.fake_xero.server import FakeXeroServer
from tests.integration.sinks.shops import PATIENCE, Office, Shop, connect
from tests.reliability.histories import differences, office_of
from tests.reliability.history import CHOICES, History, shuffled
from tests.reliability.records import Paper, Party, Record, Story, parties_of

pytestmark = pytest.mark.reliability

_EXAMPLES = os.environ.get("SBX_STATEFUL_EXAMPLES", "")
_chances = st.randoms(use_true_random=False)
_which = st.integers(0, 1)
_settings = st.fixed_dictionaries({key: st.sampled_from(values) for key, values in CHOICES.items()})


class _Account:
    """A shop, what happened in it, and what of that has not been sent yet."""

    def __init__(self, shop: Shop, settings: dict[str, str], chance: random.Random) -> None:
        self.shop = shop
        self.story = Story(shop.account, chance, random.Random(1), calm=False)
        self.history = History("drawn", shop.account, settings, [])
        self.parties: list[Party] = parties_of(self.story)
        self.papers: list[Paper] = []
        self.again: list[Record] = []
        self.sent = 0

    def at(self, chance: random.Random) -> Story:
        """The story, some time later, with this chance."""
        self.story.chance = chance
        self.story.tick()
        return self.story

    def portion(self, chance: random.Random) -> list[Record]:
        """What is to be sent: in order for each record, in any order across records, repeated ones last."""
        fresh = self.story.events[self.sent :]
        self.sent = len(self.story.events)
        portion = shuffled(fresh, chance) + self.again
        self.again = []
        return portion


def machine(office: Office) -> type[RuleBasedStateMachine]:
    """Two accounts at once, with the same record ids, in this office."""

    class Shops(RuleBasedStateMachine):
        def __init__(self) -> None:
            super().__init__()
            self.runner = asyncio.Runner()
            self.accounts: list[_Account] = []

        @initialize(chosen=st.tuples(_settings, _settings), chance=_chances)
        def two_shops(self, chosen: tuple[dict[str, str], ...], chance: random.Random) -> None:
            for own in chosen:
                account = _Account(office.new_shop(), own, chance)
                self.runner.run(connect(account.shop))
                self.runner.run(account.shop.settings(**own))
                self.accounts.append(account)

        @rule(which=_which, party=st.integers(0, 4), chance=_chances)
        def contact_changes(self, which: int, party: int, chance: random.Random) -> None:
            self.accounts[which].at(chance)
            self.accounts[which].parties[party].act()

        @rule(which=_which, party=st.integers(0, 4), chance=_chances)
        def document_comes(self, which: int, party: int, chance: random.Random) -> None:
            account = self.accounts[which]
            account.papers.append(Paper(account.at(chance), account.parties[party]))

        @precondition(lambda self: any(account.papers for account in self.accounts))
        @rule(which=_which, back=st.integers(0, 3), chance=_chances)
        def document_changes(self, which: int, back: int, chance: random.Random) -> None:
            account = self.accounts[which]
            if account.papers:
                account.at(chance)
                account.papers[-1 - back % len(account.papers)].act()

        @precondition(lambda self: any(account.sent for account in self.accounts))
        @rule(which=_which, back=st.integers(0, 20))
        def event_comes_again(self, which: int, back: int) -> None:
            account = self.accounts[which]
            if account.sent:
                account.again.append(account.story.events[account.sent - 1 - back % account.sent])

        @rule(which=_which, chance=_chances)
        def all_ends(self, which: int, chance: random.Random) -> None:
            self._send(self.accounts[which], chance)

        def _send(self, account: _Account, chance: random.Random) -> None:
            if portion := account.portion(chance):
                account.history.portions.append(portion)
                self.runner.run(account.shop.send(*portion))
                self.runner.run(account.shop.idle(PATIENCE))

        def teardown(self) -> None:
            found: dict[str, Any] = {}
            for account in self.accounts:
                self._send(account, random.Random(0))
                found[account.shop.account] = self.runner.run(
                    differences(account.shop, account.history, PATIENCE)
                )
            self.runner.close()
            assert not any(found.values()), found

    return Shops


def test_shops_end_as_the_model_says(database_url: str, xero: FakeXeroServer, tmp_path: Path) -> None:
    with office_of(database_url, xero, tmp_path) as office:
        run_state_machine_as_test(
            machine(office),
            settings=settings(
                max_examples=int(_EXAMPLES or 4),
                derandomize=not _EXAMPLES,
                stateful_step_count=60,
                deadline=None,
                print_blob=True,
                suppress_health_check=list(HealthCheck),
            ),
        )
