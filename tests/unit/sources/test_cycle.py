"""The whole reader but its edges: schedule, answers, diff; against a shop that changes while it is read."""

import random
from collections import Counter
from datetime import timedelta

import msgspec
import pytest

from sources.diff.look import Shrunk
from sources.schedule.budget import WINDOWS
from tests.unit.sources.memory import MemoryReader
from tests.unit.sources.shop import Shop, Switches
from tests.unit.sources.stub import Habits, Stub
from tests.unit.sources.test_histories import Played, assert_told_once_in_order


def any_switches(seed: int) -> tuple[Switches, Habits]:
    """Return a setting of all that is not known of the API."""
    choose = random.Random(seed).choice
    yes = [True, False]
    switches = Switches(
        refunds=choose(["negative", "gone", "shrinks", "marked"]),
        resets=choose(["gone", "negative"]),
        money_moves_modified=choose(yes),
        state_moves_modified=choose(yes),
        lines_keep_ids=choose(yes),
        receipts=choose(["status", "lines", "both"]),
        transactions_have_times=choose(yes),
        texts=choose(yes),
    )
    return switches, Habits(choose(yes), choose(yes), choose([1, 2, 3, 6]), choose(yes))


def read_a_shop(
    seed: int, switches: Switches, habits: Habits, before: int, minutes: int
) -> tuple[Shop, MemoryReader]:
    """Let a shop live, connect to it, and let it live on while it is read; then sweep all rows once more."""
    random_ = random.Random(seed)
    shop = Shop(seed, switches)
    for _ in range(before):
        shop.act()
    stub = Stub(shop, habits, seed)
    shrunk: Shrunk = "refund" if switches.refunds == "shrinks" and seed % 2 else "correction"
    reader = MemoryReader(stub.answer, shop.now + timedelta(seconds=1), shrunk)
    end = reader.now + timedelta(minutes=minutes)

    def between() -> None:
        shop.now = max(shop.now, reader.now.replace(microsecond=0))
        if reader.now < end and random_.random() < 0.1:
            shop.act(steps=(0,))

    stub.between = between
    reader.run_until(end)
    for listing in ("customers", "suppliers", "invoices", "orders"):
        reader.finished.pop(f"all/{listing}", None)
        reader.scans.pop(f"all/{listing}", None)
    while len([key for key in reader.finished if key.startswith("all/")]) < 4 or reader.wishes:
        reader.step()
    reader.run_until(reader.now + timedelta(minutes=2))
    return shop, reader


@pytest.mark.parametrize("seed", range(16))
def test_a_shop_that_is_read_from_its_first_day_is_told_whole(seed: int) -> None:
    switches, habits = any_switches(seed)
    shop, reader = read_a_shop(seed, switches, habits, before=0, minutes=15)
    assert reader.problems == []
    assert_told_once_in_order(reader.told)
    books = played(reader)
    for paper in shop.papers.values():
        book = books[paper.id]
        assert (book.content, book.paid) == (paper.content, paper.paid)
        assert book.ended == ["cancelled"] * paper.cancelled + ["received"] * (paper.came == "full")
    assert {record_id for record_id, book in books.items() if "deleted" in book.ended} <= set(shop.deleted)
    known = {record_id for record_id in shop.deleted if record_id in books}
    assert all(books[record_id].ended[-1] == "deleted" for record_id in known)


@pytest.mark.parametrize("seed", range(6))
def test_what_was_there_before_is_told_only_where_it_changes(seed: int) -> None:
    switches, habits = any_switches(seed)
    shop, reader = read_a_shop(seed, switches, habits, before=30, minutes=0)
    assert [event.type for event in reader.told] == []
    assert reader.problems == []
    assert {key[1] for key in reader.kept} == {*shop.papers, shop.customer["id"]}


def test_the_budget_is_kept_at_all_times() -> None:
    _, reader = read_a_shop(7, Switches(money_moves_modified=False), Habits(page_limit=1), 30, 30)
    sent = [at for at, _ in reader.sent]
    for length, most in WINDOWS:
        for place, start in enumerate(sent):
            assert sum(each < start + length for each in sent[place : place + most + 1]) <= most


def test_an_account_in_which_payments_move_modified_is_found_out() -> None:
    _, moving = read_a_shop(3, Switches(money_moves_modified=True), Habits(page_limit=200), 0, 180)
    assert moving.trust["payment_applied"].unmoved == 0
    assert moving.trust["payment_applied"].run > 10
    _, still = read_a_shop(3, Switches(money_moves_modified=False), Habits(page_limit=200), 0, 60)
    assert still.trust["payment_applied"].unmoved > 0
    assert still.missed == moving.missed == 0


def test_a_quiet_shop_costs_few_calls_and_no_details() -> None:
    _, reader = read_a_shop(5, Switches(), Habits(page_limit=200), 40, 0)
    reader.sent.clear()
    reader.run_until(reader.now + timedelta(hours=1))
    assert len(reader.sent) / 60 <= 8
    whys = Counter(why for _, why in reader.sent)
    assert not {"changed", "again", "hint"} & set(whys)


def played(reader: MemoryReader) -> dict[str, Played]:
    books: dict[str, Played] = {}
    for event in reader.told:
        told = msgspec.json.decode(event.value)
        action = event.type.rpartition(".")[2]
        if "document" in told["data"]:
            assert (action == "created") == (told["subject"] not in books)
        books.setdefault(told["subject"], Played()).play(action, told["data"])
    return books
