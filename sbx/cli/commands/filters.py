"""The filters shared by ``sbx log``, ``sbx retry``, ``sbx skip`` and ``sbx replay``.

``Options`` declares them once; ``filtered`` gives a command all of them, ``filtered_by`` some of them.
"""

import functools
import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields
from typing import Annotated, Any

import typer

from sbx.cli.commands.options import check_account


@dataclass(frozen=True, kw_only=True)
class Options:
    """The options as typed, all optional; an entry must match all that are given."""

    account: Annotated[str | None, typer.Option(callback=check_account, help="SalesBinder sub-domain.")] = (
        None
    )
    state: Annotated[str | None, typer.Option(help="queued, running, completed or failed.")] = None
    entity: Annotated[str | None, typer.Option(help="customer, supplier, invoice or purchase_order.")] = None
    action: Annotated[str | None, typer.Option(help="Such as created or payment_applied.")] = None
    reason: Annotated[str | None, typer.Option(help="A reason code, such as tax_rate_unmapped.")] = None
    issue: Annotated[str | None, typer.Option(help="An issue's id: failures with one cause.")] = None
    number: Annotated[str | None, typer.Option(help="A document's number.")] = None
    record: Annotated[str | None, typer.Option(help="A record's SalesBinder id.")] = None
    entry: Annotated[str | None, typer.Option("--id", help="An entry's id.")] = None
    text: Annotated[str | None, typer.Option(help="Beginning of a number, name or id.")] = None
    since: Annotated[str | None, typer.Option(help="At or after: a time, or 30m, 2h, 1d ago.")] = None
    until: Annotated[str | None, typer.Option(help="Before: a time, or 30m, 2h, 1d ago.")] = None
    topic: Annotated[str | None, typer.Option(help="The event's topic.")] = None
    partition: Annotated[int | None, typer.Option(min=0, help="The event's partition.")] = None
    offset: Annotated[str | None, typer.Option(help="The event's offset, or a range such as 120-180.")] = None


def filtered_by(*names: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command these filters as options; it receives them as its argument ``wanted``.

    Typer reads the signature, where the fields of ``Options`` replace ``wanted``.
    """
    chosen = [one for one in fields(Options) if one.name in names]

    def give(command: Callable[..., None]) -> Callable[..., None]:
        own = [one for one in inspect.signature(command).parameters.values() if one.name != "wanted"]
        keyword = inspect.Parameter.KEYWORD_ONLY
        parameters = [
            inspect.Parameter(one.name, keyword, default=one.default, annotation=one.type) for one in chosen
        ]
        parameters += [one.replace(kind=keyword) for one in own]

        @functools.wraps(command)
        def with_options(**given: Any) -> None:
            from sbx.cli.filters import filters

            options = Options(**{one.name: given.pop(one.name) for one in chosen})
            command(wanted=filters(options), **given)

        with_options.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]
        with_options.__annotations__ = {one.name: one.annotation for one in parameters}
        return with_options

    return give


filtered = filtered_by(*(one.name for one in fields(Options)))
"""Give a command every filter."""
