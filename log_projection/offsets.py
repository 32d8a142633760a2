"""Offsets as people write them; command line, page and API share it."""

import re

MOST = 2**63 - 1
_WRITE = "write 120, 120-180 or 120-"


class NotOffsets(ValueError):
    """A text that is neither an offset nor a range. ``str()`` says why, ``remedy`` what to write."""

    def __init__(self, problem: str, remedy: str = _WRITE) -> None:
        self.remedy = remedy
        super().__init__(problem)


def offset_range(text: str) -> tuple[int, int]:
    """Parse a range of offsets: ``120`` is from 120 to 120, ``120-180`` from 120 to 180, ``120-`` from 120
    on.

    Raises:
        NotOffsets: it is none, or runs backwards.
    """
    found = re.fullmatch(r"(\d{1,19})(-(\d{1,19})?)?", text, re.ASCII)
    if found is None:
        raise NotOffsets("is neither an offset nor a range")
    first = int(found[1])
    last = first if found[2] is None else int(found[3] or MOST)
    if max(first, last) > MOST:
        raise NotOffsets("is larger than any offset")
    if last < first:
        raise NotOffsets("the range runs backwards", f"write {last}-{first}")
    return first, last
