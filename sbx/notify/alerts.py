"""Decide what people are notified of: new issues, held accounts, work that waits too long. Pure.

An alert is sent once. It is over when its cause is gone; if that comes back later, it is a new alert.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, Literal

from contracts.reasons import render
from sources.trouble import lasts

Kind = Literal[
    "issue",
    "paused",
    "connection_lost",
    "oldest_waiting",
    "reconciliation",
    "reconciliation_broken_off",
    "source_trouble",
    "source_list",
    "source_unread",
]


_OF_ROWS: Final = frozenset({"record_foreign", "record_unclear"})
"""Problems of rows of a list that are none of its records, and so no entry of the log."""


@dataclass(frozen=True, slots=True)
class Alert:
    """One thing to tell people. Two with the same ``key`` are the same thing."""

    key: str
    kind: Kind
    account: str
    text: str
    remedy: str
    path: str
    """Where it is shown, relative to the page's address."""


def standing(
    issues: Iterable[Mapping[str, Any]],
    accounts: Iterable[Mapping[str, Any]],
    waiting: Iterable[Mapping[str, Any]],
    reconciled: Iterable[Mapping[str, Any]],
    bound: timedelta,
    sources: Iterable[Mapping[str, Any]] = (),
    lists: Iterable[Mapping[str, Any]] = (),
    broken_off: Iterable[Mapping[str, Any]] = (),
) -> list[Alert]:
    """Return everything that people should have been told by now.

    Args:
        issues: rows of the view ``issues``.
        accounts: ``account``, ``lost_reason`` and ``paused_reason`` of each connection; the last two are None
            if they do not apply.
        waiting: rows of the view ``summary``: ``account``, ``oldest_waiting_seconds``.
        reconciled: for each account in which SalesBinder and Xero differ as they did not before: ``account``,
            ``run_id`` of the comparison that found it, ``news`` that it found, ``samples`` of numbers.
        bound: how long work may wait, and a SalesBinder account not be read.
        sources: each account that is read from SalesBinder: ``account``, ``now``, ``trouble`` (a reason
            code), ``trouble_text`` and ``trouble_since`` (None if SalesBinder answers), ``unread_seconds``.
        lists: lists of theirs that are refused, odd or unreadable or have such rows, and clocks that are off:
            ``account``, ``code``, ``list``, ``field``, ``value``, ``problem``, ``remedy``, ``since``,
            ``now``.
        broken_off: accounts where a comparison by schedule did not succeed, and none has since: ``account``,
            ``error``.
    """
    found = [_issue(row) for row in issues if row["issue_id"]]
    held = set()
    for row in accounts:
        alert = _hold(row)
        if alert is not None:
            held.add(alert.account)
            found.append(alert)
    for row in waiting:
        # A held account waits because it is held, of which people are notified already.
        if row["account"] not in held and (row["oldest_waiting_seconds"] or 0) > bound.total_seconds():
            found.append(_waiting(row["account"], bound))
    found += [_reconciled(row) for row in reconciled]
    found += [_broken_off(row) for row in broken_off]
    found += [alert for row in sources if (alert := _source(row, bound)) is not None]
    return found + [_list(row) for row in lists if lasts(row["code"], row["since"], row["now"])]


def changes(now: Sequence[Alert], open_keys: Iterable[str]) -> tuple[list[Alert], list[str]]:
    """Return the new alerts, and the alerts sent earlier that are over."""
    known = set(open_keys)
    keys = {alert.key for alert in now}
    return [alert for alert in now if alert.key not in known], sorted(known - keys)


def _issue(row: Mapping[str, Any]) -> Alert:
    count = row["entries"]
    times = "1 action failed" if count == 1 else f"{count:,} actions failed"
    samples = ", ".join(row["samples"] or ())
    return Alert(
        key=f"issue:{row['issue_id']}",
        kind="issue",
        account=row["account"],
        text=f"{times} ({samples}): {row['reason']}" if samples else f"{times}: {row['reason']}",
        remedy=row["remedy"],
        path=f"/?issue={row['issue_id']}",
    )


def _hold(row: Mapping[str, Any]) -> Alert | None:
    account = row["account"]
    if row["lost_reason"] is not None:
        kind: Kind = "connection_lost"
        text, remedy = render("connection_lost", {"account": account, "message": row["lost_reason"]})
    elif row["paused_reason"] is not None:
        kind = "paused"
        text, remedy = render("account_paused", {"account": account, "message": row["paused_reason"]})
    else:
        return None
    return Alert(f"{kind}:{account}", kind, account, text, remedy, f"/?account={account}&state=queued")


def _waiting(account: str, bound: timedelta) -> Alert:
    return Alert(
        key=f"oldest_waiting:{account}",
        kind="oldest_waiting",
        account=account,
        text=f"work has been waiting for more than {in_words(bound)}",
        remedy="'sbx status' shows whether all stages are running and what holds the account; 'sbx explain' "
        "why one document is waiting",
        path=f"/?account={account}&state=queued",
    )


def _reconciled(row: Mapping[str, Any]) -> Alert:
    account, count = row["account"], row["news"]
    what = "1 document differs" if count == 1 else f"{count:,} documents differ"
    return Alert(
        key=f"reconciliation:{account}:{row['run_id']}",
        kind="reconciliation",
        account=account,
        text=f"{what} between SalesBinder and Xero, and did not before: {', '.join(row['samples'])}",
        remedy=f"the page says why and what to do for each; so does 'sbx reconcile {account} --last'",
        path=f"/accounts/{account}/reconcile",
    )


def _broken_off(row: Mapping[str, Any]) -> Alert:
    account = row["account"]
    return Alert(
        key=f"reconciliation_broken_off:{account}",
        kind="reconciliation_broken_off",
        account=account,
        text=f"SalesBinder and Xero could not be compared: {row['error']}",
        remedy=f"it is tried again by schedule; 'sbx reconcile {account}' compares now",
        path=f"/accounts/{account}/reconcile",
    )


def _source(row: Mapping[str, Any], bound: timedelta) -> Alert | None:
    account, code = row["account"], row["trouble"]
    path = f"/accounts/{account}/source"
    if code is not None and lasts(code, row["trouble_since"], row["now"]):
        text, remedy = render(code, {"account": account, "problem": row["trouble_text"]})
        return Alert(f"source_trouble:{account}:{code}", "source_trouble", account, text, remedy, path)
    if code is None and row["unread_seconds"] > bound.total_seconds():
        text = f"SalesBinder has not been read for more than {in_words(bound)}"
        remedy = "start a worker that reads it: 'sbx up', or 'sbx worker source'. Nothing is lost meanwhile"
        return Alert(f"source_unread:{account}", "source_unread", account, text, remedy, path)
    return None


def _list(row: Mapping[str, Any]) -> Alert:
    account, code = row["account"], row["code"]
    details = {
        "account": account,
        "document": f"a row of the list {row['list']}" if code in _OF_ROWS else row["list"],
        "field": row["field"],
        "value": row["value"],
        "problem": row["problem"],
        "remedy": row["remedy"],
    }
    text, remedy = render(code, details)
    key = f"source_list:{account}:{code}:{row['list']}"
    return Alert(key, "source_list", account, text, remedy, f"/accounts/{account}/source#problems")


def in_words(span: timedelta) -> str:
    """Return ``90 min``, or ``2 h`` for whole hours."""
    minutes = int(span.total_seconds() // 60)
    return f"{minutes // 60} h" if minutes and minutes % 60 == 0 else f"{minutes} min"
