"""Two accounts of one organisation, as the commands tell it."""

import pytest

from tests.integration.ops.accounts import Account, connected, here
from tests.integration.ops.sbx import Stack


@pytest.fixture
def account(stack: Stack, unique: str) -> Account:
    return connected(stack, unique)


def test_equal_number_formats_are_told_at_connect_and_by_the_check(account: Account, stack: Stack) -> None:
    second = f"{account.name}-b"
    connect = ("connect", second, "--tenant", account.tenant_id, "--client-id", stack.xero.client_id)
    secret = {"SBX_XERO_CLIENT_SECRET": stack.xero.client_secret}
    told = here(stack, *connect, "--json", **secret)
    assert told.code == 0, told.err
    clashing = {"invoice_number_format", "purchase_order_number_format"}
    found = [one for one in told.json["findings"] if one["code"] == "numbers_may_clash"]
    assert {one["key"] for one in found} == clashing
    assert all(account.name in one["problem"] for one in found)

    for name in (account.name, second):
        shown = here(stack, "settings", "check", name, "--json").json
        assert {o["key"] for o in shown["findings"] if o["code"] == "numbers_may_clash"} == clashing
    account.sbx("settings", "set", second, "invoice_number_format=B-{number}")
    shown = here(stack, "settings", "check", second, "--json").json
    left = [one["key"] for one in shown["findings"] if one["code"] == "numbers_may_clash"]
    assert left == ["purchase_order_number_format"]
