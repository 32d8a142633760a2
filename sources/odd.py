"""What is odd about an answer, or refused, and what to do about it. Pure."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Final

from sources.batch import Batch
from sources.problems import Unreadable
from sources.salesbinder.verdicts import Answer
from sources.schedule.scans import Oddity, Scan, Step

CLOCK: Final = ("clock", "")
"""The key of a problem with SalesBinder's clock, which is no record's."""
_CLOCKS_APART: Final = timedelta(minutes=5)


def refused_list(answer: Answer) -> Unreadable:
    """Return that a list is not shown."""
    if answer.verdict == "not_there":
        return Unreadable(
            "answer",
            str(answer.status),
            "the list is not there",
            "Check the account's name, which is its sub-domain, and that its plan has the API.",
            "list_refused",
        )
    return Unreadable("answer", str(answer.status), _MAY_NOT, _PERMIT, "list_refused")


def refused_record(answer: Answer) -> Unreadable:
    """Return that a record is not shown though its list is."""
    return Unreadable("answer", str(answer.status), _MAY_NOT, _PERMIT, "record_refused")


def listed_yet_missing() -> Unreadable:
    """Return that a record is not there though a list shows it."""
    return Unreadable(
        "answer",
        "404",
        "it is not there when it is asked for, for more than an hour now",
        "Nothing is needed if it passes: it is asked for daily. Else open it in SalesBinder: if it is in the "
        "archive, bring it back or leave it; if it is not, give the user of the API key the permission to "
        "see it.",
        "record_refused",
    )


def left_out_of_history() -> Unreadable:
    """Return that a document from before the connection could not be told."""
    return Unreadable(
        "answer",
        "404",
        "it was not there when it was asked for, five times in more than an hour",
        "Nothing is needed if it was deleted, or archived for good; else bring it back in SalesBinder, and "
        "it is sent on the next time that it is read, or at once with 'sbx source backfill'.",
        "history_left_out",
    )


_MAY_NOT: Final = "the user of the API key may not read this"
_PERMIT: Final = "Give that user the permission in SalesBinder: accounts, Billing Management, View Invoices."


def broken(error: Exception) -> Unreadable:
    """Return an answer that meets a fault of this program, or that the database refuses."""
    return Unreadable(
        "answer",
        f"{type(error).__name__}: {error}",
        "it meets a fault of this program",
        "Report it with the worker's log; it is asked for again.",
        "answer_unreadable",
    )


def failing(text: str) -> Unreadable:
    """Return that something is not shown while all else is."""
    return Unreadable(
        "answer",
        text,
        "SalesBinder has failed to show this more than once",
        "Nothing is needed if it passes; else open it in SalesBinder, and tell them if it fails there, too.",
        "answer_unreadable",
    )


def note_clock(theirs: datetime | None, ours: datetime, batch: Batch) -> None:
    """Report a clock that is off; what is asked next goes by SalesBinder's, what is due by ours, so nothing
    is lost by it.
    """
    batch.seen.add(CLOCK)
    if theirs is None:
        wrong = Unreadable(
            "Date",
            None,
            "its answers do not say what time it is",
            "Nothing is lost: what changed in the last day is asked for each time. Find out whether a proxy "
            "takes the Date header away, else report it to SalesBinder.",
            "clock_off",
        )
        batch.problems.append(wrong.of(*CLOCK))
        return
    apart = theirs - ours
    if abs(apart) >= _CLOCKS_APART:
        minutes = abs(apart) // timedelta(minutes=1)
        side = "ahead of" if apart > timedelta(0) else "behind"
        wrong = Unreadable(
            "Date",
            theirs.isoformat(),
            f"it is {minutes:,} minutes {side} the clock here",
            "Compare the time here with the real one, and have it set by NTP if it is off; else it is "
            "SalesBinder's, and nothing is needed.",
            "clock_off",
        )
        batch.problems.append(wrong.of(*CLOCK))


def note_skipped(scan: Scan, batch: Batch) -> None:
    """Report rows of a list that SalesBinder fails to show, or that nothing is skipped any more."""
    place = (scan.listing, f"{scan.layer} skipped")
    batch.seen.add(place)
    if scan.skipped:
        what, where = unseen_in_words(scan)
        wrong = Unreadable(
            "rows",
            scan.unseen,
            f"{what} of it cannot be read ({where}), and what changes there may be noticed late",
            "Nothing is needed if it passes; else look in SalesBinder for what is odd about the records at "
            "that place of the list, and tell them that their API fails to show it.",
            "rows_not_shown",
        )
        batch.problems.append(wrong.of(*place))


def unseen_in_words(scan: Scan) -> tuple[str, str]:
    """Return how many rows of a list SalesBinder failed to show, and which."""
    ranges = [
        f"{before + 1:,}" + (f" to {before + rows:,}" if rows > 1 else "") for before, rows in scan.skipped
    ]
    named = ", ".join(ranges[:_NAMED]) + (", and others" if len(ranges) > _NAMED else "")
    return f"{scan.unseen:,} row{'s' if scan.unseen > 1 else ''}", f"{named} in the order of the API"


_NAMED: Final = 5
"""Ranges of rows that a problem names."""
_ODDITIES: Final[Mapping[Oddity, str]] = {
    "page_repeated": "two pages have the same rows",
    "page_empty": "a page that should have rows has none",
    "rows_missing": "there are fewer rows than it counts",
    "halved": "it is less than half as long as before",
    "emptied": "it is empty, and was not before",
}


def note_oddity(step: Step, batch: Batch) -> None:
    """Report a list that contradicts itself; nothing is concluded from it."""
    scan = step.scan
    batch.seen |= {(scan.listing, scan.layer), (scan.listing, "")}
    if step.oddity is not None:
        wrong = Unreadable(
            "rows",
            scan.rows,
            _ODDITIES[step.oddity],
            "Nothing is needed if it passes; else check in SalesBinder what the key's user may see.",
            "list_odd",
        )
        batch.problems.append(wrong.of(scan.listing, scan.layer))
