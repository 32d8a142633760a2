"""Secrets are asked for without a word of Python's own."""

import io
import warnings

import pytest

from sbx.cli.terminal import ask_secret


def test_without_a_terminal_a_secret_is_a_line_of_stdin(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("secret of theirs\nmore\n"))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert ask_secret("Client secret") == "secret of theirs"
    assert capsys.readouterr() == ("", "")
