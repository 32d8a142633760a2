"""``sbx demo --by-hand``: it says what to give the page."""

from datetime import UTC, datetime, timedelta
from io import StringIO

import pytest
from rich.console import Console

from sandbox.fake_salesbinder import FakeSalesBinderServer
from sandbox.fake_xero.server import FakeXeroServer
from sandbox.fake_xero.world import DEFAULT_CLIENT, DEFAULT_SECRET
from sbx.cli.demo.by_hand import prepare
from sbx.cli.demo.demo import demo
from sbx.cli.demo.shop import ACCOUNT
from sbx.cli.errors import BadUsage


@pytest.mark.parametrize("other", ["once", "publish", "as_json"])
def test_it_is_combined_with_nothing(other: str) -> None:
    given = dict.fromkeys(("once", "publish", "as_json"), False) | {other: True}
    with pytest.raises(BadUsage, match="cannot be combined"):
        demo(by_hand=True, **given)


def test_the_page_can_be_given_all_that_is_told_and_the_start_date_is_before_all_documents() -> None:
    told = StringIO()
    with FakeSalesBinderServer(seed=3) as salesbinder, FakeXeroServer() as xero:
        prepare(Console(file=told, width=200), salesbinder.admin, xero.url, "http://localhost:8321")
        (shop,) = [found for name, found in salesbinder.world.shops.items() if name == ACCOUNT]
        documents = [shop.store.documents.get(record_id) for record_id in shop.truth.documents]
        made = [document.created for document in documents if document is not None]
        assert len(made) == 12
        said = told.getvalue()
        for word in (ACCOUNT, shop.owner.key, DEFAULT_CLIENT, DEFAULT_SECRET):
            assert word in said
        (day,) = [each for each in said.split() if each[:2] == "20" and each.count("-") == 2]
        start = datetime.fromisoformat(day).replace(tzinfo=UTC)
        assert min(made) - timedelta(days=3) < start < min(made)
