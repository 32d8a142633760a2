"""The client secret of an app in Xero: from a file, standard input or the environment; never from arguments,
which everybody on the machine can read.
"""

import sys
from pathlib import Path
from typing import Annotated

import typer

VARIABLE = "SBX_XERO_CLIENT_SECRET"

ClientSecret = Annotated[
    str | None,
    typer.Option(
        envvar=VARIABLE,
        help="Deprecated, since arguments can be read by everybody on the machine: use --client-secret-file, "
        "or the variable.",
        show_envvar=True,
    ),
]
ClientSecretFile = Annotated[
    Path | None,
    typer.Option(
        envvar="SBX_XERO_CLIENT_SECRET_FILE",
        help="File with the client secret of the app, - for standard input.",
        show_envvar=True,
        dir_okay=False,
        allow_dash=True,
    ),
]


def given_secret(context: typer.Context, secret: str | None, file: Path | None) -> str | None:
    """Return the secret that the command was given; None if it was given none.

    Raises:
        BadUsage: the file cannot be read or is blank, or two secrets were given.
    """
    from sbx.cli.errors import BadUsage
    from sbx.cli.terminal import say

    if _is_argument(context, "client_secret"):
        say(
            f"--client-secret is deprecated: everybody on the machine can read it; use --client-secret-file, "
            f"- for standard input, or {VARIABLE}",
            "yellow",
        )
        if _is_argument(context, "client_secret_file"):
            raise BadUsage("--client-secret and --client-secret-file exclude each other", "give the file")
        return secret
    return secret if file is None else _read(file)


def _is_argument(context: typer.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def _read(file: Path) -> str:
    from sbx.cli.errors import BadUsage

    try:
        text = sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")
    except (OSError, UnicodeError) as error:
        raise BadUsage(
            f"--client-secret-file {file}: {error}", "name a file with nothing but the secret"
        ) from error
    if not text.strip():
        raise BadUsage(f"--client-secret-file {file} is blank", "name a file with nothing but the secret")
    return text.strip()
