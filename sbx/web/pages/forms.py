"""Values typed into forms."""

from starlette.datastructures import FormData

from sbx.web.problems import Problem

LONGEST = 1000


def text(form: FormData, name: str) -> str:
    """Return a field without surrounding blanks; ``""`` if it is not given.

    Raises:
        Problem: 400, it is a file, too long, or contains a NUL.
    """
    value = form.get(name, "")
    if not isinstance(value, str) or "\0" in value or len(value) > LONGEST:
        raise Problem(400, "bad_request", f"'{name}' must be a text of up to {LONGEST} characters.", name)
    return value.strip()
