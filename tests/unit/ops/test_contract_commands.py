"""The command line takes every command and option that the contract names: scripts hold on to them."""

import pytest
import typer
import typer.core

from sbx.cli.command_line import app

COMMANDS = """
sbx up
sbx demo --once
sbx worker transform
sbx worker deliver
sbx worker project
sbx worker source
sbx web
sbx topics create
sbx topics check --json
sbx topics skip TOPIC 0 1
sbx migrate
sbx connect acme --tenant ID --client-id ID --client-secret SECRET --enabled-at 2026-01-31T00:00:00Z --json
sbx connect acme --new-organisation
sbx settings show acme --json
sbx settings set acme KEY=VALUE KEY=VALUE
sbx settings check acme --json
sbx publish FILE FILE --skip-invalid
sbx status --json
sbx wait --idle --timeout 5
sbx log --json --limit 5
sbx explain RECORD --json
sbx retry --id ENTRY --yes --json
sbx replay --account acme --yes --json
sbx skip --id ENTRY --note WHY --yes --json
sbx pause acme
sbx resume acme
sbx drift acme --json
sbx preview FILE --json
sbx source connect acme --api-key-file FILE --json
sbx source connect acme --key-file FILE
sbx source status acme --json
sbx source probe acme --json
sbx source backfill acme --since 2026-01-31 --yes --json
sbx reconcile acme --from 2026-01-01 --to 2026-01-31 --check --json
sbx setup acme --api-key-file FILE
sbx recover --yes --json
sbx acts --json
""".strip().splitlines()
"""Those of the contract's tables of commands, and ``--json`` of all that print data."""


@pytest.mark.parametrize("line", COMMANDS)
def test_the_command_line_takes_what_the_contract_names(line: str) -> None:
    command, rest = typer.main.get_command(app), line.split()[1:]
    context = typer.Context(command, info_name="sbx")
    while isinstance(command, typer.core.TyperGroup):
        found = command.get_command(context, rest.pop(0))
        assert found is not None
        command = found
        context = typer.Context(command, parent=context)
    command.make_context(line, rest)
