"""Values typed into forms."""

from collections.abc import Sequence
from typing import TypeVar

from starlette.datastructures import FormData

from sbx.web.problems import Problem

LONGEST = 1000
T = TypeVar("T", bound=str)


def one_of(word: str, known: Sequence[T], field: str = "do") -> T:
    """Return the word, when it is one of these.

    Raises:
        Problem: 400, it is none; names those that there are.
    """
    found = next((one for one in known if one == word), None)
    if found is None:
        message = f"'{word}' is not a possible action. There are: {', '.join(known)}."
        raise Problem(400, "bad_request", message, field)
    return found


def text(form: FormData, name: str) -> str:
    """Return a field without surrounding blanks; ``""`` if it is not given.

    Raises:
        Problem: 400, it is a file, too long, or contains a NUL.
    """
    value = form.get(name, "")
    if not isinstance(value, str) or "\0" in value or len(value) > LONGEST:
        raise Problem(400, "bad_request", f"'{name}' must be a text of up to {LONGEST} characters.", name)
    return value.strip()
