"""The cost of each stage per event, in processor time, beside a bare aiokafka loop with the same I/O."""

import asyncio
from collections.abc import Sequence
from datetime import UTC, datetime
from statistics import mean

import msgspec

from bench import bare
from bench.figures import Figure, times_base
from bench.rig import Rig, send
from bench.sales import Message, sales
from contracts.results import Attempt, EntryResult, decode_result, encode_result
from streams import StageName
from streams.dead_letters import Letter
from streams.records import Outgoing, Record
from streams.topics import COMMANDS, RESULTS, SOURCES, group_of
from streams.transform import transformed

SALES = 2000
_WARM_UP = 100
_LIMIT = 4.0


def run() -> list[Figure]:
    """Measure microseconds of processor time per event, for each stage."""
    with Rig() as rig:
        rig.connect(["stages"])
        rig.pause("stages")  # the lane is to stand by: the intake alone is measured
        warm = list(sales("stages", _WARM_UP))
        messages = list(sales("stages", SALES, first=_WARM_UP + 1))
        return [
            _transform(rig, warm, messages),
            _inserting(rig, "deliver", "deliver, intake", COMMANDS, _commands(warm), _commands(messages)),
            _inserting(rig, "project", "project", RESULTS, _results(warm), _results(messages)),
        ]


def _transform(rig: Rig, warm: Sequence[Message], messages: Sequence[Message]) -> Figure:
    cost = _cost(rig, "transform", SOURCES, _incoming(warm), _incoming(messages))
    sizes = [
        round(mean(len(m.value or b"") for m in made))
        for made in (_commands(messages), [m for m in _made(messages) if m.topic == RESULTS])
    ]
    least = bare.measure(rig.servers, SOURCES, len(messages), "produce", *map(str, sizes))
    return _figure("transform", cost, "consume, produce two messages", least)


def _inserting(
    rig: Rig, stage: StageName, what: str, topic: str, warm: Sequence[Outgoing], work: Sequence[Outgoing]
) -> Figure:
    cost = _cost(rig, stage, [topic], warm, work)
    least = bare.measure(rig.servers, [topic], len(work), "insert", rig.database_url)
    return _figure(what, cost, "consume, insert", least)


def _cost(
    rig: Rig, stage: StageName, topics: Sequence[str], warm: Sequence[Outgoing], work: Sequence[Outgoing]
) -> float:
    """Return the microseconds of processor time that a running stage takes for one message of ``work``."""
    group = group_of(stage)
    rig.start(stage)
    process = rig.stages[stage]
    _publish(rig, warm)
    rig.wait_until_committed(group, topics, 60)
    process.freeze()
    _publish(rig, work)
    before = process.cpu()
    process.go_on()
    rig.wait_until_committed(group, topics, 120)
    used = process.cpu() - before
    rig.stages.pop(stage).stop()
    return used / len(work) * 1e6


def _figure(stage: str, cost: float, io: str, least: bare.Bare) -> Figure:
    return Figure(
        what=stage,
        value=cost,
        unit="µs/event",
        base=f"bare aiokafka loop: {io}",
        base_value=least.cpu_a_message,
        goal=times_base(_LIMIT),
    )


def _publish(rig: Rig, messages: Sequence[Outgoing]) -> None:
    asyncio.run(send(rig.servers, [(m.topic, m.key, m.value, m.headers) for m in messages]))


def _incoming(messages: Sequence[Message]) -> list[Outgoing]:
    return [Outgoing(m.topic, m.key, m.value, m.headers) for m in messages]


def _made(messages: Sequence[Message]) -> list[Outgoing]:
    """Return the transform stage's output for the messages."""
    now = datetime.now(UTC)
    made = []
    for offset, m in enumerate(messages):
        sent = transformed(Record(m.topic, 0, offset, m.key, m.value, m.headers), now)
        assert not isinstance(sent, Letter), sent.defect.reason
        made += sent
    return made


def _commands(messages: Sequence[Message]) -> list[Outgoing]:
    return [m for m in _made(messages) if m.topic == COMMANDS]


def _results(messages: Sequence[Message]) -> list[Outgoing]:
    """Return three results for every event, as in a quiet life: queued, running, completed with its
    attempt.
    """
    found = []
    for sent in _made(messages):
        if sent.topic == RESULTS:
            queued = decode_result(sent.value or b"")
            assert isinstance(queued, EntryResult)
            found += [Outgoing(RESULTS, sent.key, encode_result(r)) for r in (queued, *_ending(queued))]
    return found


def _ending(queued: EntryResult) -> tuple[EntryResult, EntryResult]:
    now = queued.queued_at
    running = msgspec.structs.replace(queued, version=1, state="running", started_at=now)
    attempt = Attempt(
        attempt_id=f"call:{queued.entry_id}",
        number=1,
        step="invoice",
        method="PUT",
        path="/Invoices",
        started_at=now,
        finished_at=now,
        status=200,
        request="x" * 1000,
        answer="x" * 2000,
    )
    completed = msgspec.structs.replace(
        running,
        version=2,
        state="completed",
        outcome="posted",
        attempts=1,
        finished_at=now,
        xero_type="invoice",
        xero_id=queued.entry_id,
        made=(attempt,),
    )
    return running, completed
