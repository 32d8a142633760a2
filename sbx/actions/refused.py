"""Why something was not done, for the command line, the page and the API."""

from collections.abc import Sequence
from typing import Literal, TypeVar

Code = Literal["bad_request", "not_found", "not_possible", "not_undecided", "ended"]
"""Programs rely on these: the API answers with them."""
Word = TypeVar("Word", bound=str)


class ActionRefused(Exception):
    """An action that was not done; nothing has changed. ``str()`` says what and why.

    ``code`` never changes, ``remedy`` says what to do, ``field`` names the part of the request that is wrong.
    """

    def __init__(self, code: Code, problem: str, remedy: str = "", *, field: str | None = None) -> None:
        self.code: Code = code
        self.problem = problem
        self.remedy = remedy
        self.field = field
        super().__init__(problem)

    @property
    def message(self) -> str:
        """Return problem and remedy in sentences."""
        if not self.remedy:
            return self.problem
        return f"{self.problem.rstrip('.')}; {self.remedy.rstrip('.')}."


def bad_request(problem: str, remedy: str = "", *, field: str | None = None) -> ActionRefused:
    """Return the refusal of a request that is wrong in itself, in any state."""
    return ActionRefused("bad_request", problem, remedy, field=field)


def not_possible(problem: str, remedy: str = "", *, field: str | None = None) -> ActionRefused:
    """Return the refusal of an action that cannot be done in the present state."""
    return ActionRefused("not_possible", problem, remedy, field=field)


def one_of(word: str, known: Sequence[Word], field: str = "do") -> Word:
    """Return the word, if it is a known one.

    Raises:
        ActionRefused: it is not; names those that there are.
    """
    found = next((one for one in known if one == word), None)
    if found is None:
        message = f"'{word}' is not a possible action. There are: {', '.join(known)}."
        raise ActionRefused("bad_request", message, field=field)
    return found
