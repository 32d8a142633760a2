"""What the probe learns of the fake's switches, and that it tells nothing of the shop."""

import asyncio
from collections.abc import Sequence

import pytest

from sandbox.fake_salesbinder import Shopkeeper
from sandbox.fake_salesbinder.switches import switches
from sources.probing.questions import Finding
from sources.probing.shapes import shapes
from sources.salesbinder.verdicts import Answer
from sources.schedule.questions import Question
from tests.unit.sources.meeting import Meeting


def findings(**given: str) -> dict[str, str]:
    meeting = Meeting(switches(given), 3)
    Shopkeeper(meeting.shop, 3).run(150)
    meeting.world.limiter.minute = meeting.world.limiter.burst = 10**9
    asked: list[Question] = []

    async def ask(question: Question) -> Answer:
        asked.append(question)
        status, body = meeting.any_answer(question)
        return Answer(status, body, None, None)

    async def entities_of(ids: Sequence[str]) -> dict[str, str]:
        return {}

    found: list[Finding] = asyncio.run(shapes(ask, entities_of))
    assert len(asked) <= 25
    told = "\n".join(f"{each.question}: {each.answer}" for each in found)
    names = [held.fields["name"] for held in meeting.shop.truth.parties.values()]
    assert not [name for name in names if name and name in told]
    return {each.question: each.answer for each in found}


@pytest.mark.parametrize(
    ("given", "question", "answer"),
    [
        ({}, "modifiedSince, 0 s after the row", "in"),
        ({"modified_since": "exclusive"}, "modifiedSince, 0 s after the row", "out"),
        ({"since_reading": "hour_early"}, "modifiedSince, 3600 s after the row", "in"),
        ({}, "a page after the last one", "answered 404"),
        ({}, "order of documents", "newest number first"),
        ({"account_order": "oldest"}, "order of accounts", "oldest number first"),
        (
            {"account_rows": "partial"},
            "fields that a customer's detail has and its row has not",
            "billing_address_1",
        ),
        ({"rows_shape": "each_nested"}, "documents.json with contextId=5", "[[row], [row]]"),
        ({"unproven_statuses": "shown"}, "statuses of invoices", "cancelled"),
        ({"log_context_ids": "swapped"}, "the deleted log", "newest first"),
        ({}, "details of invoices", "5 sums that agree"),
        ({"without_context": "error"}, "no contextId", "answered 400"),
    ],
)
def test_the_probe_learns_what_the_switch_says(given: dict[str, str], question: str, answer: str) -> None:
    assert answer in findings(**given)[question]
