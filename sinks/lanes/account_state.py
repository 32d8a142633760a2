"""The state of an account's access to Xero: what is left of its limits, and what holds it as a whole."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from contracts.nul import without_nul
from contracts.reasons import ReasonCode, render
from contracts.results import AccountResult
from runtime.database import fetch_all
from runtime.secrets import mask
from sinks.lanes.breaker import Breaker
from sinks.lanes.session import Session
from sinks.lanes.shares import AccountBudget, Shares
from sinks.ledger import store as ledger
from sinks.ledger.entries import now_utc
from sinks.xero.call_guard import machine_seconds
from sinks.xero.client import Answer
from sinks.xero.elements import encode_jsonb
from sinks.xero.responses import trouble_of

_ANNOUNCE_AFTER_SECONDS = 2.0
_LONGEST_TROUBLE_SECONDS = 60.0
_TOKENS_REFUSED = 5
"""Tokens in a row that Xero must refuse at their first use before the connection counts as lost."""


@dataclass(slots=True)
class Hold:
    """The reason for holding the whole account."""

    code: ReasonCode
    until: datetime | None = None
    details: dict[str, str] = field(default_factory=dict)

    @property
    def shown(self) -> dict[str, str]:
        """The details as a reason's sentence takes them."""
        until = {"until": self.until.strftime("%H:%M:%S UTC")} if self.until else {}
        return {**self.details, **until}


class AccountState:
    """Limits, troubles and holds of one account, as determined by Xero's responses and by operators."""

    def __init__(self, session: Session, rate: float, shares: Shares | None = None) -> None:
        self.session = session
        self.rate = rate
        self.budget = AccountBudget(session.account, rate, shares)
        self.breaker = Breaker(rate=rate)
        self.lost: str | None = None
        """Why Xero no longer accepts our access."""
        self._trouble = 0
        self._tokens_refused = 0
        self._held: Hold | None = None
        self._version = 0
        self._clock = now_utc(), machine_seconds()

    def answered(self, answer: Answer, token: str) -> None:
        """Take over Xero's own count of the limits; make the account wait after an error."""
        now = machine_seconds()
        self.budget.answered(now, answer.headers)
        trouble = trouble_of(answer.status)
        if trouble == "server":
            self.breaker.server_error(answer.status, now)
        else:
            self.breaker.answered()
        if trouble == "limit":
            self.budget.refused(now, answer.headers)
        elif trouble == "server":
            self.back_off()
        elif trouble:
            self._unauthorised(trouble, answer, token)
        else:
            self._trouble = self._tokens_refused = 0

    def back_off(self, why: ReasonCode = "xero_unavailable") -> None:
        """Make the account wait, longer each time, because Xero or another service that a call needs is in
        trouble.
        """
        self._trouble += 1
        seconds = min(2.0 ** (self._trouble - 1) * 0.5, _LONGEST_TROUBLE_SECONDS)
        self.budget.close(machine_seconds(), seconds, why)

    def reconnected(self) -> None:
        """Note that somebody reconnected the account."""
        self.lost = None
        self._tokens_refused = 0

    def resumed(self) -> None:
        """Note that somebody has resumed the paused account: earlier failures do not count any more."""
        self.breaker = Breaker(rate=self.rate)
        self._trouble = 0
        self.budget.reopen()

    def _unauthorised(self, trouble: str, answer: Answer, token: str) -> None:
        """Handle a refused token. A token may end early, and several calls may be using it. Only tokens
        refused one after the other, each newly fetched and none accepted, mean that the connection is lost.
        An earlier token says nothing: somebody may have reconnected the account since it was used.
        """
        if not self.session.token_refused(token):
            return
        self._tokens_refused += 1
        if self._tokens_refused > 1:
            self.back_off()
        if trouble == "forbidden" or self._tokens_refused >= _TOKENS_REFUSED:
            said = mask(without_nul(answer.body[:1000].decode(errors="replace")))[:200]
            self.lost = f"Xero answered {answer.status} to a fresh token: {said}"

    def obstacle(self) -> Hold | None:
        """Return why nothing may be sent for this account now."""
        connection = self.session.connection
        if connection is None:
            return None
        if connection.status == "lost" or self.lost:
            return Hold("connection_lost", None, {"message": self.lost or connection.status_reason})
        if connection.paused_reason is not None:
            return Hold("account_paused", None, {"message": connection.paused_reason})
        closed = self.budget.closed_until - machine_seconds()
        if closed > _ANNOUNCE_AFTER_SECONDS:
            until = (self._now() + timedelta(seconds=closed)).replace(microsecond=0)
            if self.session.needs_key:
                return Hold("secret_key_missing", until, {"message": self.session.needs_key})
            return Hold(self.budget.closed_why, until)
        return None

    def _now(self) -> datetime:
        """Return the database's time, independent of this machine's clock: the log compares it, and so does
        the next worker that takes over the account.
        """
        told, at = self._clock
        return told + timedelta(seconds=machine_seconds() - at)

    def news(self) -> AccountResult | None:
        """Return the account's news for the log; None if nothing has changed."""
        hold = self.obstacle()
        before = self._held.code if self._held else None
        now = hold.code if hold else None
        if before == now:
            return None
        self._held = hold
        self._version += 1
        account = self.session.account
        reason, remedy = render(hold.code, {**hold.shown, "account": account}) if hold else ("", "")
        return AccountResult(
            account=account,
            version=self._version,
            at=self._now(),
            held=now,
            reason=reason,
            remedy=remedy,
            until=hold.until if hold else None,
        )

    async def save(self, connection: ledger.Connection) -> None:
        """Write the rest of the limits, and the hold."""
        left = {"minute_left": self.budget.minute_left, "day_left": self.budget.day_left, "at": self._now()}
        await connection.execute(
            ledger.SQL["save_account"],
            {
                "account": self.session.account,
                "budget": encode_jsonb(left),
                "held": self._held.code if self._held else None,
                "held_args": encode_jsonb(self._held.details if self._held else {}),
                "held_until": self._held.until if self._held else None,
                "version": self._version,
            },
        )

    async def restore(self, connection: ledger.Connection) -> None:
        """Take over the limits and holds that an earlier lane of the account knew."""
        account = self.session.account
        self._clock = await ledger.database_time(connection), machine_seconds()
        rows = await fetch_all(connection, ledger.SQL["load_account"], [account])
        if rows:
            self._version = int(rows[0]["version"])
            if rows[0]["held"]:
                self._held = Hold(rows[0]["held"], rows[0]["held_until"], rows[0]["held_args"])
        await self.live_on_limits(connection)

    async def live_on_limits(self, connection: ledger.Connection) -> None:
        """Share the organisation's limits with its other accounts. The calls that an earlier worker has used
        are in the ledger, no matter for which account.
        """
        found = self.session.connection
        if found is not None and not self.budget.join(found.tenant_id, found.client_id):
            return
        account = self.session.account
        recent = {"account": account, "seconds": 60.0 / self.rate}
        calls = (await fetch_all(connection, ledger.SQL["recent_calls"], recent))[0]["calls"]
        self.budget.take_over(machine_seconds(), int(calls))
        for row in await fetch_all(connection, ledger.SQL["limits_reached"], {"account": account}):
            seconds = (row["held_until"] - self._now()).total_seconds()
            if seconds > 0:
                self.budget.close_all(machine_seconds(), seconds * self.rate, row["held"])
