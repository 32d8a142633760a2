"""Documents from before the cut-off: no deep reads by schedule while nothing of them was told."""

from collections import Counter
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import msgspec

from sandbox.fake_salesbinder import Switches
from sources.batch import Kept, Key, Wish
from sources.context import Context
from sources.details import not_there, read_document
from sources.reading import read_page
from sources.salesbinder.answers import Page
from sources.schedule.scans import Scan
from tests.unit.sources.faults import FaultyMeeting
from tests.unit.sources.records import INVOICE, NOON, document, look, paid, wire, with_paid

MADE = datetime.fromisoformat(document()["created"])
CONNECTED = Context(look(), NOON - timedelta(hours=1))
"""The sample invoice is older."""
EARLIER, LATER = replace(CONNECTED, cut_off=MADE), replace(CONNECTED, cut_off=MADE + timedelta(seconds=1))
"""With a cut-off before which the sample invoice was not made, and with one before which it was."""
KEY: Key = ("invoice", INVOICE)
WISH = Wish(INVOICE, "deep", NOON)
SETTLED: dict[str, Any] = {"status": {"id": 12, "name": "paid in full"}}


def listed(context: Context, before: Kept | None = None, **changes: Any) -> Kept | None:
    """What a row of the invoice leaves to be kept; none: nothing is written."""
    record = with_paid(**changes)
    del record["transactions"]
    page = Page(1, 1, 1, (wire(record),))
    kept = {} if before is None else {KEY: before}
    batch = read_page(Scan(layer="open", listing="invoices", started=NOON), page, kept, context)
    return batch.kept.get(KEY)


def stock(context: Context, **changes: Any) -> Kept:
    found = listed(context, **changes)
    assert found is not None
    return found


def test_an_old_document_of_which_nothing_was_told_is_not_read_deep() -> None:
    assert stock(LATER).deep is None
    assert stock(EARLIER).deep is not None
    assert stock(CONNECTED).deep is not None, "not connected to Xero: nobody knows what is synced"
    read = read_document(wire(document()), WISH, stock(EARLIER), LATER)
    assert read.kept[KEY].deep is None
    missing = not_there(WISH, stock(EARLIER), LATER)
    assert missing.kept[KEY].deep is None


def test_a_change_of_an_old_document_is_told_and_its_deep_reads_go_on() -> None:
    """It may be in Xero: the sink decides."""
    before = stock(LATER)
    changed = listed(LATER, before, total_price=99)
    assert changed is None
    found = read_document(wire(with_paid(paid())), WISH, before, LATER)
    assert [event.type for event in found.events] == ["salesbinder.invoice.payment_applied"]
    told = found.kept[KEY]
    assert told.deep == NOON + timedelta(days=1)
    assert listed(LATER, msgspec.structs.replace(told, fingerprint=before.fingerprint)) is None


def test_a_cut_off_that_moves_gives_and_takes_deep_reads_with_the_next_sweep() -> None:
    before = stock(LATER)
    assert listed(LATER, before) is None
    given = listed(EARLIER, before)
    assert given is not None
    assert given.deep is not None
    assert NOON <= given.deep < NOON + timedelta(days=1), "not all at once"
    assert listed(EARLIER, given) is None
    taken = listed(LATER, given)
    assert taken == before


def test_a_document_that_was_settled_before_the_connection_gets_none_by_a_cut_off_that_moves() -> None:
    settled = stock(LATER, **SETTLED)
    assert settled.deep is None
    assert listed(EARLIER, settled, **SETTLED) is None
    read = read_document(wire(document(**SETTLED)), WISH, settled, LATER).kept[KEY]
    assert read.deep is None
    given = listed(EARLIER, msgspec.structs.replace(read, fingerprint=settled.fingerprint), **SETTLED)
    assert given is not None, "its detail was read: it would be read again but for the cut-off"
    assert given.deep is not None


def test_the_readers_day_with_old_documents_has_no_deep_read_of_them() -> None:
    def day(cut_off: datetime | None) -> Counter[str]:
        meeting = FaultyMeeting(Switches(), 4)
        reader = meeting.reader
        for _ in range(30):
            meeting.act()
        reader.store.cut_off = cut_off
        reader.run_until(reader.now + timedelta(minutes=30))
        details: Counter[str] = Counter()
        asking = reader.asking

        def counting(asked: Any) -> Any:
            details[asked.path.partition("/")[0]] += "/" in asked.path
            return asking(asked)

        reader.asking = counting
        reader.now += timedelta(days=1)
        reader.run_until(reader.now + timedelta(minutes=10))
        return details

    assert day(None)["documents"] > 0
    assert day(NOON + timedelta(days=365))["documents"] == 0
