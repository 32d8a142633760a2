"""The filters shared by ``sbx log``, ``sbx retry``, ``sbx skip`` and ``sbx replay``.

``filtered`` gives a command all of them, ``filtered_by`` some of them.
"""

import functools
import inspect
from collections.abc import Callable
from dataclasses import fields
from typing import Any

from sbx.cli.filter_options import Options


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
