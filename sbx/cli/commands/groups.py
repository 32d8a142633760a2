"""Commands with subcommands, and how their help looks."""

from collections.abc import Mapping
from typing import Any

import typer
from typer.core import TyperGroup

PLAIN: dict[str, Any] = {"rich_markup_mode": None, "add_completion": False, "pretty_exceptions_enable": False}
"""For each ``typer.Typer``: with rich, help takes three times as long."""


class Group(TyperGroup):
    """Shows each command with the whole first paragraph of its help."""

    def sections(self, ctx: typer.Context) -> Mapping[str, Mapping[str, str]]:
        """Return commands with their help, grouped by heading."""
        found = {name: self.get_command(ctx, name) for name in self.list_commands(ctx)}
        return {"Commands": {name: first_paragraph(one.help) for name, one in found.items() if one}}

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        sections = self.sections(ctx)
        longest = max(len(name) for commands in sections.values() for name in commands)
        for heading, commands in sections.items():
            with formatter.section(heading):
                formatter.write_dl([(name.ljust(longest), text) for name, text in commands.items()])

    def get_help_option(self, ctx: Any) -> Any:
        option = super().get_help_option(ctx)
        if option is not None:
            option.default = False  # typer loads pydantic to find out that None is no bool
        return option

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        if not args and self.no_args_is_help and not ctx.resilient_parsing:
            typer.echo(ctx.get_help())
            ctx.exit(2)
        return super().parse_args(ctx, args)


def new_group(text: str) -> typer.Typer:
    """Return a command with subcommands, with its help."""
    return typer.Typer(cls=Group, no_args_is_help=True, help=text, **PLAIN)


def first_paragraph(text: str | None) -> str:
    """Return the first paragraph of a docstring or help text as one line."""
    return " ".join((text or "").strip().partition("\n\n")[0].split())
