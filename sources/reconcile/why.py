"""Why a document differs, as far as it is known, and what to do. Pure."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final, Literal

import msgspec

from contracts.reasons import CATALOGUE, render
from sinks.drift.books import Actions, ByHand
from sources.reconcile.sides import Compared

Why = Literal[
    "before_cutoff",
    "waiting",
    "changed_meanwhile",
    "not_seen_yet",
    "unclear_in_salesbinder",
    "failed",
    "skipped",
    "accepted",
    "changed_in_xero",
    "twice_in_xero",
    "not_visible_in_salesbinder",
    "made_before_connection",
    "setting_changed",
    "unknown",
]
"""Codes never change: scripts and the CSV's readers rely on them."""

SETTLED: Final[frozenset[Why]] = frozenset({"before_cutoff", "accepted", "skipped"})
"""As somebody wants it: nobody is notified."""
PASSING: Final[frozenset[Why]] = frozenset({"waiting", "changed_meanwhile", "not_seen_yet"})
"""Over by itself: nobody is notified, unless it turns into something else."""

TITLES: Final[Mapping[Why, str]] = {
    "before_cutoff": "from before the cut-off",
    "waiting": "not yet in Xero",
    "changed_meanwhile": "changed while it was read",
    "not_seen_yet": "not yet seen by the reader",
    "unclear_in_salesbinder": "unclear in SalesBinder",
    "failed": "failed",
    "skipped": "skipped by an operator",
    "accepted": "accepted as it is in Xero",
    "changed_in_xero": "changed in Xero",
    "twice_in_xero": "more than once in Xero",
    "not_visible_in_salesbinder": "not shown by SalesBinder",
    "made_before_connection": "made before SalesBinder was connected",
    "setting_changed": "from before a setting was changed",
    "unknown": "unknown",
}


class Reason(msgspec.Struct, frozen=True, kw_only=True):
    """Why, in words, and what to do."""

    code: Why
    text: str
    remedy: str
    entry_id: str = ""
    """The entry of the log that explains it; blank if none does."""

    @property
    def is_known(self) -> bool:
        """Return False if nothing explains the difference."""
        return self.code != "unknown"


class Unclear(msgspec.Struct, frozen=True, kw_only=True):
    """A problem that the reader has with the record."""

    problem: str
    remedy: str


class Around(msgspec.Struct, frozen=True, kw_only=True):
    """All that may explain a difference."""

    account: str
    began: datetime
    """When the reconciliation began to read."""
    actions: Actions | None
    by_hand: Sequence[ByHand]
    unclear: Unclear | None
    log_is_read: bool
    """Whether the reader has read the deletion log since then."""
    is_told: bool
    """Whether the reader has seen and told what SalesBinder shows."""
    was_here_before: bool
    """Whether it was there before the connection, and something of that is still to be told."""
    is_to_be_sent: bool
    """Whether the history that is being sent has it, and its turn has not come."""
    changed_settings: frozenset[str]
    """Settings that decide what should be in Xero, and were changed since the connection."""


def why(one: Compared, around: Around) -> Reason:
    """Return why the document differs."""
    if one.is_before_cutoff and one.xero is None:
        return _reason(
            "before_cutoff",
            "it was made before the date from which documents are synced",
            "Nothing is needed: it is not meant to be in Xero.",
        )
    return (
        _under_way(one, around)
        or _unseen(one, around)
        or _by_entry(around)
        or _twice(one)
        or _in_xero(around)
        or _told_in_part(one, around)
        or _by_setting(one, around)
        or _unknown(one, around)
    )


def _reason(code: Why, text: str, remedy: str, entry_id: str = "") -> Reason:
    return Reason(code=code, text=text, remedy=remedy, entry_id=entry_id)


def _under_way(one: Compared, around: Around) -> Reason | None:
    actions = around.actions
    if actions is not None and actions.is_open:
        return _reason(
            "waiting",
            "an action on it is queued or running",
            f"Nothing is needed unless it stays: 'sbx explain {one.record_id}' shows what it waits for.",
        )
    if actions is not None and actions.last_at >= around.began:
        return _reason(
            "changed_meanwhile",
            "it was synced while both sides were being read",
            "Nothing is needed: the next comparison shows it as it is then.",
        )
    return None


def _unseen(one: Compared, around: Around) -> Reason | None:
    if one.shop is None and not around.log_is_read:
        return _reason(
            "not_seen_yet",
            "SalesBinder's lists do not show it any more, and the deletion log was not read since",
            "Nothing is needed: the next comparison knows whether it was deleted.",
        )
    if one.shop is None:
        return _reason(
            "not_visible_in_salesbinder",
            "SalesBinder's lists do not show it, and no row of the deletion log has taken it out of Xero",
            "Look it up in SalesBinder. If it is archived, nothing is needed; if the user of the API key may "
            "not see it, give them the permission; if it was deleted long ago, void it in Xero.",
        )
    if around.unclear is not None:
        text = f"SalesBinder's answer about it cannot be made sense of: {around.unclear.problem}"
        return _reason("unclear_in_salesbinder", text, around.unclear.remedy)
    if None in (one.shop.net, one.shop.tax):
        return _reason(
            "unclear_in_salesbinder",
            "SalesBinder's list shows no readable sums of it",
            "Open it in SalesBinder and save it again; if it stays, report the answer to SalesBinder.",
        )
    if around.is_to_be_sent and _by_entry(around) is None:
        return _reason(
            "waiting",
            "it is from before the connection, and waits to be sent on with the others",
            f"Nothing is needed: 'sbx source status {around.account}' says how many are left.",
        )
    if around.was_here_before and one.xero is None and _by_entry(around) is None:
        return _made_before(one, around, "was not told since")
    if not around.is_told:
        return _reason(
            "not_seen_yet",
            "SalesBinder shows a change that was found just now",
            "Nothing is needed: it is read now, and in Xero at the next comparison.",
        )
    return None


def _made_before(one: Compared, around: Around, what: str) -> Reason:
    command = f"sbx source backfill {around.account} --since {one.day or 'DATE'}"
    return _reason(
        "made_before_connection",
        f"it was there before SalesBinder was connected, and {what}",
        f"Publish it: “Send them” on the page of the account's set-up does it, as does '{command}'.",
    )


_EARLIER: Final = frozenset({"document", "paid", "refunded", "status"})
"""What differs where payments or a receipt from before the connection were not told."""


def _told_in_part(one: Compared, around: Around) -> Reason | None:
    if not around.was_here_before or not set(one.fields) <= _EARLIER:
        return None
    return _made_before(one, around, "what was paid or received before was not told")


def _by_entry(around: Around) -> Reason | None:
    actions = around.actions
    if actions is None:
        return None
    if actions.failed is not None and not _lacks_earlier(actions.failed, around):
        return _failed(actions.failed, around.account)
    if actions.skipped is not None:
        who = actions.skipped["actor"] or "an operator"
        text = f"{who} has skipped '{_words(actions.skipped['action'])}'"
        return _reason(
            "skipped",
            text,
            "Nothing is needed if that was right; else enter it in Xero by hand.",
            str(actions.skipped["command_id"]),
        )
    return None


def _lacks_earlier(failed: Mapping[str, Any], around: Around) -> bool:
    """Return True for a refund that fails because its payment was made before the connection."""
    return around.was_here_before and failed["reason_code"] in ("refund_exceeds_paid", "document_not_in_xero")


def _failed(failed: Mapping[str, Any], account: str) -> Reason:
    code = str(failed["reason_code"] or "")
    text, remedy = f"'{_words(failed['action'])}' failed", "See its entry in the log."
    if code in CATALOGUE:
        details = {"account": account, **{k: str(v) for k, v in (failed["reason_args"] or {}).items()}}
        said, remedy = render(code, details)
        text = f"{text} ({code}): {said}"
    return _reason("failed", text, remedy, str(failed["command_id"]))


def _twice(one: Compared) -> Reason | None:
    if not one.others:
        return None
    return _reason(
        "twice_in_xero",
        f"more than one document in Xero points at it: {', '.join(one.others)} besides",
        "Find out which one is right, and void the other in Xero.",
    )


def _in_xero(around: Around) -> Reason | None:
    hand = next((one for one in around.by_hand if one.adopted_by), None)
    changed = next((one for one in around.by_hand if not one.adopted_by and not one.why), None)
    if changed is not None:
        who = f" by {changed.changed_by}" if changed.changed_by else ""
        when = f" on {changed.changed_at:%Y-%m-%d %H:%M} UTC" if changed.changed_at is not None else ""
        became = f"{changed.ours or 'nothing'} became {changed.xeros or 'nothing'}"
        said = f"{_words(changed.field)}: {became}"
        return _reason(
            "changed_in_xero",
            f"changed in Xero{who}{when}: {said}",
            f"Send SalesBinder's version again or accept Xero's, with 'sbx drift {around.account}' or on the "
            "page of differences.",
        )
    if hand is not None:
        return _reason(
            "accepted",
            f"{hand.adopted_by} has accepted Xero's version",
            "Nothing is needed; the next edit in SalesBinder is pushed as usual.",
        )
    return None


_DECIDED_BY: Final[Mapping[str, tuple[str, ...]]] = {
    "invoice_number_format": ("number",),
    "purchase_order_number_format": ("number",),
    "invoice_status": ("status",),
    "purchase_order_status": ("status",),
    "refund_as": ("paid", "refunded"),
    "received_as": ("document", "status"),
    "enabled_at": ("document",),
}
"""Settings, and the fields of a document that they decide when it is posted."""
DECIDING: Final = tuple(_DECIDED_BY)


def _by_setting(one: Compared, around: Around) -> Reason | None:
    """Explain fields that a setting decided when the document was posted, if it was changed since."""
    keys = [key for key in sorted(around.changed_settings) if set(one.fields) & set(_DECIDED_BY.get(key, ()))]
    explained = {field for key in keys for field in _DECIDED_BY[key]}
    if not keys or not set(one.fields) <= explained:
        return None
    both = (one.expected, one.xero)
    if "refund_as" in keys and len({side.balance for side in both if side is not None}) > 1:
        return None
    return _reason(
        "setting_changed",
        f"the setting {', '.join(keys)} was changed after it was posted",
        "Nothing is needed; the settings decide about what is posted from now on.",
    )


def _unknown(one: Compared, around: Around) -> Reason:
    told = next((each.why for each in around.by_hand if each.why), "")
    text = "nothing that is known explains it"
    text += f"; the comparison with what was sent says: {told}" if told else ""
    return _reason(
        "unknown",
        text,
        f"Read its story with 'sbx explain {one.record_id}'; correct it in Xero, and tell the pipeline's "
        "operator.",
    )


def _words(action: object) -> str:
    return str(action).replace("_", " ")


def is_news(code: Why) -> bool:
    """Return True for a difference of which people are notified."""
    return code not in SETTLED | PASSING
