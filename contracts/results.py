"""Results: facts in the past tense about entries, attempts and accounts, sent on ``integration.results``.

An entry result is the whole entry at one version, so that a reader may see results twice or late: the highest
version of an ``entry_id`` is the truth. Version 0 is ``queued``, sent by the transform stage.
"""

from datetime import datetime
from decimal import Decimal
from typing import Literal

import msgspec

State = Literal["queued", "running", "completed", "failed"]
Outcome = Literal[
    "posted", "already_there", "not_needed", "before_cutoff", "superseded", "skipped_by_operator"
]


class _Wire(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Base of everything in a result: immutable, keyword only, defaults left out on the wire."""


class Warning(_Wire, frozen=True):
    """Something a bookkeeper should know although the action completed."""

    code: str
    text: str


class Attempt(_Wire, frozen=True):
    """One call to Xero on behalf of one entry. Bodies hold only the entry's own element, secrets masked."""

    attempt_id: str
    """Unique: the call and the entry."""
    number: int
    step: str
    """``contact``, ``invoice``, ``authorise``, ``payment``, ``look_up``, …"""
    method: str
    path: str
    started_at: datetime
    finished_at: datetime | None = None
    status: int | None = None
    """HTTP status; None if no response was received."""
    request: str = ""
    answer: str = ""
    error: str = ""
    """Why there was no answer, in words."""
    refused: str = ""
    """Reason code, if Xero refused the entry's element."""
    refusal: str = ""
    """Xero's own words for it."""
    refusal_shape: str = ""
    """The words without numbers and quoted names: the same whenever Xero refuses for the same."""


class Step(_Wire, frozen=True):
    """Something that happened to an entry, and that its later versions do not tell."""

    version: int
    """The entry's version that it made."""
    at: datetime
    step: str
    """``failed``, ``retried``, ``skipped``, …: see ``docs/log.md``."""
    outcome: str | None = None
    reason_code: str | None = None
    reason: str = ""
    """In words, as it was told then; of a skip, the note."""
    remedy: str = ""
    triggered_by: str = ""
    actor: str = ""


class EntryResult(_Wire, frozen=True, tag="entry", tag_field="kind"):
    """A log entry at one version."""

    entry_id: str
    version: int
    account: str
    entity: str
    record_id: str
    action: str
    state: State
    queued_at: datetime
    record_number: str = ""
    outcome: Outcome | None = None
    reason_code: str | None = None
    reason: str = ""
    remedy: str = ""
    warnings: tuple[Warning, ...] = ()
    party_name: str = ""
    amount: Decimal | None = None
    currency: str = ""
    salesbinder_url: str = ""
    attempts: int = 0
    next_attempt_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    xero_type: str = ""
    """``contact``, ``invoice``, ``payment``, …: the type of the object ``xero_id``."""
    xero_id: str = ""
    xero_number: str = ""
    xero_url: str = ""
    event_id: str = ""
    event_type: str = ""
    event_time: datetime | None = None
    topic: str = ""
    partition: int | None = None
    offset: int | None = None
    triggered_by: str = "event"
    """``event``, ``retry``, ``replay``, ``dead_letter``, ``drift``, ``decision``, ``source``."""
    actor: str = ""
    reference: str = ""
    """What people call it: a document's name in SalesBinder, a payment's reference."""
    cause: str = ""
    """The value that failures with this ``reason_code`` share if they have one cause: a tax rate, a contact,
    …
    """
    made: tuple[Attempt, ...] = ()
    """The attempts that ended with this version."""
    at: datetime | None = None
    """When the entry came to this state, where no other field says so: taken up again, or back in the
    queue.
    """
    first_triggered_by: str | None = None
    """What set the entry off first, and who, once something else has set it off again."""
    first_actor: str | None = None
    history: tuple[Step, ...] = ()
    """Steps that the ledger kept: of an act, itself and the end that it undoes; of a result that is told
    again, all.
    """


class AccountResult(_Wire, frozen=True, tag="account", tag_field="kind"):
    """The hold of a whole account: paused, waiting for a limit, not connected. If ``held`` is None, it
    runs.
    """

    account: str
    version: int
    at: datetime
    held: str | None = None
    """A reason code of the catalogue: ``account_paused``, ``xero_day_limit``, …"""
    reason: str = ""
    remedy: str = ""
    until: datetime | None = None


Result = EntryResult | AccountResult

_encoder = msgspec.json.Encoder(decimal_format="string")
_decoder: msgspec.json.Decoder[Result] = msgspec.json.Decoder(Result)


def encode_result(result: Result) -> bytes:
    """Return the result in its form on ``integration.results``."""
    return _encoder.encode(result)


def decode_result(raw: bytes) -> Result:
    """Read a result back.

    Raises:
        msgspec.DecodeError: the bytes are not a result.
    """
    return _decoder.decode(raw)
