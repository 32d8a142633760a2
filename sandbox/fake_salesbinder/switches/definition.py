"""What a switch is: a field that holds one of a few words, with its meaning and where the question stands."""

from dataclasses import dataclass, field, fields
from typing import Any, get_args, get_type_hints


@dataclass(frozen=True, slots=True)
class Switch:
    """One question that SalesBinder leaves open.

    `settings` begins with the default, the likeliest answer; `source` names the sections of the facts that
    leave it open, and how sure they are of the default."""

    name: str
    settings: tuple[str, ...]
    meaning: str
    source: str


def switch(default: str, meaning: str, source: str) -> Any:
    """Return the field of a switch. `meaning` says what each setting does."""
    return field(default=default, metadata={"meaning": meaning, "source": source})


def described(holder: type) -> list[Switch]:
    """Return the switches of a dataclass, in its order. Raises TypeError on a default that is no setting."""
    hints = get_type_hints(holder)
    found = []
    for told in fields(holder):
        settings: tuple[str, ...] = get_args(hints[told.name])
        if told.default not in settings:
            raise TypeError(f"{told.name}: {told.default!r} is not among {settings}")
        ordered = (str(told.default), *(word for word in settings if word != told.default))
        found.append(Switch(told.name, ordered, told.metadata["meaning"], told.metadata["source"]))
    return found
