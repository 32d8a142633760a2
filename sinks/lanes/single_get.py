"""Single reads beside the batches, which the lane makes for itself and for operators."""

import asyncio

from sinks.lanes.lane import SEND_WITHIN, Lane
from sinks.xero.call_guard import NotSent, machine_seconds
from sinks.xero.client import Answer, NoAnswer, Request
from sinks.xero.oauth import TokenRefused, TokenUnavailable
from sinks.xero.responses import trouble_of


class NoUsableAnswer(Exception):
    """Xero gave no usable answer; the message says why. Worth another try later."""


class NotNow(NoUsableAnswer):
    """Nothing was asked, and nothing is wrong: the lane is to end, or may not call for long. Those who asked
    wait on.
    """


_LONGEST_WAIT = 61.0
"""Xero's seconds for which a question may wait within the lane: until a minute's limit is over."""
_LOOK_EVERY = 1.0


async def wait_for_turn(lane: Lane) -> None:
    """Return once a call may be sent. Meanwhile the lane sees nothing else, so it waits for a minute at most.

    Raises:
        NotNow: the limits are used up for longer, or the lane is to end.
    """
    while True:
        if lane.ending:
            raise NotNow("the lane ends")
        wait = lane.budget.wait(machine_seconds())
        if wait == 0.0:
            return
        if wait is not None and wait > max(_LONGEST_WAIT / lane.rate, _LOOK_EVERY):
            raise NotNow("Xero's limits are used up")
        await asyncio.sleep(min(wait or 0.2, _LOOK_EVERY))


async def read(lane: Lane, request: Request) -> Answer:
    """Make one call now; the caller has waited until the account's limits allow it.

    Raises:
        NoUsableAnswer: no answer, or one that is about the account and not about the request; the lane's
            budget says until when to wait.
    """
    lane.budget.sent()
    try:
        token = await lane.session.token()
        answer = await lane.session.call(request, token, machine_seconds() + SEND_WITHIN)
    except TokenRefused as error:
        lane.budget.not_sent()
        lane.state.lost = str(error)
        raise NoUsableAnswer(str(error)) from error
    except (TokenUnavailable, NotSent) as error:
        lane.budget.not_sent()
        lane.state.back_off(error.why)
        raise NoUsableAnswer(str(error)) from error
    except NoAnswer as error:
        lane.budget.lost()
        lane.state.back_off()
        raise NoUsableAnswer(str(error)) from error
    lane.state.answered(answer, token)
    if trouble_of(answer.status):
        raise NoUsableAnswer(f"Xero answered {answer.status} to {request.method} {request.path}")
    return answer
