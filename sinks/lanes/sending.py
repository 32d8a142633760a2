"""One call in progress: sent, sent again with the same key while that is safe, then answered or given up."""

import asyncio
from datetime import datetime

import structlog

from contracts.reasons import ReasonCode
from runtime.database import fetch_all
from sinks.lanes.gauges import measured
from sinks.lanes.lane import SEND_WITHIN, Lane
from sinks.lanes.session import CALL_DEADLINE
from sinks.lanes.settling import NO_ANSWER, Settlement, settle
from sinks.ledger import store as ledger
from sinks.ledger.entries import now_utc
from sinks.ledger.generation import MarkNotStored
from sinks.xero.call_guard import NotSent, machine_seconds
from sinks.xero.calls import Call
from sinks.xero.client import CONNECT_TIMEOUT, Answer, NoAnswer
from sinks.xero.oauth import TokenRefused, TokenUnavailable
from sinks.xero.responses import ParsedResponse, Result, read_answer, trouble_of

log = structlog.stdlib.get_logger(__name__)

KEY_LIFE = 240.0
"""Seconds after its commit for which a call may be sent again under its key. Xero keeps keys for six minutes,
and a request that is still on its way must not outlive its key (developer.xero.com, "idempotent requests").
"""
SETTLE = 30.0
"""Seconds that a request may still take effect in Xero after we have given it up."""
GIVEN_UP_AFTER = CONNECT_TIMEOUT + CALL_DEADLINE + SETTLE
_NOT_LOOKED_AT = ("limit", "unauthorised", "forbidden")
"""Statuses with which Xero turns a call away without looking at its key."""
_RESEND_WAITS = (0.2, 1.0, 3.0, 10.0, 20.0)


class CallSender:
    """A call that is written down, on its way."""

    def __init__(self, lane: Lane, call: Call) -> None:
        self._lane = lane
        self._call = call
        self._born = machine_seconds()
        self._send_by = self._born + SEND_WITHIN
        self._sent_before = False

    @classmethod
    def recovered(cls, lane: Lane, call: Call, age: float, since_send_by: float) -> "CallSender":
        """Take up a call that another worker, or this one before it died, wrote down and whose answer nobody
        has seen.

        Args:
            age: seconds since it was written down.
            since_send_by: seconds since the last moment at which it could have been sent.
        """
        sender = cls(lane, call)
        sender._born -= age
        sender._send_by = machine_seconds() - since_send_by
        sender._sent_before = True
        return sender

    async def run(self) -> None:
        """Send until the call was answered, surely was not sent, or its fate must be looked up.

        Raises:
            LeaseLost: the account belongs to another worker now.
        """
        if not self._sent_before:
            if await self._try():
                return
        elif self._call.route.reads:
            await self._end("not seen", self._nothing_done())
            return
        for attempt in range(1_000_000):
            if not await self._may_send_again():
                await self._give_up()
                return
            if await self._try():
                return
            wait = _RESEND_WAITS[min(attempt, len(_RESEND_WAITS) - 1)]
            await asyncio.sleep(wait / self._lane.rate)

    async def _try(self) -> bool:
        """Send once. True when that settled it; False when the same bytes should go out again."""
        lane, call = self._lane, self._call
        started = now_utc()
        try:
            await lane.marking.stored(call, self._send_by)
            token = await lane.session.token()
            answer = await measured(call.route.name, lane.session.call(call.request, token, self._send_by))
        except TokenRefused as error:
            lane.state.lost = str(error)
            return await self._surely_not_sent(str(error))
        except (TokenUnavailable, NotSent) as error:
            return await self._surely_not_sent(str(error), error.why)
        except MarkNotStored as error:
            lane.state.back_off("kafka_unavailable")
            return await self._surely_not_sent(str(error))
        except NoAnswer as error:
            lane.budget.lost()
            log.warning("no answer", call=call.intent_id, route=call.route.name, error=str(error))
            if call.route.reads:
                lane.state.back_off()
                await self._end(str(error), self._nothing_done(), started)
                return True
            if self._sent_before:  # not for the first time: Xero is away, and more calls would only be lost
                lane.state.back_off()
            self._sent_before = True
            return False
        return await self._answered(answer, token, started)

    async def _surely_not_sent(self, error: str, back_off: ReasonCode | None = None) -> bool:
        lane = self._lane
        lane.budget.not_sent()
        log.warning("not sent", call=self._call.intent_id, route=self._call.route.name, error=error)
        if self._sent_before:
            return False
        if back_off is not None:
            lane.state.back_off(back_off)
        await self._end(error, self._nothing_done())
        return True

    async def _answered(self, answer: Answer, token: str, started: datetime) -> bool:
        lane = self._lane
        lane.state.answered(answer, token)
        if self._sent_before and trouble_of(answer.status) in _NOT_LOOKED_AT:
            return False  # says nothing about the result of the first attempt
        response = read_answer(self._call, answer)
        settled = response.settled or not self._call.route.repeatable
        trusted = 0.0 if settled else SETTLE / lane.rate
        await self._end("answered", response, started, answer, trusted)
        return True

    async def _may_send_again(self) -> bool:
        """Wait for the limits, then move ``send_by``, as long as the key is young enough."""
        lane = self._lane
        while machine_seconds() - self._born < (KEY_LIFE - 1.0) / lane.rate:
            wait = lane.budget.wait(machine_seconds())
            if wait == 0.0:
                return await self._move_send_by()
            await asyncio.sleep(min(wait or 0.5, 0.5))
        return False

    async def _move_send_by(self) -> bool:
        lane = self._lane
        parameters = {
            "intent_id": self._call.intent_id,
            "fence": lane.lease.fence,
            "send_within": SEND_WITHIN,
            "key_life": KEY_LIFE / lane.rate,
        }
        async with lane.transaction("resend", locked=False) as connection:
            rows = await fetch_all(connection, ledger.SQL["send_again"], parameters)
        if not rows or rows[0]["send_within"] <= 0:
            return False
        self._send_by = machine_seconds() + float(rows[0]["send_within"])
        lane.budget.sent()
        return True

    async def _give_up(self) -> None:
        """Give up a key that is too old. A creating call is looked up, once it can have no more effect; a
        call that only changes something is simply made again.
        """
        if not self._call.route.creates:
            await self._end(NO_ANSWER, self._nothing_done())
            return
        left = self._send_by + GIVEN_UP_AFTER - machine_seconds()
        response = ParsedResponse(tuple(Result("unknown") for _ in self._call.parts))
        await self._end(NO_ANSWER, response, look_up_in=max(0.0, left) / self._lane.rate)

    def _nothing_done(self) -> ParsedResponse:
        return ParsedResponse(tuple(Result("not_applied") for _ in self._call.parts))

    async def _end(
        self,
        conclusion: str,
        response: ParsedResponse,
        started: datetime | None = None,
        answer: Answer | None = None,
        look_up_in: float = 0.0,
    ) -> None:
        settlement = Settlement(conclusion, response, started or now_utc(), answer, look_up_in)
        await settle(self._lane, self._call, settlement)
