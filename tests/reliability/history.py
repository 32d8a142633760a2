"""Random histories of a shop: change events as SalesBinder's publishers might send them, from a seed."""

import random
from dataclasses import dataclass
from datetime import UTC, datetime

from tests.reliability.records import Paper, Record, Story, parties_of

ENABLED_AT = datetime(2026, 1, 1, tzinfo=UTC)

CHOICES = {
    "invoice_status": ("authorised", "draft"),
    "purchase_order_status": ("authorised", "draft"),
    "edit_authorised": ("refuse", "push"),
    "refund_as": ("credit_note", "reverse_payment"),
    "received_as": ("bill", "billed"),
}


@dataclass
class History:
    """What happens to one account: events in portions, each sent when the one before has ended."""

    seed: str
    account: str
    settings: dict[str, str]
    portions: list[list[Record]]

    @property
    def events(self) -> list[Record]:
        return [event for portion in self.portions for event in portion]


def make_history(
    seed: str, account: str, *, actions: int = 45, after: int = 0, calm: bool | None = None
) -> History:
    """The history of this seed, ``number/anything``: seeds of one number use the same record ids.

    Args:
        after: documents are numbered from the next number on.
        calm: events come one by one, and numbers may be used twice; by chance when left out.
    """
    number = seed.partition("/")[0]
    chance = random.Random(seed)
    by_chance = chance.random() < 0.4
    calm = by_chance if calm is None else calm
    story = Story(account, chance, random.Random(number), calm, number=after)
    settings = {key: chance.choice(values) for key, values in CHOICES.items()}
    parties = parties_of(story)
    papers: list[Paper] = []
    for _ in range(actions):
        story.tick()
        kind = chance.random()
        if kind < 0.12:
            chance.choice(parties).act()
        elif kind < 0.35 or not papers:
            side = "customer" if chance.random() < 0.65 else "supplier"
            papers.append(Paper(story, chance.choice([p for p in parties if p.side == side])))
        else:
            paper = chance.choice(papers[-6:])
            paper.act()
            if paper.removed and chance.random() < 0.6:
                papers.remove(paper)
    events = shuffled(_repeated(story.events, story), chance)
    return History(seed, account, settings, _portions(events, chance, calm))


def _repeated(events: list[Record], story: Story) -> list[Record]:
    """Some events come a second time, at once or later."""
    chance, out = story.chance, list(events)
    for event in events:
        if chance.random() < 0.1:
            out.insert(min(len(out), out.index(event) + chance.choice((1, 1, 10, 40))), event)
    return out


def shuffled(events: list[Record], chance: random.Random) -> list[Record]:
    """Out of order across records; the events of a record keep theirs."""
    width = chance.choice((0, 4, 30))
    ranks = [place + chance.uniform(0, width) for place in range(len(events))]
    of_record: dict[str, list[float]] = {}
    for event, rank in zip(events, ranks, strict=True):
        of_record.setdefault(event["subject"], []).append(rank)
    for kept in of_record.values():
        kept.sort(reverse=True)
    return [
        event for _, _, event in sorted((of_record[e["subject"]].pop(), at, e) for at, e in enumerate(events))
    ]


def _portions(events: list[Record], chance: random.Random, calm: bool) -> list[list[Record]]:
    """One by one, or in bursts of any size."""
    left, portions = list(events), []
    most = 1 if calm else chance.choice((4, 15, 200))
    while left:
        size = chance.randint(1, most)
        portions.append(left[:size])
        del left[:size]
    return portions
