"""The filters that the log is queried with: every filter, common and rare values, and combinations."""

from datetime import UTC, datetime, timedelta

TWO = ("shop-05", "shop-18")
CLOSED = ("shop-19",)
"""Nothing of it in the last five months."""

_NOW = datetime.now(UTC)


def _ago(days: int) -> str:
    return (_NOW - timedelta(days=days)).date().isoformat()


_LAST_WEEK = {"since": _ago(7)}
_SPRING = {"since": _ago(120), "until": _ago(90)}
_FIRST_MONTH = {"until": _ago(155)}

_ASKED: tuple[tuple[str, dict[str, str]], ...] = (
    ("none", {}),
    ("large account", {"account": "shop-01"}),
    ("small account", {"account": "shop-18"}),
    ("closed account", {"account": "shop-19"}),
    ("unknown account", {"account": "no-such"}),
    ("completed", {"state": "completed"}),
    ("failed", {"state": "failed"}),
    ("queued, one account held", {"state": "queued"}),
    ("running", {"state": "running"}),
    ("invoices", {"entity": "invoice"}),
    ("suppliers", {"entity": "supplier"}),
    ("created", {"action": "created"}),
    ("cancelled", {"action": "cancelled"}),
    ("reset (none)", {"action": "reset"}),
    ("invoices cancelled", {"entity": "invoice", "action": "cancelled"}),
    ("supplier invoiced (none)", {"entity": "supplier", "action": "created"}),
    ("common reason", {"reason": "authorised_not_editable"}),
    ("rare reason", {"reason": "foreign_payments"}),
    ("reason of a hold", {"reason": "account_paused"}),
    ("reason of what waits", {"reason": "xero_unavailable"}),
    ("reason without entries", {"reason": "xero_day_limit"}),
    ("account and reason", {"account": "shop-18", "reason": "authorised_not_editable"}),
    ("dates, a month", _SPRING),
    ("dates, last week", _LAST_WEEK),
    ("account and state", {"account": "shop-18", "state": "failed"}),
    ("account and completed", {"account": "shop-01", "state": "completed"}),
    ("account, entity, dates", {"account": "shop-18", "entity": "supplier"} | _SPRING),
    ("large account, rare entity, old", {"account": "shop-01", "entity": "supplier"} | _FIRST_MONTH),
    ("account and rare action", {"account": "shop-01", "action": "cancelled"}),
    ("account, no such action", {"account": "shop-01", "action": "reset"}),
    ("failed suppliers", {"state": "failed", "entity": "supplier"}),
    ("queued suppliers", {"state": "queued", "entity": "supplier"}),
    ("failed, rare action, month", {"state": "failed", "action": "cancelled"} | _SPRING),
    ("number", {"number": "4711"}),
    ("number and account", {"number": "4711", "account": "shop-18"}),
    ("text: whole number", {"text": "4711"}),
    ("text: 3 digits, old", {"text": "100"}),
    ("text: 2 digits, old", {"text": "10"}),
    ("text: 1 digit", {"text": "1"}),
    ("text: orders", {"text": "PO-1"}),
    ("text: any word", {"text": "toys"}),
    ("text: the most common word", {"text": "ltd"}),
    ("text: common words together", {"text": "oland toys inc"}),
    ("text: kind and number", {"text": "invoice 4711"}),
    ("text: a kind", {"text": "invoices"}),
    ("text: reference", {"text": "order 77"}),
    ("text: reason", {"text": "did not take"}),
    ("text: amount", {"text": "19.95"}),
    ("text: payment of an amount", {"text": "payment 19.95"}),
    ("text: range", {"text": "10..20"}),
    ("text: half of all amounts", {"text": ">2500"}),
    ("text: word and range", {"text": "smith 10..20"}),
    ("text: a word's last letters (none)", {"text": "mith"}),
    ("largest amount", {"sort": "-amount"}),
    ("smallest amount, failed", {"sort": "amount", "state": "failed"}),
    ("largest amount, large account", {"sort": "-amount", "account": "shop-01"}),
    ("largest amount, small account", {"sort": "-amount", "account": "shop-18"}),
    ("largest amount, closed account", {"sort": "-amount", "account": "shop-19"}),
    ("largest amount, text", {"sort": "-amount", "text": "smith"}),
    ("largest amount, rare text", {"sort": "-amount", "text": "oland toys inc"}),
    ("largest amount, customers", {"sort": "-amount", "entity": "customer"}),
    ("largest amount, last week", {"sort": "-amount"} | _LAST_WEEK),
    ("largest amount, queued", {"sort": "-amount", "state": "queued"}),
    ("lowest number", {"sort": "document"}),
    ("highest number, orders", {"sort": "-document", "entity": "purchase_order"}),
    ("lowest number, failed", {"sort": "document", "state": "failed"}),
    ("lowest number, last week", {"sort": "document"} | _LAST_WEEK),
    ("highest number, text", {"sort": "-document", "text": "smith"}),
    ("text: a name", {"text": "Öland Toys Inc"}),
    ("text: a common word", {"text": "smith"}),
    ("text: one letter", {"text": "w"}),
    ("text: of an id", {"text": "3f0a"}),
    ("text: nothing", {"text": "no such thing"}),
    ("text and failed", {"text": "smith", "state": "failed"}),
    ("old text and failed", {"text": "10", "state": "failed"}),
    ("text and account", {"text": "smith", "account": "shop-18"}),
    ("old text and account", {"text": "10", "account": "shop-18"}),
    ("text and dates", {"text": "10"} | _FIRST_MONTH),
    ("text, account, entity, dates", {"text": "wi", "account": "shop-18", "entity": "customer"} | _SPRING),
)
_OF_TWO = (
    *("none", "completed", "failed", "suppliers", "cancelled", "common reason", "reason of a hold"),
    *("unknown account", "small account", "dates, a month", "text: 2 digits, old", "text: a common word"),
    *("text: of an id", "text: nothing", "text and failed", "text: the most common word", "text: range"),
    *("largest amount", "largest amount, text", "lowest number"),
)

FILTERS: tuple[tuple[str, dict[str, str], tuple[str, ...] | None], ...] = (
    *((name, pairs, None) for name, pairs in _ASKED),
    *((f"{name} (two accounts)", pairs, TWO) for name, pairs in _ASKED if name in _OF_TWO),
    ("none (one closed account)", {}, CLOSED),
    ("failed (one closed account)", {"state": "failed"}, CLOSED),
)
"""Name, words of the address, and the accounts that the user may see; none are all."""
