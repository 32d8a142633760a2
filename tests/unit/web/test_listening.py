"""The address that a page of this machine is told by."""

import pytest

from sbx.web.listening import address, bind


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "localhost"])
def test_a_page_of_this_machine_is_at_localhost_where_xero_leads_back_to(host: str) -> None:
    with bind(host, 0) as listening:
        assert address(listening) == f"http://localhost:{listening.getsockname()[1]}"


def test_another_address_is_told_as_it_is() -> None:
    with bind("127.0.0.2", 0) as listening:
        assert address(listening) == f"http://127.0.0.2:{listening.getsockname()[1]}"
