"""Define named places at which a test kills this process, to show that nothing is lost there and nothing is
done twice.

``SBX_CRASH_AT=landing.before_commit`` kills it with SIGKILL the first time it passes that point,
``landing.before_commit:3`` the third time. If the variable is unset, as it is outside of tests, a point costs
one comparison.
"""

import itertools
import os
import signal
from typing import Literal, get_args

CrashPoint = Literal[
    # Every stage, in `streams/faust_app.py`.
    "kafka.before_send",  # a batch was worked on, nothing of what it caused was sent
    "kafka.after_send",  # the broker has stored what it caused; the batch is not acknowledged
    "ack.before_commit",  # the batch is done, its offsets are about to be committed
    "ack.after_commit",  # its offsets are committed
    # Transactions of the stages.
    "intake.before_commit",  # commands are inserted into the ledger, not committed
    "intake.after_commit",  # commands are in the ledger, the lanes are told, nothing is acknowledged
    "projection.before_commit",  # results are applied to the log, not committed
    "projection.after_commit",  # results are in the log, not acknowledged
    "outbox.before_publish",  # rows are locked, nothing is published
    "outbox.before_commit",  # results are published, their rows removed, not committed
    "outbox.after_commit",  # their rows are gone
    "losses.before_commit",  # losses on the way are recorded, not committed
    "losses.after_commit",  # they are recorded, nothing more was checked
    "archiving.before_commit",  # old rows are in files on the disk and out of the tables, not committed
    "archiving.after_commit",  # they are in the files alone
    # A deliver worker, for its part of the accounts.
    "beat.before_commit",  # that it is at work is recorded, not committed
    "beat.after_commit",  # the other workers know that it is at work
    "leave.before_commit",  # a worker that ends is no longer counted, not committed
    "leave.after_commit",  # the others take over its share, its lanes are still at work
    # A lane, from its lease to the end of a call.
    "lease.before_commit",  # the account is taken, not committed
    "lease.after_commit",  # this worker has the account, its lane has not started
    "facts.before_commit",  # Xero has described the organisation; the facts are not committed
    "facts.after_commit",  # the facts are kept, nothing is planned with them yet
    "plan.before_commit",  # commands are planned, those that ended at once are not committed
    "plan.after_commit",  # those that ended at once have ended, the others' next steps are in memory only
    "intent.before_commit",  # calls are written down, not committed
    "intent.after_commit",  # calls are written down, no byte of them was sent
    "http.before_send",  # connected to Xero (or its identity server), no byte was sent
    "http.after_send",  # the last byte was sent, no answer was read
    "http.after_receive",  # the whole answer was read, nothing was made of it
    "landing.before_commit",  # the answer, links and next states are written, not committed
    "landing.after_commit",  # they are committed, nothing was planned further
    # A lane's work beside its calls.
    "renew.before_commit",  # the lease is renewed, not committed
    "renew.after_commit",  # the lease is good for longer
    "replan.before_commit",  # jobs that waited for fresh facts are planned again, not committed
    "replan.after_commit",  # those that ended at once have ended, the others' next steps are in memory only
    "not_connected.before_commit",  # commands of an account without a connection have failed, not committed
    "not_connected.after_commit",  # they have failed, the outbox has told nobody
    "lost.before_commit",  # the connection is marked as lost, not committed
    "lost.after_commit",  # it is lost, the log has not heard of it
    "pause.before_commit",  # an account pauses itself, not committed
    "pause.after_commit",  # it is paused, the log has not heard of it
    "answer.before_commit",  # an operator's question has its answer, not committed
    "answer.after_commit",  # it is answered
    "reading.before_commit",  # a reading has begun or ended, or a call of it is chosen, not committed
    "reading.after_commit",  # the same is kept, nothing was asked
    "comparison.before_commit",  # objects that Xero showed are compared, not committed
    "comparison.after_commit",  # differences and the progress of the reading are kept
    "history.before_commit",  # who changed an object is known, not committed
    "history.after_commit",  # it is kept, the next object is not asked about
    "return.before_commit",  # a lane that ends gives its account back, not committed
    "return.after_commit",  # the account is free
    "token.before_commit",  # a token was fetched and is not kept
    "token.after_commit",  # the token is kept and was not used
    "resend.before_commit",  # a call may go out again, its new deadline is not committed
    "resend.after_commit",  # its new deadline is committed, nothing was sent again
    "recovery.before_commit",  # a dead worker's jobs go back into the queue, not committed
    "recovery.after_commit",  # they are back in the queue, unanswered calls are not taken up yet
    "hold.before_commit",  # the log is told that the account is held or goes on, not committed
    "hold.after_commit",  # the hold is in the outbox, nothing in hand was given back
    "release.before_commit",  # a held lane's jobs are given back, not committed
    "release.after_commit",  # they are given back, the lane still holds the account
    "behind.before_commit",  # all accounts are held: the ledger is older than what it sent; not committed
    "behind.after_commit",  # they are held, the log has not heard of it
    "clearing_read.before_commit",  # objects that were perhaps sent are kept as read from Xero, not committed
    "clearing_read.after_commit",  # they are kept, with the progress of the reading
    "clearing.before_commit",  # some records are matched with Xero's objects, not committed
    "clearing.after_commit",  # their actions may go on, nothing is planned yet
    "clearing_end.before_commit",  # all is matched; that it is over is not committed
    "clearing_end.after_commit",  # it is over
    # The reader of a SalesBinder account.
    "question.before_commit",  # a call to SalesBinder is counted, not committed
    "question.after_commit",  # it is counted, nothing was asked
    "seen.before_commit",  # what an answer changed and the events that tell it are written, not committed
    "seen.after_commit",  # they are kept, nothing is published
    "source_trouble.before_commit",  # that SalesBinder did not answer is written down, not committed
    "source_trouble.after_commit",  # so it is, nothing was asked again
    "telling.before_publish",  # events are taken from the outbox, nothing is published
    "telling.before_commit",  # they are published, their rows removed, not committed
    "telling.after_commit",  # their rows are gone
    # The comparison of SalesBinder and Xero, beside the reader.
    "reconcile_question.before_commit",  # a call to SalesBinder is counted, not committed
    "reconcile_question.after_commit",  # it is counted, nothing was asked
    "reconcile_rows.before_commit",  # what SalesBinder showed is written, not committed
    "reconcile_rows.after_commit",  # it is kept, the next is not asked for
    "reconcile_step.before_commit",  # a part is begun, documents are compared, or all ends; not committed
    "reconcile_step.after_commit",  # so it is kept
    # An operator's command, in a process of its own. Its effects and the record of who did it are one
    # transaction, which ends at `act`; points that are passed within it commit nothing yet.
    "act.before_commit",  # it is done, and who did it is written down, not committed
    "act.after_commit",  # both are kept, nobody was told on the terminal
    "retry.before_commit",  # commands are queued again, or skipped, not committed
    "retry.after_commit",  # so they are, unless it is part of an act or of something larger
    "decide.before_commit",  # a link or an unknown step is settled and the command queued, not committed
    "decide.after_commit",  # so it is, as a part of the act
    "ask.before_commit",  # a question to the account's lane is written down, not committed
    "ask.after_commit",  # it is written down, nobody waits for the answer
    "drift.before_commit",  # actions that Xero no longer shows are queued to be sent again, not committed
    "drift.after_commit",  # they are queued, as a part of the act
    "replay_start.before_commit",  # a replay is noted, not committed
    "replay_start.after_commit",  # it is noted, nothing was read
    "replay.before_commit",  # a batch of a replay is in the ledger, with its progress, not committed
    "replay.after_commit",  # so it is, the next one is not begun
    "replay_end.before_commit",  # all is read, the replay's end is not committed
    "replay_end.after_commit",  # it has ended, nobody was told on the terminal
    "taking_up.before_commit",  # a batch of events is taken up by a recovery, not committed
    "taking_up.after_commit",  # it is in the ledger, which is still held
    "recovered.before_commit",  # the ledger is renewed and accounts are let go on, not committed
    "recovered.after_commit",  # so it is, Kafka has not heard of the new generation
]

CRASH_POINTS: tuple[CrashPoint, ...] = get_args(CrashPoint)

_AT, _, _passing = os.environ.get("SBX_CRASH_AT", "").partition(":")
_PASSING = int(_passing or 1)
_passed = itertools.count(1)

if _AT and _AT not in CRASH_POINTS:
    raise ValueError(f"SBX_CRASH_AT={_AT}: no such point; runtime/crash_points.py lists them")


def crash_point(name: CrashPoint) -> None:
    """Kill this process if the environment names this passing of this point."""
    if name == _AT and next(_passed) == _PASSING:
        os.kill(os.getpid(), signal.SIGKILL)


_BY_NAME: dict[str, CrashPoint] = {point: point for point in CRASH_POINTS}


def around_commit(name: str) -> tuple[CrashPoint, CrashPoint]:
    """Return the points before and after the commits of this name.

    Raises:
        KeyError: there are none of this name.
    """
    return _BY_NAME[f"{name}.before_commit"], _BY_NAME[f"{name}.after_commit"]


def crash_is_planned() -> bool:
    """Return True if a point is named: for places that cost something to watch."""
    return bool(_AT)
