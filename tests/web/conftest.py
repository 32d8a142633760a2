from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.web.office import Office, serving


@pytest.fixture
def office(database_url: str, tmp_path: Path) -> Iterator[Office]:
    """The page with a database of this test's own."""
    with serving(database_url, tmp_path) as running:
        yield running
