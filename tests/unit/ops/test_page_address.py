"""The page keeps its port, tells when somebody else has it, and the commands name the port that it has."""

import socket
from contextlib import closing
from pathlib import Path

import pytest

from sbx.cli import page_address
from sbx.cli.errors import OperationFailed


class Told(list[str]):
    def __call__(self, text: str, trouble: bool) -> None:
        assert trouble
        self.append(text)


def port_of(listening: socket.socket) -> int:
    return int(listening.getsockname()[1])


@pytest.fixture
def free() -> int:
    with socket.create_server(("127.0.0.1", 0)) as one:
        return port_of(one)


def test_the_port_of_the_last_time_is_taken_again(tmp_path: Path, free: int) -> None:
    told = Told()
    for wanted in (free, None, None):
        with closing(page_address.listening(wanted, tmp_path, told)) as page:
            assert port_of(page) == free
    assert page_address.kept(tmp_path) == f"http://localhost:{free}"
    assert told == []


def test_a_taken_port_is_told_and_the_new_one_is_kept(tmp_path: Path, free: int) -> None:
    told = Told()
    page_address.listening(free, tmp_path, told).close()
    with (
        socket.create_server(("127.0.0.1", free)),
        closing(page_address.listening(None, tmp_path, told)) as page,
    ):
        elsewhere = port_of(page)
    assert elsewhere != free
    assert told == [f"port {free} is taken: the page is at http://localhost:{elsewhere}, from now on"]
    assert page_address.kept(tmp_path) == f"http://localhost:{elsewhere}"


def test_a_requested_port_that_is_taken_is_refused(tmp_path: Path, free: int) -> None:
    with socket.create_server(("127.0.0.1", free)), pytest.raises(OperationFailed, match="is taken"):
        page_address.listening(free, tmp_path, Told())
    assert page_address.kept(tmp_path) is None
