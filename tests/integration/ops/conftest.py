"""`sbx up` with a fake Xero, and `sbx` where nothing runs."""

from collections.abc import Iterator
from pathlib import Path

import psutil
import pytest

from sandbox.fake_xero.server import FakeXeroServer
from tests.integration.ops.sbx import Sbx, Stack, environ, wait_ready


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """`sbx up` with a fake Xero, one for all tests of a module."""
    with FakeXeroServer() as xero:
        xero.admin.limits(minute=1000)  # the tests' accounts share one organisation, hence one limit
        sbx = Sbx(
            environ(tmp_path_factory.mktemp("up"), SBX_XERO_API_URL=xero.url, SBX_XERO_IDENTITY_URL=xero.url)
        )
        up = sbx.start("up", "--json")
        try:
            yield Stack(sbx, xero, wait_ready(up), psutil.Process(up.pid))
        finally:
            up.terminate()
            _, err = up.communicate(timeout=240)
            assert up.returncode == 0, err


@pytest.fixture
def alone(tmp_path: Path) -> Sbx:
    """`sbx` where nothing runs."""
    return Sbx(environ(tmp_path / "data"))
