"""Where a client secret may come from."""

from pathlib import Path
from typing import Any

import pytest
import typer
from typer.testing import CliRunner

from sbx.cli.client_secret import VARIABLE, ClientSecret, ClientSecretFile, given_secret
from sbx.cli.commands.connect import connect
from sbx.cli.commands.setup import setup
from sbx.cli.errors import BadUsage

app = typer.Typer()


@app.command()
def trial(
    context: typer.Context, client_secret: ClientSecret = None, client_secret_file: ClientSecretFile = None
) -> None:
    print(f"<{given_secret(context, client_secret, client_secret_file)}>")


def run(*words: str, stdin: str = "", **environ: str) -> Any:
    return CliRunner().invoke(app, list(words), input=stdin, env={VARIABLE: None, **environ})


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "secret"
    path.write_text("s3cret-1\n")
    return path


def test_a_file_or_standard_input_without_a_word(file: Path) -> None:
    for done in (
        run("--client-secret-file", str(file)),
        run("--client-secret-file", "-", stdin="s3cret-1\n"),
        run(**{VARIABLE: "s3cret-1"}),
        run(**{f"{VARIABLE}_FILE": str(file)}),
        run("--client-secret-file", str(file), **{VARIABLE: "another"}),
    ):
        assert (done.stdout, done.stderr) == ("<s3cret-1>\n", "")
    assert run().stdout == "<None>\n"


def test_an_argument_still_works_and_is_said_to_be_seen_by_all() -> None:
    done = run("--client-secret", "s3cret-1")
    assert done.stdout == "<s3cret-1>\n"
    assert "deprecated" in done.stderr and "--client-secret-file" in done.stderr
    assert "s3cret-1" not in done.stderr


def test_what_gives_none_is_refused(file: Path, tmp_path: Path) -> None:
    blank = tmp_path / "blank"
    blank.write_text(" \n")
    for words in (
        ("--client-secret-file", str(blank)),
        ("--client-secret-file", str(tmp_path / "none")),
        ("--client-secret-file", "-"),
        ("--client-secret", "a", "--client-secret-file", str(file)),
    ):
        assert isinstance(run(*words).exception, BadUsage)


@pytest.mark.parametrize("command", [connect, setup])
def test_both_commands_take_it(command: Any, file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    taken = []
    for module in ("connect", "setup"):
        monkeypatch.setattr(
            f"sbx.cli.{module}.{module}", lambda *_, client_secret, **_given: taken.append(client_secret)
        )
    one = typer.Typer()
    one.command()(command)
    done = CliRunner().invoke(one, ["acme", "--client-secret-file", str(file)], env={VARIABLE: None})
    assert (done.exit_code, taken) == (0, ["s3cret-1"])
